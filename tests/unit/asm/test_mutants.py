"""Sources with random changes: an answer for each, and the bytes of GNU `as` where both accept
it.
"""

import random
import subprocess

import pytest

import guests
from asm import AsmErrors, assemble_text
from tests.unit.asm import gnu
from tests.unit.asm.mutants import SNIPPETS, mutant, sources

NOP = b"\x13\0\0\0"
_OWN = [path.read_text() for path in sources()]


def of(seed: int, bases: list[str]) -> str:
    rng = random.Random(seed)
    return mutant(rng.choice(bases), rng)


def assembled(source: str):
    """The program, or None if it has errors; any other exception is a fault of ours."""
    try:
        program = assemble_text(
            source, str(guests.ROOT / "kernels" / "x.S"), include_dirs=[guests.ROOT]
        )
    except AsmErrors as errors:
        str(errors)
        return None
    assert program.elf()
    assert program.listing()
    return program


def _survive(seeds: range) -> None:
    taken = 0
    for seed in seeds:
        bases = list(SNIPPETS) if seed % 2 else _OWN
        taken += assembled(of(seed, bases)) is not None
    assert taken > len(seeds) // 4  # else it is the changes that are wrong


def test_no_mutant_ends_in_a_traceback():
    _survive(range(80))


@pytest.mark.slow
def test_no_mutant_of_thousands_ends_in_a_traceback():
    _survive(range(1000, 6000))


def theirs(source: str, where) -> dict[str, bytes] | None:
    """The sections that GNU `as` and `ld` make; None if they refuse."""
    try:
        return gnu.link(source, where)
    except AssertionError:
        return None


# What both accept, but lay out differently for reasons in docs/assembler.md: data in code is
# aligned here, and the linker has a place of its own for sections that it does not know.
def _comparable(program, source: str) -> bool:
    code = [section for section in program.sections if section.code]
    data_in_code = any(mode == "d" for section in code for _, mode in section.mapping)
    return not data_in_code and ".x" not in source.lower() and ".text.init" not in source.lower()


def _same(seeds: range, where) -> int:
    compared = 0
    for seed in seeds:
        source = of(seed, list(SNIPPETS))
        program = assembled(source)
        if program is None or not _comparable(program, source):
            continue
        other = theirs(source, where)
        if other is None:
            continue
        ours = {section.name: bytes(section.data) for section in program.sections}
        for name, data in other.items():
            mine = ours.get(name, b"")
            if name == ".text" and len(mine) < len(data):
                mine += NOP * ((len(data) - len(mine)) // 4)
            assert mine.hex(" ", 4) == data.hex(" ", 4), f"seed {seed}, {name}:\n{source}"
        compared += 1
    return compared


@gnu.needed
def test_mutants_have_the_bytes_of_gnu(tmp_path):
    assert _same(range(60), tmp_path) > 15


@gnu.needed
@pytest.mark.slow
def test_thousands_of_mutants_have_the_bytes_of_gnu(tmp_path):
    assert _same(range(1000, 4000), tmp_path) > 700


def test_the_snippets_are_taken_as_they_are():
    for source in SNIPPETS:
        assert assembled(source) is not None, source


@gnu.needed
def test_the_snippets_are_taken_by_gnu_too(tmp_path):
    for source in SNIPPETS:
        (tmp_path / "in.s").write_text(source)
        command = [gnu.PREFIX + "as", *gnu.FLAGS, tmp_path / "in.s", "-o", tmp_path / "in.o"]
        assert subprocess.run(command, check=False).returncode == 0, source
