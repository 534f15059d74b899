"""Answers for a satp that does not point to the root table, or tables that do not map the code."""

from __future__ import annotations

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.sv32 import R, V, X
from toyisa.look import inspect
from toyisa.look.inspect import PAGED
from toyisa.look.refusal import Refusal, Why
from toyisa.tables.bits import PPN
from toyisa.tables.csrs import BY_NAME
from toyisa.tables.fields import csr_of
from toyisa.tables.insns import Cost, find
from vmm.diagnose.facts import Facts

NEARBY = 4  # instructions
SATP = BY_NAME["satp"].number
SHIFT = "satp takes the table's page number: `srli t0, t0, 12`, then set bit 31"


def explain_root(facts: Facts, pc: int) -> str | None:
    """A sentence if code at `pc` cannot be fetched because satp is wrong."""
    satp = facts.csr("satp")
    if not satp & PAGED:
        return None
    root = (satp & PPN) << 12
    ram = _ram(facts)
    if root not in ram:
        return _outside(facts, satp, root, ram)
    if _valid(facts, root + 4 * (pc >> 22)) or not _just_enabled(facts, pc):
        return None
    return _unaligned(facts, root, pc) or _not_mapped(facts, root, pc)


def _just_enabled(facts: Facts, pc: int) -> bool:
    """Whether one of the instructions before `pc`, at the same physical address, set satp."""
    words = (inspect.word(facts.machine, pc - 4 * n) for n in range(1, NEARBY + 1))
    return any(word is not None and _accesses(word, SATP) for word in words)


def _accesses(word: int, number: int) -> bool:
    row = find(word)
    return row is not None and row.cost is Cost.CSR and csr_of(word) == number


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
    """Whether the needed entry is elsewhere in the page that satp names."""
    names = {address for address, _ in facts.machine.symbols}
    for at in range(4, PAGE, 4):
        entry = inspect.word(facts.machine, root + at + 4 * (pc >> 22))
        if not entry or not _maps(facts, entry, pc):
            continue
        if root + at in names:
            return (
                f"the table is in the wrong place: satp names the page {root:#010x}, but the table "
                f"begins at {facts.named(root + at)}, which is no multiple of {PAGE}: align it "
                "(.balign 4096)"
            )
        return (
            f"the tables do not map the code that runs: its entry would be at "
            f"{root + 4 * (pc >> 22):#010x}, and one that maps it is {at} bytes further: is its "
            "index wrong, or the table not at a multiple of 4096?"
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


def unshifted(facts: Facts, found: Refusal) -> str | None:
    """A fix, if an entry of the walk holds an address where a frame number belongs."""
    if found.why not in (Why.OUTSIDE, Why.TABLE_OUTSIDE):
        return None
    for step in inspect.walk(facts.machine, found.va).steps:
        meant = (step.pte or 0) & ~(PAGE - 1)
        if step.pte and step.pte & V and (step.pte >> 10 << 12) not in _ram(facts) and (
            meant in _ram(facts)
        ):
            return (
                f"the entry at {step.at:#010x} = {step.pte:#010x} holds the address {meant:#010x} "
                "itself; an entry is the address shifted right by 2, and the flags"
            )
    return None


def _ram(facts: Facts) -> range:
    return range(RAM_BASE, RAM_BASE + facts.machine.ram.size)


def _has_entries(facts: Facts, table: int) -> bool:
    return any(_valid(facts, table + at) for at in range(0, PAGE, 4))


def _valid(facts: Facts, at: int) -> bool:
    entry = inspect.word(facts.machine, at)
    return bool(entry and facts.machine.entry_seen(entry) & V)
