"""Answers for what happened on a host in Chrome's trace format, which Perfetto opens.

There is a track for each hart, which shows who ran, and one for each domain, which shows its
states.  Times are virtual.  Must not know policies.  Source: "Trace Event Format".
"""

import json
from typing import TextIO

from vmm.hosting.domain import Domain, State
from vmm.hosting.host import Host
from vmm.hosting.seat import Seat

MOST = 500_000  # slices
HARTS, DOMAINS = 1, 2  # processes, as Perfetto calls groups of tracks


class Track:
    """Slices, one behind the other; those that go on under the same name become one."""

    def __init__(self, pid: int, tid: int):
        self.pid, self.tid = pid, tid
        self.name, self.start, self.end = "", 0, 0

    def add(self, name: str, start: int, end: int) -> tuple[str, int, int] | None:
        """One more slice; return the one before, if it is complete now."""
        if end <= start:
            return None
        if name == self.name and start <= self.end:
            self.end = max(self.end, end)
            return None
        before = (self.name, self.start, self.end)
        self.name, self.start, self.end = name, max(start, self.end), end
        return before if before[0] else None


class HostTimeline:
    """Writes to `file` what happens on the host; `close` makes it a complete file."""

    def __init__(self, host: Host, name: str, file: TextIO, most: int = MOST):
        self.host, self.file, self.left = host, file, most
        self._scale = 1e6 / host.cost.hz  # microseconds a cycle
        self._harts = [Track(HARTS, seat.number) for seat in host.seats]
        self._domains: dict[str, Track] = {}
        self._states: dict[str, tuple[State, int]] = {}  # of each domain, and since when
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
        file.write(self._label(HARTS, 0, "process_name", f"{name}: harts"))
        self._put(self._label(DOMAINS, 0, "process_name", f"{name}: domains"))
        for track in self._harts:
            self._put(self._label(HARTS, track.tid, "thread_name", f"hart {track.tid}"))
        host.watch = self

    def ran(self, seat: Seat, domain: Domain, began: int, ended: int) -> None:
        """The domain had this hart from one time to the other."""
        self._add(self._harts[seat.number], domain.name, began, ended)

    def became(self, domain: Domain, now: int) -> None:
        """The domain's state is another one from this time on."""
        name = domain.name
        if name not in self._domains:
            self._domains[name] = Track(DOMAINS, len(self._domains))
            self._put(self._label(DOMAINS, self._domains[name].tid, "thread_name", name))
        before, since = self._states.get(name, (State.NEW, 0))
        now = max(now, since)  # a domain may have run ahead of an event that changes its state
        if before is not State.NEW:
            self._add(self._domains[name], str(before), since, now)
        self._states[name] = domain.state, now

    def close(self) -> None:
        """The end: each domain has been in its state up to now."""
        end = max(seat.time for seat in self.host.seats)
        for name, (state, since) in self._states.items():
            if not self.host.domains[name].over:
                self._add(self._domains[name], str(state), since, end)
        for track in (*self._harts, *self._domains.values()):
            self._slice(track, track.name, track.start, track.end)
        truncated = json.dumps(self.left <= 0)
        self.file.write(f'\n], "otherData": {{"truncated": {truncated}}}}}\n')

    def _add(self, track: Track, name: str, start: int, end: int) -> None:
        if complete := track.add(name, start, end):
            self._slice(track, *complete)

    def _slice(self, track: Track, name: str, start: int, end: int) -> None:
        if end <= start or self.left <= 0:
            return
        self.left -= 1
        began, ended = (round(time * self._scale, 4) for time in (start, end))
        self._put(json.dumps({
            "ph": "X", "pid": track.pid, "tid": track.tid, "name": name,
            "ts": began, "dur": round(ended - began, 4), "args": {"cycles": end - start},
        }))  # fmt: skip

    def _put(self, event: str) -> None:
        self.file.write(",\n" + event)

    @staticmethod
    def _label(pid: int, tid: int, key: str, name: str) -> str:
        return json.dumps({"ph": "M", "pid": pid, "tid": tid, "name": key, "args": {"name": name}})
