"""Answers for steps that execute: Python interprets the handlers, without the compiler.

It is for NUMBA_DISABLE_JIT.  Of a pair it executes the first instruction only, which has the
same effect.  Must not know what handlers do.
"""

from collections.abc import Callable

import numpy as np

from toyisa.core.decode import first_op
from toyisa.core.handlers import handlers_of, hit_fetch, leave_of
from toyisa.core.memory import pool_of
from toyisa.tables.leaves import Leave
from toyisa.tables.ops import Op

M = 0xFFFFFFFF


class Left(Exception):
    """The run is left."""

    def __init__(self, why: Leave):
        self.why = why


class Step:
    """The instruction at the place of `hart.run`."""

    def __init__(self, hart: np.record, mem: np.record):
        self.hart, self.mem, self.run = hart, mem, hart.run
        self.pool = pool_of(mem)
        self.uop = int(self.pool.uops[hart.run.i])
        self.moved = False

    @property
    def rs1(self) -> int:
        return int(self.hart.x[self.uop >> 16 & 0xFF])

    @property
    def rs2(self) -> int:
        return int(self.hart.x[self.uop >> 24 & 0xFF])

    @property
    def imm(self) -> int:
        return self.uop >> 32 & M

    @property
    def pc(self) -> int:
        return int(self.run.pc0 + 4 * self.run.i) & M

    def write(self, value: int) -> None:
        self.hart.x[self.uop >> 8 & 0xFF] = value

    def call(self, function: Callable, *arguments: object) -> int:
        result = function(*arguments)
        return 0 if result is None else int(result)  # never a number of NumPy's, which wraps

    def leave_if_negative(self, value: int, why: Leave) -> None:
        if value < 0:
            raise Left(why)

    def branch_near(self, holds: int) -> None:
        if holds:
            self.jump_near()

    def branch_far(self, holds: int) -> None:
        if holds:
            self.jump_far((self.pc + self.imm) & M)

    def jump_near(self) -> None:
        i = int(self.run.i)
        self.pool.edge[i] += 1
        self._move(i + (self.uop >> 34), 1)

    def jump_far(self, target: int) -> None:
        self.run.target = target
        if target & 2:
            raise Left(Leave.MISALIGNED)
        place = int(hit_fetch(self.hart, target))
        self.leave_if_negative(place, Leave.FETCH_PAGE)
        self.write((self.pc + 4) & M)
        self._move_far(target, place, 1)

    def remember_call(self) -> None:
        """Nothing is guessed."""

    def jump_back(self, target: int) -> None:
        self.jump_far(target)

    def fall_through(self) -> None:
        target = self.pc
        place = int(hit_fetch(self.hart, target))
        self.leave_if_negative(place, Leave.END)
        self._move_far(target, place, 0)

    def _move_far(self, target: int, place: int, retires: int) -> None:
        self.pool.flow[self.run.i + retires] -= 1
        self.pool.flow[place] += 1
        self.run.pc0 = target - 4 * place
        self._move(place, retires)

    def _move(self, place: int, retires: int) -> None:
        run, cum = self.run, self.pool.cum
        spent = run.left + cum[run.i + retires]
        run.retired += run.i + retires - place
        run.left = spent - cum[place]
        run.i = place
        self.moved = True
        if spent >= 0:
            raise Left(Leave.END)


_FIRST = {op.value: handlers_of(op)[0] for op in Op if handlers_of(op)}


def run_handlers(hart: np.record, mem: np.record) -> int:
    """Go on with `hart.run` until an instruction needs more than a handler; return why."""
    while True:
        step = Step(hart, mem)
        op = int(first_op(step.uop))
        if op not in _FIRST:
            return leave_of(Op(op))
        try:
            _FIRST[op](step)
        except Left as left:
            return left.why
        if not step.moved:
            hart.run.i += 1
