"""Answers for a trap vector whose low bits are not what the kernel meant."""

from __future__ import annotations

from bisect import bisect_right

from asm.disasm import disassemble
from toyisa.tables import causes
from toyisa.tables.causes import INTERRUPT
from toyisa.tables.csrs import BY_NAME
from toyisa.tables.fields import FIELDS, csr_of, rd_of, rs1_of
from toyisa.tables.insns import Cost, find
from vmm.diagnose.facts import Facts, M

STVEC = BY_NAME["stvec"].number
NEARBY = 8  # instructions
KEEPS = "its low two bits are the mode, so a handler lies at a multiple of 4 (.balign 4)"


def explain(facts: Facts) -> str | None:
    """A sentence if traps missed the handler; for a guest that did go wrong."""
    if not facts.traps:
        return None
    base = facts.csr("stvec") & ~3
    meant = _symbol(facts, base) or _written(facts, base)
    if meant is not None:
        return (
            f"stvec misaligned: the handler is at {facts.named(meant)}, and traps go to "
            f"{base:#010x}; {KEEPS}"
        )
    return _vectored(facts, base)


def _symbol(facts: Facts, base: int) -> int | None:
    """A symbol just behind the vector's base, if there is none at it."""
    known = facts.machine.symbols
    n = bisect_right(known, base + 3, key=lambda symbol: symbol[0]) - 1
    address = known[n][0] if n >= 0 else -1
    at_base = any(address == base for address, _ in known[max(n - 8, 0) : n + 1])
    return address if base < address <= base + 3 and not at_base else None


def _written(facts: Facts, base: int) -> int | None:
    """The constant that the code writes to stvec, if it is `base` plus bits that were dropped."""
    for start, data in facts.code.pieces:
        for at in range(0, len(data) - 3, 2):
            word = int.from_bytes(data[at : at + 4], "little")
            row = find(word)
            if row is None or row.name not in ("csrrw",) or csr_of(word) != STVEC:
                continue
            value = _constant(facts, start + at, rs1_of(word))
            if value is not None and value & 2 and value & ~3 == base:
                return value
    return None


def _constant(facts: Facts, pc: int, register: int) -> int | None:
    """What the instructions just before `pc` put into a register, if it is a constant."""
    added = mask = 0
    for at in range(pc - 4, pc - 4 * NEARBY, -4):
        word = facts.code.word(at)
        row = None if word is None else find(word)
        if row is None:
            return None
        if rd_of(word) != register or "rd" not in row.operands:
            if row.cost in (Cost.BRANCH, Cost.JUMP):
                return None
            continue
        if row.name == "addi" and rs1_of(word) == register:
            added += FIELDS["imm12"].extract(word)
        elif row.name == "ori" and rs1_of(word) == register and not added:
            mask |= FIELDS["imm12"].extract(word)
        elif row.name in ("auipc", "lui"):
            value = (word & 0xFFFF_F000) + (at if row.name == "auipc" else 0) + added
            return (value | mask) & M
        else:
            return None
    return None


def _vectored(facts: Facts, base: int) -> str | None:
    """An interrupt that went into the middle of a handler that is not a table of jumps."""
    if not facts.csr("stvec") & 1:
        return None
    for trap in reversed(facts.traps):
        if not trap.interrupt:
            continue
        at = base + 4 * (trap.cause & ~INTERRUPT)
        word = facts.word(at)
        row = None if word is None else find(word)
        if row is not None and row.name == "jal":
            return None
        what = f"`{disassemble(word, at)}`" if row is not None else "no instruction"
        return (
            f"stvec misaligned: it is {facts.csr('stvec'):#010x}, and bit 0 means vectored: "
            f"{causes.MEANING.get(trap.cause, trap.name)} went to {facts.place(at)}, where "
            f"{what} is; clear bit 0, or put a table of jumps there; {KEEPS}"
        )
    return None
