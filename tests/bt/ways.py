"""The ways in which `bt` can run a guest, each to be compared with the bare machine.

What every engine must do is tested for all engines in `laws/`; here is what only a translator
can get wrong.  Must not know guests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.virtual import NATIVE, Outcome, differences, machine, outcome
from toyisa.tables.levels import Profile

LEAKY = {"profile": Profile.LEAKY}
SMALL = 640  # words: the smallest possible cache, so that it is flushed all the time
WAYS: dict[str, dict[str, Any]] = {
    "strict": {"options": {"width": 4}},
    "leaky": {**LEAKY, "options": {"width": 6}},
    "callouts": {"options": {"force": "callout"}},
    "traps": {"options": {"force": "trap"}},
    "unadapted": {"options": {"adapt": False, "width": 1}},
    "at the bottom": {"options": {"window": "bottom", "width": 6}},
    "restless": {"options": {"patience": 1}},
    "scattered": {"scatter": 1, **LEAKY},
    "few shadows": {"scatter": 2, "shadow": 6},
    "small cache": {"options": {"cache_words": SMALL}},
    "all small": {
        "scatter": 3, "shadow": 4, **LEAKY,
        "options": {"cache_words": SMALL, "patience": 1, "window": "bottom", "width": 2},
    },
}
each_way = pytest.mark.parametrize("way", WAYS)
# Two that together have most of it: enough when something else is tested.
pair_of_ways = pytest.mark.parametrize("way", ["strict", "all small"])


def under_bt(way: str, **more: Any) -> Any:
    """A machine under `bt`."""
    return machine("bt", **{**WAYS[way], **more})


def bare(way: str, **more: Any) -> Any:
    """The bare machine with which the way is compared."""
    if "profile" in WAYS[way]:
        more = {"profile": WAYS[way]["profile"], **more}
    return machine(NATIVE, **more)


def same(prepare: Callable[[Any], object], budget: int, way: str, **more: Any) -> Outcome:
    """The outcome on the bare machine, after asserting that `bt`'s is the same."""
    runs = []
    for made in (bare(way, **more), under_bt(way, **more)):
        prepare(made)
        runs.append(outcome(made, budget))
    native, translated = runs
    assert translated == native, differences(native, translated)
    return native
