"""Answers for what a guest that did not end well was doing, in sentences with the fix.

`diagnosis.py` is the outline.  Must not know the command line.  Must not complain about what
a correct guest does: a sentence is said only if there is evidence for it.
"""
