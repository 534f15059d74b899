"""Answers for a debugger that uses the edges: memory packets with any address and size.

Must not know what the machine did before.
"""

from typing import Any

from vmm.fuzz.case import Violation
from vmm.gdb.session import Session
from vmm.gdb.timeline import Timeline

PACKETS = (
    "m{:x},{:x}", "M{:x},{:x}:00", "M{:x},1:5a", "Z2,{:x},{:x}", "z2,{:x},{:x}", "Z0,{:x},{:x}",
)  # fmt: skip
ANSWERS = (b"OK", b"")


class _Silent:
    """A channel with nobody at the other end."""

    acks = False

    def send(self, _packet: bytes) -> None:
        """Nobody receives it."""


def ask(machine: Any, pairs: list[list[int]]) -> None:
    """Send every memory packet for each address and size; Violation if one has no proper answer."""
    session = Session(_Silent(), Timeline(machine, lambda: None, lambda _byte: None))
    for address, size in pairs:
        for packet in PACKETS:
            asked = packet.format(address, size)
            answer = session.answer(asked.encode())
            hexadecimal = asked[0] == "m" and answer and not set(answer) - set(b"0123456789abcdef")
            if not (hexadecimal or answer in ANSWERS or (answer or b"")[:1] == b"E"):
                raise Violation(f"data, OK or an error for {asked}", answer)
