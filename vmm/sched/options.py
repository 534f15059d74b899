"""Answers for the options of policies and of their domains: are they what they should be?

Must not know what they mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def whole(given: Mapping[str, Any], name: str, default: int, least: int, where: str) -> int:
    """An option that is a whole number, `least` or more; ValueError says where it is wrong."""
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{where}: {name} is a whole number from {least} on, not {value!r}")
    return value


def known(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    """ValueError if there is an option of another name."""
    there = f"there are {', '.join(names)}" if names else "this scheduler has none for domains"
    for name in given:
        if name not in names:
            raise ValueError(f"{where}: there is no option {name!r}; {there}")
