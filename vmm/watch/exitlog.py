"""Answers for a virtual machine's log as text for people: a line for each exit.

    exit   cycle 1,754 csr          0x8000001c _start+0x1c   csrw stvec,a0   620 cycles
    shadow fill    0x00401000 -> 0x80012000 DA-U-RWV

What an exit did to shadow tables follows it.  Must not know how the log is kept.
"""

from collections.abc import Collection
from typing import TextIO

import numpy as np

from asm.disasm import disassemble
from toyisa.look import inspect
from toyisa.tables import causes
from toyisa.tables.causes import Exc
from vmm.domain.exits import Kind, ShadowEvent
from vmm.domain.record import ROOT, TABLE
from vmm.machine import VirtualMachine

KINDS = ("exit", "shadow")
MOST = 1_000_000  # lines
_UNCAUSED = (Kind.TIMER, Kind.OTHER)  # not caused by a trap, so the hart reports no cause


class ExitLines:
    """Writes to `file` the lines of the wanted `kinds`, at most `most`."""

    def __init__(
        self, machine: VirtualMachine, kinds: Collection[str], file: TextIO, most: int = MOST
    ):
        self.machine, self.kinds, self.file = machine, kinds, file
        self.left = most
        self._waiting: list[str] = []  # what was done by the exit that is not logged yet

    def __call__(self, log: np.ndarray) -> None:
        """Take the next lines of the log."""
        for line in log:
            if self.left <= 0:
                return
            kind = int(line.kind)
            if kind >= ShadowEvent.FILL:
                if "shadow" in self.kinds:
                    self._waiting.append(shadow_text(line))
            elif kind != Kind.OTHER:
                if "exit" in self.kinds:
                    self._write("exit", self._exit(line, Kind(kind)))
                for text in self._waiting:
                    self._write("shadow", text)
                self._waiting.clear()

    def _write(self, kind: str, text: str) -> None:
        self.left -= 1
        if self.left >= 0:
            self.file.write(f"{kind:<6} {text}\n")
        if self.left == 0:
            self.file.write("(more lines are not shown: use --log-from and --log-until)\n")

    def _exit(self, line: np.record, kind: Kind) -> str:
        pc = int(line.pc)
        where = f"{pc:#010x} {self.machine.symbolize(pc):<20}"
        name = kind.name.lower()
        text = f"cycle {int(line.at):>13,} {name:<12} {where} {why(line, kind):<28}"
        return f"{text} {int(line.spent):>7,} cycles"


def why(line: np.record, kind: Kind) -> str:
    """Why the hart left, as it reported: the instruction, or the cause and its value."""
    if kind in _UNCAUSED:
        return ""
    cause, tval = int(line.cause), int(line.tval)
    if cause == Exc.ILLEGAL:
        return disassemble(tval, int(line.pc))
    name = causes.name(cause)
    return f"{name} {tval:#010x}" if "page" in name or "access" in name else name


def shadow_text(line: np.record) -> str:
    """What a shadow event means."""
    event, first, second = ShadowEvent(int(line.kind)), int(line.pc), int(line.tval)
    name = event.name.lower()
    match event:
        case ShadowEvent.FILL:
            return f"{name:<7} {first:#010x} -> {second >> 10 << 12:#010x} {_flags(second)}"
        case ShadowEvent.FOLLOW | ShadowEvent.DROP:
            return f"{name:<7} entry at {first:#010x} = {second:#010x} {_flags(second)}"
        case ShadowEvent.TABLE:
            return f"{name:<7} {_role(first, second)}"
        case ShadowEvent.FLUSH:
            return "flush   all of the real TLB"
        case _:
            return f"{name:<7} shadow frame {first}"


def _flags(pte: int) -> str:
    return inspect.pte_text(pte).split()[0]


def _role(role: int, key: int) -> str:
    key -= (key & 1 << 31) << 1  # a root table that is not the guest's has a negative key
    if role in (ROOT, TABLE):
        kind = "root" if role == ROOT else "table"
        return f"a {kind} for guest frame {key:#x}" if key >= 0 else "a root for no table"
    return f"for the superpage {key >> 10 << 12:#010x}, split"
