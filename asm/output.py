"""Answers for files that are there whole or not at all, for programs that use the assembler.

Must not know what is in them.
"""

from pathlib import Path

from toyisa import writing
from toyisa.writing import Unwritable


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file whole or not at all, by the rules of `toyisa/writing.py`; OSError."""
    try:
        writing.write(path, data)
    except Unwritable as error:
        raise OSError(str(error)) from None
