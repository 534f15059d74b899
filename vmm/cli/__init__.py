"""The command `toyvmm`: one file for each of its commands.

A heavy import stands inside the command that needs it, so that help and the assembler start
at once.
"""
