"""Answers for what counts down under icount: the code at the start of each block.

A block subtracts its length from the count of instructions that are left before root must
look (`Slot.COUNT`), and calls root instead of running past it.  The length is known at the
end of the block, so it is filled in then.
"""


from toyisa.compiled.njit import njit
from vmm.engines.bt.emit import addi, callout, lw, put, spill, sw, unspill
from vmm.engines.bt.record import Site
from vmm.engines.bt.window import Slot
from vmm.engines.bt.words import ADDI, BGE, branch_word, i_word

T0 = 5


@njit
def countdown(bt):
    """At a block's start: subtract its length from the count; call root if that is too much."""
    spill(bt, T0, 0)
    lw(bt, T0, Slot.COUNT)
    addi(bt, T0, T0, 0)  # the length is filled in later
    put(bt, branch_word(BGE, T0, 0, 8))  # bgez: skip the callout
    callout(bt, Site.COUNTDOWN, 0)
    sw(bt, T0, Slot.COUNT)
    unspill(bt, T0, 0)


@njit
def set_countdown(bt, insns):
    """At a block's end: fill its length in."""
    bt.b_word[2] = i_word(ADDI, T0, T0, -insns)
