"""Answers for running a host up to a virtual time: in slices, so that people can look and stop.

Between two slices it takes what the domains have printed.  Must not know the scenario, nor how
anything is shown.
"""

import time
from collections.abc import Callable
from enum import StrEnum

from toyisa import ctrlc
from vmm.hosting.domain import Domain
from vmm.hosting.host import Host

SLICE_SECONDS = 0.1
KEPT = 64 << 10  # bytes of each console; a guest may print for ever
TAIL = 400       # bytes in which the last line is looked for


class Ended(StrEnum):
    """Why a session has ended."""

    TIME = "time"          # the scenario's virtual time is over
    OVER = "over"          # no domain will ever run again
    TIMEOUT = "timeout"    # the limit of real time
    INTERRUPTED = "interrupted"


class Console:
    """What a domain has printed: its first KEPT bytes, and the end."""

    def __init__(self) -> None:
        self.kept, self.truncated = bytearray(), False
        self._tail = b""

    def add(self, data: bytes) -> None:
        """The next bytes."""
        room = KEPT - len(self.kept)
        self.kept += data[:room]
        self.truncated |= len(data) > room
        self._tail = (self._tail + data[-TAIL:])[-TAIL:]

    @property
    def last_line(self) -> str:
        """The last line that is not empty, fit to be shown on a terminal."""
        text = self._tail.decode("utf-8", "replace")
        last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
        return "".join(c if c.isprintable() else "?" for c in last)


class Session:
    """A host that is run; `consoles` are those of its domains, by name."""

    def __init__(self, host: Host):
        self.host = host
        self.consoles: dict[str, Console] = {name: Console() for name in host.domains}
        self.seconds = 0.0  # of real time

    def run(
        self, until: int, seconds: float = 0, tick: Callable[[], None] = lambda: None
    ) -> Ended:
        """Run up to a virtual time; 0 `seconds` are no limit.  `tick` is called between slices."""
        began = time.monotonic()
        # Python answers Ctrl-C anywhere, but only between two slices is a host consistent.
        try:
            with ctrlc.held() as look:
                while True:
                    left = seconds - (time.monotonic() - began) if seconds else SLICE_SECONDS
                    why = self.host.run(until, min(SLICE_SECONDS, max(left, 0)))
                    self.seconds = time.monotonic() - began
                    for domain in self.host.domains.values():
                        self._take(domain)
                    tick()
                    look()
                    if why == "over" or all(d.over for d in self.host.domains.values()):
                        return Ended.OVER
                    if why == "time":
                        return Ended.TIME
                    if seconds and self.seconds >= seconds:
                        return Ended.TIMEOUT
        except KeyboardInterrupt:
            return Ended.INTERRUPTED

    def _take(self, domain: Domain) -> None:
        if data := domain.output():
            self.consoles[domain.name].add(data)
