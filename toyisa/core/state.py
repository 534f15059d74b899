"""Answers for the state of a hart: one NumPy record, accessed by the same text everywhere.

`hart.csr.sepc` reads and writes the same in Python, in compiled code and in a debugger;
`.tobytes()` saves everything.  Must not know what the fields do.

Times and 64-bit counters are signed 64-bit.  Everything that the guest sees as a register is
unsigned 32-bit.
"""

from collections.abc import Iterator

import numpy as np

from toyisa.compiled.records import scalar_type
from toyisa.tables.causes import CODES
from toyisa.tables.cost import MAX_TLB, Event
from toyisa.tables.csrs import CSRS
from toyisa.tables.ops import MAX_OPS, MOST_PARTS

NEVER = 1 << 62  # a deadline that never comes
MAX_TIME = NEVER - (1 << 56)  # of virtual time: a run must not be able to reach NEVER
LAST_TIMER = NEVER - (1 << 57)  # no timer is later
NO_TAG = -1      # a TLB tag that matches no address


class _Address(str):
    """The format of a field that holds an address of this process's memory, or 0."""


ADDRESS = _Address("i8")  # no guest or file can set one, and no file holds one

_addresses: dict[np.dtype, set[str]] = {}  # the names of such fields by type of record


def record(*fields: tuple) -> np.dtype:
    """A record type with every field on a multiple of 8 bytes, or of its own size."""
    kind = _layout(fields)
    _addresses.setdefault(kind, set()).update(
        name for name, form, *_ in fields if form is ADDRESS
    )
    return kind


def addresses(kind: np.dtype, path: str = "") -> Iterator[str]:
    """The paths of the fields of a record type that hold host addresses, those within too."""
    for name in kind.names or ():
        place = f"{path}.{name}" if path else name
        if name in _addresses.get(kind, ()):
            yield place
        yield from addresses(kind[name].base, place)


def _layout(fields: tuple) -> np.dtype:
    names, formats, offsets, at = [], [], [], 0
    for name, kind, *shape in fields:
        field = np.dtype((kind, *shape) if shape else kind)
        step = 8 if field.names or field.base.itemsize == 8 else field.base.itemsize
        at = -(-at // step) * step
        names.append(name)
        formats.append(field)
        offsets.append(at)
        at += field.itemsize
    layout = {"names": names, "formats": formats, "offsets": offsets, "itemsize": -(-at // 8) * 8}
    return np.dtype((scalar_type(names), np.dtype(layout)))


# The CSRs that are plain storage; the counters derive from `clock`.
CSR_FIELDS: tuple[str, ...] = tuple(row.name for row in CSRS if not row.read_only)

CSR = record(*((name, "u4") for name in CSR_FIELDS))

ROOT = record(
    ("deleg_exc", "u4"),  # bit n: exception n goes straight to S
    ("deleg_int", "u4"),  # bit n: interrupt n goes straight to S
    ("s_traps", "u4"),    # levels.STraps: what S may not do
    ("s_limit", "u4"),    # deprivileged S reaches this and above only with x0; 0: no limit
    ("s_base", "u4"),     # and so it reaches what is below this
    ("profile", "u4"),    # levels.Profile
    ("svade", "u4"),      # 1: a clear A, or D on a store, is a page fault; 0: walks set them
    ("one_trap", "u4"),   # stop after each trap taken (single step)
    ("deadline", "i8"),   # virtual time of root's own timer, or NEVER
    ("limit", "i8"),      # virtual time at which to stop, or NEVER
    ("budget", "i8"),     # instructions retired at which to stop, or NEVER
    ("spend", "i8"),      # cycles, without idle ones, at which to stop, or NEVER
    # 1: `wfi` gives the hart to root, which lets time pass, instead of skipping to its end
    ("waits", "u4"),
    ("pause", "i8"),      # virtual time that the guest's `wfi` would skip, or 0: it does not wait
    ("wake", "i8"),       # and when that is over, once root has been told; NEVER: not by itself
)  # fmt: skip

CLOCK = record(
    ("cycles", "i8"),    # cycles spent so far, without idle ones
    ("instret", "i8"),   # instructions retired
    ("idle", "i8"),      # virtual time skipped by wfi
    ("icount", "i8"),    # 1: virtual time counts instructions; 0: cycles
    ("per_tick", "i8"),  # virtual time units in one tick of `time`
    ("offset", "i8"),    # virtual time less the time of the guest's domain, which began later
)  # fmt: skip

EXIT = record(  # why the hart went to root, exits.Reason; trap details
    ("reason", "u4"), ("cause", "u4"), ("tval", "u4"), ("insn", "u4"), ("pc", "u4"),
)  # fmt: skip

# A pending exception, between the code that finds it and the code that raises it; and how often the
# hart has trapped without progress, and how that began.
PENDING = record(
    ("cause", "u4"), ("tval", "u4"), ("to_root", "u4"), ("barren", "u4"), ("barren_at", "i8"),
    ("first_cause", "u4"), ("first_tval", "u4"), ("first_pc", "u4"),
)  # fmt: skip

# The latest traps that S took; traps in a row with the same cause and pc have one place; `at` is
# the latest place.  The machine does not depend on it: it is for people.
RECENT = 16  # a power of two, so that an index can be masked
TAKEN = record(
    ("at", "i8"),
    ("cause", "u4", RECENT), ("pc", "u4", RECENT), ("priv", "u4", RECENT),
    ("first_tval", "u4", RECENT), ("tval", "u4", RECENT),
    ("times", "i8", RECENT),
    # Instret at the first of them, and at the latest
    ("since", "i8", RECENT), ("until", "i8", RECENT),
    ("returned", "i8", RECENT),  # how many ended by `sret`
)  # fmt: skip

# The latest SBI call that the firmware does not know, and how many there were.
REFUSED = record(("pc", "u4"), ("extension", "u4"), ("function", "u4"), ("times", "i8"))

RESERVATION = record(("addr", "i8"), ("generation", "i8"))  # physical word or -1

# The page from which instructions come: its tag, and its RAM frame.
FETCH = record(("tag", "i8"), ("frame", "i8"))

# The contexts that have numbers: see contexts.py.
CONTEXTS = 256  # a power of two, so that a place can be masked; numbers have 15 bits in a tag
KNOWN = record(("key", "i8", CONTEXTS), ("count", "i8"), ("overflows", "i8"))

# The modelled TLBs (`key`, `pte`, `ppn`) and, in front of the data TLB, the fast
# tags that the interpreter compares; see tlb.py.
TLB = record(
    ("ctx_r", "i8"), ("ctx_w", "i8"), ("ctx_x", "i8"), ("absolute", "i8"),
    ("contexts", KNOWN),
    ("dmask", "i8"), ("imask", "i8"), ("tagged", "i8"), ("supers", "i8"),
    ("epoch", "i8"),      # the pool's epoch up to which the fast tags are right
    ("rtag", "i8", MAX_TLB), ("wtag", "i8", MAX_TLB), ("frame_at", "u4", MAX_TLB),
    ("xtag", "i8", MAX_TLB), ("xslot", "i8", MAX_TLB),
    ("dkey", "i8", MAX_TLB), ("dpte", "u4", MAX_TLB),
    ("ikey", "i8", MAX_TLB), ("ipte", "u4", MAX_TLB),
)  # fmt: skip

COUNTS = record(
    ("op", "i8", MAX_OPS),         # instructions retired, by micro-op
    ("event", "i8", len(Event)),   # priced events
    ("exc", "i8", CODES), ("irq", "i8", CODES),  # traps taken, by code
)  # fmt: skip

PRICE = record(("op", "i4", MAX_OPS), ("event", "i8", len(Event)))

# The run of instructions that is open: execute.py says what it counts.
RUN = record(
    ("i", "i8"), ("pc0", "i8"), ("retired", "i8"),
    ("check", "i8"),      # cycles from which on a jump must end the run
    ("left", "i8"),       # cycles - cum[i] - check
    ("target", "i8"),     # the target of a jump that could not be made
    ("stop", "i8"), ("stop_uop", "i8"),  # its last place, and what was there
    ("parted", "i8"), ("before", "i8", MOST_PARTS - 1),  # at how many places before it, and what
)  # fmt: skip

HART = record(
    ("x", "u4", 33),      # x0..x31, and the sink for writes to x0
    ("pc", "u4"), ("priv", "u4"),
    ("csr", CSR), ("resv", RESERVATION),
    ("root", ROOT), ("clock", CLOCK), ("exit", EXIT), ("pending", PENDING),
    # The offset of a word to decode again when the run ends, or -1
    ("fetch", FETCH), ("stale", "i8"),
    ("run", RUN), ("tlb", TLB), ("counts", COUNTS), ("price", PRICE),
    ("trail", "i8"),      # a digest of all traps that S took: cause, pc, tval, when
    ("taken", TAKEN), ("refused", REFUSED),
    ("covers", ADDRESS),  # of a coverage map, or 0; no state of the machine's
    ("fences", ADDRESS),  # of a record of fences.py, or 0; nor is this
)  # fmt: skip


def new_hart() -> np.record:
    """A hart at reset: all zero, S level, TLBs empty, no deadlines."""
    hart = np.zeros(1, HART)[0]
    reset(hart)
    return hart


def reset(hart: np.record) -> None:
    """Make a hart record that is all zero a hart at reset."""
    hart.priv = 1
    hart.resv.addr = -1
    hart.fetch.tag = NO_TAG
    hart.stale = -1
    hart.root.deadline = NEVER
    hart.root.limit = hart.root.budget = hart.root.spend = NEVER
    hart.clock.per_tick = 1
    for field in ("rtag", "wtag", "xtag", "dkey", "ikey"):
        hart.tlb[field][:] = NO_TAG


# What two runs of the same guest must agree on, whatever ran them.
ARCHITECTURAL = ("x", "pc", "priv", "csr")


def diff(old: np.record, new: np.record) -> dict[str, tuple[int, int]]:
    """Architectural registers that differ: name -> (old value, new value)."""
    changes = {}
    # Whole arrays at once, since a record's fields are slow to reach one by one.
    for n, (a, b) in enumerate(zip(old["x"][:32].tolist(), new["x"][:32].tolist())):
        if a != b:
            changes[f"x{n}"] = (a, b)
    for name in ("pc", "priv"):
        if old[name] != new[name]:
            changes[name] = (int(old[name]), int(new[name]))
    for name, a, b in zip(CSR_FIELDS, old["csr"].item(), new["csr"].item()):
        if a != b:
            changes[name] = (a, b)
    return changes
