"""The assembler: GNU `as` syntax in, an ELF32 RISC-V executable out.

Knows the tables of `toyisa`; must not know the machine that runs the result.
"""

from asm.assembler import Line, Name, Object, assemble, assemble_text, write_atomically
from asm.errors import AsmErrors

__all__ = [
    "AsmErrors",
    "Line",
    "Name",
    "Object",
    "assemble",
    "assemble_text",
    "write_atomically",
]
