"""Every code of a cause has a place of its own wherever something is kept by cause."""

import numpy as np
import pytest

from toyisa.core.coverage import BY_S, CAUSES, TO_ROOT, attach, new_map, traps
from toyisa.core.memory import RAM_BASE
from toyisa.core.serve import serve
from toyisa.core.state import HART
from toyisa.look.effects import Observer
from toyisa.machine import Machine
from toyisa.tables import causes
from toyisa.tables.causes import CODE_MASK, CODES, INTERRUPT, Exc, Irq
from toyisa.tables.exits import Reason
from toyisa.tables.requests import Request
from vmm.domain.exits import Kind
from vmm.domain.record import STATS, new_vm
from vmm.domain.stats import count_exit
from vmm.fuzz.seen import Seen

ALL = (1 << CODES) - 1


@pytest.fixture
def machine():
    made = Machine(mem=1 << 20)
    made.boot(RAM_BASE, 0)
    made.hart.root.deleg_exc = ALL
    return made


def raised(machine, code):
    """Raise the exception `code` on the machine's hart; the Reason."""
    hart = machine.hart
    hart.pending.cause, hart.pending.to_root, hart.pending.barren = code, 0, 0
    hart.clock.instret += 1
    return Reason(serve(hart, machine.memory, int(Request.RAISE), 0, 0))


def test_there_is_room_for_the_codes_of_the_manual():
    """Guest-page faults are 20 to 23; a delegation register has a bit for each code."""
    assert CODES == 32
    assert max(max(Exc), max(Irq)) < CODES
    deleg = HART["root"]
    assert 8 * deleg["deleg_exc"].itemsize == 8 * deleg["deleg_int"].itemsize == CODES
    assert HART["counts"]["exc"].shape == HART["counts"]["irq"].shape == (CODES,)
    assert STATS["seen"].shape == (len(Kind), CODES)
    assert CAUSES == 2 * CODES


def test_each_exception_is_counted_in_a_place_of_its_own(machine):
    for code in range(CODES):
        assert raised(machine, code) == Reason.RUN
        assert machine.hart.csr.scause == code
        assert np.flatnonzero(machine.hart.counts.exc).tolist() == list(range(code + 1))
    assert len(machine.traps_by_cause()) == CODES
    assert set(machine.traps_by_cause().values()) == {1}


def test_each_exception_is_delegated_by_a_bit_of_its_own(machine):
    for code in range(CODES):
        machine.hart.root.deleg_exc = ALL ^ 1 << code
        assert raised(machine, code) == Reason.TRAP
        assert machine.hart.exit.cause == code
        assert raised(machine, (code + 1) & CODE_MASK) == Reason.RUN


def test_each_cause_has_a_place_of_its_own_in_the_coverage_map(machine):
    seen = new_map()
    attach(seen, machine.hart)
    for code in range(CODES):
        assert raised(machine, code) == Reason.RUN
    names = {causes.name(code) for code in range(CODES)}
    assert {name for _, _, name in traps(seen, BY_S)} == names
    assert not traps(seen, TO_ROOT)
    machine.hart.root.deleg_exc = 0
    for code in range(CODES):
        assert raised(machine, code) == Reason.TRAP
    assert {name for _, _, name in traps(seen, TO_ROOT)} == names
    assert not any(name.startswith("irq") for name in names)


def test_an_interrupt_is_no_exception_in_the_coverage_map(machine):
    """Code 20 of an exception and the timer's interrupt, which is taken as one."""
    seen = new_map()
    attach(seen, machine.hart)
    machine.hart.csr.sie = 1 << Irq.TIMER
    machine.hart.csr.sstatus = 1 << 1
    machine.hart.csr.stimecmp = machine.hart.csr.stimecmph = 0
    machine.run(1)
    assert traps(seen, BY_S) == {("-", "S", "irq_timer"), ("-", "S", "insn_access")}
    assert causes.name(INTERRUPT | Irq.TIMER) == "irq_timer"


def test_an_observer_sees_traps_of_all_codes(machine):
    observer = Observer(machine.hart)
    for code in set(range(CODES)) - {int(Exc.ECALL_S)}:
        fx = observer.observe(machine, lambda code=code: raised(machine, code))
        assert fx.trap == (code, 0)


def test_a_snapshot_keeps_all_codes(machine, tmp_path):
    for code in set(range(CODES)) - {int(Exc.ECALL_S)}:
        raised(machine, code)
    machine.hart.root.deleg_exc = 0
    assert raised(machine, CODES - 1) == Reason.TRAP
    machine.hart.clock.instret = 0
    machine.save(tmp_path / "s")
    again = Machine.restore(tmp_path / "s")
    assert again.traps_by_cause() == machine.traps_by_cause()
    assert again.hart.pending.first_cause == again.hart.exit.cause == CODES - 1


def test_exits_of_a_virtual_machine_are_seen_by_cause(machine):
    """Kept by kind and cause: what a campaign says it has seen."""
    vm, count = new_vm(), getattr(count_exit, "py_func", count_exit)
    vm.vcpu.kind = Kind.EXCEPTION
    for code in range(CODES):
        machine.hart.exit.cause = code
        count(vm, machine.hart, 0, 0)
    assert vm.stats.seen.sum() == vm.stats.seen[Kind.EXCEPTION].sum() == CODES
    seen = Seen()
    seen.exits |= vm.stats.seen
    assert len(seen.names()["exits"]) == CODES


def test_a_code_that_no_register_holds_is_masked(machine):
    assert raised(machine, CODES + Exc.ILLEGAL) == Reason.RUN
    assert machine.hart.csr.scause == Exc.ILLEGAL
    assert np.flatnonzero(machine.hart.counts.exc).tolist() == [Exc.ILLEGAL]
