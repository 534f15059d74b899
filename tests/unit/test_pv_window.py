"""What a hypercall does not change, and what a domain's kernel and its monitor share: the
window.
"""

import pytest

from tests.pvdomain import BASE_PPN, FRAMES, gva
from toyisa.core.memory import RAM_BASE
from vmm.abi.hypercalls import M2P_TOP, P2M, WORDS_PAGE, Call, Word
from vmm.domain.requests import EngineRequest
from vmm.engines.pv import serve_pv

PAGE_C = 102


def test_no_register_changes_but_the_answers(domain):
    hart = domain.machine.host.hart
    assert domain.call(Call.UPDATE_PTES, gva(PAGE_C), 0, 0) == 0  # leaves a value in a1
    before = hart.x.tolist()
    for call in (Call.FLUSH, Call.EVENT, Call.SET_PTE, Call.FLUSH_PAGE, Call.YIELD):
        domain.call(call, 5, 77, 99)
        assert hart.x[11:17].tolist() == [77, 99, *before[13:17]]
        assert hart.x[1:10].tolist() == before[1:10]


def test_iret_takes_a7_from_the_window_and_leaves_the_rest(domain):
    machine = domain.machine
    words = int(machine.private[0].words)
    for status in (0, 0x20, 0x100, 0x120):
        domain.words[words + Word.SPILL] = 0x1234 + status
        machine.vm.vcpu.hart.csr.sstatus = status  # the window's since the exit
        kept = machine.host.hart.x.tolist()
        domain.call(Call.IRET, kept[10], kept[11], kept[12])
        assert machine.host.hart.x.tolist()[:17] == kept[:17]
        assert machine.host.hart.x[17] == 0x1234 + status
        assert machine.vm.vcpu.hart.pc == RAM_BASE  # sepc
        assert bool(machine.vm.vcpu.hart.csr.sstatus & 2) == bool(status & 0x20)


GATE, ENTER_RANGE, LEAVE_RANGE, ELSEWHERE = (RAM_BASE + n for n in (0x100, 0x200, 0x300, 0x400))


@pytest.mark.parametrize(("pc", "open_"), [
    (GATE, False), (GATE + 4, True), (ENTER_RANGE, False), (ENTER_RANGE + 4, False),
    (ENTER_RANGE + 8, True), (LEAVE_RANGE + 4, False), (LEAVE_RANGE + 8, True), (ELSEWHERE, True),
])  # fmt: skip
@pytest.mark.parametrize("flag", [0, 2])
def test_the_interrupt_flag_is_put_aside_where_nothing_may_come(domain, pc, open_, flag):
    """At the gate's first instruction and in the ranges; afterwards the window has it again."""
    machine = domain.machine
    vm, hart, mem = machine.vm, machine.host.hart, machine.host.memory
    ranges = (ENTER_RANGE, ENTER_RANGE + 8, LEAVE_RANGE, LEAVE_RANGE + 8)
    for n, bound in enumerate(ranges):
        domain.put(PAGE_C, n, bound)
    assert domain.call(Call.SET_TRAP, GATE, gva(PAGE_C), 0) == 0
    window = int(machine.private[0].words) + Word.VIF
    domain.words[window] = flag
    hart.pc, hart.priv = pc, 1
    serve_pv(hart, mem, vm, EngineRequest.LEAVE, 0)
    assert int(vm.vcpu.hart.csr.sstatus) & 2 == (flag if open_ else 0)
    serve_pv(hart, mem, vm, EngineRequest.ENTER, 0)
    assert int(domain.words[window]) == flag


def test_only_x0_reaches_the_shared_words(domain):
    for address in (WORDS_PAGE, WORDS_PAGE + 2048, 0xFFFFFFFC):
        assert not domain.access(address, None)
        assert not domain.access(address, 0)


def test_the_maps_can_be_read_and_not_written(domain):
    hart = domain.machine.host.hart
    for gfn in (0, 1, FRAMES - 1):
        ppn = BASE_PPN + int(domain.machine.pages["mfn"][gfn])
        assert domain.access(P2M + 4 * gfn, None)
        assert hart.x[6] == ppn << 10
        back = -4 * ppn & 0xFFFFFFFF
        assert back <= M2P_TOP
        assert domain.access(back, None)
        assert hart.x[6] == BASE_PPN + gfn << 10
        assert not domain.access(P2M + 4 * gfn, 0)
        assert not domain.access(back, 0)


def test_u_does_not_see_the_window(domain):
    domain.machine.vm.vcpu.hart.priv = 0
    for address in (P2M, M2P_TOP, WORDS_PAGE + 2048):
        assert not domain.access(address, None)
