"""Our own guests' sources: the bytes that GNU `as` and `ld` make of them."""

import tomllib
from pathlib import Path

import pytest

import asm
from tests.unit.asm import gnu

GUESTS = Path(__file__).parents[3] / "guests"
ENTRIES = {
    name: GUESTS / entry["source"]
    for name, entry in tomllib.loads((GUESTS / "guests.toml").read_text()).items()
    if isinstance(entry, dict) and entry.get("source", "").endswith(".S")
}
INCLUDES = [GUESTS]


@gnu.needed
@pytest.mark.parametrize("name", ENTRIES)
def test_guest(name, tmp_path):
    program = asm.assemble(ENTRIES[name], include_dirs=INCLUDES)
    assert not program.warnings, "\n".join(map(str, program.warnings))
    ours = {section.name: bytes(section.data) for section in program.sections}
    source = f'.include "{ENTRIES[name]}"\n'
    theirs = gnu.link(source, tmp_path, flags=[f"-I{directory}" for directory in INCLUDES])
    for section, data in theirs.items():
        mine = ours.get(section, b"")
        # They pad a section to its alignment.
        assert mine == data[: len(mine)], section
        assert len(data) - len(mine) < 4096
