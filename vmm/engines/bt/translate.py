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
    NOP,
    add,
    addi,
    andi,
    branch_word,
    callout,
    itype,
    li,
    lui,
    lw,
    put,
    slli,
    spill,
    srli,
    sw,
    unspill,
)  # fmt: skip
from vmm.engines.bt.record import MAX_STUBS, TAKEN, Count, Force, Site
from vmm.engines.bt.sequences import csr_inline, unless
from vmm.engines.bt.window import BUCKETS, GROUP_PAGES, Slot

# An op's row, in whichever form it was decoded.
_BASE = np.arange(len(Op), dtype=np.int64)
for _op, _row in ROW_OF_OP.items():
    _BASE[_op] = Op[op_name(_row)]

T0, T1 = 5, 6


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
    bt.fresh = 1
    counted = bt.icount and not bt.one
    bt.begun = 1
    if counted:
        _countdown(bt)
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
    _stubs(bt)
    if counted:
        _set_countdown(bt, insns)
    return insns


@njit
def edge(bt, target, done):
    """Leave the unit for a direct target: a callout until it is chained."""
    bt.pc, bt.done, bt.fresh = target, done, 1
    callout(bt, Site.EDGE, 0)


@njit
def _stubs(bt):
    """Where sequences go that need root: take the registers back and ask."""
    for n in range(bt.stubs):
        at = bt.stub_from[n]
        word = np.int64(bt.b_word[at])
        offset = 4 * (bt.filled - at)
        bt.b_word[at] = word | branch_word(np.int64(0), np.int64(0), np.int64(0), offset)
        bt.pc, bt.done, bt.fresh = bt.stub_gpc[n], bt.stub_index[n], 0
        spilled = bt.stub_spilled[n]
        for k in range(3):
            register = spilled >> 8 * k & 0xFF
            if register:
                unspill(bt, register, k)
        callout(bt, Site.EMULATE, np.int64(bt.stub_insn[n]))


@njit
def _countdown(bt):
    """At a block's start: subtract its length from the count; call root if that is too much."""
    spill(bt, T0, 0)
    lw(bt, T0, Slot.COUNT)
    addi(bt, T0, T0, 0)  # the length is filled in later
    put(bt, branch_word(np.int64(5), T0, 0, 8))  # bgez: skip the callout
    callout(bt, Site.COUNTDOWN, 0)
    sw(bt, T0, Slot.COUNT)
    unspill(bt, T0, 0)


@njit
def _set_countdown(bt, insns):
    bt.b_word[2] = itype(0x13, 0, T0, T0, -insns)


@njit
def _one(bt, insn):
    """Translate one instruction; return whether it leads to the next one."""
    op = base_op(insn)
    rd, rs1 = insn >> 7 & 31, insn >> 15 & 31
    known, bt.known = bt.known, 0
    if op == Op.AUIPC:
        bt.known, bt.value = rd, np.int64(bt.pc) + (insn & 0xFFFFF000)
        if rd:
            li(bt, rd, bt.value)
        else:
            addi(bt, 0, 0, 0)
        return True
    if op == Op.JAL:
        target = (np.int64(bt.pc) + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFF
        return _direct(bt, insn, rd, target)
    if op == Op.JALR and rs1 and rs1 == known:  # a far call
        target = (bt.value + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFE
        return _direct(bt, insn, rd, target)
    if op == Op.JALR and bt.one:
        return _by_root(bt, insn)
    if op == Op.JALR:
        _indirect(bt, insn, rd, rs1)
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
def _direct(bt, insn, rd, target):
    """A jump whose target is known."""
    if target & 2:
        return _by_root(bt, insn)
    if rd:
        li(bt, rd, np.int64(bt.pc) + 4)
    edge(bt, target, bt.done + 1)
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
    """A branch: over the edge that falls through, to the one that is taken."""
    offset = decode(insn, np.int64(0)) >> 32
    pc, done = np.int64(bt.pc), bt.done
    target = (pc + offset) & 0xFFFFFFFF
    put(bt, branch_word(insn >> 12 & 7, insn >> 15 & 31, insn >> 20 & 31, np.int64(8)))
    edge(bt, (pc + 4) & 0xFFFFFFFF, done + 1)
    if target & 2:  # taken, it is a fault at the branch
        bt.pc, bt.done, bt.fresh = pc, done, 1
        callout(bt, Site.EMULATE, insn)
    else:
        edge(bt, target, done + 1)
        bt.b_insn[bt.filled - 1] = TAKEN
    return False


@njit
def _indirect(bt, insn, rd, rs1):
    """jalr: where it went first, or else to the bucket that its target hashes to.

    The first time root is asked, and writes the target over the question:

            sw    t0, SPILL0
            lui   t0, %hi(target)       ecall, Site.PREDICT, at first
            addi  t0, t0, %lo(target)
            bne   rs1, t0, other
            li    rd, link
            lw    t0, SPILL0
            j     unit                  chained like any direct edge
    other:  by root if the target is odd or misaligned, else
            li    rd, link
            sw    t0, TARGET            t0 is the target, t1 spilled as well
            j     the bucket

    With an offset, or with rs1 or rd among t0 and t1, the target is worked out in t0
    first, and compared with t1.
    """
    pc, done = bt.pc, bt.done
    plain = insn >> 20 == 0 and rs1 != T0 and rd != T0 and rd != T1
    spill(bt, T0, 0)
    wanted, held = np.int64(rs1), np.int64(T0)
    if not plain:
        spill(bt, T1, 1)
        put(bt, itype(0x13, 0, T0, rs1, insn >> 20))
        wanted, held = np.int64(T0), np.int64(T1)
    callout(bt, Site.PREDICT, insn)
    addi(bt, held, held, 0)
    over = bt.filled
    put(bt, NOP)
    _link(bt, rd)
    unspill(bt, T0, 0)
    if not plain:
        unspill(bt, T1, 1)
    edge(bt, np.int64(0), done + 1)
    bt.b_word[over] = branch_word(np.int64(1), wanted, held, 4 * (bt.filled - over))
    bt.pc, bt.done = pc, done
    if plain:
        addi(bt, T0, rs1, 0)
        spill(bt, T1, 1)
    andi(bt, T1, T0, 3)
    unless(bt, 1, T1, 0, insn, T0 | T1 << 8)
    _link(bt, rd)
    sw(bt, T0, Slot.TARGET)
    slli(bt, T0, T0, 20)
    srli(bt, T0, T0, 17)  # bits 11 to 2 of the target, times the bucket's 32 bytes
    lui(bt, T1, bt.base + BUCKETS + bt.group * GROUP_PAGES * PAGE)
    add(bt, T1, T1, T0)
    put(bt, itype(0x67, 0, 0, T1, 0))


@njit
def _link(bt, rd):
    """The guest's return address; t0 and t1 get it when they are taken back."""
    if rd == T0 or rd == T1:
        li(bt, T1, np.int64(bt.pc) + 4)
        spill(bt, T1, 0 if rd == T0 else 1)
    elif rd:
        li(bt, rd, np.int64(bt.pc) + 4)
