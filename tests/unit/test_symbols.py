"""Names from files beside an image: an ELF or a System.map, accepted or refused."""

import pytest

from asm.assembler import assemble_text
from tests.unit.cli.command import toyvmm
from tests.unit.test_kernel import small_kernel
from toyisa.load import symbols
from toyisa.load.image import ImageError
from toyisa.machine import Machine

MAP = """\
80400000 T _start
80400010 t work
80400010 t $x
80400014 t .L0
00000040 A CONSTANT
         U missing
c0000000 D high

"""


def test_a_system_map(tmp_path):
    (tmp_path / "map").write_text(MAP)
    found = symbols.read(tmp_path / "map")
    assert found == ((0x80400000, "_start"), (0x80400010, "work"), (0xC0000000, "high"))
    assert [symbols.name(found, at) for at in (0, 0x80400000, 0x80400014)] == [
        "0x0", "_start", "work+0x4"]  # fmt: skip


def test_an_elf_adds_to_what_is_known(tmp_path):
    elf = assemble_text(".globl _start\n_start: nop\nother: nop\n").elf()
    (tmp_path / "elf").write_bytes(elf)
    machine = Machine(mem=1 << 20)
    machine.symbols = ((0x80000000, "_start"), (0x90000000, "known"))
    machine.add_symbols(tmp_path / "elf")
    names = {name: at for at, name in machine.symbols}
    assert (names["known"], names["other"]) == (0x90000000, 0x80000004)
    assert len(machine.symbols) == len(set(machine.symbols))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no symbols"),
        (b"00000040 A CONSTANT\n", "has no symbols"),
        (b"80000000 T ok\nhello\n", "file:2: is neither an ELF nor a line of a System.map"),
        (b"ffffffff80000000 T wide\n", "file:1: is neither"),
        (b"\x7fELF\2\1" + bytes(80), "64-bit ELF"),
        (b"\x7fELF\1\1" + b"\xff" * 80, "truncated or damaged"),
        (b"\x00\xff\n" * 40, "file:1: is neither"),
    ],
)
def test_refused(tmp_path, content, reason):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ImageError, match=reason):
        symbols.read(tmp_path / "file")


def test_a_crash_of_a_kernel_image_is_named(tmp_path):
    (tmp_path / "Image").write_bytes(small_kernel("li t0, 0x1000\n csrw stvec, t0\n .word 0"))
    (tmp_path / "map").write_text("80400000 T entry_of_the_kernel\n")
    run = ("run", "--kernel", "Image", "--input", "/dev/null")
    plain = toyvmm(*run, cwd=tmp_path).stderr.decode()
    named = toyvmm(*run, "--symbols", "map", "--trace", "trap", cwd=tmp_path).stderr.decode()
    assert "entry_of_the_kernel" not in plain
    crash = [line for line in named.splitlines() if "trap: illegal" in line]
    trace = [line for line in named.splitlines() if line.startswith("trap illegal")]
    assert "entry_of_the_kernel+0x" in crash[0]
    assert "entry_of_the_kernel+0x" in trace[0]
    assert toyvmm(*run, "--symbols", "none", cwd=tmp_path).returncode == 2
