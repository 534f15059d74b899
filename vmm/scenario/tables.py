"""Answers for the tables of a scenario file: which keys there are, and where an error is.

Must not know what a key means.
"""

from collections.abc import Callable, Iterable
from typing import Any

from vmm.scenario.values import Wrong, hint, shown


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message says where, why, and what to do."""


class Table:
    """A table that has only `known` keys; `place` says which one it is."""

    def __init__(self, place: str, content: Any, known: Iterable[str]):
        self.place = place
        if not isinstance(content, dict):
            raise ScenarioError(f"{place}: must be a table, not {shown(content)}")
        self.content: dict[str, Any] = content
        names = tuple(known)
        for key in content:
            if key not in names:
                raise ScenarioError(f"{place}: unknown key {shown(key)}; {hint(key, names)}")

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def get(self, key: str, read: Callable[[Any], Any], default: Any) -> Any:
        """What a key means, or the default; ScenarioError."""
        return self._read(key, read, self.content[key]) if key in self.content else default

    def need(self, key: str, read: Callable[[Any], Any], example: str) -> Any:
        """What a key means that must be there; ScenarioError."""
        if key not in self.content:
            raise ScenarioError(f"{self.place}: key {key!r} is missing; give it, such as {example}")
        return self._read(key, read, self.content[key])

    def wrong(self, key: str, reason: str) -> ScenarioError:
        """An error of this key, to be raised."""
        return ScenarioError(f"{self.place}, key {key!r}: {reason}")

    def _read(self, key: str, read: Callable[[Any], Any], value: Any) -> Any:
        try:
            return read(value)
        except Wrong as error:
            raise self.wrong(key, str(error)) from None


def array(place: str, content: Any, name: str, most: int) -> list[Any]:
    """The tables [[name]] of a file; ScenarioError."""
    if not isinstance(content, list):
        raise ScenarioError(f"{place}: {name!r} must be written [[{name}]], once for each")
    if len(content) > most:
        raise ScenarioError(f"{place}: there are {len(content)} [[{name}]]; at most {most} can be")
    return content
