"""Answers for what one step changed: a record for lock-step comparison.

People who write emulators and cores compare theirs with ours, instruction by instruction.
Must not change the machine: it only looks before and after the step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toyisa.core.memory import PAGE, RAM_BASE, ram_offset
from toyisa.core.mmu import walk
from toyisa.core.state import ARCHITECTURAL, CSR_FIELDS, HART
from toyisa.core.sv32 import FETCH, LOAD, X
from toyisa.core.tlb import PAGED
from toyisa.look import inspect
from toyisa.look.inspect import Seen
from toyisa.look.notebook import html_fields
from toyisa.tables.causes import Exc
from toyisa.tables.fields import rd_of, rs1_of, rs2_of
from toyisa.tables.insns import Insn, find

_SIZES = {"b": 1, "h": 2, "w": 4}


@dataclass(frozen=True)
class Effects:
    """One retirement, or one trap taken.

    `pc` and `insn` say what was to be executed (`insn` is None if it could not be fetched).
    `reg` is `(number, value)` of the integer register written.  `load` and `store` are
    `(virtual address, value, size)`; an atomic has both.  If a load from a device goes to x0,
    its value is 0, because nobody has kept it.  `csrs` maps the names of changed CSRs to
    their new values.  `trap` is `(scause, stval)` if S was entered, and then nothing retired.
    Afterwards the hart is at `next_pc` on level `priv`.
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

    def _repr_html_(self) -> str:
        return html_fields(self)


class _Look(NamedTuple):
    """What is compared: a hart at one moment, in plain values."""

    x: list[int]
    pc: int
    priv: int
    csr: tuple[int, ...]
    reserved: int
    traps: list[int]  # taken, by cause: exceptions, then interrupts


class Observer:
    """Sees what steps of one machine do; of the machine it keeps only a reference to the hart.

    It reads the hart through views that are made once: a record's fields are slow to reach
    one by one, and a copy of everything takes longer than a step.
    """

    def __init__(self, hart: np.record):
        hart = np.frombuffer(hart, HART)  # where the hart is, not a copy
        self._x, self._pc, self._priv, self._csr = (hart[name] for name in ARCHITECTURAL)
        self._reserved = hart["resv"]["addr"]
        self._exc, self._irq = hart["counts"]["exc"][0], hart["counts"]["irq"][0]
        self._instret = hart["clock"]["instret"]
        self._fetch, self._context = hart["fetch"], hart["tlb"]["ctx_x"]

    @property
    def priv(self) -> int:
        """The hart's level."""
        return self._priv.item()

    @property
    def instret(self) -> int:
        """Instructions retired."""
        return self._instret.item()

    def _look(self) -> _Look:
        return _Look(
            self._x[0, :32].tolist(), self._pc.item(), self._priv.item(), self._csr.item(),
            self._reserved.item(), self._exc.tolist() + self._irq.tolist(),
        )  # fmt: skip

    def observe(self, machine: Seen, step: Callable[[], None]) -> Effects:
        """Call `step`, which steps the machine once, and return what it did."""
        before = self._look()
        insn = self._insn(machine, before.pc)
        row = None if insn is None else find(insn)
        # An atomic's word while it is still the old one: if `rd` is x0, nothing shows it later.
        atomic = row is not None and row.cost.value == "atomic"
        old = _peek(machine, before.x[rs1_of(insn)], 4) if atomic else 0
        step()
        after = self._look()
        csrs = {}
        if after.csr != before.csr:
            changed = zip(CSR_FIELDS, before.csr, after.csr)
            csrs = {name: new for name, was, new in changed if was != new}
        answered = (
            after.traps[Exc.ECALL_S] > before.traps[Exc.ECALL_S]
            and machine.hart.csr.scause != Exc.ECALL_S
        )
        trapped = after.traps != before.traps and not answered
        reg = load = store = None
        if not trapped:
            reg = _register(row, insn, before.x, after.x)
            if row is not None:
                load, store = _accesses(machine, row, insn, before, old)
        return Effects(
            pc=before.pc, insn=insn, reg=reg, load=load, store=store, csrs=csrs,
            trap=(int(machine.hart.csr.scause), int(machine.hart.csr.stval)) if trapped else None,
            next_pc=after.pc, priv=after.priv,
        )  # fmt: skip

    def _insn(self, machine: Seen, pc: int) -> int | None:
        """The word at `pc`: from the page from which the hart fetches, else by the tables."""
        tag, frame = self._fetch.item()
        if tag != self._context.item() | pc & 0xFFFF_F000:
            return word_at(machine, pc)
        at = frame * PAGE | pc & (PAGE - 1)
        return int.from_bytes(machine.ram[at : at + 4].tobytes(), "little")


def _register(
    row: Insn | None, insn: int | None, before: list[int], after: list[int]
) -> tuple[int, int] | None:
    """The register written, even with the value that it had; of the firmware's answers the
    first.
    """
    if after != before:
        return next((n, new) for n, (was, new) in enumerate(zip(before, after)) if was != new)
    rd = rd_of(insn) if row is not None and "rd" in row.operands else 0
    return (rd, after[rd]) if rd else None


def word_at(machine: Seen, pc: int) -> int | None:
    """The instruction word that the hart is about to execute, if it can be fetched."""
    pa = pc
    if machine.hart.csr.satp & PAGED:
        pa = _fetched_from(machine, pc)
    at = -1 if pa is None else ram_offset(machine.memory, pa, 4)
    return None if at < 0 else int.from_bytes(machine.ram[at : at + 4].tobytes(), "little")


def _fetched_from(machine: Seen, pc: int) -> int | None:
    """The physical address of `pc` by the guest's tables, if it may be executed."""
    if machine.tables_are_guests:
        leaf = walk(machine.hart, machine.memory, np.int64(pc), np.int64(FETCH), True)
        return None if leaf < 0 else (leaf >> 10 << 12) | pc & (PAGE - 1)
    found = inspect.walk(machine, pc)
    return found.pa if found.pa is not None and found.steps[-1].pte & X else None


def _accesses(
    machine: Seen, row: Insn, insn: int, before: _Look, old: int
) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]:
    """The load and the store of a retired instruction; `old` is an atomic's word before."""
    kind = row.cost.value
    if kind not in ("load", "store", "atomic"):
        return None, None
    offset = next((f.extract(insn) for f in row.fields if f.name.endswith("imm12")), 0)
    va = (before.x[rs1_of(insn)] + offset) & 0xFFFF_FFFF
    size = 4 if kind == "atomic" else _SIZES[row.name[1]]
    rd, source = rd_of(insn), before.x[rs2_of(insn)]
    loaded = int(machine.hart.x[rd]) & ((1 << 8 * size) - 1) if rd else _peek(machine, va, size)
    if kind == "load" or row.name == "lr.w":
        return (va, loaded, size), None
    if kind == "store":
        return None, (va, source & ((1 << 8 * size) - 1), size)
    if row.name == "sc.w":
        failed = before.reserved != _physical(machine, va)
        return None, None if failed else (va, source, 4)
    return (va, old, 4), (va, _peek(machine, va, 4), 4)


def _peek(machine: Seen, va: int, size: int) -> int:
    """The value in memory at a virtual address that the hart has just accessed."""
    at = _physical(machine, va) - RAM_BASE
    if not 0 <= at <= machine.ram.size - size:
        return 0
    return int.from_bytes(machine.ram[at : at + size].tobytes(), "little")


def _physical(machine: Seen, va: int) -> int:
    """The physical address of a virtual address that the hart has just accessed, or -1."""
    if not machine.hart.csr.satp & PAGED:
        return va
    leaf = walk(machine.hart, machine.memory, np.int64(va), np.int64(LOAD), True)
    return -1 if leaf < 0 else (int(leaf) >> 10 << 12) | va & (PAGE - 1)
