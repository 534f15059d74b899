"""The assembler: GNU `as` syntax in, an ELF32 RISC-V executable out.

It knows the tables of `toyisa`; it must not know the machine that runs the result.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asm.assembled import Line, Name
    from asm.assembler import Object, assemble, assemble_text
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

_MODULES = {
    "AsmErrors": "asm.errors", "Line": "asm.assembled", "Name": "asm.assembled",
    "write_atomically": "asm.output",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: a program from the cache needs no assembler."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES.get(name, "asm.assembler")), name)
    return value
