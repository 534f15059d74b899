"""Answers for a case: what one execution of a law is given, as plain values, and as JSON.

A case contains everything: an ELF (or words), settings, and the registers to start with if it
is not a kernel that boots.  Must not know what a law does with it.
"""

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any

from toyisa.testing.shown import Readable
from vmm.fuzz.corpusfile import unpacked


class Violation(AssertionError):
    """A law does not hold for a case: what it requires, and what happened."""

    def __init__(self, expected: Any, actual: Any):
        super().__init__(f"expected {expected}, not {actual}")
        self.expected, self.actual = expected, actual


def as_violation(error: Exception) -> Violation:
    """The Violation that a law's check raised; any other error is a mistake in Python code."""
    if isinstance(error, Violation):
        return error
    return Violation("no error in Python", f"{type(error).__name__}: {error}")


class BadCase(ValueError):
    """A JSON object is not a case."""


@dataclass(frozen=True)
class Case(Readable):
    """`settings` and `start` hold values that JSON has; `listing` is for people."""

    image: bytes
    settings: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] | None = None
    listing: str = ""

    def __repr__(self) -> str:
        """Short: Hypothesis makes one of every case that fails."""
        return f"<{self.size} bytes, {self.settings}>"

    @property
    def size(self) -> int:
        """The measure by which one of two cases is the smaller."""
        return len(self.image) - self.image.count(0)

    def to_json(self) -> dict[str, Any]:
        """As an object that `from_json` reads."""
        packed = base64.b64encode(zlib.compress(self.image, 9)).decode()
        return {
            "settings": self.settings, "start": self.start, "encoding": "zlib+base64",
            "image": packed, "listing": self.listing.splitlines(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Case":
        """The case in an object; BadCase."""
        try:
            image = unpacked(base64.b64decode(value["image"], validate=True))
            listing = "\n".join(value.get("listing", []))
            return cls(image, dict(value["settings"]), value.get("start"), listing)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise BadCase(f"{type(error).__name__}: {error}") from None


def must_equal(expected: dict[str, Any], actual: dict[str, Any]) -> None:
    """Raise a Violation that names what differs, unless the two are equal."""
    names = [name for name in expected if expected[name] != actual[name]]
    if names:
        raise Violation({n: expected[n] for n in names}, {n: actual[n] for n in names})
