"""Answers for the machine's address-space ids: which spaces of which guests have them.

A space keeps a *tag*: the id that it was given, and the generation in which that was.

  tag  63              9 8        0
      +-----------------+----------+
      |   generation    |    id    |     id 0 is never given: with it a space has none
      +-----------------+----------+

While the generation lasts, no other space has the id.  An id that was given back may still be
in the TLB, so its translations are flushed before another space gets it.  If none is left, a
new generation begins: no space has an id, and the TLB forgets all of them.  Xen and Linux do
the same.  Must not know what a space is.

One hart is assumed: with more of them, each flush is one of all their TLBs, and a space that
runs on another hart keeps its id in a new generation.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.state import record
from toyisa.core.tlb import flush
from toyisa.core.work import SCAN, count_flush
from toyisa.tables.bits import ASID

FREE, TAKEN, GIVEN_BACK = range(3)  # the state of an id
_WIDTH = ASID.bit_length()

ASIDS = record(
    ("generation", "i8"),
    ("returned", "i8"),         # how many ids are in the state GIVEN_BACK
    ("flushes", "i8"),          # of one id, before another space got it
    ("state", "u1", ASID + 1),  # by id
)  # fmt: skip


@njit
def take_id(asids, hart, mem, tag, wanted):
    """The tag from now on of a space that has `tag`: the same, if it is of this generation.

    Otherwise the space gets the id `wanted`, not 0, or another if a space has that one.
    """
    if tag & ASID and tag >> _WIDTH == asids.generation:
        return tag
    number = _choose(asids, wanted & ASID)
    if number != wanted:
        mem.work -= SCAN
    if number == 0:
        _begin_generation(asids, hart, mem)
        number = wanted & ASID
    if asids.state[number] == GIVEN_BACK:
        flush(hart, np.int64(-1), number)
        count_flush(hart, mem)
        asids.flushes += 1
        asids.returned -= 1
    asids.state[number] = TAKEN
    return asids.generation << _WIDTH | number


@njit
def id_of(asids, hart, mem, tags, space):
    """The id of a guest's space, which gets one if it has none; `tags` has its spaces' tags.

    If no other guest has that id, it is the number of the space plus 1.  So the spaces of a
    guest that is alone always have the same ids.
    """
    tags[space] = take_id(asids, hart, mem, np.int64(tags[space]), space + 1)
    return np.int64(tags[space]) & ASID


@njit
def _choose(asids, wanted):
    """The id `wanted` or another that no space has, rather one that needs no flush; else 0."""
    if asids.state[wanted] != TAKEN:
        return wanted
    found = np.int64(0)
    for number in range(1, ASID + 1):
        if asids.state[number] == FREE:
            return np.int64(number)
        if found == 0 and asids.state[number] == GIVEN_BACK:
            found = np.int64(number)
    return found


@njit
def _begin_generation(asids, hart, mem):
    asids.generation += 1
    asids.state[:] = FREE
    asids.returned = 0
    flush(hart, np.int64(-1), np.int64(-1))
    count_flush(hart, mem)


@njit
def return_id(asids, tag):
    """A space that has `tag` is no more, or forgets it: others may have its id."""
    if tag & ASID and tag >> _WIDTH == asids.generation:
        asids.state[tag & ASID] = GIVEN_BACK
        asids.returned += 1


@njit
def forget_returned(asids):
    """The TLB has just forgotten everything: ids that were given back need no flush."""
    if asids.returned == 0:
        return
    for number in range(1, ASID + 1):
        if asids.state[number] == GIVEN_BACK:
            asids.state[number] = FREE
    asids.returned = 0
