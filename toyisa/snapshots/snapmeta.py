"""Answers for the part of a snapshot file that is JSON: each value is checked.

The JSON is trusted no more than what a user types.  `Refused` names the value. Must not know
how the rest of the file is laid out (`snapfile.py`).
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from toyisa.core.memory import PAGE, VIRTIO_SLOTS
from toyisa.core.ram import MAX_MEM, MIN_MEM
from toyisa.snapshots import snapdisk
from toyisa.snapshots.snapdisk import SavedDisk
from toyisa.snapshots.snapjson import Checked, Refused
from toyisa.tables import cost
from toyisa.tables.levels import Profile

MAX_PENDING = 1 << 30  # bytes of console input, or output, that wait
KEYS = ("layout", "config", "program", "symbols", "ended", "input", "output", "pages", "disks")


@dataclass(frozen=True)
class Meta:
    """What the JSON says; `input`, `output` and `pages` are numbers of bytes and pages.

    For each disk, `written` are the numbers of its sectors in the file.
    """

    config: dict
    program: str
    symbols: tuple[tuple[int, str], ...]
    ended: bool
    input: int
    output: int
    pages: int
    disks: tuple[tuple[SavedDisk, tuple[int, ...]], ...]


def parse(text: bytes) -> dict:
    """The JSON object in `text`; Refused."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, or nested too deep for the reader
        raise Refused("is not JSON") from None
    if not isinstance(value, dict):
        raise Refused("is not a JSON object")
    return value


def read(value: dict) -> Meta:
    """What a JSON object says; Refused."""
    meta = Checked(value, KEYS, "the file")
    config = _config(meta["config"])
    return Meta(
        config=config,
        program=meta.text("program", 64),
        symbols=_symbols(meta["symbols"]),
        ended=meta.truth("ended"),
        input=meta.number("input", 0, MAX_PENDING),
        output=meta.number("output", 0, MAX_PENDING),
        pages=meta.number("pages", 0, config["mem"] // PAGE),
        disks=tuple(map(snapdisk.from_json, meta.items("disks", VIRTIO_SLOTS))),
    )


def _config(value: Any) -> dict:
    """Checked as `Machine()` would check it."""
    config = Checked(value, ("mem", "profile", "clock", "svade", "cost"), "config")
    if config.number("mem", MIN_MEM, MAX_MEM) % PAGE:
        raise Refused("mem is not a whole number of pages")
    config.number("profile", 0, max(Profile))
    if config.text("clock", 16) not in ("cycles", "icount"):
        raise Refused("clock is neither 'cycles' nor 'icount'")
    config.truth("svade")
    model = Checked(config["cost"], tuple(cost.CostModel.__dataclass_fields__), "cost")
    name, summary = model.text("name", 1000), model.text("summary", 10_000)
    if not isinstance(model["price"], dict):
        raise Refused("price is not a table")
    rest = {key: model[key] for key in ("hz", "dtlb", "itlb", "tagged")}
    try:
        checked = cost.check(name, {**model["price"], **rest, "summary": summary})
    except cost.CostError as error:
        raise Refused(str(error)) from None
    if asdict(checked) != model.value or type(model["tagged"]) is not bool:
        raise Refused("no machine has such prices")
    return config.value


def _symbols(value: Any) -> tuple[tuple[int, str], ...]:
    if not isinstance(value, list):
        raise Refused("symbols are not a list")
    for row in value:
        if not isinstance(row, list) or len(row) != 2:
            raise Refused("a symbol is not a pair")
        pair = Checked(dict(zip(("address", "name"), row)), ("address", "name"), "a symbol")
        pair.number("address", 0, 0xFFFF_FFFF)
        pair.text("name", 1 << 20)
    return tuple(sorted((address, name) for address, name in value))
