"""Answers for writing a file completely or not at all, for programs that use the assembler.

Must not know what the file contains.
"""

from pathlib import Path

from toyisa.files import writing


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file completely or not at all, by the rules of `toyisa/files/writing.py`; OSError."""
    writing.write(path, data)
