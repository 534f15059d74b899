"""GNU `as` makes the same bytes of our guests' sources as our assembler does."""

import pytest

import guests
from tests.guests.build import assembled
from tests.unit.asm import gnu


@gnu.needed
@pytest.mark.parametrize("guest", guests.catalogue().values(), ids=lambda guest: guest.name)
@pytest.mark.parametrize("map_4k", [0, 1])
def test_same_bytes(guest, map_4k, tmp_path):
    flags = ["-I", str(guests.ROOT), "--defsym", f"MAP_4K={map_4k}"]
    theirs = gnu.link(guest.source.read_text(), tmp_path, flags=flags)
    program = assembled(guest, defines={"MAP_4K": map_4k})
    ours = {section.name: bytes(section.data) for section in program.sections if section.loaded}
    for name, data in theirs.items():
        assert ours.get(name, b"") == data, name
