"""Answers for steps that write machine code: LLVM's IR of what a handler says.

A function of the code is one micro-op's.  The state of a run is what it is called with,
and hands on: with the calling convention below all of it stays in host registers.

    uop      the host address of the micro-op; all arrays of the pool have places of eight
             bytes, so what belongs to it lies at a constant distance
    hart     the records
    mem
    table    the functions, by op
    retired  8 * (instret - what `hart.run.retired` is meanwhile) - uop
    left     cycles - cum of this place - the cycles at which jumps must stop: negative
    base     pc - uop / 2
    calls    the newest entry of a ring of micro-ops, to which calls that were made will return

The address of the next micro-op depends on several loads, one after another: the register,
the fast tag, the place of the page.  The host need not wait for them where it can *guess* the
next micro-op and only checks the guess: it executes ahead.  Far jumps guess what they have
met before (`pool.guess`), returns guess the newest call.

Must not know which ops there are (`threaded.py`) nor what they do (`handlers.py`).
"""

import platform
from collections.abc import Callable
from typing import Protocol

import numpy as np
from llvmlite import ir

from toyisa.compiled.choice import portable_calls
from toyisa.core.handlers import hit_fetch
from toyisa.core.memory import PLACES, POOL
from toyisa.tables.leaves import Leave

I8, I32, I64, PTR = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.PointerType()
STATE = ("uop", "hart", "mem", "table", "retired", "left", "base", "calls")
FUNCTION = ir.FunctionType(I64, (PTR, PTR, PTR, PTR, I64, I64, I64, PTR))
CALLS = 256  # bytes of the ring of calls, which begins at a multiple of it
# If LLVM has such a convention for the host, no register is saved for the caller; otherwise any
# convention with tail calls.
CALLING = (
    "preserve_nonecc"
    if platform.machine().lower() in ("x86_64", "amd64", "aarch64", "arm64")
    and not portable_calls()
    else "fastcc"
)

# Where a micro-op has its fields: ops.py draws them.
_OP, _RD, _RS1, _RS2, _IMM = range(5)
_REGISTERS = 33
WORD = 8  # bytes of a place in the pool's arrays


def constant(n: int) -> ir.Constant:
    return ir.Constant(I64, n)


class Calls(Protocol):
    """How a compiler of ours calls the compiled functions that handlers name."""

    checks: bool  # indexes are checked

    def call(
        self, builder: ir.IRBuilder, function: Callable, values: list[ir.Value], records: list[str]
    ) -> tuple[ir.Value, ir.Value | None]:
        """The result, and with checks whether the function has failed.

        `records` has a name for each value that is a record: "hart", "mem"; else "".
        """


class Frame:
    """What the functions of one module share: their names, and the offsets of fields in records."""

    def __init__(self, module: ir.Module, calls: Calls, hart: np.dtype, mem: np.dtype):
        self.module, self.calls = module, calls
        self.records = {"hart": hart, "mem": mem, "pool": POOL}
        self.functions: dict[str, ir.Function] = {}

    def declare(self, name: str) -> ir.Function:
        """A function of the code, still empty."""
        function = ir.Function(self.module, FUNCTION, f"op.{name}")
        function.calling_convention = CALLING
        function.linkage = "internal"
        function.attributes.add("nounwind")
        self.functions[name] = function
        return function

    def offset(self, path: str) -> int:
        """How far from its record's start a field lies: "pool.uops", "hart.run.left"."""
        record, *names = path.split(".")
        kind, offset = self.records[record], 0
        for name in names:
            kind, further = kind.fields[name][:2]
            offset += further
        return offset


def uops_of(frame: Frame, builder: ir.IRBuilder, mem: ir.Value) -> ir.Value:
    """The host address of the first micro-op of the pool that a memory record has."""
    at = builder.gep(mem, [constant(frame.offset("mem.pool"))], source_etype=I8)
    pool = builder.load(at, typ=PTR)
    return builder.gep(pool, [constant(frame.offset("pool.uops"))], source_etype=I8)


class Step:
    """One instruction of a function that is being written."""

    def __init__(self, frame: Frame, function: ir.Function):
        self.frame, self.function = frame, function
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        for name, value in zip(STATE, function.args):
            value.name = name
            setattr(self, name, value)
        self.ended = False  # the handler has gone elsewhere on every path

    # -- operands ----------------------------------------------------------------

    @property
    def rs1(self) -> ir.Value:
        return self._read(_RS1)

    @property
    def rs2(self) -> ir.Value:
        return self._read(_RS2)

    @property
    def imm(self) -> ir.Value:
        return self.builder.zext(self._load(self._at(self.uop, _IMM), I32), I64)

    @property
    def pc(self) -> ir.Value:
        b = self.builder
        here = b.lshr(b.ptrtoint(self.uop, I64), constant(1))
        return b.and_(b.add(self.base, here), constant(0xFFFFFFFF))

    def write(self, value: ir.Value) -> None:
        """rd = value"""
        self.builder.store(self.builder.trunc(value, I32), self._register(_RD))

    def write_rs2(self, value: ir.Value) -> None:
        """The register rs2 = value"""
        self.builder.store(self.builder.trunc(value, I32), self._register(_RS2))

    def _read(self, field: int) -> ir.Value:
        return self.builder.zext(self._load(self._register(field), I32), I64)

    def _register(self, field: int) -> ir.Value:
        """The host address of the register that a field names."""
        number = self.builder.zext(self._load(self._at(self.uop, field), I8), I64)
        self._check(number, _REGISTERS)
        x = self._at(self.hart, self.frame.offset("hart.x"))
        return self.builder.gep(x, [number], source_etype=I32)

    def _at(self, pointer: ir.Value, offset: int) -> ir.Value:
        return self.builder.gep(pointer, [constant(offset)], source_etype=I8)

    def _load(self, pointer: ir.Value, kind: ir.Type) -> ir.Value:
        return self.builder.load(pointer, typ=kind)

    # -- calls -------------------------------------------------------------------

    def call(self, function: Callable, *arguments: ir.Value | int) -> ir.Value:
        """The result of an `njit` function of records and integers, which LLVM inlines."""
        values = [constant(a) if isinstance(a, int) else a for a in arguments]
        names = {id(self.hart): "hart", id(self.mem): "mem"}
        records = [names.get(id(value), "") for value in values]
        result, failed = self.frame.calls.call(self.builder, function, values, records)
        if failed is not None:
            self._leave_if(failed, Leave.OUT_OF_BOUNDS)
        return result

    # -- leaving -----------------------------------------------------------------

    def leave(self, why: Leave) -> None:
        """Stop before this instruction."""
        self._go(self.frame.functions[f"leave_{why.name}"])

    def leave_if_negative(self, value: ir.Value, why: Leave) -> None:
        """Stop before this instruction if `value` is negative."""
        self._leave_if(self.builder.icmp_signed("<", value, constant(0)), why)

    def _leave_if(self, condition: ir.Value, why: Leave) -> None:
        with self._if(condition):
            self.leave(why)

    def when(self, holds: ir.Value) -> "_Branch":
        """What is done inside a `with` of this, is done only if `holds` is not 0."""
        return self._if(self.builder.icmp_signed("!=", holds, constant(0)))

    def _if(self, condition: ir.Value) -> "_Branch":
        return _Branch(self, condition)

    def _check(self, index: ir.Value, length: int) -> None:
        """With bounds checks: leave the run unless the index is in bounds."""
        if self.frame.calls.checks:
            outside = self.builder.icmp_unsigned(">=", index, constant(length))
            self._leave_if(outside, Leave.OUT_OF_BOUNDS)

    # -- going on -----------------------------------------------------------------

    def next(self) -> None:
        """On to the next instruction of the same function."""
        self.uop = self._at(self.uop, WORD)

    def dispatch(self) -> None:
        """Go on to the function of the micro-op that now is `uop`."""
        b = self.builder
        if self.frame.calls.checks:
            self._check(self._place(), PLACES)
        op = b.zext(self._load(self._at(self.uop, _OP), I8), I64)
        entry = b.gep(self.table, [op], source_etype=PTR)
        self._go(self._load(entry, FUNCTION.as_pointer()))

    def _go(self, function: ir.Value) -> None:
        state = [getattr(self, name) for name in STATE]
        call = self.builder.call(function, state, cconv=CALLING, tail="musttail")
        self.builder.ret(call)

    def branch_near(self, holds: ir.Value) -> None:
        """Go to pc + imm, in the same page, if `holds` is not 0."""
        with self.when(holds):
            self.jump_near()

    def branch_far(self, holds: ir.Value) -> None:
        """Go to pc + imm if `holds` is not 0."""
        with self.when(holds):
            target = self.builder.add(self.pc, self.imm)
            self.jump_far(self.builder.and_(target, constant(0xFFFFFFFF)))

    def jump_near(self) -> None:
        """Go to pc + imm, in the same page."""
        b = self.builder
        self._count(self._pool("edge", self.uop), 1)
        distance = b.sext(self._load(self._at(self.uop, _IMM), I32), I64)
        self._move(b.gep(self.uop, [b.mul(distance, constant(2))], source_etype=I8), 1)

    def jump_far(self, target: ir.Value) -> None:
        """Go to `target`, wherever that is; rd = pc + 4."""
        b = self.builder
        place = self._place_of(target)
        self.write(b.add(self.pc, constant(4)))
        self._move_as_before(target, place, 1)

    def remember_call(self) -> None:
        """A return will go to the next micro-op."""
        self._turn(1)
        self.builder.store(self._at(self.uop, WORD), self.calls)

    def jump_back(self, target: ir.Value) -> None:
        """Go to `target`, most likely behind the newest call that was remembered."""
        b = self.builder
        new = self._at_place(self._place_of(target))
        guess = self._load(self.calls, PTR)
        ahead = self._hidden(guess)
        self._turn(-1)
        with self._if(b.icmp_unsigned("==", guess, new)):
            self._move_far(target, ahead, 1)
        self._move_far(target, new, 1)

    def _turn(self, n: int) -> None:
        """Go `n` entries forward in the ring of calls."""
        b = self.builder
        at = b.ptrtoint(self.calls, I64)
        low = b.and_(b.add(at, constant(WORD * n)), constant(CALLS - 1))
        self.calls = b.inttoptr(b.or_(b.and_(at, constant(-CALLS)), low), PTR)

    def fall_through(self) -> None:
        """From behind the last instruction of a page, go to the first of the next page."""
        target = self.pc
        place = self.call(hit_fetch, self.hart, target)
        self.leave_if_negative(place, Leave.END)
        self._move_as_before(target, place, 0)

    def _place_of(self, target: ir.Value) -> ir.Value:
        """The place of the instruction at `target`; stop before this one if it has none."""
        b = self.builder
        with self._if(b.trunc(b.lshr(target, constant(1)), ir.IntType(1))):
            self._leave_for(target, Leave.MISALIGNED)
        place = self.call(hit_fetch, self.hart, target)
        with self._if(b.icmp_signed("<", place, constant(0))):
            self._leave_for(target, Leave.FETCH_PAGE)
        return place

    def _leave_for(self, target: ir.Value, why: Leave) -> None:
        self.builder.store(target, self._at(self.hart, self.frame.offset("hart.run.target")))
        self.leave(why)

    def _move_as_before(self, target: ir.Value, place: ir.Value, retires: int) -> None:
        """Go to `place`, most likely the only one to which this micro-op has gone yet."""
        b = self.builder
        at = self._pool("guess", self.uop)
        guess = self._load(at, I64)
        ahead = self._hidden(guess)
        with self._if(b.icmp_signed("==", guess, place)):
            self._move_far(target, self._at_place(ahead), retires)
        first = b.icmp_signed("==", guess, constant(0))
        b.store(b.select(first, place, constant(-1)), at)  # a second one: do not guess any more
        self._move_far(target, self._at_place(place), retires)

    def _hidden(self, guess: ir.Value) -> ir.Value:
        """The same value, of which the compiler does not know that it is the same.

        If a guess is right, it equals the true value.  LLVM would use that one, and the host
        would have to wait for it.
        """
        kind = ir.FunctionType(guess.type, (guess.type,))
        return self.builder.call(ir.InlineAsm(kind, "", "=r,0", True), [guess])

    def _at_place(self, place: ir.Value) -> ir.Value:
        """The host address of the micro-op at a place in the pool."""
        return self.builder.gep(self._uops(), [place], source_etype=I64)

    def _move_far(self, target: ir.Value, new: ir.Value, retires: int) -> None:
        b = self.builder
        self._count(self._pool("flow", self.uop, retires), -1)
        self._count(self._pool("flow", new), 1)
        self.base = b.sub(target, b.lshr(b.ptrtoint(new, I64), constant(1)))
        self._move(new, retires)

    def _move(self, new: ir.Value, retires: int) -> None:
        """Make `new` the micro-op; `retires` instructions, 0 or 1, retire here."""
        b = self.builder
        back = b.sub(b.ptrtoint(self.uop, I64), b.ptrtoint(new, I64))
        self.retired = b.add(self.retired, b.add(back, constant(WORD * retires)))
        spent = b.add(self.left, self._load(self._pool("cum", self.uop, retires), I64))
        self.left = b.sub(spent, self._load(self._pool("cum", new), I64))
        self.uop = new
        self._leave_if(b.icmp_signed(">=", spent, constant(0)), Leave.END)
        self.dispatch()
        self.ended = True

    def _pool(self, array: str, uop: ir.Value, further: int = 0) -> ir.Value:
        """What an array of the pool has for a micro-op, or for one that is `further` on."""
        apart = self.frame.offset(f"pool.{array}") - self.frame.offset("pool.uops")
        return self._at(uop, apart + WORD * further)

    def _uops(self) -> ir.Value:
        """The pool's first micro-op."""
        return uops_of(self.frame, self.builder, self.mem)

    def _count(self, place: ir.Value, n: int) -> None:
        self.builder.store(self.builder.add(self._load(place, I64), constant(n)), place)

    def _place(self) -> ir.Value:
        """The micro-op's place in the pool."""
        b = self.builder
        first = b.ptrtoint(self._uops(), I64)
        return b.ashr(b.sub(b.ptrtoint(self.uop, I64), first), constant(3))


class _Branch:
    """Inside a `with` of this, code runs only on a condition; behind it the state is as before."""

    def __init__(self, step: Step, condition: ir.Value):
        self.step = step
        self.yes = step.function.append_basic_block()
        self.no = step.function.append_basic_block()
        step.builder.cbranch(condition, self.yes, self.no)
        self.state = {name: getattr(step, name) for name in STATE}

    def __enter__(self) -> None:
        self.step.builder.position_at_end(self.yes)

    def __exit__(self, *error: object) -> None:
        vars(self.step).update(self.state, ended=False)
        self.step.builder.position_at_end(self.no)
