"""Answers for a real hart as Python holds it: which guest it has, what time it is there.

Must not know what a turn exchanges (`turn.py`), nor who runs when (`turns.py`).
"""

import ctypes
from typing import Any

import numpy as np

from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core.memory import ASIDE
from toyisa.core.state import new_hart
from toyisa.core.tlb import recontext
from toyisa.tables.cost import Event
from vmm.domain.vcpu import OF_GUEST_AT
from vmm.exit.loop import run_vm_at
from vmm.hosting.turn import HART_WORDS, SEAT, take_turn
from vmm.machine import VirtualMachine


class Marks:
    """Whose translations are marked in the memory that all harts share (`memory.ASIDE`).

    `word` has the address of that guest's record, or 0; `guests` are all guests by address.
    """

    def __init__(self, memory: np.record):
        self.memory, self.word = memory, np.zeros(1, np.int64)
        self.guests: dict[int, VirtualMachine] = {}

    def clear(self) -> None:
        """Nobody's."""
        user = self.guests.get(int(self.word[0]))
        if user is not None:
            user.vm.vcpu.kept.aside = self.memory.aside
        self.memory.aside = np.zeros(1, ASIDE)[0]
        self.word[0] = 0


class Seat:
    """A real hart, and who has it."""

    def __init__(
        self, number: int, hart: np.record, memory: np.record, record: np.ndarray, marks: Marks
    ):
        self.number, self.hart, self.record, self.marks = number, hart, record, marks
        self.running: Any = None  # who has the hart now: `host.py`
        self._array = np.zeros(1, SEAT)
        self.state = state = self._array[0]
        self.address = self._array.ctypes.data
        state.hart, state.mem = address_of(hart), address_of(memory)
        state.host, state.aside = record.ctypes.data, marks.word.ctypes.data
        state.loop = unit_address(run_vm_at, unit_types(hart, memory))
        state.empty = _words(new_hart())[OF_GUEST_AT]
        self._busy, self._idle = field_of(hart, "clock.cycles"), field_of(state, "idle")
        self._began = field_of(state, "began")

    @property
    def busy(self) -> int:
        """Cycles spent, by guests and by root."""
        return self._busy.value

    @property
    def idle(self) -> int:
        """Virtual time in which nobody ran."""
        return self._idle.value

    @property
    def time(self) -> int:
        """Virtual time on this hart."""
        return self._busy.value + self._idle.value

    @property
    def spent(self) -> int:
        """Cycles of the latest turn, without those for changing guests."""
        return self._busy.value - self._began.value

    @property
    def switches(self) -> int:
        """How often another guest than before got the hart."""
        return int(self.state.switches)

    def wait(self, until: int) -> None:
        """Nobody runs up to a time."""
        self._idle.value += max(until - self.time, 0)

    def run(self, guest: VirtualMachine, span: int) -> int:
        """Let a guest run for so many cycles: what `take_turn` says."""
        if guest.host.record is not self.record:
            guest.host.hart, guest.host.record = self.hart, self.record
        return take_turn(self.address, guest.address, span, guest.budget)

    def clear(self) -> None:
        """Nobody has it any more: what the guest had is kept."""
        self.marks.clear()
        guest = self.marks.guests.get(int(self.state.guest))
        if guest is not None:
            guest.vm.vcpu.kept.words = _words(self.hart)[OF_GUEST_AT]
        _words(self.hart)[OF_GUEST_AT] = self.state.empty
        self.state.guest, self.state.cleared = 0, 1
        recontext(self.hart)

    def seat(self, guest: VirtualMachine) -> None:
        """The guest that was made on this hart has it."""
        address = guest.address = address_of(guest.vm)
        self.marks.guests[address] = guest
        self.state.guest = self.marks.word[0] = address

    def forget(self, guest: VirtualMachine) -> None:
        """The guest is no more."""
        address = guest.address
        if self.state.guest == address:
            self.clear()
        if self.marks.word[0] == address:
            self.marks.clear()

    def charge(self, event: Event) -> None:
        """Root spends what an event costs."""
        self.hart.counts.event[event] += 1
        self.hart.clock.cycles += self.hart.price.event[event]


def address_of(record: np.record) -> int:
    """The host address of a record."""
    return np.frombuffer(record, np.uint8).ctypes.data


def field_of(record: np.record, path: str) -> ctypes.c_int64:
    """A field of a record, 64 bits wide: to read it from the record itself takes much longer."""
    at, kind = address_of(record), record.dtype
    for name in path.split("."):
        kind, offset = kind.fields[name][:2]
        at += offset
    return ctypes.c_int64.from_address(at)


def _words(hart: np.record) -> np.ndarray:
    room = (ctypes.c_uint32 * HART_WORDS).from_address(address_of(hart))
    return np.frombuffer(room, np.uint32)
