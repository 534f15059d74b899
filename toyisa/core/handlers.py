"""Answers for what each micro-op does that needs only registers, RAM and the decode pool.

A *handler* is a function of a *step*: one instruction that is being executed.  It says what
the instruction does, by means of the names that a step has:

    step.rs1, step.rs2, step.imm    values of the operands
    step.pc                         the instruction's address
    step.hart, step.mem             the records, as arguments of `call`
    step.call(function, *values)    the result of a compiled function
    step.write(value)               write it to rd; `write_rs2`: to the register rs2
    with step.when(value):          only if it is not 0
    step.next()                     on to the next instruction, in a fused op
    step.leave_if_negative(value, why)      stop before this instruction
    step.branch_near, jump_near ... go on elsewhere

There are two kinds of steps.  Those of `threaded.py` do not execute the instruction, but
write the machine code that will execute it.  Those of `plain.py` execute it, for work without
the compiler.  So a handler must not look at a value itself: `call` does.

What an arithmetic instruction computes is in `alu.py`.  An op without a handler is left to
`execute.py`.  Must not know CSRs, traps or devices.
"""

from collections.abc import Callable

from toyisa.compiled.njit import njit
from toyisa.core import alu
from toyisa.core.memory import ram_bytes, ram_halves, ram_words
from toyisa.core.tlb import hit_tag
from toyisa.tables.insns import BY_NAME, IN_MEMORY, INSNS, Insn
from toyisa.tables.leaves import Leave
from toyisa.tables.ops import ROW_OF_OP, SEQUENCES, Op, op_name

PLACE = 0xFFC  # the bits of an address that say which instruction of its page it is
VPAGE = 0xFFFFF000
EVEN = 0xFFFFFFFE

# -- the fast tags -------------------------------------------------------------
# `low` is the access's size less 1: the address bits that must be 0.


@njit
def hit_load(hart, va, low):
    """The RAM offset of a load at `va`, or -1: the slow path must do it."""
    tlb = hart.tlb
    return hit_tag(tlb.rtag, tlb.frame_at, tlb.ctx_r, va, low, tlb.dmask)


@njit
def hit_store(hart, va, low):
    """The RAM offset of a store at `va`, or -1: the slow path must do it."""
    tlb = hart.tlb
    return hit_tag(tlb.wtag, tlb.frame_at, tlb.ctx_w, va, low, tlb.dmask)


@njit
def hit_load_abs(hart, va, low):
    """`hit_load` with x0 as the base register, the only one that passes `s_limit`."""
    tlb = hart.tlb
    return hit_tag(tlb.rtag, tlb.frame_at, tlb.ctx_r ^ tlb.absolute, va, low, tlb.dmask)


@njit
def miss_load_abs(hart, va):
    """Whether `hit_load_abs` knows no place of the word at `va`."""
    return 1 if hit_load_abs(hart, va, 3) < 0 else 0


@njit
def hit_store_abs(hart, va, low):
    """`hit_store` with x0 as the base register."""
    tlb = hart.tlb
    return hit_tag(tlb.wtag, tlb.frame_at, tlb.ctx_w ^ tlb.absolute, va, low, tlb.dmask)


@njit
def hit_fetch(hart, va):
    """The pool place of the instruction at `va`, or -1: its page must first be fetched."""
    tlb = hart.tlb
    e = (va >> 12) & tlb.imask
    if tlb.xtag[e] != tlb.ctx_x | va & VPAGE:
        return -1
    return tlb.xslot[e] + ((va & PLACE) >> 2)


# -- RAM -------------------------------------------------------------------------


@njit
def read_byte(mem, offset):
    return ram_bytes(mem)[offset]


@njit
def read_half(mem, offset):
    return ram_halves(mem)[offset >> 1]


@njit
def read_word(mem, offset):
    return ram_words(mem)[offset >> 2]


@njit
def write_byte(mem, offset, value):
    ram_bytes(mem)[offset] = value & 0xFF


@njit
def write_half(mem, offset, value):
    ram_halves(mem)[offset >> 1] = value & 0xFFFF


@njit
def write_word(mem, offset, value):
    ram_words(mem)[offset >> 2] = value & 0xFFFFFFFF


# -- handlers ---------------------------------------------------------------------

Handler = Callable[[object], None]


def _register(compute: Callable) -> Handler:
    """rd = compute(rs1, rs2)"""

    def handler(step):
        step.write(step.call(compute, step.rs1, step.rs2))

    return handler


def _immediate(compute: Callable) -> Handler:
    """rd = compute(rs1, imm)"""

    def handler(step):
        step.write(step.call(compute, step.rs1, step.imm))

    return handler


def _single(compute: Callable) -> Handler:
    """rd = compute(rs1)"""

    def handler(step):
        step.write(step.call(compute, step.rs1))

    return handler


def _arithmetic(row: Insn) -> Handler:
    """What an arithmetic instruction does: the operands are in its row, the rest in `alu.py`."""
    compute = getattr(alu, row.function)
    named = {field.name for field in row.fields}
    if "rs2" in named:
        return _register(compute)
    return _immediate(compute) if named > {"rd", "rs1"} else _single(compute)


def _load(hit: Callable, size: int, read: Callable, extend: Callable | None = None) -> Handler:
    """rd = the bytes at rs1 + imm"""

    def handler(step):
        va = step.call(alu.add, step.rs1, step.imm)
        offset = step.call(hit, step.hart, va, size - 1)
        step.leave_if_negative(offset, Leave.MEMORY)
        value = step.call(read, step.mem, offset)
        step.write(step.call(extend, value) if extend else value)

    return handler


def _store(hit: Callable, size: int, write: Callable) -> Handler:
    """The bytes at rs1 + imm = rs2"""

    def handler(step):
        va = step.call(alu.add, step.rs1, step.imm)
        offset = step.call(hit, step.hart, va, size - 1)
        step.leave_if_negative(offset, Leave.MEMORY)
        step.call(write, step.mem, offset, step.rs2)

    return handler


def _branch_near(holds: Callable) -> Handler:
    """If holds(rs1, rs2), to pc + imm, in the same page"""

    def handler(step):
        step.branch_near(step.call(holds, step.rs1, step.rs2))

    return handler


def _branch(holds: Callable) -> Handler:
    """If holds(rs1, rs2), to pc + imm"""

    def handler(step):
        step.branch_far(step.call(holds, step.rs1, step.rs2))

    return handler


def _lui(step):
    step.write(step.imm)


def _auipc(step):
    step.write(step.call(alu.add, step.pc, step.imm))


def _jal_near(step):
    step.write(step.call(alu.add, step.pc, 4))
    step.jump_near()


def _jal(step):
    step.jump_far(step.call(alu.add, step.pc, step.imm))


def _jalr(step):
    # "... then setting the least-significant bit of the result to zero."
    step.jump_far(step.call(alu.and_, step.call(alu.add, step.rs1, step.imm), EVEN))


def _call(jump: Handler) -> Handler:
    """The jump is a call"""

    def handler(step):
        step.remember_call()
        jump(step)

    return handler


def _return(step):
    step.jump_back(step.call(alu.and_, step.call(alu.add, step.rs1, step.imm), EVEN))


def _li(step):
    """rd = what lui and addi make of it"""
    high = step.imm
    step.next()
    step.write(step.call(alu.add, high, step.imm))


def _check(step):
    """Keep a register in memory; go on, with the register as it was, if rs1 is a constant"""
    _STORE_ABS(step)
    va = step.imm
    step.next()
    high = step.imm
    step.next()
    value = step.call(alu.add, high, step.imm)
    step.next()
    with step.when(step.call(alu.ne, step.rs1, value)):
        step.write_rs2(value)
        step.jump_near()
    step.next()
    with step.when(step.call(miss_load_abs, step.hart, va)):
        step.write(value)
        step.leave(Leave.MEMORY)


def _fence(step):
    """One hart sees its own accesses in order, so there is nothing to do."""


def _next(step):
    """Go on from the last instruction of a page to the next page."""
    step.fall_through()


_BRANCHES = {
    "BEQ": alu.eq, "BNE": alu.ne, "BLT": alu.slt, "BGE": alu.ge, "BLTU": alu.sltu, "BGEU": alu.geu,
}  # fmt: skip

_STORE_ABS = _store(hit_store_abs, 4, write_word)

HANDLERS: dict[str, Handler] = {
    "NEXT": _next,
    "LUI": _lui, "AUIPC": _auipc, "FENCE": _fence,
    "JAL": _jal, "JALR": _jalr, "JAL_NEAR": _jal_near,
    "JAL_CALL": _call(_jal), "JALR_CALL": _call(_jalr), "JAL_NEAR_CALL": _call(_jal_near),
    "JALR_RETURN": _return,
    **{name: _branch(holds) for name, holds in _BRANCHES.items()},
    **{f"{name}_NEAR": _branch_near(holds) for name, holds in _BRANCHES.items()},

    # One that `alu.py` does not know is illegal, and a test says what is missing.
    **{
        op_name(row.name): _arithmetic(row)
        for row in INSNS
        if row.arithmetic and hasattr(alu, row.function)
    },

    "LB": _load(hit_load, 1, read_byte, alu.sext8),
    "LH": _load(hit_load, 2, read_half, alu.sext16),
    "LW": _load(hit_load, 4, read_word),
    "LBU": _load(hit_load, 1, read_byte),
    "LHU": _load(hit_load, 2, read_half),
    "SB": _store(hit_store, 1, write_byte),
    "SH": _store(hit_store, 2, write_half),
    "SW": _store(hit_store, 4, write_word),
    "LW_ABS": _load(hit_load_abs, 4, read_word),
    "SW_ABS": _STORE_ABS,
    "LI": _li, "CHECK": _check,
}  # fmt: skip


_NAMES = {"_".join(names): names for names in SEQUENCES}


def handlers_of(op: Op) -> list[Handler]:
    """The handlers of an op, one after another; none if `execute.py` does it."""
    names = _NAMES.get(op.name, (op.name,))
    return [HANDLERS[name] for name in names if name in HANDLERS]


def leave_of(op: Op) -> Leave:
    """Why a run is left for an op that has no handler."""
    if op == Op.STOP:
        return Leave.END
    row = BY_NAME.get(ROW_OF_OP.get(op, ""))
    return Leave.MEMORY if row and row.cost in IN_MEMORY else Leave.RARE
