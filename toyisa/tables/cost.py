"""Answers for what things cost: the presets of `cost.toml` as a price record.

An instruction has a price by its class.  Anything else that takes time is an `Event` with a
price.  A preset may have a `base`, from which it takes the other keys.  Must not know when
something happens, only its price.
"""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

from toyisa.files import reading
from toyisa.files.reading import Unreadable
from toyisa.tables.insns import Cost

PRESETS = Path(__file__).with_name("cost.toml")
MAX_TLB = 1024  # entries that a TLB may have; a power of two, and the length of the arrays
MAX_PRICE = 1_000_000  # with it a page of the dearest instructions costs less than 2**31
MIN_HZ = 10_000_000  # the timer's rate, so that a tick takes at least one cycle
MAX_HZ = 10_000_000_000  # a tick takes less than 2**10 cycles, on which `clock.py` relies
MAX_FILE = 256 << 10  # bytes of a file of presets; one preset has about 2,500
# Characters of a summary; number of names that a hint is searched for in
MAX_SUMMARY, MAX_SHOWN = 300, 1000


class Event(IntEnum):
    """What costs cycles, besides the execution of instructions."""

    WALK_REF = 0    # one page-table entry read by the MMU
    TRAP_ECALL = 1  # entering S by an environment call
    TRAP_FAULT = 2  # entering S by a fault that is not the MMU's
    TRAP_PAGE = 3   # entering S by a page fault
    TRAP_IRQ = 4    # entering S by an interrupt
    MMIO = 5        # one access to a device register
    FIRMWARE = 6    # one SBI call answered by the firmware
    SERIALIZE = 7   # one access to a CSR, except those that a trap writes
    # What root spends as a monitor; on a bare machine none of these happens.
    ROOT_CROSS = 8      # a trap from S or U to root, and back
    ROOT_CALLOUT = 9    # a call of root that root's own code makes, and back
    ROOT_SWITCH = 10    # a hardware-assist world switch: exit and entry
    ROOT_EMULATE = 11   # one instruction decoded and emulated by root
    ROOT_WORD = 12      # one word of tables or saved state read or written by root
    ROOT_FRAME = 13     # a frame found, zeroed and entered in root's records
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
    file, _, chosen = name.partition(":") if ".toml" in name else (PRESETS, "", name)
    own = _presets() if file == PRESETS else _tables(Path(file))
    if not chosen and len(own) == 1:
        (chosen,) = own
    if chosen not in own:
        place = f"{file}: " if file != PRESETS else ""
        raise CostError(f"{place}no cost preset {chosen!r}{_hint(chosen, own)}")
    ours = _presets()
    try:
        return check(chosen, _inherited(chosen, own, ours))
    except CostError as error:
        raise CostError(f"{file}: cost preset {chosen!r}: {error}") from None


@cache
def _presets() -> dict[str, object]:
    """The tables of toyvmm's own presets: read once, since every machine asks."""
    return _tables(PRESETS)


def _tables(path: Path) -> dict[str, object]:
    """The tables of a file, by name; CostError."""
    try:
        return tomllib.loads(reading.read(path, MAX_FILE).decode("utf-8"))
    except Unreadable as error:
        raise CostError(str(error)) from None
    except RecursionError:
        raise CostError(f"{path}: is nested too deeply; a preset has keys and numbers") from None
    except ValueError as error:  # an error of TOML, of UTF-8, or a number with thousands of digits
        raise CostError(f"{path}: is not TOML ({error}); see docs/costs.md") from None


def _inherited(name: str, own: dict[str, object], ours: dict[str, object]) -> dict[str, object]:
    """The keys of preset `name`, completed by those of its `base`, and so on; CostError.

    A base is looked for first in the same file, then among the presets of toyvmm.
    """
    chain, found = [name], {}
    while True:
        table = own.get(chain[-1], ours.get(chain[-1]))
        if not isinstance(table, dict):
            raise CostError(f"{chain[-1]!r} must be a table of prices, [{chain[-1]}]")
        found = {**table, **found}
        base = table.get("base")
        if base is None:
            found.pop("base", None)
            return found
        if not isinstance(base, str) or base not in own.keys() | ours.keys():
            raise CostError(f"no base {_short(base)}{_hint(base, own | ours)}")
        if base in chain:
            raise CostError("inherits from itself: " + " -> ".join([*chain, base]))
        chain.append(base)


def check(name: str, table: object) -> CostModel:
    """The preset that a table describes; CostError."""
    if not isinstance(table, dict):
        raise CostError(f"{_short(name)!r} must be a table of prices")
    known = {"base", "summary", "hz", "dtlb", "itlb", "tagged", *CLASSES, *EVENTS}
    for key in sorted(table.keys() - known):
        raise CostError(f"unknown key {_short(key)}{_hint(key, sorted(known))}")
    for key in sorted(known - table.keys() - {"base"}):
        raise CostError(f"key {key!r} is missing; give it, or `base` a preset that has it")
    for key in (*CLASSES, *EVENTS):
        low = 1 if key in CLASSES else 0
        if type(table[key]) is not int or not low <= table[key] <= MAX_PRICE:
            raise CostError(f"{key} must be a whole number, {low}..{MAX_PRICE}")
    for key in ("dtlb", "itlb"):
        size = table[key]
        if type(size) is not int or not 1 <= size <= MAX_TLB or size & (size - 1):
            raise CostError(f"{key} must be a power of two up to {MAX_TLB}")
    hz = table["hz"]
    if type(hz) is not int or not MIN_HZ <= hz <= MAX_HZ:
        raise CostError("hz must be a whole number, 10 MHz (the timer's rate) to 10 GHz")
    if type(table["tagged"]) is not bool:
        raise CostError("tagged must be true or false")
    summary = table["summary"]
    if not isinstance(summary, str) or len(summary) > MAX_SUMMARY or not summary.isprintable():
        raise CostError(f"summary must be one line of text, {MAX_SUMMARY} characters at most")
    prices = {key: table[key] for key in (*CLASSES, *EVENTS)}
    return CostModel(name, summary, hz, table["dtlb"], table["itlb"], table["tagged"], prices)


def _hint(name: object, known: Iterable[str]) -> str:
    """The name that may have been meant, or the names that there are."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(name[:MAX_SUMMARY], names[:MAX_SHOWN], 1, 0.6) if (
        isinstance(name, str)) else []  # fmt: skip
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; there are {_short(', '.join(names))}" if names else "; the file has none"


def _short(value: object) -> str:
    """What a user wrote, shortened if it is long."""
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= MAX_SUMMARY else text[:MAX_SUMMARY] + " ..."
