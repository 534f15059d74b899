"""Answers for what was done, as counts by price, and what the counts cost under any prices.

The terms of a breakdown sum to the total exactly: each count is in one term.  Must not know
who did it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from toyisa.tables.cost import CLASSES, EVENTS
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.tables.ops import ROW_OF_OP

# A term of a breakdown and the prices in it; hypercalls are crossings that are counted separately.
TERMS: dict[str, tuple[str, ...]] = {
    "instructions": CLASSES,
    "serialize": ("serialize",),
    "walks": ("walk_ref",),
    "traps": ("trap_ecall", "trap_fault", "trap_page", "trap_irq"),
    "devices": ("mmio", "firmware"),
    "crossings": ("root_cross",),
    "hypercalls": (),
    "callouts": ("root_callout",),
    "switches": ("root_switch",),
    "emulation": ("root_emulate",),
    "tables": ("root_word", "root_frame"),
    "translation": ("root_translate",),
    "idle": ("idle",),
}

MEANING: dict[str, str] = {
    "instructions": "executed on the machine: the guest's, and those that stand for them",
    "serialize": "accesses to privileged CSRs that the machine allowed",
    "walks": "page-table entries read by the machine after a TLB miss",
    "traps": "traps that went to the guest's kernel without the monitor",
    "devices": "device registers and the firmware, on the bare machine",
    "crossings": "traps to the monitor and back",
    "hypercalls": "the same for calls of the guest's kernel to the monitor",
    "callouts": "calls of translated code to the monitor and back",
    "switches": "world switches of hardware assist",
    "emulation": "instructions that the monitor emulated",
    "tables": "words of tables and saved state, and frames: shadowing, validation, injection",
    "translation": "instructions translated",
    "idle": "asleep",
}  # fmt: skip

KEYS = (*CLASSES, *EVENTS, "idle")
if sorted(key for keys in TERMS.values() for key in keys) != sorted(KEYS):
    raise ValueError("each price must be in one term of the breakdown")

Prices = Mapping[str, float]


@dataclass(frozen=True)
class Vector:
    """How often each priced thing happened; `hypercalls` of the crossings were hypercalls."""

    counts: Mapping[str, int] = field(default_factory=dict)
    hypercalls: int = 0

    def __sub__(self, other: "Vector") -> "Vector":
        counts = {key: self.counts.get(key, 0) - other.counts.get(key, 0) for key in KEYS}
        return Vector(counts, self.hypercalls - other.hypercalls)

    def cycles(self, prices: Prices) -> float:
        """What everything costs; idle time costs a cycle for each."""
        return sum(times * _price(prices, key) for key, times in self.counts.items())

    def terms(self, prices: Prices) -> dict[str, float]:
        """Cycles by term, all of TERMS; they sum to `cycles`."""
        terms = {
            term: sum(self.counts.get(key, 0) * _price(prices, key) for key in keys)
            for term, keys in TERMS.items()
        }
        calls = self.hypercalls * _price(prices, "root_cross")
        terms["crossings"] -= calls
        terms["hypercalls"] += calls
        return terms


def _price(prices: Prices, key: str) -> float:
    return 1 if key == "idle" else prices[key]


_CLASS_OF_OP = [(int(op), ROWS[name].cost.value) for op, name in ROW_OF_OP.items()]


def vector(ops, events, idle: int, hypercalls: int = 0) -> Vector:
    """Made from counts by micro-op and by event, as `hart.counts` has them."""
    counts, ops, events = dict.fromkeys(KEYS, 0), ops.tolist(), events.tolist()
    for op, name in _CLASS_OF_OP:
        counts[name] += ops[op]
    for number, name in enumerate(EVENTS):
        counts[name] += events[number]
    counts["idle"] = int(idle)
    return Vector(counts, int(hypercalls))
