"""Answers for the code of indirect jumps, and for how a block ends: edges, stubs.

An indirect jump compares its target with a constant.  If they are equal, an edge follows:

        sw    t0, SPILL0
        lui   t0, %hi(target)       ecall, Site.PREDICT, until it is known
        addi  t0, t0, %lo(target)
        bne   rs1, t0, other
        li    rd, link
        lw    t0, SPILL0
        j     block                 chained like any direct edge
    other:                          ecall, Site.WIDEN, until there is a fan

For a second target root makes a *fan*: room for `width` more comparisons, and behind them a
jump to the bucket to which the target hashes:

        lui   t0, %hi(target)       ecall, Site.PREDICT, until it is known
        addi  t0, t0, %lo(target)
        beq   rs1, t0, hit          li rd; lw t0; j block: made when the target is known
        ...
        ecall                       Site.CROWDED, until it is asked: a nop from then on
        (root does the jump if the target is odd or misaligned)
        li    rd, link
        sw    t0, TARGET            t0 is the target, t1 spilled as well
        j     the bucket

If the jalr has an offset, or rs1 or rd is t0 or t1, the target is computed in t0 first and
compared with t1.  Must not know where the code will lie.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.memory import PAGE
from vmm.engines.bt.emit import (
    add,
    addi,
    andi,
    callout,
    li,
    lui,
    put,
    slli,
    spill,
    srli,
    sw,
    unspill,
)  # fmt: skip
from vmm.engines.bt.record import JUMPED, LINKED, Site
from vmm.engines.bt.sequences import to_stub, unless
from vmm.engines.bt.window import BUCKETS, GROUP_PAGES, Slot
from vmm.engines.bt.words import (
    BEQ,
    BNE,
    JALR,
    NOP,
    RA,
    branch_by,
    branch_word,
    i_word,
    rd_of,
    rs1_of,
)  # fmt: skip

T0, T1 = 5, 6
WIDTH = 14  # targets that a fan compares with, if no option says otherwise


@njit
def edge(bt, target, done):
    """Leave the block for a direct target: a callout until it is chained."""
    bt.pc, bt.done, bt.fresh = target, done, 1
    callout(bt, Site.EDGE, 0)


@njit
def stubs(bt):
    """Emit what the block's branches lead to: an edge, or a call of root.

    Stubs are placed elsewhere in the cache.  So the block's last word is an edge, and the
    next block may be placed over it.
    """
    bt.main = bt.filled
    for n in range(bt.stubs):
        bt.stub_at[n] = bt.filled
        site = np.int64(bt.stub_site[n])
        bt.pc, bt.done, bt.fresh = bt.stub_gpc[n], bt.stub_index[n], 1 if site == Site.EDGE else 0
        if site == Site.EMULATE:
            spilled = bt.stub_spilled[n]
            for k in range(3):
                register = spilled >> 8 * k & 0xFF
                if register:
                    unspill(bt, register, k)
        callout(bt, site, np.int64(bt.stub_insn[n]))


@njit
def aim_at_stubs(bt, distance):
    """Set the offsets of branches to stubs; the block lies `distance` words behind its stubs."""
    for n in range(bt.stubs):
        at, to = bt.stub_from[n], bt.stub_at[n]
        back = distance + at - (to - bt.main)
        bt.b_word[at] |= branch_by(-4 * back)
        if bt.stub_site[n] != Site.EMULATE:
            bt.b_insn[to] = back


@njit
def is_plain(insn):
    """Return whether a jalr's target is in rs1 though t0 is in use, and rd is not t0 or t1."""
    rd, rs1 = rd_of(insn), rs1_of(insn)
    return insn >> 20 == 0 and rs1 != T0 and rd != T0 and rd != T1


@njit
def indirect(bt, insn):
    """Translate a jalr; its fan is made when it is needed."""
    plain, rs1 = is_plain(insn), rs1_of(insn)
    spill(bt, T0, 0)
    if not plain:
        spill(bt, T1, 1)
        addi(bt, T0, rs1, insn >> 20)
    _compare(bt, insn)
    wanted, held = (rs1, np.int64(T0)) if plain else (np.int64(T0), np.int64(T1))
    to_stub(bt, branch_word(BNE, wanted, held, np.int64(0)), Site.WIDEN, bt.pc)
    _hit(bt, insn)


@njit
def _compare(bt, insn):
    """Leave two words for the constant to compare with, which `targets.py` writes."""
    held = np.int64(T0 if is_plain(insn) else T1)
    callout(bt, Site.PREDICT, insn)
    addi(bt, held, held, 0)


@njit
def _hit(bt, insn):
    """The target is the constant: put all registers in their places, then an edge."""
    pc, done = bt.pc, bt.done
    _link(bt, rd_of(insn))
    unspill(bt, T0, 0)
    if not is_plain(insn):
        unspill(bt, T1, 1)
    edge(bt, np.int64(0), done + 1)
    bt.b_insn[bt.filled - 1] = JUMPED | (LINKED if rd_of(insn) == RA else 0)
    bt.pc, bt.done = pc, done


@njit
def fan(bt, insn, gpc, done, comparison):
    """Emit the fan of the jalr `insn`, number `done` of its block, at `gpc`, into the buffer."""
    bt.filled, bt.stubs, bt.fresh, bt.begun = 0, 0, 0, 1
    bt.pc, bt.done = gpc, done
    plain, rs1 = is_plain(insn), rs1_of(insn)
    wanted, held = (rs1, np.int64(T0)) if plain else (np.int64(T0), np.int64(T1))
    for _ in range(bt.width):
        _compare(bt, insn)
        put(bt, branch_word(BEQ, wanted, held, np.int64(0)))
    callout(bt, Site.CROWDED, comparison)
    _to_bucket(bt, insn)
    for n in range(bt.width):
        at = 3 * n + 2
        bt.b_word[at] |= branch_by(4 * (bt.filled - at))
        put(bt, NOP)  # a jump to the hit, if the branch does not reach it
    stubs(bt)


@njit
def fan_hit(bt, insn, gpc, done):
    """Emit what follows if a comparison of a fan holds."""
    bt.filled, bt.stubs, bt.fresh, bt.begun = 0, 0, 0, 1
    bt.pc, bt.done = gpc, done
    _hit(bt, insn)
    bt.main = bt.filled


@njit
def _to_bucket(bt, insn):
    if is_plain(insn):
        addi(bt, T0, rs1_of(insn), 0)
        spill(bt, T1, 1)
    andi(bt, T1, T0, 3)
    unless(bt, BNE, T1, 0, insn, T0 | T1 << 8)
    _link(bt, rd_of(insn))
    sw(bt, T0, Slot.TARGET)
    lui(bt, T1, bt.base + BUCKETS + bt.group * GROUP_PAGES * PAGE)
    slli(bt, T0, T0, 20)
    srli(bt, T0, T0, 17)  # bits 11 to 2 of the target, times the bucket's 32 bytes
    add(bt, T1, T1, T0)
    put(bt, i_word(JALR, 0, T1, 0))


@njit
def _link(bt, rd):
    """The guest's return address; t0 and t1 get it when they are taken back."""
    if rd == T0 or rd == T1:
        li(bt, T1, np.int64(bt.pc) + 4)
        spill(bt, T1, 0 if rd == T0 else 1)
    elif rd:
        li(bt, rd, np.int64(bt.pc) + 4)
