"""What we read in an ELF file is what pyelftools reads, on files that GNU ld wrote."""

import shutil
import subprocess

import pytest
from elftools.elf.elffile import ELFFile

from toyisa.load import image
from toyisa.load.elf import Elf

TOOLS = ("riscv64-unknown-elf-as", "riscv64-unknown-elf-ld")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason="binutils for RISC-V are not installed"
)

SOURCE = """
    .globl _start
_start:
    la      t0, value
    lw      a0, 0(t0)
local:
    j       local
    .data
value:
    .word   4711
    .balign 8
    .globl tohost
tohost:
    .dword  0
    .section .debug_names, "", @progbits
nowhere:
    .word   0
    .bss
zeros:
    .space  4096
"""


@pytest.fixture
def linked(tmp_path):
    """Link SOURCE at an address with extra options; the path of the ELF."""

    def link(*options, march="rv32ima_zicsr", entry=""):
        source, obj, out = tmp_path / "a.S", tmp_path / "a.o", tmp_path / "a.elf"
        source.write_text(SOURCE.replace("_start:", f"_start: {entry}"))
        subprocess.run([TOOLS[0], f"-march={march}", "-mabi=ilp32", source, "-o", obj], check=True)
        subprocess.run([TOOLS[1], "-melf32lriscv", *options, obj, "-o", out], check=True)
        return out

    return link


def test_segments_symbols_and_attributes_as_pyelftools_reads_them(linked):
    path = linked("-Ttext=0x80000000", "-n")
    ours = Elf(path.read_bytes())
    with path.open("rb") as file:
        theirs = ELFFile(file)
        headers = [segment.header for segment in theirs.iter_segments()]
        for mine, header in zip(ours.segments(), headers, strict=True):
            for name in mine._fields[1:]:  # the type is a word there, a number here
                assert getattr(mine, name) == header[f"p_{name}"]
        table = theirs.get_section_by_name(".symtab")
        expected = sorted(
            (symbol["st_value"], symbol.name)
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] in ("STT_NOTYPE", "STT_OBJECT", "STT_FUNC")
            and symbol["st_shndx"] not in ("SHN_UNDEF", "SHN_ABS")
            and theirs.get_section(symbol["st_shndx"])["sh_flags"] & 2
            and symbol.name
            and not symbol.name.startswith("$")
        )
        (attributes,) = theirs.get_section_by_name(".riscv.attributes").subsections
        (section,) = attributes.subsubsections
        arch = next(a.value for a in section.iter_attributes() if a.tag == "TAG_ARCH")
    assert ours.symbols() == expected
    assert ours.arch() == arch


def test_tohost_is_found(linked):
    loaded = image.read(linked("-Ttext=0x80000000", "-n"), 0x8000_0000, 1 << 20)
    assert (loaded.tohost, "tohost") in loaded.symbols


def test_the_fixes_that_errors_name_work(linked):
    """Headers before the text land below RAM; `-n` is the fix that we print."""
    with pytest.raises(image.ImageError, match=r"outside RAM.*-Ttext=0x80000000 -n"):
        image.read(linked("-Ttext=0x80000000"), 0x8000_0000, 1 << 20)
    with pytest.raises(image.ImageError, match="is an object file"):
        image.read(linked("-r"), 0x8000_0000, 1 << 20)


def test_code_that_begins_compressed_is_refused(linked):
    options = ("-Ttext=0x80000000", "-n")
    with pytest.raises(image.ImageError, match="begins with a compressed instruction"):
        image.read(linked(*options, march="rv32imac", entry="c.nop"), 0x8000_0000, 1 << 20)
    assert image.read(linked(*options, march="rv32imac"), 0x8000_0000, 1 << 20).entry
