"""Answers for one block: guest instructions in, machine code in the block's buffer out.

A block has at most 12 instructions, and ends with a transfer of control or with its page.  It
begins and ends with every guest register in its place.  Most instructions are copied
unchanged. Link registers hold guest addresses.  Must not know where the code will lie.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.decode import decode
from toyisa.core.kinds import is_branch, is_csr, is_load, is_store
from toyisa.core.memory import PAGE, ram_words
from toyisa.tables.ops import ROW_OF_OP, Op, op_name
from vmm.engines.bt.emit import (
    addi,
    callout,
    li,
    put,
)  # fmt: skip
from vmm.engines.bt.icount import countdown, set_countdown
from vmm.engines.bt.indirect import edge, indirect, stubs
from vmm.engines.bt.record import CALL, LINKED, MAX_STUBS, Count, Force, Site
from vmm.engines.bt.sequences import csr_inline, to_stub
from vmm.engines.bt.words import BRANCH, HIGH, RA, RET, branch_word, rd_of, rs1_of, rs2_of

# An op's row, in whichever form it was decoded.
_BASE = np.arange(len(Op), dtype=np.int64)
for _op, _row in ROW_OF_OP.items():
    _BASE[_op] = Op[op_name(_row)]



@njit
def base_op(insn):
    """The op of an instruction word's row."""
    return _BASE[decode(insn, np.int64(0)) & 0xFF]


@njit
def translate(bt, mem, gpc, at, most):
    """Translate up to `most` instructions at guest pc `gpc`, RAM offset `at`; return how many."""
    bt.filled, bt.stubs, bt.done, bt.known = 0, 0, 0, 0
    insns, more = np.int64(0), True
    words = ram_words(mem)
    bt.pc = gpc
    bt.fresh, bt.keeps = 1, 1
    counted = bt.icount and not bt.one
    bt.begun = 1
    if counted:
        countdown(bt)
    while more and insns < most:
        bt.pc = (gpc + 4 * insns) & 0xFFFFFFFF
        bt.done = insns
        bt.fresh, bt.begun = 1, 0
        more = _one(bt, np.int64(words[(at >> 2) + insns]))
        insns += 1
        if (gpc + 4 * insns) & (PAGE - 1) == 0 or bt.stubs > MAX_STUBS - 2:
            break
    if more:
        edge(bt, (gpc + 4 * insns) & 0xFFFFFFFF, insns)
    stubs(bt)
    if counted:
        set_countdown(bt, insns)
    return insns


@njit
def _one(bt, insn):
    """Translate one instruction; return whether it leads to the next one."""
    op = base_op(insn)
    rd, rs1 = rd_of(insn), rs1_of(insn)
    known, bt.known = bt.known, 0
    if op == Op.JALR and insn == RET and bt.ra:
        return _direct(bt, insn, rd, np.int64(bt.ra), 0)
    if rd == RA:
        bt.ra, bt.keeps = 0, 0
    if op == Op.AUIPC:
        bt.known, bt.value = rd, np.int64(bt.pc) + (insn & HIGH)
        if rd:
            li(bt, rd, bt.value)
        else:
            addi(bt, 0, 0, 0)
        return True
    if op == Op.JAL:
        target = (np.int64(bt.pc) + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFF
        return _direct(bt, insn, rd, target, 0)
    if op == Op.JALR and rs1 and rs1 == known:  # a far call
        target = (bt.value + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFE
        return _direct(bt, insn, rd, target, known)
    if op == Op.JALR and bt.one:
        return _by_root(bt, insn)
    if op == Op.JALR:
        indirect(bt, insn)
        return False
    if is_branch(op):
        return _branch(bt, insn)
    if is_csr(op):
        if bt.force == Force.TRAP and insn >> 30 == 3:
            put(bt, insn)  # copied unchanged: it traps
        elif not csr_inline(bt, insn, bt.force == Force.INLINE and not bt.icount):
            callout(bt, Site.EMULATE, insn)
        return True
    if op == Op.SRET or op == Op.EBREAK or op == Op.ILLEGAL:
        return _by_root(bt, insn)
    if (
        op == Op.ECALL or op == Op.WFI or op == Op.SFENCE_VMA
        or op == Op.PROBE_R or op == Op.PROBE_W
    ):  # fmt: skip
        callout(bt, Site.EMULATE, insn)
        return True
    if rs1 == 0 and _reaches_window(bt, op, insn):
        callout(bt, Site.ACCESS, insn)
        return True
    bt.count[Count.IDENTICAL] += 1
    put(bt, insn)
    return True


@njit
def _direct(bt, insn, rd, target, known):
    """A jump whose target is known; the register `known` holds what auipc has just set."""
    if target & 2:
        return _by_root(bt, insn)
    link = np.int64(bt.pc) + 4
    if rd and rd == known and abs(link - bt.value) < 2048:
        addi(bt, rd, rd, link - bt.value)
    elif rd:
        li(bt, rd, link)
    edge(bt, target, bt.done + 1)
    if rd:
        bt.b_insn[bt.filled - 1] = CALL | (LINKED if rd == RA else 0)
    return False


@njit
def _by_root(bt, insn):
    """The block ends here: a return, a trap, or an illegal instruction."""
    callout(bt, Site.EMULATE, insn)
    return False


@njit
def _reaches_window(bt, op, insn):
    """Whether an access with x0 as its base reaches the monitor's words: the guest's own are
    elsewhere.
    """
    upwards = 0 if bt.first else 1
    return (is_load(op) or is_store(op)) and insn >> 31 != upwards


@njit
def _branch(bt, insn):
    """A branch: to the edge that is taken, which is a stub, or on to the one that falls through."""
    offset = decode(insn, np.int64(0)) >> 32
    pc = np.int64(bt.pc)
    target = (pc + offset) & 0xFFFFFFFF
    branch = branch_word(insn & BRANCH, rs1_of(insn), rs2_of(insn), np.int64(0))
    if target & 2:  # taken, it is a fault at the branch
        bt.stub_insn[bt.stubs], bt.stub_spilled[bt.stubs] = insn, 0
        to_stub(bt, branch, Site.EMULATE, bt.pc)
    else:
        to_stub(bt, branch, Site.EDGE, target)
        bt.stub_index[bt.stubs - 1] += 1  # there the branch is done
    edge(bt, (pc + 4) & 0xFFFFFFFF, bt.done + 1)
    return False
