"""Patched guests under `pv`: native's console, no sensitive instruction, interrupts anywhere."""

from dataclasses import replace

import numpy as np
import pytest

import asm
import guests
from tests.guests.build import assembled, words
from tests.guests.test_nano import BUDGET, NANO, check_console, drive
from toyisa.core.decodepool import fold_all
from toyisa.load.image import ImageError
from toyisa.machine import Exit, Machine
from toyisa.tables.cost import load
from toyisa.tables.csrs import BY_NUMBER
from toyisa.tables.insns import BY_NAME, Sens, find
from toyisa.tables.levels import Profile
from toyisa.tables.ops import ROW_OF_OP
from vmm.domain.exits import Kind
from vmm.machine import VirtualMachine

GUESTS = guests.catalogue()
PATCHED = ["hello", "ticks", "toyix"]
# The test's own kernel, in which time counts instructions.
EVERYWHERE = guests.Guest(
    "everywhere", guests.ROOT.parent / "tests" / "guests" / "everywhere.S", "", 50_000_000, 0,
    None, None,
)  # fmt: skip
# Everything else is cheap compared with the way into the gate, so that the timer fires there, too.
CHEAP = dict.fromkeys(load("modern").price, 1) | {"trap_ecall": 4}
BY_UNITS = replace(load("modern"), hz=10_000_000, price=CHEAP)


def patched(guest) -> asm.Object:
    return assembled(guest, defines=guests.BUILDS["pv"])


def ended(guest, **options) -> VirtualMachine:
    """A machine that has run the patched guest to its end."""
    machine = VirtualMachine(engine="pv", **options)
    machine.load(patched(guest).elf())
    machine.feed(guest.input.read_bytes() if guest.input else b"")
    machine.end_input()
    assert machine.run(budget=guest.budget) is Exit.HALTED, machine.reason
    return machine


@pytest.mark.parametrize("name", PATCHED)
@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.LEAKY])
@pytest.mark.parametrize("cost", ["p4", "modern"])
def test_native_console(name, profile, cost):
    guest = GUESTS[name]
    machine = ended(guest, profile=profile, cost=cost, scatter=3)
    assert machine.output().decode() == guest.golden.read_text()
    assert machine.code == guest.exit


@pytest.mark.parametrize("name", NANO)
@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.LEAKY])
def test_benchmarks(name, profile, tmp_path):
    (tmp_path / "guest.elf").write_bytes(patched(NANO[name]).elf())
    machine = VirtualMachine(engine="pv", profile=profile, cost="p4")
    machine, end = drive(machine, tmp_path / "guest.elf", BUDGET)
    assert end is Exit.HALTED, machine.reason
    assert machine.code == NANO[name].exit
    check_console(name, machine.output().decode())


# What direct paging and the gate let S use by design: docs/engines/pv.md.
LEFT_TO_S = {"sepc", "scause", "stval", "sscratch"}
LEFT_TO_S |= {counter + half for counter in ("cycle", "time", "instret") for half in ("", "h")}


def sensitive(word: int) -> bool:
    """Whether a word is an instruction that a monitor must see, and that S may not use."""
    row = find(word)
    if row is None or row.name in ("sret", "ecall", "ebreak"):
        return False
    if row.sens is Sens.BY_CSR:
        return BY_NUMBER[word >> 20].name not in LEFT_TO_S
    return row.sens is not Sens.INNOCUOUS


def in_text(program) -> set[str]:
    """Names of the sensitive instructions in a program's text."""
    return {find(word).name for _, word in words(program, ".text") if sensitive(word)}


def executed(hart, memory) -> set[str]:
    """Names of the instructions that a hart has retired."""
    fold_all(hart, memory)
    return {name for op, name in ROW_OF_OP.items() if hart.counts.op[op]}


@pytest.mark.parametrize("name", [*PATCHED, *NANO])
def test_nothing_sensitive_is_left(name):
    assert in_text(patched(GUESTS[name])) == set()


@pytest.mark.parametrize("name", [*PATCHED, "nano/ptemod", "nano/irq_toggle"])
def test_nothing_sensitive_is_executed(name):
    """On the leaky machine, where such an instruction would not even trap."""
    machine = ended(GUESTS[name], profile=Profile.LEAKY)
    ran = executed(machine.host.hart, machine.host.memory)
    assert {"addi", "ecall"} - ran == {"ecall"}  # what traps to root does not retire
    named = {n for n in ran if BY_NAME[n].sens not in (Sens.INNOCUOUS, Sens.BY_CSR)}
    assert named <= {"sret"}
    of_csrs = {n for n in ran if BY_NAME[n].sens is Sens.BY_CSR}
    assert of_csrs <= {find(word).name for _, word in words(patched(GUESTS[name]), ".text")}
    assert machine.exits().get("csr") is None


def test_the_scans_find_what_is_sensitive():
    assert in_text(assembled(GUESTS["toyix"])) >= {"csrrci", "csrrsi", "wfi", "sfence.vma"}
    machine = Machine()
    machine.load(assembled(GUESTS["ticks"]).elf())
    assert machine.run(budget=GUESTS["ticks"].budget) is Exit.HALTED
    assert {"csrrci", "csrrsi", "wfi"} <= executed(machine.hart, machine.memory)


@pytest.fixture(scope="module")
def everywhere():
    """The kernel's symbols, and what was interrupted, by instructions and by cycles."""
    places, outputs = set(), []
    for clock in ("icount", "cycles"):
        machine = VirtualMachine(engine="pv", cost=BY_UNITS, clock=clock)
        pieces = []
        machine.log(lambda lines, kept=pieces: kept.append(lines.copy()))
        program = patched(EVERYWHERE)
        machine.load(program.elf())
        assert machine.run(budget=EVERYWHERE.budget) is Exit.HALTED, machine.reason
        outputs.append(machine.output().decode())
        lines = np.concatenate(pieces)
        places |= set(lines["pc"][lines["kind"] == Kind.TIMER].tolist())  # where it fired
    return program, places, outputs


def test_interrupts_everywhere_disturb_nothing(everywhere):
    """Also no interrupt is late, or taken while interrupts are off: the kernel checks."""
    bare = Machine(cost=BY_UNITS, clock="icount")
    bare.load(assembled(EVERYWHERE).elf())
    assert bare.run(budget=EVERYWHERE.budget) is Exit.HALTED
    expected = bare.output().decode()
    assert expected.endswith("wrong: 0\n")
    assert everywhere[2] == [expected] * 2


@pytest.mark.parametrize("which", ["trap_entry", "trap_return"])
def test_everywhere_is_all_of_the_gate(everywhere, which):
    program, places, _ = everywhere
    first, last = (program.symbols[name].value for name in (which, f"{which}_end"))
    assert set(range(first, last, 4)) - places == set()


@pytest.mark.parametrize(("first", "last"), [("mask_begin", "mask_end"), ("sum_kernel", "go_user")])
def test_everywhere_is_all_of_the_masking(everywhere, first, last):
    """Except code that runs only when an interrupt is pending already, or where `iret` arrives."""
    program, places, _ = everywhere
    first, last = program.symbols[first].value, program.symbols[last].value
    code = dict(words(program, ".text"))
    skipped, guard = set(), 0
    for pc in range(first, last, 4):
        row = find(code[pc])
        if row.name == "ebreak":
            skipped.add(pc + 4)
        # IRQ_ENABLE's or IRQ_RESTORE's branch, forward
        elif row.name == "beq" and pc not in skipped:
            offset = (code[pc] >> 8 & 15) << 1 | (code[pc] >> 25 & 63) << 5
            skipped |= set(range(pc + 4, pc + offset, 4)) - places
            guard += 1
    assert set(range(first, last, 4)) - places <= skipped
    assert guard
    assert len(skipped) <= 18


def test_a_step_tells_the_word_though_tables_hold_machine_frames():
    guest = GUESTS["toyix"]
    machine = VirtualMachine(engine="pv")
    machine.load(patched(guest).elf())
    machine.end_input()
    machine.run(200_000)
    assert machine.vm.direct.active
    steps = [machine.step() for _ in range(100)]
    retired = [step for step in steps if step.trap is None]
    assert len(retired) > 50
    for step in retired:
        assert step.insn is not None
        assert find(step.insn) is not None


def test_an_unpatched_kernel_is_refused():
    machine = VirtualMachine(engine="pv")
    with pytest.raises(ImageError, match=r"not patched for `pv`.*PV.*another engine"):
        machine.load(assembled(GUESTS["hello"]).elf())


def test_no_room_for_tables_is_refused():
    machine = VirtualMachine(engine="pv", mem=1 << 20)
    machine.poke(0x800F_D000, b"x")
    with pytest.raises(ImageError, match=r"no room below 0x800ff000.*--mem"):
        machine.load(patched(GUESTS["hello"]).elf())


def test_too_much_memory_is_refused():
    with pytest.raises(ValueError, match="at most 1024 MiB"):
        VirtualMachine(engine="pv", mem=1025 << 20)


@pytest.mark.parametrize("mem", [3 << 20, 64 << 20, 1 << 30])
def test_every_size_of_memory(mem):
    machine = VirtualMachine(engine="pv", mem=mem, scatter=1)
    machine.load(patched(GUESTS["hello"]).elf())
    assert machine.run() is Exit.HALTED
    assert machine.output() == b"hello, world\n"


def test_superpages_end_a_kernel_in_words():
    machine = VirtualMachine(engine="pv")
    machine.load(patched(GUESTS["pages"]).elf())
    assert machine.run(budget=1_000_000) is Exit.HALTED
    assert b"panic: the monitor has refused a hypercall" in machine.output()
    assert machine.code == 1
