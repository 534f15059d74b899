"""The assembler: GNU `as` syntax in, an ELF32 RISC-V executable out.

Knows the tables of `toyisa`; must not know the machine that runs the result.
"""
