"""Answers for the orderings that a comparison should reproduce, as papers found them.

`<` means at least 20 % apart, `<<` at least 3 times, `~` within 20 %, `=` within 1 %, `<=`
not more.  Must not know what we measured, nor how it is judged.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

# Relations, in the order of strength; each function says whether it holds of two costs, left and
# right.
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: max(a, b) <= 1.01 * min(a, b),
    "~": lambda a, b: max(a, b) <= 1.2 * min(a, b),
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: 1.2 * a <= b,
    "<<": lambda a, b: 3 * a <= b,
}


@dataclass(frozen=True)
class Ordering:
    """`text` is the ordering as published, fast to slow, by roles; `least` is a part of native
    throughput.

    `ratio` is what is published of the ratios to native.
    """

    row: int
    name: str
    benchmark: str
    text: str
    ratio: str
    least: float | None = None

    @property
    def chain(self) -> tuple[list[tuple[str, ...]], list[str]]:
        """The roles at each step, and the relations between steps."""
        parts = re.split(r"\s(=|~|<=|<<|<)\s", self.text)
        return [tuple(role.strip() for role in part.split(",")) for part in parts[::2]], parts[1::2]


# Roles: native; BT, PV, trap; HW with or without nested paging, nested, HW-shadow; shadow, every
# engine with shadow paging; VMM, every engine; inline, callout: ways of one operation under BT.
ORDERINGS: tuple[Ordering, ...] = (
    Ordering(1, "user compute", "compute", "native ~ container ~ VMM", "1.04 / 1.05", least=0.91),
    Ordering(2, "system call", "syscall", "native ~ HW ~ PV << BT", "1.02 / 1.02 / 9.5"),
    Ordering(3, "interrupts off and on", "irq_toggle", "BT < native ~ HW << trap", ".23 / 1.18"),
    Ordering(4, "one emulated read", "time_read", "inline < callout < trap", "1 : 5.8 : 9.4"),
    Ordering(5, "device register read", "in", "BT < native < HW", ".07 / 4.9"),
    Ordering(6, "call and return", "callret", "native = HW = trap = PV < BT", "1 / 4.6"),
    Ordering(7, "fault delivered to the guest", "illegal", "native ~ HW < BT", "1.14 / 3.6"),
    Ordering(8, "page fault", "pgfault", "native ~ nested < PV < BT < HW-shadow", "1.9/3.6/10.3"),
    Ordering(9, "PTE write", "ptemod_batch:2048", "native = nested < BT << HW-shadow, trap",
             "391 / 12733"),
    Ordering(9, "PTE write and its flush", "ptemod", "native = nested < BT << HW-shadow, trap", ""),
    Ordering(11, "address-space switch", "ctxswitch", "native ~ nested < PV << shadow",
             "2.6 / 23.5"),
    Ordering(12, "fork, exit, wait", "forkwait", "native < PV < BT < HW-shadow", "1.8/6.1/17.7"),
    Ordering(13, "TLB misses, stable tables", "tlbmiss", "shadow <= nested", "2 : 8 references"),
    Ordering(15, "pre-virtualized", "forkwait", "PV ~ previrt", ""),
)  # fmt: skip

# Rows 10 and 14 are not chains: batched hypercalls, and the translation of cold code.
BATCHES = tuple(1 << n for n in range(12))

# What the preset is calibrated to: (benchmark, engine), docs/costs.md.
PRESET = "p4"
CALIBRATED: frozenset[tuple[str, str]] = frozenset({
    *((name, "native") for name in "syscall in irq_toggle callret pgfault illegal".split()),
    *(("time_read", way) for way in ("bt", "bt:callout", "bt:trap", "trap")),
})  # fmt: skip
