"""The assembler: GNU `as` syntax in, an ELF32 RISC-V executable out.

Knows the tables of `toyisa`; must not know the machine that runs the result.
"""

from asm.assembler import Line, Name, Object, assemble, assemble_text
from asm.errors import AsmErrors
from asm.output import write_atomically

__all__ = [
    "AsmErrors",
    "Line",
    "Name",
    "Object",
    "assemble",
    "assemble_text",
    "write_atomically",
]
