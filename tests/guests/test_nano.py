"""The nano-benchmarks end well, measure what they say, and notice when the operation is not
done.

They run as they are and with operations that change every register they may, on our machine
and on QEMU; as they are also under a VMM.
"""

import pytest

import guests
from guests import readings
from tests.guests import pvops, qemu
from tests.guests.build import assembled

NANO = {name: guest for name, guest in guests.catalogue().items() if name.startswith("nano/")}
BUDGET = 20_000_000
PARAMS = {  # for those that measure several things
    "cold": [1, 2],
    "fork": [16],
    "ptemod_batch": [1 << n for n in range(12)],
}
PVOPS = {"poisoned": pvops.poisoned, "deferring": pvops.deferring}
VARIANTS = [(name, variant) for name in NANO for variant in ("plain", "poisoned")]
VARIANTS += [(f"nano/{n}", "deferring") for n in ("fork", "forkwait", "pgfault", "ptemod_batch")]
each = pytest.mark.parametrize(("name", "variant"), VARIANTS)


def build(name, where, text=None):
    """The ELF file of a benchmark, with `text` for its `pvops.inc`."""
    elf = where / "guest.elf"
    elf.write_bytes(assembled(NANO[name], pvops=text, where=where).elf())
    return elf


@pytest.fixture
def elf(name, variant, tmp_path):
    return build(name, tmp_path, PVOPS[variant]() if variant in PVOPS else None)


def run(elf, cost):
    """The machine after it has run the ELF to its end, and why it ended."""
    from toyisa.machine import Machine

    return drive(Machine(cost=cost), elf, BUDGET)


def drive(machine, elf, budget):
    machine.load(elf)
    machine.end_input()
    return machine, machine.run(budget=budget)


def check_console(name, console):
    """The console has the benchmark's readings, and checks that all went well."""
    short = name.removeprefix("nano/")
    keys = [f"{short}:{param}" for param in PARAMS.get(short, [])] or [short]
    assert list(readings.parse(console)) == keys
    others = [line for line in console.splitlines() if not line.startswith("nano ")]
    assert others
    assert all(line.startswith("ok   ") for line in others), console


@each
@pytest.mark.parametrize("cost", ["p4", "modern"])
def test_on_our_machine(name, variant, elf, cost):
    from toyisa.machine import Exit

    machine, end = run(elf, cost)
    assert end is Exit.HALTED, machine.reason
    assert machine.code == NANO[name].exit
    check_console(name, machine.output().decode())
    assert variant != "plain" or machine.instret < 3_000_000


@pytest.mark.parametrize("name", NANO)
def test_under_trap(name, tmp_path):
    from toyisa.machine import Exit
    from vmm.machine import VirtualMachine

    machine, end = drive(VirtualMachine(cost="p4", engine="trap"), build(name, tmp_path), BUDGET)
    assert end is Exit.HALTED, machine.reason
    assert machine.code == NANO[name].exit
    check_console(name, machine.output().decode())


# A leaky machine drops what deprivileged S writes to sstatus, and nothing traps.
@pytest.mark.parametrize("name", ["nano/irq_toggle", "nano/forkwait"])
def test_under_trap_a_leak_is_noticed(name, tmp_path):
    from toyisa.tables.levels import Profile
    from vmm.machine import VirtualMachine

    leaky = VirtualMachine(cost="p4", engine="trap", profile=Profile.LEAKY)
    machine, _ = drive(leaky, build(name, tmp_path), BUDGET)
    assert machine.code == 1
    assert "FAIL" in machine.output().decode()


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    return qemu.build_shim(tmp_path_factory.mktemp("shim"))


@qemu.needed
@each
def test_on_qemu(name, variant, elf, shim):
    output, code = qemu.run(shim, elf, None)
    check_console(name, output.decode())
    assert code == NANO[name].exit


# What Adams and Agesen measured on the machine of preset p4 (ASPLOS 2006): the anchors
# of its prices, see docs/costs.md.
ANCHORS = {
    "syscall": 243,
    "in": 3209,
    "irq_toggle": 151,
    "callret": 11,
    "pgfault": 1093,
    "illegal": 889,
}


@pytest.mark.parametrize("short", ANCHORS)
def test_bare_costs_are_the_published_ones(short, tmp_path):
    machine, _ = run(build(f"nano/{short}", tmp_path), "p4")
    reading = readings.parse(machine.output().decode())[short]
    assert reading.each == pytest.approx(ANCHORS[short], rel=0.1)


# And rdtsc by trap and emulation, and by a callout from translated code.
@pytest.mark.parametrize(
    ("engine", "options", "published"),
    [("trap", {}, 2030), ("bt", {"force": "trap"}, 2030), ("bt", {"force": "callout"}, 1254)],
)
def test_an_emulated_read_costs_what_is_published(engine, options, published, tmp_path):
    from vmm.machine import VirtualMachine

    machine = VirtualMachine(cost="p4", engine=engine, options=options)
    drive(machine, build("nano/time_read", tmp_path), BUDGET)
    reading = readings.parse(machine.output().decode())["time_read"]
    assert reading.each == pytest.approx(published, rel=0.1)


# Each benchmark, with an act that it measures or relies on done wrong.
FAKES = [
    ("csr_read", "READ_SSCRATCH", "li \\rd, 0"),
    ("csr_read", "WRITE_SSCRATCH", ""),
    ("irq_toggle", "IRQ_DISABLE", ""),
    ("irq_toggle", "IRQ_ENABLE", ""),
    ("timer_set", "SET_TIMER", ""),
    ("time_read", "READ_TIME_LOW", "li \\rd, 5"),
    ("in", "READ_DEVICE", "li \\rd, 0"),
    ("syscall", "WRITE_SEPC", ""),
    ("illegal", "WRITE_SEPC", ""),
    ("protfault", "WRITE_SEPC", ""),
    ("pgfault", "READ_STVAL", "li \\rd, 0x40000000"),
    ("pgfault", "FLUSH_TLB", ""),
    ("ptemod", "SET_PTE", "sw zero, 0(\\addr)"),
    ("ptemod", "FLUSH_TLB_PAGE", ""),
    ("ptemod_batch", "FLUSH_TLB", ""),
    ("ctxswitch", "WRITE_SATP", "li t0, 0x803fffff\nand t0, \\rs, t0\ncsrw satp, t0"),
    ("fork", "SET_PGD", ""),
    ("forkwait", "FLUSH_TLB", ""),
]


@pytest.mark.parametrize(("short", "operation", "instead"), FAKES)
def test_an_act_that_is_not_done_is_noticed(short, operation, instead, tmp_path):
    from toyisa.machine import Exit

    elf = build(f"nano/{short}", tmp_path, pvops.faked(operation, instead))
    machine, end = run(elf, "modern")
    assert (end, machine.code) != (Exit.HALTED, 0), machine.output().decode()
