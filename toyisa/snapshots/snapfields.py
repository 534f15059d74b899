"""Answers for what a snapshot holds of the hart and of memory, and what each value may be.

One table lists the fields that are written, copied back and checked, each with its legal
range.  Everything else in the two records follows from these fields, from RAM, or from the
machine's configuration, and is made again.  So no address, index, tag or price from a file is
ever used.  If you add a field to `state.HART` or `memory.MEMORY`, name it here, in `FIELDS`
or in `ANEW`.  Must not know files (`snapfile.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import getitem

import numpy as np

from toyisa.core.decodepool import invalidate_range
from toyisa.core.memory import LOOP_SIZE, MEMORY, place_tohost
from toyisa.core.state import HART, MAX_TIME, NEVER, NO_TAG, RECENT, addresses
from toyisa.core.sv32 import SUPER
from toyisa.core.tlb import recontext
from toyisa.tables.bits import SIP_SEIP
from toyisa.tables.causes import CODE_MASK
from toyisa.tables.csrs import CSRS
from toyisa.tables.requests import Writer

M = 0xFFFF_FFFF
MAX_COUNT = 1 << 60  # of instructions or cycles: what a run adds does not overflow
ROOM = 1 << 56  # how much of either a restored machine has left: more than any run takes
RESERVATIONS = 0x4000


_ADDRESSES = frozenset((*addresses(HART, "hart"), *addresses(MEMORY, "memory")))


@dataclass(frozen=True)
class Field:
    """A field of a record by its path; each of its numbers is from `low` to `high`, and within
    `mask`.
    """

    path: str
    low: int = 0
    high: int = M
    mask: int = -1

    @property
    def kind(self) -> tuple[str, np.dtype]:
        """Its type, as numpy describes it; TypeError of a host address, which no file may set."""
        if self.path in _ADDRESSES:
            raise TypeError(f"{self.path} is a host address: it cannot be in a snapshot")
        root, *parts = self.path.split(".")
        record = HART if root == "hart" else MEMORY
        return self.path, reduce(getitem, parts, record)


def _csrs() -> Iterator[Field]:
    for row in CSRS:
        if not row.read_only:
            more = SIP_SEIP if row.name == "sip" else 0  # stored, but not writable
            yield Field(f"hart.csr.{row.name}", mask=row.writable | more)


FIELDS: tuple[Field, ...] = (
    Field("hart.x"),
    Field("hart.pc", mask=0xFFFF_FFFC),
    Field("hart.priv", 0, 1),
    *_csrs(),
    Field("hart.resv.addr", -1, M),  # in RAM: `check`
    Field("hart.resv.generation", 0, RESERVATIONS),
    Field("hart.clock.cycles", 0, MAX_COUNT),
    Field("hart.clock.instret", 0, MAX_COUNT),
    Field("hart.clock.idle", 0, MAX_TIME),  # with the rest: `check`
    Field("hart.clock.offset", -MAX_TIME, MAX_TIME),  # not later than now: `check`
    Field("hart.exit.reason", 0, 31), Field("hart.exit.cause", 0, CODE_MASK),
    Field("hart.exit.tval"), Field("hart.exit.insn"), Field("hart.exit.pc"),
    Field("hart.pending.barren"), Field("hart.pending.barren_at", 0, MAX_COUNT),
    Field("hart.pending.first_cause", 0, CODE_MASK),
    Field("hart.pending.first_tval"), Field("hart.pending.first_pc"),
    # The modelled TLBs, on which cycles depend: keys and entries as a walk makes them.
    Field("hart.tlb.dkey", -1, (1 << 30) - 1), Field("hart.tlb.dpte", mask=~(1 << 9)),
    Field("hart.tlb.ikey", -1, (1 << 30) - 1), Field("hart.tlb.ipte", mask=~(1 << 9)),
    Field("hart.counts.op", 0, MAX_COUNT), Field("hart.counts.event", 0, MAX_COUNT),
    Field("hart.counts.exc", 0, MAX_COUNT), Field("hart.counts.irq", 0, MAX_COUNT),
    Field("hart.trail", 0, (1 << 42) - 1),
    # For people: a diagnosis uses these.
    Field("hart.taken.at", 0, RECENT - 1), Field("hart.taken.priv", 0, 1),
    Field("hart.taken.cause"), Field("hart.taken.pc"),
    Field("hart.taken.first_tval"), Field("hart.taken.tval"),
    *(Field(f"hart.taken.{name}", 0, MAX_COUNT) for name in (
        "times", "since", "until", "returned",
    )),
    Field("hart.refused.pc"), Field("hart.refused.extension"), Field("hart.refused.function"),
    Field("hart.refused.times", 0, MAX_COUNT),
    Field("memory.console.rx"),
    Field("memory.console.rx_head", 0, MAX_COUNT), Field("memory.console.rx_tail", 0, MAX_COUNT),
    Field("memory.console.ended", 0, 1), Field("memory.console.live", 0, 1),
    Field("memory.console.next_at", 0, MAX_TIME),  # soon: `check`
    Field("memory.console.halted", 0, 1), Field("memory.console.code", 0, M),
    Field("memory.console.how", 0, 3),
    Field("memory.console.tohost", -1, M),  # in RAM: `check`
    Field("memory.console.fromhost", -1, M),  # in RAM: `check`
    Field("memory.console.halves", 0, 7),
    Field("memory.console.obey_at", 0, NEVER),  # soon, or NEVER: `check`
    Field("memory.console.lone_from", 0, MAX_COUNT),
    Field("memory.console.fifos", 0, 1), Field("memory.console.rbr"),
    Field("memory.console.loop"), Field("memory.console.loop_at", 0, LOOP_SIZE - 1),
    Field("memory.console.looped", 0, LOOP_SIZE), Field("memory.console.overrun", 0, 1),
    Field("memory.console.ier", 0, 0x0F), Field("memory.console.mcr", 0, 0x1F),
    Field("memory.console.lcr"), Field("memory.console.scr"),
    Field("memory.console.dll"), Field("memory.console.dlm"),
    Field("memory.console.emptied", 0, 1),
    Field("memory.plic.priority", 0, 7), Field("memory.plic.threshold", 0, 7),
    Field("memory.plic.pending", mask=~1), Field("memory.plic.enabled", mask=~1),
    Field("memory.plic.claimed", mask=~1),
)  # fmt: skip

# What is not in a snapshot: made again by `scatter`, set by `Machine` from its configuration, or
# valid on this host only.
ANEW = frozenset((
    "hart.root", "hart.price", "hart.covers", "hart.fences", "hart.fetch", "hart.stale", "hart.run",
    "hart.clock.icount", "hart.clock.per_tick",
    "hart.pending.cause", "hart.pending.tval", "hart.pending.to_root",
    *(f"hart.tlb.{name}" for name in (
        "ctx_r", "ctx_w", "ctx_x", "absolute", "contexts", "dmask", "imask",
        "tagged", "supers", "epoch", "rtag", "wtag", "frame_at", "xtag", "xslot",
    )),
    *(f"memory.{name}" for name in (
        "execute", "serve", "manage_pool", "meter", "ram", "ram_size", "frame_flags", "pool",
        "request", "aside", "work", "look",
    )),
    "memory.console.tx", "memory.console.tx_len", "memory.console.interval",
    "memory.plic.lines", "memory.plic.urgent",
))  # fmt: skip

SAVED = np.dtype([field.kind for field in FIELDS])


def _place(field: Field, hart: np.record, memory: np.record) -> tuple[np.void, str]:
    """The record that holds a field, and the field's name in it."""
    root, *parts, name = field.path.split(".")
    return reduce(getitem, parts, hart if root == "hart" else memory), name


def gather(hart: np.record, memory: np.record) -> bytes:
    """The fields of a stopped hart, whose counts are folded, and of its memory record."""
    saved = np.zeros(1, SAVED)[0]
    for field in FIELDS:
        record, name = _place(field, hart, memory)
        saved[field.path] = record[name]
    saved["hart.x"][32] = 0
    for side in "di":  # an entry without a key is left over
        saved[f"hart.tlb.{side}pte"][saved[f"hart.tlb.{side}key"] < 0] = 0
    return saved.tobytes()


def scatter(data: bytes, hart: np.record, memory: np.record) -> None:
    """Make the records what `gather` saw, and make again all that follows from it, except RAM.

    The data is this process's own, or has been checked.
    """
    saved = np.frombuffer(data, SAVED)[0]
    invalidate_range(hart, memory, 0, int(memory.ram_size), Writer.SNAPSHOT)
    for field in FIELDS:
        record, name = _place(field, hart, memory)
        record[name] = saved[field.path]
    tlb, plic, console = hart.tlb, memory.plic, memory.console
    for name in ("rtag", "wtag", "xtag"):
        tlb[name][:] = NO_TAG
    tlb.contexts.key[:] = 0
    tlb.contexts.count = 0
    tlb.frame_at[:] = 0
    tlb.xslot[:] = 0
    supers = ((tlb[f"{side}key"] >= 0) & (tlb[f"{side}pte"] & SUPER != 0) for side in "di")
    tlb.supers = any(found.any() for found in supers)
    hart.fetch.tag, hart.fetch.frame = NO_TAG, 0
    hart.root.pause = hart.root.wake = 0  # a `wfi` that has retired need not have waited
    hart.stale = -1
    memory.request.pa = -1
    console.tx_len = 0
    place_tohost(memory, int(console.tohost))
    # Lines of devices, whose owner drives them again; of the console: `mmio.attend`
    plic.lines = 0
    above = (plic.priority > plic.threshold).nonzero()[0].tolist()
    plic.urgent = int(plic.enabled) & sum(1 << n for n in above)
    recontext(hart)
