"""Answers for a virtual machine's log in Chrome's trace format, which Perfetto opens.

There is one track: the guest running, and each exit with what it was for.  Times are virtual.
Must not know how the log is kept.  Source: "Trace Event Format", complete events.
"""

import json
from typing import TextIO

import numpy as np

from vmm.domain.exits import Kind, ShadowEvent
from vmm.machine import VirtualMachine
from vmm.watch.exitlog import shadow_text, why

MOST = 500_000  # exits


class Timeline:
    """Writes to `file`; `close` makes it a complete file, whatever came before."""

    def __init__(self, machine: VirtualMachine, name: str, file: TextIO, most: int = MOST):
        self.machine, self.file = machine, file
        self.left = most
        self._scale = 1e6 / machine.cost.hz  # microseconds a cycle
        self._idle = int(machine.hart.clock.idle)
        self._since = self._now(machine.hart.clock)
        self._done: list[str] = []  # what was done by the exit that is not logged yet
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
        names = {"process_name": name, "thread_name": "hart 0"}
        rows = ({"ph": "M", "pid": 1, "tid": 1, "name": key, "args": {"name": value}}
                for key, value in names.items())  # fmt: skip
        file.write(",\n".join(map(json.dumps, rows)))

    def __call__(self, log: np.ndarray) -> None:
        """Take the next lines of the log."""
        for line in log:
            kind = int(line.kind)
            if kind >= ShadowEvent.FILL:
                self._done.append(" ".join(shadow_text(line).split()))
            elif kind != Kind.OTHER and self.left > 0:
                self.left -= 1
                self._exit(line, Kind(kind))
                self._done = []

    def close(self) -> None:
        """The end: the guest has run since its last exit."""
        if self.left > 0:
            self._span("guest", self._since, self._now(self.machine.hart.clock), {})
        truncated = json.dumps(self.left <= 0)
        self.file.write(f'\n], "otherData": {{"truncated": {truncated}}}}}\n')

    def _exit(self, line: np.record, kind: Kind) -> None:
        start = int(line.at) + self._idle
        self._idle = int(line.idle)
        end = int(line.at) + int(line.spent) + self._idle
        pc = int(line.pc)
        self._span("guest", self._since, start, {})
        told = {"pc": f"{pc:#010x} {self.machine.symbolize(pc)}", "cycles": int(line.spent)}
        if text := why(line, kind):
            told["why"] = text
        if self._done:
            told["shadow"] = self._done
        self._span(kind.name.lower(), start, end, told)
        self._since = end

    def _span(self, name: str, start: int, end: int, told: dict) -> None:
        if end <= start:
            return
        event = {"ph": "X", "pid": 1, "tid": 1, "name": name}
        event["ts"] = round(start * self._scale, 4)
        event["dur"] = round((end - start) * self._scale, 4)
        event |= {"cat": "exit", "args": told} if told else {"cat": "guest"}
        self.file.write(",\n" + json.dumps(event))

    @staticmethod
    def _now(clock: np.record) -> int:
        return int(clock.cycles) + int(clock.idle)
