"""The living definition of a sound hart and memory record: every index in range, all consistent.

It is plain Python, and uses the records and what the machine was made with.  Compiled code
does not check some values, because only compiled code makes them; they are checked here.
"""

from typing import Any

import numpy as np

from toyisa.core.contexts import MOST
from toyisa.core.memory import (
    CODE,
    NO_FRAME,
    PAGE,
    RAM_BASE,
    RX_SIZE,
    SLOTS,
    STRIDE,
    TOHOST,
    TX_SIZE,
)
from toyisa.core.state import HART, NO_TAG
from toyisa.core.tlb import recontext
from toyisa.snapshots import snapchecks, snapfields
from toyisa.tables.levels import Level
from vmm.fuzz.case import Violation


def _must(holds: Any, expected: str, actual: Any) -> None:
    if not holds:
        raise Violation(expected, str(actual))


def check(machine: Any) -> None:
    """Violation if the records of a stopped bare machine are not sound."""
    hart, memory = machine.hart, machine.memory
    _registers(hart)
    _tags(machine)
    _pool(memory, machine.host.pool)
    _devices(memory)
    _must(memory.ram == machine.ram.ctypes.data, "RAM's own address", int(memory.ram))
    _must(memory.ram_size == machine.ram.size, "RAM's own size", int(memory.ram_size))
    try:  # what it saves must be legal
        snapchecks.check(snapfields.gather(hart, memory), machine.ram.size, hart, room=0)
    except snapchecks.Illegal as error:
        raise Violation("a state that can be saved", str(error)) from None


def _registers(hart: np.record) -> None:
    _must(hart.priv in (Level.U, Level.S), "a level", hart.priv)
    _must(not hart.x[0], "x0 is 0", hart.x[0])
    again = hart.tobytes()
    fresh = np.frombuffer(bytearray(again), HART)[0]
    recontext(fresh)
    for name in ("ctx_r", "ctx_w", "ctx_x", "absolute"):
        _must(fresh.tlb[name] == hart.tlb[name], f"{name} of the state", int(hart.tlb[name]))


def _tags(machine: Any) -> None:
    """No fast tag leads out of RAM, or to a slot that does not exist."""
    tlb, pool = machine.hart.tlb, machine.host.pool
    size = machine.ram.size
    _must(tlb.dmask == machine.cost.dtlb - 1, "the cost model's data TLB", int(tlb.dmask))
    _must(tlb.imask == machine.cost.itlb - 1, "the cost model's instruction TLB", int(tlb.imask))
    known = np.count_nonzero(tlb.contexts.key)
    _must(tlb.contexts.count == known <= MOST, "contexts as counted", int(tlb.contexts.count))
    held = (tlb.rtag != NO_TAG) | (tlb.wtag != NO_TAG)
    _must(not held[int(tlb.dmask) + 1 :].any(), "no tag beyond the TLB", "one")
    frames = tlb.frame_at[held]
    _must((frames % PAGE == 0).all() and (frames < size).all(), "tags of RAM", frames)
    slots = tlb.xslot[tlb.xtag != NO_TAG]
    _must((slots % STRIDE == 0).all(), "tags of slots", slots)
    slots = slots // STRIDE
    _must(((slots >= 0) & (slots < pool.slots)).all(), "tags of slots in use", slots)
    frame = int(machine.hart.fetch.frame)
    _must(0 <= frame < size // PAGE, "fetches from RAM", frame)
    stale = int(machine.hart.stale)
    _must(-1 <= stale < size, "a stale word in RAM", stale)
    _must(tlb.epoch <= pool.epoch, "tags no newer than the pool", int(tlb.epoch))


def _pool(memory: np.record, pool: np.record) -> None:
    """Frames and slots name each other, and the flags of a decoded frame say that it is decoded."""
    count, frames = int(pool.slots), int(memory.ram_size) // PAGE
    _must(0 <= count <= SLOTS, "slots", count)
    _must(0 <= pool.n_free <= count, "free slots", int(pool.n_free))
    free = pool.free[: int(pool.n_free)]
    owner = pool.owner[:count]
    _must(np.unique(free).size == free.size, "each free slot once", free)
    _must((owner[free] == NO_FRAME).all(), "free slots of no frame", owner[free])
    used = np.flatnonzero(owner != NO_FRAME)
    _must(used.size + free.size == count, "each slot free or in use", (used.size, free.size))
    _must(((owner[used] >= 0) & (owner[used] < frames)).all(), "slots of frames", owner[used])
    _must((pool.slot[owner[used]] == used + 1).all(), "slots named by their frames", used)
    _must(np.count_nonzero(pool.slot) == used.size, "no frame with another's slot", used.size)
    flags = memory.frame_flags[:frames]
    decoded = np.flatnonzero(flags & CODE)
    _must(np.array_equal(decoded, np.sort(owner[used])), "decoded frames say so", decoded)
    tohost = int(memory.console.tohost)
    wanted = [] if tohost < 0 else [(tohost - RAM_BASE) // PAGE]
    found = np.flatnonzero(flags & TOHOST).tolist()
    _must(found == wanted, f"frames {wanted} of tohost", found)


def _devices(memory: np.record) -> None:
    console, plic = memory.console, memory.plic
    queued = int(console.rx_tail) - int(console.rx_head)
    _must(0 <= queued <= RX_SIZE, "bytes that fit in the queue", queued)
    _must(0 <= console.tx_len <= TX_SIZE, "output that fits in its buffer", int(console.tx_len))
    above = sum(1 << n for n in np.flatnonzero(plic.priority > plic.threshold).tolist())
    _must(plic.urgent == int(plic.enabled) & above, "urgent as enabled", int(plic.urgent))
    _must(not (plic.pending | plic.enabled | plic.claimed | plic.lines) & 1, "no source 0", "one")
