"""The guests show what their golden files say: on QEMU, and on our machine.

Each runs as it is, and with operations that change every register they may
change, as hypercalls will; `toyix` also with table updates that take effect as
late as they may, and with RAM mapped by 4 KiB pages.
"""

import pytest

import guests
from tests.guests import pvops, qemu
from tests.guests.build import assembled

GUESTS = guests.catalogue()
VARIANTS = [(guest, variant) for guest in GUESTS.values() for variant in ("plain", "poisoned")]
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


@each
def test_on_our_machine(guest, elf):
    from toyisa.machine import Exit, Machine

    digests = set()
    for _ in range(2):
        machine = Machine(mem=16 << 20)
        machine.load(elf)
        machine.feed(guest.input.read_bytes() if guest.input else b"")
        machine.end_input()
        assert machine.run(budget=guest.budget) is Exit.HALTED, machine.reason
        assert machine.output().decode() == guest.golden.read_text()
        assert machine.code == guest.exit
        assert machine.instret < guest.budget // 4
        digests.add(machine.digest())
    assert len(digests) == 1
