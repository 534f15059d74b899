"""Answers for a root table that satp does not point to, or that does not map the code."""

from __future__ import annotations

from toyisa import inspect
from toyisa.csrs import BY_NAME
from toyisa.inspect import PAGED
from toyisa.memory import PAGE, RAM_BASE
from toyisa.mmu import R, V, X
from vmm.diagnose.facts import Facts

NEARBY = 4  # instructions
SYSTEM, SATP = 0x73, BY_NAME["satp"].number
PPN = 0x3F_FFFF
SHIFT = "satp takes the table's page number: `srli t0, t0, 12`, then set bit 31"


def explain_root(facts: Facts, pc: int) -> str | None:
    """A sentence if code at `pc` cannot be fetched because satp is wrong."""
    satp = facts.csr("satp")
    if not satp & PAGED:
        return None
    root = (satp & PPN) << 12
    ram = range(RAM_BASE, RAM_BASE + facts.machine.ram.size)
    if root not in ram:
        return _outside(facts, satp, root, ram)
    if _valid(facts, root + 4 * (pc >> 22)) or not _just_enabled(facts, pc):
        return None
    return _unaligned(facts, root, pc) or _not_mapped(facts, root, pc)


def _just_enabled(facts: Facts, pc: int) -> bool:
    """Whether one of the instructions before `pc`, at the same physical address, set satp."""
    words = (inspect.word(facts.machine, pc - 4 * n) for n in range(1, NEARBY + 1))
    return any(word is not None and word & 0x7F == SYSTEM and word >> 20 == SATP for word in words)


def _outside(facts: Facts, satp: int, root: int, ram: range) -> str:
    text = (
        f"the table is in the wrong place: satp is {satp:#010x}, so the root table would be at "
        f"physical {root:#x}, outside RAM ({facts.range})"
    )
    address = (satp | PAGED) & ~(PAGE - 1)
    for meant in (address, (satp & PPN) | RAM_BASE):
        if meant in ram and meant % PAGE == 0 and _has_entries(facts, meant):
            return f"{text}; it holds the address {facts.named(meant)} itself; {SHIFT}"
    return f"{text}; {SHIFT}"


def _unaligned(facts: Facts, root: int, pc: int) -> str | None:
    """Whether the table lies inside the page that satp names, and not at its start."""
    for at in range(4, PAGE, 4):
        where = root + at + 4 * (pc >> 22)
        entry = inspect.word(facts.machine, where)
        if entry and _maps(facts, entry, pc):
            name = facts.named(root + at)
            return (
                f"the table is in the wrong place: satp names the page {root:#010x}, but the "
                f"entries begin at {name}, which is no multiple of {PAGE}: align the table "
                "(.balign 4096)"
            )
    return None


def _maps(facts: Facts, entry: int, pc: int) -> bool:
    """Whether a level-1 entry maps `pc` to itself, as the first entry of a kernel does."""
    if not entry & V:
        return False
    if entry & (R | X):
        return bool(entry & X) and entry >> 20 == pc >> 22
    below = inspect.word(facts.machine, (entry >> 10 << 12) + 4 * (pc >> 12 & 0x3FF))
    return bool(below and below & V and below & X and below >> 10 == pc >> 12)


def _not_mapped(facts: Facts, root: int, pc: int) -> str:
    if not _has_entries(facts, root):
        return (
            f"the table is in the wrong place: satp names the page {facts.named(root)}, which "
            "holds no valid entry; is it the table that was filled in?"
        )
    return (
        f"the tables do not map the code that runs: the entry for {pc:#010x} at "
        f"{root + 4 * (pc >> 22):#010x} is not valid; map the kernel's own code before satp is set"
    )


def _has_entries(facts: Facts, table: int) -> bool:
    return any(_valid(facts, table + at) for at in range(0, PAGE, 4))


def _valid(facts: Facts, at: int) -> bool:
    entry = inspect.word(facts.machine, at)
    return bool(entry and facts.machine.entry_seen(entry) & V)
