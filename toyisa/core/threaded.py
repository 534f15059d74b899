"""Answers for the handlers as threaded code: each op's function goes on to the next op's itself.

`run_handlers` goes on with the open run, `hart.run`, until an instruction needs more than
a handler has; its answer is why, a `Leave`, and `hart.run` says where.  Without the compiler
`plain.py` does the same.  docs/adr/0015-threaded-code.md says why.
"""

import numba
from llvmlite import ir
from numba.core import types

from toyisa.core.emit import CALLING, FUNCTION, I8, I64, PTR, WORD, Frame, Step, constant
from toyisa.core.handlers import handlers_of, leave_of
from toyisa.tables.leaves import Leave
from toyisa.tables.ops import Op

OPS = 256  # that a micro-op's byte can tell apart


def _write_leave(frame: Frame, why: Leave) -> None:
    """The function that stops: it puts the state where `execute.py` finds it."""
    step = Step(frame, frame.declare(f"leave_{why.name}"))
    step.function.attributes.add("noinline")
    b = step.builder
    uops = b.ptrtoint(step.mem, I64)
    uops = b.add(uops, constant(frame.offset("mem.uops")))
    run = {
        "i": b.ashr(b.sub(b.ptrtoint(step.uop, I64), uops), constant(3)),
        "pc0": b.add(step.base, b.lshr(uops, constant(1))),
        "retired": b.ashr(b.add(step.retired, uops), constant(3)),
        "left": step.left,
    }
    for name, value in run.items():
        offset = constant(frame.offset(f"hart.run.{name}"))
        b.store(value, b.gep(step.hart, [offset], source_etype=I8))
    b.ret(constant(why))


def _write_handler(frame: Frame, op: Op) -> None:
    """The function of an op: its handlers, then on to the next."""
    step = Step(frame, frame.functions[op.name])
    for handler in handlers_of(op):
        handler(step)
        if not step.ended:
            step.next()
    if not step.ended:
        step.dispatch()


def _write_table(frame: Frame) -> ir.GlobalVariable:
    """The functions by op; every number that a byte can be has one."""
    names = [op.name if handlers_of(op) else f"leave_{leave_of(op).name}" for op in Op]
    names += [f"leave_{leave_of(Op.ILLEGAL).name}"] * (OPS - len(names))
    kind = ir.ArrayType(FUNCTION.as_pointer(), OPS)
    table = ir.GlobalVariable(frame.module, kind, "handlers")
    table.initializer = ir.Constant(kind, [frame.functions[name] for name in names])
    table.global_constant, table.linkage = True, "internal"
    return table


def _write_all(frame: Frame) -> ir.GlobalVariable:
    for why in Leave:
        _write_leave(frame, why)
    written = [op for op in Op if handlers_of(op)]
    for op in written:
        frame.declare(op.name)
    for op in written:
        _write_handler(frame, op)
    return _write_table(frame)


def _enter(frame: Frame, builder: ir.IRBuilder, hart: ir.Value, mem: ir.Value) -> ir.Value:
    """A call of the function that `hart.run` stands at; why it left."""
    table = _write_all(frame)
    b = builder

    def run(name: str) -> ir.Value:
        offset = constant(frame.offset(f"hart.run.{name}"))
        return b.load(b.gep(hart, [offset], source_etype=I8), typ=I64)

    uops = b.add(b.ptrtoint(mem, I64), constant(frame.offset("mem.uops")))
    at = b.add(uops, b.mul(run("i"), constant(WORD)))
    uop = b.inttoptr(at, PTR)
    retired = b.sub(b.mul(run("retired"), constant(WORD)), uops)
    base = b.sub(run("pc0"), b.lshr(uops, constant(1)))
    op = b.zext(b.load(uop, typ=I8), I64)
    first = b.load(b.gep(b.bitcast(table, PTR), [op], source_etype=PTR), typ=FUNCTION.as_pointer())
    state = [uop, b.bitcast(hart, PTR), b.bitcast(mem, PTR), b.bitcast(table, PTR)]
    return b.call(first, [*state, retired, run("left"), base], cconv=CALLING)


if numba.config.DISABLE_JIT:
    from toyisa.core.plain import run_handlers
else:

    @numba.extending.intrinsic
    def run_handlers(typing_context, hart, mem):
        """Go on with `hart.run` until an instruction needs more than a handler; why."""

        def generate(context, builder, signature, arguments):
            frame = Frame(context, builder.module, hart, mem)
            event = _enter(frame, builder, *arguments)
            if numba.config.BOUNDSCHECK:
                outside = builder.icmp_signed("==", event, constant(Leave.OUT_OF_BOUNDS))
                with builder.if_then(outside):
                    context.call_conv.return_user_exc(builder, IndexError, ("of a handler",))
            return event

        return types.int64(hart, mem), generate
