"""Answers for loads, stores and atomics for which no fast tag matches.

The whole instruction is done here, registers included.  Must not know where the interpreter
keeps its counters: the caller has stored the clock in the record.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core import alu, mmio
from toyisa.core.clock import charge, virtual_time
from toyisa.core.decode import first_op
from toyisa.core.decodepool import invalidate
from toyisa.core.fences import note_store
from toyisa.core.kinds import is_load, is_store, plain_op
from toyisa.core.memory import (
    CODE,
    PAGE,
    RAM_BASE,
    TOHOST,
    ram_offset,
    ram_words,
    read_ram,
    write_ram,
)
from toyisa.core.mmu import DIFFERS, PAGE_FAULT, access_fault, page_fault, translate_data
from toyisa.core.sv32 import LOAD, STORE
from toyisa.core.tlb import beyond_limits, limited, reserve
from toyisa.core.tohost import stored_tohost
from toyisa.core.trap import pend, pend_root
from toyisa.core.work import ACCESS, out_of_work
from toyisa.tables.causes import Exc
from toyisa.tables.cost import Event
from toyisa.tables.ops import Op
from toyisa.tables.requests import Writer

# The outcome of an access.
DONE = 0      # retired
RESYNC = 1    # retired, and the run must end: time, devices or code have changed
CODE_STORE = 2  # nothing done yet: close the run and call again
FAULT = 3     # an exception is pended
ASK = 4       # root must first give input, or do the access itself; nothing done
LOOK = 5      # root wants to look first (fences.py); nothing done


@njit
def access_size(op):
    if op == Op.LB or op == Op.LBU or op == Op.SB:
        return 1
    if op == Op.LH or op == Op.LHU or op == Op.SH:
        return 2
    return 4


@njit
def _translate(hart, mem, va, size, access, absolute):
    """The physical address, or -1 with the exception pended, or DIFFERS."""
    if limited(hart) and not absolute and beyond_limits(hart, va):
        pend_root(hart, access_fault(access), va)
        return -1
    if va & (size - 1):
        pend(hart, np.int64(Exc.STORE_MISALIGNED if access == STORE else Exc.LOAD_MISALIGNED), va)
        return -1
    pa = translate_data(hart, mem, va, access, absolute)
    if pa == DIFFERS:
        return pa
    if pa < 0:
        pend(hart, page_fault(access) if pa == PAGE_FAULT else access_fault(access), va)
        return -1
    return pa


@njit
def extend(op, value):
    if op == Op.LB:
        return alu.sext8(value)
    if op == Op.LH:
        return alu.sext16(value)
    return value


@njit
def _load(hart, mem, op, rd, pa):
    size = access_size(op)
    offset = ram_offset(mem, pa, size)
    if offset >= 0:
        hart.x[rd] = extend(op, read_ram(mem, offset, size))
        return DONE
    value = mmio.load(mem, pa, virtual_time(hart))
    if value <= mmio.ASK_ROOT:
        mem.request.op, mem.request.rd, mem.request.width = op, rd, size
        return ASK
    if value == mmio.NO_DEVICE:
        return FAULT
    charge(hart, np.int64(Event.MMIO), 1)
    hart.x[rd] = extend(op, np.int64(value))
    mmio.attend(hart, mem)
    return RESYNC


@njit
def _store(hart, mem, op, pa, value, closed):
    size = access_size(op)
    offset = ram_offset(mem, pa, size)
    if offset >= 0:
        return store_ram(hart, mem, offset, size, value, closed)
    answer = mmio.store(mem, pa, value)
    if answer <= mmio.ASK_ROOT:
        mem.request.op, mem.request.rd, mem.request.width = op, 0, size
        return ASK
    if answer == mmio.NO_DEVICE:
        return FAULT
    charge(hart, np.int64(Event.MMIO), 1)
    mmio.attend(hart, mem)
    return RESYNC


@njit
def _told_host(hart, mem, pa, size):
    """A store to `tohost`, at `pa`: root must look at it, now or later."""
    console = mem.console
    low = ram_offset(mem, console.tohost, 8)
    if low >= 0:
        word, now = np.int64(ram_words(mem)[low >> 2]), virtual_time(hart)
        stored_tohost(console, pa - console.tohost, size, word, now)
        hart.root.deadline = min(hart.root.deadline, console.obey_at)


@njit
def store_ram(hart, mem, offset, size, value, closed):
    """Store to RAM, and update what depends on the frame: decoded code, reservation, tohost."""
    flags = mem.frame_flags[offset // PAGE]
    if flags & CODE and not closed:
        return CODE_STORE
    write_ram(mem, offset, size, value)
    if hart.resv.addr >= 0 and (hart.resv.addr - RAM_BASE) >> 2 == offset >> 2:
        reserve(hart, -1)
    if flags & CODE:
        invalidate(hart, mem, offset, size, np.int64(Writer.HART))
    if flags & TOHOST and mem.console.tohost <= offset + RAM_BASE < mem.console.tohost + 8:
        _told_host(hart, mem, offset + RAM_BASE, size)
        return RESYNC
    return RESYNC if flags & CODE else DONE


@njit
def _load_reserved(hart, mem, rd, pa):
    offset = ram_offset(mem, pa, 4)
    if offset < 0:  # a device cannot be reserved
        return FAULT
    hart.x[rd] = ram_words(mem)[offset >> 2]
    reserve(hart, pa)
    return DONE


@njit
def _store_conditional(hart, mem, rd, pa, value, closed):
    """"SC.W conditionally writes a word ... only if the reservation is still valid". Whether or
    not it succeeds, it is a store access and ends the reservation.
    """
    offset = ram_offset(mem, pa, 4)
    if offset < 0:
        return FAULT
    result = DONE
    success = hart.resv.addr == pa
    if success:
        result = store_ram(hart, mem, offset, 4, value, closed)
        if result == CODE_STORE:
            return result
    reserve(hart, -1)
    hart.x[rd] = 0 if success else 1
    return result


@njit
def _amo_result(op, old, operand):
    if op == Op.AMOADD_W:
        return alu.add(old, operand)
    if op == Op.AMOXOR_W:
        return old ^ operand
    if op == Op.AMOAND_W:
        return old & operand
    if op == Op.AMOOR_W:
        return old | operand
    if op == Op.AMOMIN_W:
        return alu.amo_min(old, operand)
    if op == Op.AMOMAX_W:
        return alu.amo_max(old, operand)
    if op == Op.AMOMINU_W:
        return alu.amo_minu(old, operand)
    if op == Op.AMOMAXU_W:
        return alu.amo_maxu(old, operand)
    return operand  # amoswap.w


@njit
def _amo(hart, mem, op, rd, pa, operand, closed):
    """An atomic memory operation: a store access from the start, `rd` written last."""
    offset = ram_offset(mem, pa, 4)
    if offset < 0:
        return FAULT
    old = np.int64(ram_words(mem)[offset >> 2])
    result = store_ram(hart, mem, offset, 4, _amo_result(op, old, operand), closed)
    if result != CODE_STORE:
        hart.x[rd] = old
    return result


@njit
def access_kind(op):
    """The access that a memory op makes: LOAD or STORE; an AMO and SC.W always STORE."""
    return LOAD if is_load(op) or op == Op.LR_W else STORE


@njit
def access_at(hart, mem, uop, pa, closed):
    """Do the load, store or atomic `uop` at the physical address `pa`, which is aligned.

    On FAULT an access fault is pended, with `pa` as its address.
    """
    op = plain_op(first_op(uop))
    rd = uop >> 8 & 0xFF
    value = np.int64(hart.x[uop >> 24 & 0xFF])
    if is_load(op):
        result = _load(hart, mem, op, rd, pa)
    elif is_store(op):
        result = _store(hart, mem, op, pa, value, closed)
    elif op == Op.LR_W:
        result = _load_reserved(hart, mem, rd, pa)
    elif op == Op.SC_W:
        result = _store_conditional(hart, mem, rd, pa, value, closed)
    else:
        result = _amo(hart, mem, op, rd, pa, value, closed)
    if result == FAULT:
        pend(hart, access_fault(access_kind(op)), pa)
    return result


@njit
def access_memory(hart, mem, uop, closed):
    """Do the load, store or atomic `uop` at `hart.pc`; DONE, RESYNC, CODE_STORE ...

    On DONE and RESYNC the registers and memory are changed, and the caller must retire the
    instruction.  Otherwise nothing has changed except TLB and clock.
    """
    mem.work -= ACCESS
    form = first_op(uop)
    op = plain_op(form)
    va = (np.int64(hart.x[uop >> 16 & 0xFF]) + (uop >> 32)) & 0xFFFFFFFF
    pa = _translate(hart, mem, va, access_size(op), access_kind(op), form != op)
    if pa < 0:
        return LOOK if pa == DIFFERS else FAULT
    result = access_at(hart, mem, uop, pa, closed)
    if result == FAULT:
        hart.pending.tval = va
    refused = op == Op.SC_W and hart.x[uop >> 8 & 0xFF] != 0  # it did not store
    if hart.fences and result <= RESYNC and access_kind(op) == STORE and not refused:
        note_store(hart, mem, pa, np.int64(hart.run.pc0 + 4 * hart.run.i) & 0xFFFFFFFF)
        return RESYNC  # the code that runs may be mapped otherwise now
    if result == DONE and (hart.stale >= 0 or out_of_work(mem)):
        return RESYNC  # the MMU changed a word of code; or a look is due
    return result
