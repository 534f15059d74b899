"""Answers for a turn of a guest on a real hart: what is the guest's is exchanged, the rest stays.

A hart's TLB, clock and counters are its own.  What root has set it to, its CSRs and the exit
that is being handled are the guest's, and are kept in its VCPU while another one runs.  Must
not know who runs when (`turns.py`).
"""

import numpy as np

from toyisa.compiled.njit import call_unit, entry, njit, view
from toyisa.core.clock import charge
from toyisa.core.memory import MEMORY
from toyisa.core.state import ADDRESS, HART, NEVER, NO_TAG, record
from toyisa.core.tlb import flush, forget_spaces, recontext
from toyisa.core.work import LOOK, SCAN, count_flush
from toyisa.tables.cost import Event
from vmm.domain.asids import forget_returned, return_id
from vmm.domain.host import frames, host_of
from vmm.domain.record import DOMAIN, FREE, pages
from vmm.domain.vcpu import OF_GUEST_AT

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
    ("own_ids", "i8"),    # the TLB may have translations under ids that a guest has chosen
    ("cleared", "i8"),    # it may have those of a guest that had the hart before `guest`
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
    if seat.guest == address and seat.cleared == 0:
        return
    if seat.own_ids or vm.direct.active:  # a guest's own ids may be those of others
        flush(hart, np.int64(-1), np.int64(-1))
        count_flush(hart, mem)
    elif not hart.tlb.tagged:
        forget_spaces(hart)
    seat.cleared = 0
    if seat.guest == address:
        return
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
    seat.own_ids = vm.direct.active
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
