"""Answers for what one step changed: a record for lock-step comparison.

People who write emulators and cores compare theirs with ours, retirement by
retirement.  Must not change the machine: it looks before and after.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toyisa import state
from toyisa.insns import Insn, find
from toyisa.memory import PAGE, RAM_BASE, ram_offset
from toyisa.mmu import FETCH, LOAD, PAGED, walk

if TYPE_CHECKING:
    from toyisa.machine import Machine

_SIZES = {"b": 1, "h": 2, "w": 4}


@dataclass(frozen=True)
class Effects:
    """One retirement, or one trap taken.

    `pc` and `insn` say what was to execute (`insn` None if it could not be fetched);
    `reg` is `(number, value)` of the integer register written; `load` and `store`
    are `(virtual address, value, size)`, for an atomic both; `csrs` maps the names of
    changed CSRs to their new values; `trap` is `(scause, stval)` if S was entered,
    and then nothing retired.  After it the hart is at `next_pc` on level `priv`.
    """

    pc: int
    insn: int | None
    reg: tuple[int, int] | None
    load: tuple[int, int, int] | None
    store: tuple[int, int, int] | None
    csrs: dict[str, int]
    trap: tuple[int, int] | None
    next_pc: int
    priv: int


def observe(machine: "Machine", step: Callable[[], None]) -> Effects:
    """Call `step`, which steps `machine` once, and say what it did."""
    hart = machine.hart
    before = hart.copy()
    insn = word_at(machine, int(before.pc))
    traps = int(before.counts.exc.sum() + before.counts.irq.sum())
    row = None if insn is None else find(insn)
    # An atomic's word, while it is still the old one: `rd` may be x0 and not tell.
    atomic = row is not None and row.cost.value == "atomic"
    old = _peek(machine, int(before.x[insn >> 15 & 31]), 4) if atomic else 0
    step()
    entered_s = int(hart.counts.exc.sum() + hart.counts.irq.sum()) > traps
    answered = hart.counts.exc[9] > before.counts.exc[9] and hart.csr.scause != 9
    changed = state.diff(before, hart)
    reg = next(((int(name[1:]), new) for name, (_, new) in changed.items() if name[0] == "x"), None)
    trapped = entered_s and not answered
    load = store = None
    if row is not None and not trapped:
        load, store = _accesses(machine, row, insn, before, old)
    if reg is None and row is not None and not trapped and "rd" in row.operands:
        rd = insn >> 7 & 31
        reg = (rd, int(hart.x[rd])) if rd else None
    return Effects(
        pc=int(before.pc), insn=insn, reg=None if trapped else reg, load=load, store=store,
        csrs={name: new for name, (_, new) in changed.items() if name in state.CSR_FIELDS},
        trap=(int(hart.csr.scause), int(hart.csr.stval)) if trapped else None,
        next_pc=int(hart.pc), priv=int(hart.priv),
    )  # fmt: skip


def word_at(machine: "Machine", pc: int) -> int | None:
    """The instruction word that the hart is about to execute, if it can be fetched."""
    pa = pc
    if machine.hart.csr.satp & PAGED:
        leaf = walk(machine.hart, machine.memory, np.int64(pc), np.int64(FETCH), True)
        if leaf < 0:
            return None
        pa = (leaf >> 10 << 12) | pc & (PAGE - 1)
    at = ram_offset(machine.memory, pa, 4)
    return None if at < 0 else int.from_bytes(machine.ram[at : at + 4].tobytes(), "little")


def _accesses(
    machine: "Machine", row: Insn, insn: int, before: np.record, old: int
) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]:
    """The load and the store that a retired instruction made; `old` an atomic's word before."""
    kind = row.cost.value
    if kind not in ("load", "store", "atomic"):
        return None, None
    offset = next((f.extract(insn) for f in row.fields if f.name.endswith("imm12")), 0)
    va = (int(before.x[insn >> 15 & 31]) + offset) & 0xFFFF_FFFF
    size = 4 if kind == "atomic" else _SIZES[row.name[1]]
    rd, source = insn >> 7 & 31, int(before.x[insn >> 20 & 31])
    loaded = int(machine.hart.x[rd]) & ((1 << 8 * size) - 1) if rd else _peek(machine, va, size)
    if kind == "load" or row.name == "lr.w":
        return (va, loaded, size), None
    if kind == "store":
        return None, (va, source & ((1 << 8 * size) - 1), size)
    if row.name == "sc.w":
        failed = before.resv.addr != _physical(machine, va)
        return None, None if failed else (va, source, 4)
    return (va, old, 4), (va, _peek(machine, va, 4), 4)


def _peek(machine: "Machine", va: int, size: int) -> int:
    """What memory holds at a virtual address that the hart has just accessed."""
    at = _physical(machine, va) - RAM_BASE
    if not 0 <= at <= machine.ram.size - size:
        return 0
    return int.from_bytes(machine.ram[at : at + size].tobytes(), "little")


def _physical(machine: "Machine", va: int) -> int:
    """Where a virtual address that the hart has just accessed lies, or -1."""
    if not machine.hart.csr.satp & PAGED:
        return va
    leaf = walk(machine.hart, machine.memory, np.int64(va), np.int64(LOAD), True)
    return -1 if leaf < 0 else (int(leaf) >> 10 << 12) | va & (PAGE - 1)
