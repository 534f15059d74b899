"""The ELF file as readers that we did not write see it."""

import io
from itertools import pairwise

import pytest
from elftools.elf.elffile import ELFFile

from asm import assemble_text, write_atomically
from tests.unit.asm import gnu

SOURCE = """
.globl _start, table
.equ SIZE, 16
_start:
    la   sp, top
    call work
1:  j    1b
.type work, @function
work:
    lw   a0, table
    ret
.size work, . - work
.Lhidden:
.section .rodata
table: .word work, SIZE
.data
.balign 64
variable: .word 5
.bss
.space 4096
top:
.section .remark,"",@progbits
.ascii "not loaded"
"""


@pytest.fixture
def program():
    return assemble_text(SOURCE, "dir/source.S")


@pytest.fixture
def elf(program):
    return ELFFile(io.BytesIO(program.elf()))


def test_header(elf, program):
    assert elf.get_machine_arch() == "RISC-V"
    assert elf.elfclass == 32
    assert elf.little_endian
    assert elf["e_type"] == "ET_EXEC"
    assert elf["e_entry"] == program.entry == 0x8000_0000


def test_segments_hold_the_sections(elf, program):
    loads = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
    for section in program.sections:
        if not section.loaded or not section.size:
            continue
        (home,) = [
            s for s in loads
            if s["p_vaddr"] <= section.address
            and section.address + section.size <= s["p_vaddr"] + s["p_memsz"]
        ]  # fmt: skip
        assert home["p_offset"] % home["p_align"] == home["p_vaddr"] % home["p_align"]
        assert bool(home["p_flags"] & 1) == section.code
        assert bool(home["p_flags"] & 2) == ("w" in section.flags)
        if section.type == "progbits":
            start = section.address - home["p_vaddr"]
            assert home.data()[start : start + section.size] == section.data
    assert loads[-1]["p_filesz"] < loads[-1]["p_memsz"]  # .bss takes no bytes


def test_symbols(elf, program):
    table = elf.get_section_by_name(".symtab")
    (work,) = table.get_symbol_by_name("work")
    assert (work["st_size"], work["st_info"]["type"], work["st_info"]["bind"]) == (
        12,
        "STT_FUNC",
        "STB_LOCAL",
    )
    (start,) = table.get_symbol_by_name("_start")
    assert start["st_info"]["bind"] == "STB_GLOBAL"
    assert elf.get_section(start["st_shndx"]).name == ".text"
    (size,) = table.get_symbol_by_name("SIZE")
    assert (size["st_shndx"], size["st_value"]) == ("SHN_ABS", 16)
    assert table.get_symbol_by_name(".Lhidden") is None
    bindings = [symbol["st_info"]["bind"] for symbol in table.iter_symbols()]
    assert bindings.index("STB_GLOBAL") == table["sh_info"]
    assert "STB_LOCAL" not in bindings[table["sh_info"] :]
    assert program.symbols["top"].value == elf.get_section_by_name(".bss")["sh_addr"] + 4096


def test_sections_follow_each_other(program):
    loaded = [section for section in program.sections if section.loaded]
    assert [section.name for section in loaded] == [".text", ".rodata", ".data", ".bss"]
    for before, after in pairwise(loaded):
        gap = after.address - before.address - before.size
        assert 0 <= gap < max(after.align, 16)
        assert after.address % after.align == 0


def test_pages_are_not_shared_when_asked():
    program = assemble_text(SOURCE, page_align=True)
    loaded = [section for section in program.sections if section.loaded]
    pages = [(s.address >> 12, s.address + s.size - 1 >> 12, s.flags) for s in loaded]
    for _, last, flags in pages:
        assert all(f == flags or not (a <= last <= b) for a, b, f in pages)


def test_line_table(elf):
    line_program = next(
        elf.get_dwarf_info().line_program_for_CU(unit) for unit in elf.get_dwarf_info().iter_CUs()
    )
    states = [entry.state for entry in line_program.get_entries() if entry.state]
    found = {state.address: state.line for state in states if not state.end_sequence}
    assert found[0x8000_0000] == 5  # la
    assert found[0x8000_0008] == 6  # call
    assert found[0x8000_0010] == 7
    assert found[0x8000_0014] == 10


def test_lines_say_where_macros_are_used():
    program = assemble_text(".macro two\n nop\n nop\n.endm\n two\n.rept 2\n nop\n.endr\n")
    assert [(line.number, line.size) for line in program.lines] == [(5, 4), (5, 4), (7, 4), (7, 4)]
    assert program.line_at(0x8000_0007).number == 5
    assert program.line_at(0x8000_0010) is None


def test_listing_shows_addresses_and_words():
    text = assemble_text(SOURCE).listing()
    assert "    7 80000010 0000006f          1:  j    1b" in text
    assert "80000000 global .text        _start" in text


@gnu.needed
def test_readelf_and_objdump_read_it(tmp_path, program):
    path = tmp_path / "out.elf"
    write_atomically(path, program.elf())
    output = gnu.run("readelf", "-a", "--debug-dump=info,decodedline", "-W", path)
    assert "arning" not in output
    assert "rror" not in output
    shown = gnu.run("objdump", "-d", "-l", path)
    assert "dir/source.S:5" in shown
    assert "<work>:" in shown


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "out"
    write_atomically(path, b"whole")
    monkeypatch.setattr("os.replace", _fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"other")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def _fail(*_):
    raise OSError(28, "No space left on device")
