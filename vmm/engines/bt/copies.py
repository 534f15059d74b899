"""Answers for which edge gets a copy of a block of its own, and what such a copy may rely on.

A copy serves one edge alone.  So the indirect jump at its end often has one target.  If the
edge belongs to a call, the return address is a constant: a small function returns without a
comparison.  Must not know how a block is made.
"""

import numpy as np

from toyisa.compiled.njit import njit
from vmm.engines.bt.cache import group_of
from vmm.engines.bt.record import CALL, COPIED, JUMPED, LINKED, Fans, Site
from vmm.engines.bt.words import WORD

MOST_COPIES = 12  # of one block, for example of an interpreter's dispatch
MOST_INLINED = 60  # if they know where to return, or have too many callers to compare with


@njit
def of_group(bt, word):
    """Whether a word belongs to a block of the current group."""
    return bt.unit[word] >= 0 and group_of(bt, np.int64(bt.unit[word])) == bt.group


@njit
def links(bt, gpc):
    """Return whether an edge to guest pc `gpc` has just called root.

    If a fault or an interrupt came in between, the guest goes elsewhere: no chain then.
    """
    return bt.link >= 0 and bt.gpc[bt.link] == gpc and of_group(bt, bt.link)


@njit
def copy_wanted(bt, unit, ra):
    """Return the number of the copy of the block that the asking edge gets; 0: the block."""
    if unit < 0 or not links(bt, np.int64(bt.u_gpc[unit])):
        return np.int64(0)
    fans, asking = np.int64(bt.u_fans[unit]), np.int64(bt.unit[bt.link])
    known = return_address(bt, ra) if fans & Fans.KEEPS else np.int64(0)
    most = MOST_INLINED if known or fans & Fans.INLINES else MOST_COPIES
    if not fans & Fans.SPLIT or fans // COPIED >= most or bt.u_gpc[asking] == bt.u_gpc[unit]:
        return np.int64(0)
    if fans & Fans.FREE and not known:
        bt.u_fans[unit] = fans & ~Fans.FREE
        return np.int64(0)
    return fans // COPIED + 1


@njit
def return_address(bt, ra):
    """What x1 holds wherever the asking edge is taken, and now; 0 if that is not known.

    With counted instructions it is never known: they are for proofs.
    """
    asking, known = np.int64(bt.unit[bt.link]), np.int64(0)
    if bt.insn[bt.link] & LINKED:
        known = (np.int64(bt.u_gpc[asking]) + 4 * np.int64(bt.index[bt.link])) & WORD
    else:
        known = np.int64(bt.u_ra[asking])
    return known if known == ra and not bt.icount and not bt.hold else np.int64(0)


@njit
def as_known(bt, word, ra):
    """Whether the code at `word` may run with `ra` in x1: while the guest was left, it may have
    changed.
    """
    unit = np.int64(bt.unit[word])
    if bt.u_ra[unit] and bt.u_ra[unit] != ra:
        return False
    if bt.site[word] != Site.PLAIN or np.int64(bt.insn[word]) & ~(CALL | JUMPED) != LINKED:
        return True
    return (np.int64(bt.u_gpc[unit]) + 4 * np.int64(bt.index[word])) & WORD == ra
