"""The guests print what their golden files say: on QEMU, and on our machine.

Each runs as it is, and with operations that change every register that they may change, as
hypercalls do; `toyix` also with table updates that take effect as late as they may, and with
RAM mapped by 4 KiB pages.
"""

import pytest

import guests
from tests.guests import pvops, qemu
from tests.guests.build import assembled

GUESTS = guests.catalogue()
SHOWN = [guest for guest in GUESTS.values() if guest.golden]
VARIANTS = [(guest, variant) for guest in SHOWN for variant in ("plain", "poisoned")]
VARIANTS += [(GUESTS["toyix"], "deferring"), (GUESTS["toyix"], "map4k")]
PVOPS = {"poisoned": pvops.poisoned, "deferring": pvops.deferring}
each = pytest.mark.parametrize(
    ("guest", "variant"), VARIANTS, ids=lambda value: getattr(value, "name", value)
)


@pytest.fixture
def elf(guest, variant, tmp_path):
    """The variant's ELF file."""
    program = assembled(
        guest,
        pvops=PVOPS[variant]() if variant in PVOPS else None,
        where=tmp_path,
        defines={"MAP_4K": 1} if variant == "map4k" else None,
    )
    (tmp_path / "guest.elf").write_bytes(program.elf())
    return tmp_path / "guest.elf"


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    return qemu.build_shim(tmp_path_factory.mktemp("shim"))


@qemu.needed
@each
def test_on_qemu(guest, elf, shim):
    output, code = qemu.run(shim, elf, guest.input)
    assert output.decode() == guest.golden.read_text()
    assert code == guest.exit


def run(guest, elf, cost):
    """The machine after it has run the guest's ELF to its end."""
    from toyisa.machine import Exit, Machine

    machine = Machine(mem=16 << 20, cost=cost)
    machine.load(elf)
    machine.feed(guest.input.read_bytes() if guest.input else b"")
    machine.end_input()
    assert machine.run(budget=guest.budget) is Exit.HALTED, machine.reason
    return machine


# The first preset's TLB forgets everything when satp is written.  The second's is large and tagged,
# and so shows where a kernel has not flushed what it should have.
@each
@pytest.mark.parametrize("cost", ["p4", "modern"])
def test_on_our_machine(guest, elf, cost):
    machine = run(guest, elf, cost)
    assert machine.output().decode() == guest.golden.read_text()
    assert machine.code == guest.exit
    assert machine.instret < guest.budget // 4


@pytest.mark.parametrize(("guest", "variant"), [(GUESTS["toyix"], "plain")], ids=["toyix"])
def test_same_digest_each_time(guest, elf):
    digests = [run(guest, elf, "p4").digest() for _ in range(2)]
    assert digests[0] == digests[1]
