"""Answers for values that a file claims: of the right type, in range, not too many.

Must not know what they are for.
"""

from typing import Any


class Refused(ValueError):
    """A value is not possible; the text says which, and why."""


class Checked:
    """A JSON object with exactly these `keys`; each value is checked when it is taken."""

    def __init__(self, value: Any, keys: tuple[str, ...], name: str):
        if not isinstance(value, dict):
            raise Refused(f"{name} is not an object")
        for key in keys:
            if key not in value:
                raise Refused(f"{name} has no {key}")
        if len(value) != len(keys):
            unknown = next(key for key in value if key not in keys)
            raise Refused(f"{name} has an unknown key {unknown[:40]!r}")
        self.value = value

    def __getitem__(self, key: str) -> Any:
        return self.value[key]

    def number(self, key: str, low: int, high: int) -> int:
        """The integer under `key`, `low` to `high`; Refused."""
        value = self.value[key]
        if type(value) is not int or not low <= value <= high:  # True is an int, too
            raise Refused(f"{key} is not a number from {low} to {high}")
        return value

    def truth(self, key: str) -> bool:
        """The truth value under `key`; Refused."""
        value = self.value[key]
        if type(value) is not bool:
            raise Refused(f"{key} is neither true nor false")
        return value

    def text(self, key: str, most: int) -> str:
        """The text under `key`, of at most `most` characters, all of which can be written;
        Refused.
        """
        value = self.value[key]
        if not isinstance(value, str) or len(value) > most:
            raise Refused(f"{key} is not a text of up to {most} characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused(f"{key} is not a text") from None
        return value

    def items(self, key: str, most: int) -> list:
        """The list under `key`, of at most `most` items; Refused."""
        value = self.value[key]
        if not isinstance(value, list) or len(value) > most:
            raise Refused(f"{key} is not a list of up to {most} items")
        return value
