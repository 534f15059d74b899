"""Answers for which guest a real hart runs: what is the guest's is exchanged, the rest stays.

A hart's TLB, clock and counters are its own.  What root has set it to, its CSRs and the exit
that is being handled are the guest's, and are kept in its VCPU while another one runs.  Must
not know who runs when (`host.py`).
"""

from typing import Any

import numpy as np

from toyisa.core.state import NEVER, NO_TAG
from toyisa.core.tlb import flush, forget_spaces, recontext
from toyisa.tables.cost import Event
from vmm.domain.asids import return_id
from vmm.domain.record import FREE
from vmm.domain.vcpu import KEPT
from vmm.machine import VirtualMachine

_OF_HART = tuple(name for name in KEPT.names if name != "aside")
WORDS = 2 * (sum(KEPT[name].itemsize for name in ("root", "csr")) // 4 + 32)  # there and back


class Seat:
    """A real hart, and who sits on it.

    `idle` is the virtual time that it has waited; a guest with time of its own changes the
    hart's own count.  `record` is the hart's HOST.
    """

    def __init__(self, number: int, hart: np.record, memory: np.record, record: np.ndarray):
        self.number, self.hart, self.memory, self.record = number, hart, memory, record
        self.idle = 0
        self.guest: VirtualMachine | None = None  # whose state the hart has
        self.running: Any = None  # who has the hart now: `host.py`
        self.switches = 0
        self._empty = np.zeros(1, KEPT)[0]
        self._empty.resv.addr = -1
        root = self._empty.root
        root.deadline = root.limit = root.budget = root.spend = NEVER

    @property
    def busy(self) -> int:
        """Cycles spent, by guests and by root."""
        return int(self.hart.clock.cycles)

    @property
    def time(self) -> int:
        """Virtual time on this hart."""
        return self.busy + self.idle

    def clear(self) -> None:
        """Nobody sits on it: what the guest had is kept."""
        if self.guest is None:
            return
        hart, kept = self.hart, self.guest.vm.vcpu.kept
        for name in _OF_HART:
            kept[name] = hart[name]
        kept["aside"] = self.memory["aside"]
        self.guest = None
        self._put(self._empty)

    def forget(self) -> None:
        """Whoever sat on it is no more."""
        self.guest = None
        self._put(self._empty)

    def take(self, guest: VirtualMachine) -> None:
        """Sit the guest on this hart; root pays for what it moves."""
        if self.guest is guest:
            return
        hart, before = self.hart, self.guest
        self.clear()
        if guest.host.hart is not hart:
            _leave(guest)
            guest.host.hart, guest.host.record = hart, self.record
            guest.vm.host = self.record.ctypes.data
            flush(hart, -1, -1)  # it may hold what the guest left here long ago
        elif before is not None and not (shares_tlb(guest) and shares_tlb(before)):
            flush(hart, -1, -1)
        elif not hart.tlb.tagged:
            forget_spaces(hart)
        self.switches += 1
        charge(hart, Event.ROOT_WORD, WORDS)
        self._put(guest.vm.vcpu.kept)
        self.guest = guest

    def _put(self, kept: np.record) -> None:
        hart = self.hart
        for name in _OF_HART:
            hart[name] = kept[name]
        self.memory["aside"] = kept["aside"]
        hart.fetch.tag = NO_TAG
        recontext(hart)

    def settle(self, guest: VirtualMachine) -> None:
        """Before it runs: the guest's clock is this hart's, unless it has time of its own."""
        clock = guest.hart.clock
        clock.cycles = self.hart.clock.cycles
        if not clock.icount:
            clock.idle = self.idle
        real = self.hart.clock
        real.icount, real.per_tick = clock.icount, clock.per_tick

    def unsettle(self, guest: VirtualMachine) -> None:
        """After it has run: a guest without time of its own may have let some pass."""
        if not guest.hart.clock.icount:
            self.idle = int(guest.hart.clock.idle)


def shares_tlb(guest: VirtualMachine) -> bool:
    """Whether the monitor gives its spaces their ids, so that no other guest has them."""
    return not guest.vm.direct.active


def charge(hart: np.record, event: Event, times: int) -> None:
    """Root spends what so many events of a kind cost."""
    hart.counts.event[event] += times
    hart.clock.cycles += times * int(hart.price.event[event])


def _leave(guest: VirtualMachine) -> None:
    """The guest goes to another hart: its spaces have no ids there, and none here any more."""
    vm, asids = guest.vm, guest.host.record[0].asids
    for frame in np.flatnonzero(vm.shadow.role[: vm.shadow.frames] != FREE):
        return_id(asids, int(vm.shadow.space[frame]))
        vm.shadow.space[frame] = 0
    own = guest.host.frames["owner"] == guest.number
    guest.host.frames["written"][own] = 0  # the other hart's TLB is flushed
