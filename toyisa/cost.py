"""Answers for what things cost: the presets of `cost.toml` as a price record.

An instruction has a price by its class, anything else that takes time is an
`Event` with a price.  Must not know when something happens, only its price.
"""

import tomllib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from toyisa.insns import Cost

PRESETS = Path(__file__).with_name("cost.toml")
MAX_TLB = 1024  # entries a TLB may have; a power of two, the arrays' length
MAX_PRICE = 1_000_000  # a page of the dearest instructions stays below 2**31


class Event(IntEnum):
    """What costs cycles and is not the execution of an instruction."""

    WALK_REF = 0    # one page-table entry read by the MMU
    TRAP_ECALL = 1  # entering S by an environment call
    TRAP_FAULT = 2  # entering S by a fault that is not the MMU's
    TRAP_PAGE = 3   # entering S by a page fault
    TRAP_IRQ = 4    # entering S by an interrupt
    MMIO = 5        # one access to a device register
    FIRMWARE = 6    # one SBI call answered by the firmware
    SERIALIZE = 7   # one access to a CSR that is not one of those a trap writes
    # What root spends as a monitor; on a bare machine none of these happens.
    ROOT_CROSS = 8      # a trap from S or U to root, and back
    ROOT_CALLOUT = 9    # a call to root that code of root's own makes, and back
    ROOT_SWITCH = 10    # a hardware-assist world switch: exit and entry
    ROOT_EMULATE = 11   # one instruction decoded and emulated by root
    ROOT_WORD = 12      # one word of tables or saved state read or written by root
    ROOT_FRAME = 13     # a frame found, zeroed and entered in root's books
    ROOT_TRANSLATE = 14  # one guest instruction translated


@dataclass(frozen=True)
class CostModel:
    """A preset: `price` by class or event name, TLB sizes, clock rate in Hz."""

    name: str
    summary: str
    hz: int
    dtlb: int
    itlb: int
    tagged: bool
    price: dict[str, int]


class CostError(ValueError):
    """A preset that cannot be used; the message says which key and why."""


CLASSES: tuple[str, ...] = tuple(cost.value for cost in Cost)
EVENTS: tuple[str, ...] = tuple(event.name.lower() for event in Event)


def load(name: str) -> CostModel:
    """The preset `name`, or `FILE.toml[:NAME]` for one of the user's; CostError."""
    if ".toml" in name:
        file, _, name = name.partition(":")
        path = Path(file)
    else:
        path = PRESETS
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CostError(f"{path}: {error}") from None
    if not name and len(tables) == 1:
        (name,) = tables
    if name not in tables:
        raise CostError(f"no cost preset {name!r} in {path.name}; it has {', '.join(tables)}")
    return check(name, tables[name])


def check(name: str, table: object) -> CostModel:
    """The preset that a table describes; CostError."""
    if not isinstance(table, dict):
        raise CostError(f"cost preset {name!r} must be a table of prices")
    known = {"summary", "hz", "dtlb", "itlb", "tagged", *CLASSES, *EVENTS}
    for key in sorted(table.keys() - known):
        raise CostError(f"cost preset {name!r}: unknown key {key!r}")
    for key in sorted(known - table.keys()):
        raise CostError(f"cost preset {name!r}: key {key!r} is missing")
    for key in (*CLASSES, *EVENTS):
        low = 1 if key in CLASSES else 0
        if type(table[key]) is not int or not low <= table[key] <= MAX_PRICE:
            raise CostError(f"cost preset {name!r}: {key} must be {low}..{MAX_PRICE}")
    for key in ("dtlb", "itlb"):
        size = table[key]
        if type(size) is not int or not 1 <= size <= MAX_TLB or size & (size - 1):
            raise CostError(f"cost preset {name!r}: {key} must be a power of two up to {MAX_TLB}")
    if type(table["hz"]) is not int or table["hz"] < 10_000_000:
        raise CostError(f"cost preset {name!r}: hz must be at least 10 MHz, the timer's rate")
    prices = {key: table[key] for key in (*CLASSES, *EVENTS)}
    return CostModel(
        name, str(table["summary"]), table["hz"], table["dtlb"], table["itlb"],
        bool(table["tagged"]), prices,
    )  # fmt: skip
