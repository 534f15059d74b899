"""Answers for the handlers as threaded code: each op's function itself jumps to the next op's.

The function `run_handlers` goes on with the open run, `hart.run`, until an instruction needs
more than a handler.  It returns the reason, a `Leave`; `hart.run` has the place.  Without the
compiler `plain.py` does the same.  docs/adr/0015-threaded-code.md says why.
"""

from llvmlite import ir

from toyisa.compiled.front import kinds
from toyisa.compiled.front.expressions import Expressions
from toyisa.compiled.front.kinds import Value
from toyisa.core.calls import Written
from toyisa.core.emit import (
    CALLING,
    CALLS,
    FUNCTION,
    I8,
    I64,
    PTR,
    WORD,
    Frame,
    Step,
    constant,
    uops_of,
)  # fmt: skip
from toyisa.core.handlers import handlers_of, leave_of
from toyisa.tables.leaves import Leave
from toyisa.tables.ops import Op

OPS = 256  # the values of a micro-op's byte


def _run_field(frame: Frame, b: ir.IRBuilder, hart: ir.Value, name: str) -> ir.Value:
    """The address of a field of `hart.run`."""
    return b.gep(hart, [constant(frame.offset(f"hart.run.{name}"))], source_etype=I8)


def _write_leave(frame: Frame, why: Leave) -> None:
    """The function that stops: it stores the state where `execute.py` finds it."""
    step = Step(frame, frame.declare(f"leave_{why.name}"))
    step.function.attributes.add("noinline")
    b = step.builder
    uops = b.ptrtoint(uops_of(frame, b, step.mem), I64)
    before = b.load(_run_field(frame, b, step.hart, "retired"), typ=I64)
    run = {
        "i": b.ashr(b.sub(b.ptrtoint(step.uop, I64), uops), constant(3)),
        "pc0": b.add(step.base, b.lshr(uops, constant(1))),
        "retired": b.add(before, b.ashr(b.add(step.retired, uops), constant(3))),
        "left": step.left,
    }
    for name, value in run.items():
        b.store(value, _run_field(frame, b, step.hart, name))
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
    """The functions by op; every value of the byte has one."""
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


def enter(frame: Frame, builder: ir.IRBuilder, hart: ir.Value, mem: ir.Value) -> ir.Value:
    """A call of the function at the place of `hart.run`; returns why it left."""
    table = _write_all(frame)
    b = builder

    def run(name: str) -> ir.Value:
        return b.load(_run_field(frame, b, hart, name), typ=I64)

    uops = b.ptrtoint(uops_of(frame, b, mem), I64)
    at = b.add(uops, b.mul(run("i"), constant(WORD)))
    uop = b.inttoptr(at, PTR)
    retired = b.sub(constant(0), uops)  # only what is added: eight times instret has no room
    base = b.sub(run("pc0"), b.lshr(uops, constant(1)))
    with b.goto_entry_block():  # once, even if this stands in a loop
        calls = b.alloca(ir.ArrayType(I8, CALLS))
        calls.align = CALLS
    b.store(ir.Constant(ir.ArrayType(I8, CALLS), None), calls)  # no guess
    op = b.zext(b.load(uop, typ=I8), I64)
    first = b.load(b.gep(b.bitcast(table, PTR), [op], source_etype=PTR), typ=FUNCTION.as_pointer())
    state = [uop, b.bitcast(hart, PTR), b.bitcast(mem, PTR), b.bitcast(table, PTR)]
    return b.call(first, [*state, retired, run("left"), base, b.bitcast(calls, PTR)], cconv=CALLING)


def write(body: Expressions, hart: Value, mem: Value) -> Value:
    """Go on with `hart.run` until an instruction needs more than a handler; return why."""
    module = ir.Module()
    calls = Written(body.program, module, hart=hart.kind, mem=mem.kind)
    frame = Frame(module, calls, hart.kind.dtype, mem.kind.dtype)
    function = ir.Function(module, ir.FunctionType(I64, (PTR, PTR)), "run_handlers")
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    builder.ret(enter(frame, builder, *function.args))
    for found in module.global_values:
        if not isinstance(found, ir.Function) or found.blocks:
            body.program.define(str(found))
    return Value(kinds.I64, (body.new(f"call i64 @run_handlers(ptr {hart.ref}, ptr {mem.ref})"),))
