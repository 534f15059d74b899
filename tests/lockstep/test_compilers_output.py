"""Our assembler takes compilers' output unchanged: the programs print what they print on the
host.
"""

import io
from itertools import product

import pytest
from elftools.elf.elffile import ELFFile

from asm import assemble
from tests.cprograms import (
    COMPILERS,
    LEVELS,
    PROGRAMS,
    as_assembly,
    host_output,
    missing,
)

BUDGET = 60_000_000
BY_NAME = {program.name: program for program in PROGRAMS}

# Few, so that each level, debug sections, jump tables and merged strings are met.
CHOSEN = [
    ("zig", "bytecode", ("-O0", "-g")),
    ("zig", "sha256", ("-O3",)),
    ("zig", "parser", ("-O2", "-g", "-ffunction-sections", "-fdata-sections")),
    ("zig", "allocator", ("-O1", "-g")),
    ("gcc", "bytecode", ("-O2", "-g")),
    ("gcc", "parser", ("-Os", "-g", "-ffunction-sections")),
    ("gcc", "hashtable", ("-O0",)),
    ("clang", "bytecode", ("-Os", "-g")),
]
EVERY = [
    (compiler, name, (level, *debug))
    for compiler, name, level, debug in product(COMPILERS, BY_NAME, LEVELS, ((), ("-g",)))
]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("compilers")


def built(compiler, name, options, out):
    """The program of a compiler's assembly; skips where the compiler is missing."""
    reason = missing(compiler)
    if reason:
        pytest.skip(reason)
    return assemble(as_assembly(BY_NAME[name], compiler, options, out))


def runs(compiler, name, options, out) -> None:
    from toyisa.machine import Exit, Machine

    program = BY_NAME[name]
    m = Machine()
    m.load(built(compiler, name, options, out).elf())
    assert (m.run(budget=BUDGET), m.code) == (Exit.HALTED, 0)
    assert m.output().decode() == host_output(program, program.test_rounds, out)


def _called(case) -> str:
    return f"{case[0]}-{case[1]}{''.join(case[2])}"


@pytest.mark.parametrize("case", CHOSEN, ids=_called)
def test_a_program_as_a_compiler_wrote_it(out, case):
    runs(*case, out)


@pytest.mark.slow
@pytest.mark.parametrize("case", EVERY, ids=_called)
def test_every_program_at_every_level(out, case):
    runs(*case, out)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_debuggers_read_what_the_compiler_says(out, compiler):
    """Functions, lines and variables of the C source, by a reader that we did not write."""
    program = built(compiler, "crc", ("-O1", "-g"), out)
    elf = ELFFile(io.BytesIO(program.elf()))
    info = elf.get_dwarf_info()
    (unit,) = info.iter_CUs()
    wanted = {"DW_AT_low_pc", "DW_AT_name"}
    functions = {
        die.attributes["DW_AT_name"].value.decode(): die.attributes["DW_AT_low_pc"].value
        for die in unit.iter_DIEs()
        if die.tag == "DW_TAG_subprogram" and wanted <= die.attributes.keys()
    }
    assert functions["main"] == program.symbols["main"].value
    table = info.line_program_for_CU(unit)
    base = 0 if table["version"] >= 5 else 1  # file numbers begin there
    names = [entry.name.decode() for entry in table["file_entry"]]
    rows = [entry.state for entry in table.get_entries() if entry.state is not None]
    code = {section.name: section for section in program.sections if section.code}
    assert all(any(s.address <= row.address <= s.end for s in code.values()) for row in rows)
    first = [row for row in rows if row.address == functions["main"]]
    at_main = [(names[row.file - base], row.line) for row in first]
    # Line 26 is `int main(void)`, line 27 its brace.
    assert any(name.endswith("crc.c") and line in (26, 27) for name, line in at_main), at_main
    # Location lists and ranges, with their numbers of variable length, are well formed.
    lists = info.location_lists()
    if lists is not None:
        assert all(len(found) < 1000 for found in lists.iter_location_lists())


def test_a_compilers_lines_do_not_hide_ours(out):
    """Errors and crash reports still quote the entry's own lines."""
    program = built("zig", "crc", ("-O1", "-g"), out)
    line = program.line_at(program.symbols["_start"].value)
    assert line is not None
    assert line.path.endswith(".S")
