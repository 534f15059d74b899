"""Answers for the signature of a conformance test: memory between two symbols.

As riscv-arch-test compares it: a line for each word, eight hex digits, from
`begin_signature` up to `end_signature`.  Must not know files.
"""

from toyisa.look import inspect
from toyisa.machine import Machine


class NoSignature(ValueError):
    """The guest has no signature, or not in RAM; the text says which."""


def signature(machine: Machine) -> str:
    """The lines of the signature; NoSignature."""
    bounds = {name: address for address, name in machine.symbols}
    missing = [name for name in ("begin_signature", "end_signature") if name not in bounds]
    if missing:
        raise NoSignature(f"the guest has no symbol {' and no '.join(missing)}")
    start, end = bounds["begin_signature"], bounds["end_signature"]
    data = inspect.read_physical(machine, start, max(end - start, 0))
    if not data or len(data) != end - start or len(data) % 4:
        raise NoSignature(f"the signature {start:#x}..{end:#x} is not words of RAM")
    words = (data[at : at + 4] for at in range(0, len(data), 4))
    return "".join(f"{int.from_bytes(word, 'little'):08x}\n" for word in words)
