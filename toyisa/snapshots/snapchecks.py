"""Answers for whether the fields of a snapshot are those of a machine that could exist.

Each field must be in the range that `snapfields.py` gives, and fields must agree with one
another.  Must not know files (`snapfile.py`), nor the JSON in them (`snapjson.py`).
"""

import numpy as np

from toyisa.core.memory import PAGE, RAM_BASE, RX_SIZE
from toyisa.core.state import MAX_TIME, NEVER
from toyisa.core.sv32 import A, G, R, V, W, X
from toyisa.core.tohost import LONE
from toyisa.snapshots.snapfields import FIELDS, MAX_COUNT, ROOM, SAVED
from toyisa.tables.bits import ASID
from toyisa.tables.causes import Exc
from toyisa.tables.cost import MAX_HZ, Event
from toyisa.tables.ops import ROW_OF_OP


class Illegal(ValueError):
    """No machine can have such a value; the text says which."""


def check(data: bytes, ram_size: int, machine: np.record, room: int = ROOM) -> None:
    """Illegal unless these are fields of a hart like `machine`, with `ram_size` bytes of RAM.

    Its counts and its time must be `room` below their ends, so that it can run on.
    """
    saved = np.frombuffer(data, SAVED)[0]
    for field in FIELDS:
        values = np.atleast_1d(saved[field.path]).astype(np.int64)
        high = field.high - (room if field.high == MAX_COUNT else 0)
        bad = (values < field.low) | (values > high) | (values & ~field.mask != 0)
        if bad.any():
            raise Illegal(f"{field.path} is {int(values[bad][0])}")
    _check_counts(saved, machine)
    for side, mask in (("d", machine.tlb.dmask), ("i", machine.tlb.imask)):
        _check_tlb(saved[f"hart.tlb.{side}key"], saved[f"hart.tlb.{side}pte"], int(mask))
    busy = max(int(saved["hart.clock.cycles"]), int(saved["hart.clock.instret"]))
    now, offset = busy + int(saved["hart.clock.idle"]), int(saved["hart.clock.offset"])
    _must(max(now, now - offset) <= MAX_TIME - room, "its virtual time is about to end")
    busy = int(saved["hart.clock.instret" if machine.clock.icount else "hart.clock.cycles"])
    now = busy + int(saved["hart.clock.idle"])
    _must(offset <= now, "its domain began later than now")
    _check_console(saved, now)
    _must(not saved["hart.x"][0] and not saved["hart.x"][32], "x0 is not 0")
    _must(not saved["memory.plic.priority"][0], "interrupt source 0 has a priority")
    held = int(saved["hart.resv.addr"])
    _must(held == -1 or held % 4 == 0, "the reservation is not on a word")
    _must(_in_ram(held, 4, ram_size), "the reservation is not in RAM")
    for name in ("tohost", "fromhost"):
        at = int(saved[f"memory.console.{name}"])
        _must(_in_ram(at, 8, ram_size), f"{name} is not in RAM")
        _must(at == -1 or (at % 4 == 0 and at % PAGE <= PAGE - 8), f"{name} is no word")


def _must(holds: bool, reason: str) -> None:
    if not holds:
        raise Illegal(reason)


def _in_ram(pa: int, size: int, ram_size: int) -> bool:
    """Whether `size` bytes at `pa` are RAM; -1 means that there are none."""
    return pa == -1 or RAM_BASE <= pa <= RAM_BASE + ram_size - size


def _check_console(saved: np.void, now: int) -> None:
    queued = int(saved["memory.console.rx_tail"]) - int(saved["memory.console.rx_head"])
    _must(0 <= queued <= RX_SIZE, f"{queued} bytes wait at the console")
    _must(int(saved["memory.console.next_at"]) <= now + MAX_HZ, "its next byte arrives too late")
    obey_at = int(saved["memory.console.obey_at"])
    _must(obey_at == NEVER or obey_at <= now + LONE, "its tohost is looked at too late")


def _check_counts(saved: np.void, machine: np.record) -> None:
    """The counts must sum to the instructions and, at the machine's prices, to the cycles (law
    8).
    """
    op, event = (saved[f"hart.counts.{name}"].tolist() for name in ("op", "event"))
    price, each = machine.price.op.tolist(), machine.price.event.tolist()
    cycles = sum(op[n] * price[n] for n in ROW_OF_OP) + sum(event[e] * each[e] for e in Event)
    _must(cycles == int(saved["hart.clock.cycles"]), "its counts do not sum to its cycles")
    retired = sum(op) + int(saved["hart.counts.exc"][Exc.ECALL_S])
    _must(retired == int(saved["hart.clock.instret"]), "its counts do not sum to its instructions")


def _check_tlb(keys: np.ndarray, entries: np.ndarray, mask: int) -> None:
    """Keys must be at their places, and a walk must be able to leave such entries there."""
    places = np.arange(keys.size)
    held = keys >= 0
    _must(not held[mask + 1 :].any(), "a TLB has more entries than the machine's")
    _must(not (held & (keys & mask != places)).any(), "a TLB entry is not at its place")
    glob = keys >> 29 & 1 != 0
    _must(not (held & (glob != (entries & G != 0))).any(), "a TLB entry's G is not its key's")
    _must(not (held & glob & (keys >> 20 & ASID != 0)).any(), "a global TLB entry has an ASID")
    sound = (entries & (V | A) == V | A) & (entries & (R | X) != 0) & (entries & (R | W) != W)
    _must(not (held & ~sound).any(), "no walk leaves such a TLB entry")
    _must(not entries[~held].any(), "a TLB entry has no key")
