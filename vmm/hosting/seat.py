"""Answers for which guest a real hart runs: what is the guest's is exchanged, the rest stays.

A hart's TLB, clock and counters are its own.  What root has set it to, its CSRs and the exit
that is being handled are the guest's, and are kept in its VCPU while another one runs.  Must
not know who runs when (`host.py`).
"""

import ctypes
from typing import Any

import numpy as np

from toyisa.compiled.njit import call_unit, entry, njit, unit_address, unit_types, view
from toyisa.core.clock import charge
from toyisa.core.memory import ASIDE, MEMORY
from toyisa.core.state import ADDRESS, HART, NEVER, NO_TAG, new_hart, record
from toyisa.core.tlb import flush, forget_spaces, recontext
from toyisa.core.work import LOOK, SCAN, count_flush
from toyisa.tables.cost import Event
from vmm.domain.asids import forget_returned, return_id
from vmm.domain.host import frames, host_of
from vmm.domain.record import DOMAIN, FREE, pages
from vmm.domain.vcpu import OF_GUEST_AT
from vmm.exit.loop import run_vm_at
from vmm.machine import VirtualMachine

WORDS = len(OF_GUEST_AT)
MOVED = 2 * (WORDS + 32)  # words that root moves for a switch, registers included
_PLACES = np.array(OF_GUEST_AT, np.int64)
HART_WORDS = HART.itemsize // 4
PRINTED = 64  # added to a reason: the guest has printed something

SEAT = record(
    ("hart", ADDRESS), ("mem", ADDRESS), ("host", ADDRESS),  # of its HART, MEMORY, HOST
    ("loop", ADDRESS),    # of the unit `run_vm_at`
    ("guest", ADDRESS),   # of the DOMAIN whose state the hart has, or 0
    ("aside", ADDRESS),   # of a word that all harts share: whose marks the memory has
    ("empty", "u4", WORDS),  # what a hart has that runs nobody
    ("idle", "i8"),       # virtual time that it has waited; a guest may have another count
    ("began", "i8"),      # cycles spent when the guest began its latest turn
    ("switches", "i8"),
)  # fmt: skip


@njit
def _domain(address):
    return view(address, 1, DOMAIN)[0]


@njit
def _exchange(seat, hart, vm):
    """Keep what the hart has of the guest on it, and give it what it had of `vm`."""
    words, at = view(seat.hart, HART_WORDS, np.uint32), np.int64(0)
    if seat.guest:
        kept = _domain(seat.guest).vcpu.kept.words
        for n in range(WORDS):
            at = _PLACES[n]
            kept[n] = words[at]
    kept = vm.vcpu.kept.words
    for n in range(WORDS):
        at = _PLACES[n]
        words[at] = kept[n]
    hart.fetch.tag = NO_TAG
    recontext(hart)


@njit
def _take_marks(seat, mem, vm, address):
    """The memory's marks are those of this guest's translations."""
    user = view(seat.aside, 1, np.int64)
    if user[0] == address:
        return
    aside = mem.aside
    if user[0]:
        kept = _domain(user[0]).vcpu.kept.aside
        kept.marks, kept.first = aside.marks, aside.first
        kept.frames, kept.retired = aside.frames, aside.retired
    kept = vm.vcpu.kept.aside
    aside.marks, aside.first = kept.marks, kept.first
    aside.frames, aside.retired = kept.frames, kept.retired
    user[0] = address


@njit
def _sit(seat, hart, mem, vm, address):
    """Give the hart to this guest; root pays for what it moves."""
    if seat.guest == address:
        return
    apart = vm.direct.active
    if seat.guest:
        apart = apart | _domain(seat.guest).direct.active
    if apart:  # its tables have ids of its own making
        flush(hart, np.int64(-1), np.int64(-1))
        count_flush(hart, mem)
    elif not hart.tlb.tagged:
        forget_spaces(hart)
    charge(hart, np.int64(Event.ROOT_WORD), MOVED)
    _exchange(seat, hart, vm)
    seat.guest = address
    seat.switches += 1


@njit
def _move(seat, hart, mem, vm):
    """The guest comes from another hart: its spaces have no ids here, and none there any more."""
    before = host_of(vm).asids
    for frame in range(vm.shadow.frames):
        if vm.shadow.role[frame] != FREE:
            return_id(before, np.int64(vm.shadow.space[frame]))
            vm.shadow.space[frame] = 0
    if vm.direct.active:
        for gfn in range(vm.frames):
            if pages(vm)[gfn].mfn >= 0:
                frames(vm)[pages(vm)[gfn].mfn].written = 0
    vm.host = seat.host
    flush(hart, np.int64(-1), np.int64(-1))  # it may hold what the guest left here long ago
    host_of(vm).epoch += 1
    forget_returned(host_of(vm).asids)
    count_flush(hart, mem)
    mem.work -= SCAN


@entry
def take_turn(seat_at, guest_at, span, budget):
    """Let a guest run for `span` cycles, up to `budget` instructions in all, or until its host
    must act: a Reason, and PRINTED.

    What it costs to change guests is a part of the span; `seat.began` is when that is done.
    """
    seat, vm = view(seat_at, 1, SEAT)[0], _domain(guest_at)
    hart, mem = view(seat.hart, 1, HART)[0], view(seat.mem, 1, MEMORY)[0]
    end = hart.clock.cycles + span
    _take_marks(seat, mem, vm, guest_at)
    if vm.host != seat.host:
        _move(seat, hart, mem, vm)
    _sit(seat, hart, mem, vm, guest_at)
    clock = vm.vcpu.hart.clock
    # An exit that was begun before the guest lost the hart does not cost what others did since.
    vm.vcpu.began += hart.clock.cycles - clock.cycles
    clock.cycles = hart.clock.cycles
    if clock.icount == 0:
        clock.idle = seat.idle
    hart.clock.icount, hart.clock.per_tick = clock.icount, clock.per_tick
    seat.began = hart.clock.cycles
    vm.vcpu.hart.root.spend = end
    vm.vcpu.hart.root.budget = budget
    vm.platform.work = LOOK
    reason = call_unit(seat.loop, hart, mem, seat.hart, seat.mem, guest_at)
    vm.platform.work = NEVER
    if clock.icount == 0:
        seat.idle = clock.idle
    return reason + (PRINTED if vm.platform.console.tx_len else 0)


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
        self.state.guest = 0
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
