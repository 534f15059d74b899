"""Answers for what a stopped guest would do next: a few thousand steps, examined one by one.

They are bounded in number and in host time.  A machine that keeps snapshots is restored
afterwards; any other has gone on, so all figures of the run must be taken before. Must not
know what the steps mean.
"""

import time
from dataclasses import dataclass, field

from toyisa.core.memory import PAGE, VIRTIO, VIRTIO_SLOTS
from toyisa.core.state import CSR_FIELDS, NEVER
from toyisa.look import effects, inspect
from toyisa.machine import Exit, Machine
from toyisa.snapshots import snapshot
from toyisa.tables.fields import rs1_of
from toyisa.tables.insns import Cost, find

STEPS, SECONDS = 4096, 2.0
STIMECMP, STIMECMPH, SATP = (CSR_FIELDS.index(n) for n in ("stimecmp", "stimecmph", "satp"))


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction or trap: the hart before it, and the trap that it took, if any."""

    pc: int
    word: int | None  # None: it could not be fetched
    level: int
    x: tuple[int, ...]
    csr: tuple[int, ...]
    trap: int | None      # scause
    retired: bool

    @property
    def deadline(self) -> int:
        return self.csr[STIMECMPH] << 32 | self.csr[STIMECMP]


@dataclass
class Window:
    """The steps; `ended` is why there are no more, or None."""

    steps: list[Step] = field(default_factory=list)
    ended: Exit | None = None


def watch(machine: Machine, writes: bool = False) -> Window:
    """Let the machine go on for a while; with `writes`, it must not access a disk.

    A machine that writes to an image could not be restored.
    """
    if writes or not machine.keeps_snapshots:
        return _watched(machine, writes)
    state = snapshot.take(machine)
    try:
        return _watched(machine, writes)
    finally:
        reason = machine.reason
        snapshot.put(state, machine)
        machine.reason = reason


def _watched(machine: Machine, writes: bool) -> Window:
    window, until = Window(), time.perf_counter() + SECONDS
    hart = machine.hart
    hart.root.limit = hart.root.spend = NEVER  # they may be what has stopped the machine
    while len(window.steps) < STEPS and time.perf_counter() < until:
        pc, level = int(hart.pc), int(hart.priv)
        word = effects.word_at(machine, pc)
        x, csr = tuple(hart.x[:32].tolist()), hart.csr.item()
        if writes and _is_at_a_disk(machine, word, x):
            break
        before, trail = machine.instret, int(hart.trail)
        why = machine.advance(max(until - time.perf_counter(), 0))
        if why is Exit.TIMEOUT:  # in the middle of an instruction
            break
        trapped = int(hart.trail) != trail  # calls to the firmware are not traps of S
        trap = int(hart.csr.scause) if trapped else None
        retired = machine.instret > before
        if trapped or retired:
            window.steps.append(Step(pc, word, level, x, csr, trap, retired))
        if why is not Exit.BUDGET:
            window.ended = why
            break
    return window


def _is_at_a_disk(machine: Machine, word: int | None, x: tuple[int, ...]) -> bool:
    """Whether the next instruction may access a virtio register."""
    row = None if word is None else find(word)
    if row is None or row.cost not in (Cost.LOAD, Cost.STORE, Cost.ATOMIC):
        return False
    offset = next((f.extract(word) for f in row.fields if f.name.endswith("imm12")), 0)
    pa = inspect.walk(machine, (x[rs1_of(word)] + offset) & inspect.M).pa
    return pa is not None and VIRTIO <= pa < VIRTIO + VIRTIO_SLOTS * PAGE
