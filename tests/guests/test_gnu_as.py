"""GNU `as` makes the same bytes of our guests' sources as our assembler does."""

import pytest

import guests
from tests.guests.build import assembled
from tests.unit.asm import gnu


@gnu.needed
@pytest.mark.parametrize("guest", guests.catalogue().values(), ids=lambda guest: guest.name)
@pytest.mark.parametrize("defines", [{"MAP_4K": 0}, {"MAP_4K": 1}, guests.BUILDS["pv"]], ids=str)
def test_same_bytes(guest, defines, tmp_path):
    flags = ["-I", str(guests.ROOT)]
    for name, number in defines.items():
        flags += ["--defsym", f"{name}={number}"]
    theirs = gnu.link(guest.source.read_text(), tmp_path, flags=flags)
    program = assembled(guest, defines=defines)
    ours = {section.name: bytes(section.data) for section in program.sections if section.loaded}
    for name, data in theirs.items():
        assert ours.get(name, b"") == data, name
