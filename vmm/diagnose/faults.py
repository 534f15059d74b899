"""Answers for what was wrong with a load, store or fetch that trapped, and how to fix it."""

from __future__ import annotations

from toyisa.core.memory import RAM_BASE
from toyisa.look import inspect
from toyisa.look.refusal import Access, Refusal, Why, refusal
from toyisa.tables.causes import Exc
from toyisa.tables.fields import rd_of
from toyisa.tables.insns import Cost
from toyisa.tables.lacking import explain as lacking
from toyisa.tables.levels import Level
from vmm.diagnose import jumps, stack, tables
from vmm.diagnose.cures import FIX, TAG
from vmm.diagnose.facts import Facts
from vmm.diagnose.traps import FETCH_FAULTS, Taken

LOADS = {Exc.LOAD_ACCESS, Exc.LOAD_PAGE}
STORES = {Exc.STORE_ACCESS, Exc.STORE_PAGE}
MISALIGNED = {Exc.LOAD_MISALIGNED, Exc.STORE_MISALIGNED}
BEYOND = 1 << 30  # an address less than this behind RAM was probably meant to be in RAM
NEARBY = 8  # instructions before the fault in which another register may have been set


def explain(facts: Facts, trap: Taken) -> str | None:
    """A sentence on an exception; None if nothing is certain."""
    cause = trap.cause
    if cause in FETCH_FAULTS or cause == Exc.INSN_MISALIGNED:
        return jumps.explain(facts, trap)
    if cause in MISALIGNED:
        return _misaligned(facts, trap)
    if cause in LOADS | STORES:
        return _access(facts, trap)
    if cause == Exc.ILLEGAL:
        return _illegal(facts, trap)
    return None


def access_of(trap: Taken) -> Access:
    """The access that the hart tried."""
    if trap.cause in FETCH_FAULTS:
        return Access.FETCH
    return Access.STORE if trap.cause in STORES else Access.LOAD


def refused(facts: Facts, trap: Taken) -> Refusal | None:
    """What refuses the access now; None if nothing does any more."""
    return refusal(facts.machine, trap.first_tval, access_of(trap), trap.level)


def _misaligned(facts: Facts, trap: Taken) -> str:
    size = {"b": 1, "h": 2}.get((facts.row(trap.pc).name[1:2] if facts.row(trap.pc) else ""), 4)
    base = facts.base(trap)
    holds = f" ({base[0]} holds {facts.named(base[1])})" if base else ""
    return (
        f"misaligned: {facts.insn(trap.pc)} accesses {trap.first_tval:#010x}, which is no multiple "
        f"of {size}{holds}; this machine traps such accesses: align the data (.balign {size}), or "
        "access it by bytes"
    )


def _access(facts: Facts, trap: Taken) -> str | None:
    found, base = refused(facts, trap), facts.base(trap)
    if found is None:
        return None
    if base and base[0] == "sp" and (text := stack.explain(facts, trap, base[1], found)):
        return text
    if found.why is Why.OUTSIDE and found.level < 0:
        return _wrong_register(facts, trap, base)
    holds = f" ({base[0]} holds {facts.named(base[1])})" if base else ""
    fix = tables.unshifted(facts, found) or FIX[found.why]
    return f"{TAG.get(found.why, '')}{facts.insn(trap.pc)}{holds}: {found}; {fix}"


def _wrong_register(facts: Facts, trap: Taken, base: tuple[str, int] | None) -> str:
    if base is None or base[0] == "zero":
        return (
            f"{facts.insn(trap.pc)} accesses {trap.first_tval:#x}, where there is neither RAM "
            f"({facts.range}) nor a device"
        )
    name, value = base
    text = (
        f"wrong address: {facts.insn(trap.pc)} uses {name}, which holds {value:#x}, where there is "
        f"neither RAM ({facts.range}) nor a device"
    )
    satp = facts.csr("satp")
    if satp and not satp & inspect.PAGED:
        return f"{text}; paging is off: satp is {satp:#010x}, and bit 31, its mode, is clear"
    end = RAM_BASE + facts.machine.ram.size
    if end <= value < 2 * end - RAM_BASE + BEYOND:
        return f"{text}; put it lower, or give the machine more memory (--mem)"
    other = _meant(facts, trap.pc, name)
    if other:
        return f"{text}; is `{other[0]}` meant, which holds {facts.named(other[1])}?"
    return f"{text}; is it the register that you meant, and was it set?"


def _meant(facts: Facts, pc: int, wrong: str) -> tuple[str, int] | None:
    """The nearest register that was set just before and holds a usable address."""
    from toyisa.tables.fields import REG_NAMES

    for n in range(1, NEARBY + 1):
        word, row = facts.word(pc - 4 * n), facts.row(pc - 4 * n)
        if word is None or row is None or row.cost in (Cost.JUMP, Cost.BRANCH, Cost.SRET):
            return None
        rd = rd_of(word)
        if row.name not in ("lui", "auipc", "addi") or rd == 0 or REG_NAMES[rd] == wrong:
            continue
        value = int(facts.machine.hart.x[rd])
        if refusal(facts.machine, value, Access.LOAD, Level.S) is None:
            return REG_NAMES[rd], value
    return None


def _illegal(facts: Facts, trap: Taken) -> str | None:
    text = stack.overwritten(facts, trap.pc)
    if text:
        return text
    row = facts.row(trap.pc)
    if trap.level == Level.U and row is not None and row.cost in (Cost.CSR, Cost.SYSTEM, Cost.SRET):
        return (
            f"{facts.insn(trap.pc)} ran in U, where it is illegal: only S may do this; was SPP in "
            "sstatus clear at an `sret` that was to stay in S?"
        )
    why = lacking(trap.first_tval)
    return f"illegal instruction {trap.first_tval:#010x} at {facts.place(trap.pc)}: {why}" if (
        why) else None  # fmt: skip
