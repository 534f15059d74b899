"""Answers for running two machines in lock step: to the first instruction where they differ.

Compiled code does some million steps a second; what only Python can do (input, devices,
output) is done in between.  Must not know what the machines are, nor what a difference means.
"""

from dataclasses import dataclass

import numpy as np

from toyisa.compiled import jitcache
from toyisa.compiled.njit import call_unit, entry, njit
from toyisa.core import csr, state
from toyisa.core.memory import RAM_BASE
from toyisa.machine import MIN_MEM, NOP, Machine
from toyisa.tables.csrs import CSRS
from toyisa.tables.exits import Reason

COMPARED = np.array([row.number for row in CSRS if not row.read_only], np.int64)
SLICE = 20_000      # steps between two looks at Ctrl-C
PARTS = 3  # parts to compile: `step_both`, `step_alone`, and what runs a bare machine

# The state of a step, in an array: whose turn it is, what had retired when it began, and where the
# first machine's last step began.
SIDE, INSTRET, PC, LEVEL, PLACES = range(5)
SAME, DIFFERENT = -1, -2  # answers of `step_both` beside a Reason


@njit
def _step(hart, mem, unit, turn):
    """Retire one instruction or take one trap since the turn began: RUN, or why not yet."""
    if hart.clock.instret > turn[INSTRET]:
        return np.int64(Reason.RUN)  # a device has answered meanwhile
    hart.root.budget = turn[INSTRET] + 1
    reason = call_unit(unit[0], hart, mem, unit[1], unit[2], unit[3])
    if reason == Reason.BUDGET or reason == Reason.STEP:
        return np.int64(Reason.RUN)
    return reason


@njit
def _same(a, b):
    """Whether registers, pc, level and CSRs agree."""
    if a.pc != b.pc or a.priv != b.priv:
        return False
    for n in range(1, 32):
        if a.x[n] != b.x[n]:
            return False
    same = True
    for n in range(COMPARED.size):
        same &= csr.read(a, COMPARED[n]) == csr.read(b, COMPARED[n])
    return same


@entry
def step_both(a, a_mem, b, b_mem, units, turn, limit):
    """Step `a` and `b` in turn until they differ or `limit` instructions have retired.

    Returns SAME, DIFFERENT, or a Reason: the machine whose turn it is waits for what root
    must do. `turn` is kept from call to call.
    """
    while True:
        if turn[SIDE] == 0:
            if a.clock.instret >= limit:
                return np.int64(SAME)
            reason = _step(a, a_mem, units[0], turn)
            if reason != Reason.RUN:
                return reason
            turn[SIDE], turn[INSTRET] = 1, b.clock.instret
        reason = _step(b, b_mem, units[1], turn)
        if reason != Reason.RUN:
            return reason
        if not _same(a, b):
            return np.int64(DIFFERENT)
        turn[SIDE], turn[INSTRET], turn[PC], turn[LEVEL] = 0, a.clock.instret, a.pc, a.priv


@dataclass(frozen=True)
class Parting:
    """Where two machines parted: the pc of the instruction, and what each has after it.

    The values are by the names of `state.diff`: (what the first has, what the second has).
    """

    pc: int
    level: int  # before it, like pc
    instret: int
    changes: dict[str, tuple[int, int]]


class Lockstep:
    """Two machines that were made and loaded alike."""

    def __init__(self, first: Machine, second: Machine):
        self.machines = first, second
        make_ready()
        self._units = np.array([machine.runner() for machine in self.machines])
        self._turn = np.zeros(PLACES, np.int64)
        self._turn[1:] = first.instret, first.hart.pc, first.hart.priv
        self.ended = ""  # why neither can go on, if so

    def run(self, limit: int) -> Parting | None:
        """Step up to `limit` instructions in all; return where they part, or None."""
        a, b = self.machines
        for machine in self.machines:
            machine.hart.root.one_trap = 1
        try:
            while True:
                reason = step_both(
                    a.hart, a.memory, b.hart, b.memory, self._units, self._turn,
                    min(limit, a.instret + SLICE),
                )  # fmt: skip
                if reason == SAME and a.instret < limit:
                    continue
                if reason == SAME:
                    return None
                if reason == DIFFERENT:
                    return self._parting(state.diff(a.hart, b.hart))
                side = int(self._turn[SIDE])
                if not self._serve(self.machines[side], Reason(reason)):
                    return self._end(side, Reason(reason))
        finally:
            for machine in self.machines:
                machine.hart.root.one_trap = 0

    def _serve(self, machine: Machine, reason: Reason) -> bool:
        """Do what root must do before `machine` can go on; return whether it can."""
        machine.take_console()
        match reason:
            case Reason.DEVICE:
                machine.bus.answer()
            case Reason.INPUT:
                return machine.give_input()
            case Reason.OUTPUT:
                machine.output()
            case _:
                return False
        return True

    def _end(self, side: int, reason: Reason) -> Parting | None:
        """One machine cannot go on; if they are alike, the other cannot either, for the same
        reason.
        """
        turn = self._turn
        other = self.machines[1 - side]
        turn[SIDE], turn[INSTRET] = 1 - side, other.instret
        while True:
            why = Reason(step_alone(other.hart, other.memory, self._units[1 - side], turn))
            if why is Reason.RUN or not self._serve(other, why):
                break
        a, b = (machine.hart for machine in self.machines)
        changes = state.diff(a, b)
        if changes:
            return self._parting(changes)
        self.ended = reason.name.lower()
        return None

    def _parting(self, changes: dict[str, tuple[int, int]]) -> Parting:
        pc, level = int(self._turn[PC]), int(self._turn[LEVEL])
        return Parting(pc, level, self.machines[0].instret, changes)


@entry
def step_alone(hart, mem, unit, turn):
    """Step the one machine whose turn it is: RUN, or why not."""
    return _step(hart, mem, unit, turn)


_ready = False


def make_ready() -> None:
    """Compile or load what steps two machines, once in a process."""
    global _ready
    if not _ready:
        _ready = True
        jitcache.warm("lock step", _touch, PARTS)


def _touch(_cold: bool) -> None:
    machines = Machine(mem=MIN_MEM), Machine(mem=MIN_MEM)
    for machine in machines:
        machine.boot(RAM_BASE, 0)
        machine.poke(RAM_BASE, NOP)
    pair = Lockstep(*machines)
    pair.run(1)
    step_alone(machines[0].hart, machines[0].memory, pair._units[0], pair._turn)
