"""Raw kernel Images: what is refused, where things go, what the kernel finds when it starts."""

import struct

import pytest

from asm.assembler import assemble_text
from toyisa.load import fdt, kernel
from toyisa.load.elf import Elf
from toyisa.load.image import ImageError
from toyisa.machine import Exit, Machine

BASE, MIB = 0x8000_0000, 1 << 20
NOP = 0x13


def header(code0=NOP, offset=4 * MIB, size=0x5000, flags=0, magic=b"RSC\5"):
    return struct.pack("<IIQQQII8s8s4sI", code0, 0, offset, size, flags, 2, 0, b"", b"RISCV",
                       magic, 0)  # fmt: skip


def test_the_layout_from_the_top_down():
    placed = kernel.place(header() + bytes(0x1000), "k", (BASE, 16 * MIB), 3000, bytes(5000))
    assert placed.entry == placed.kernel.paddr == BASE + 4 * MIB
    assert placed.kernel.memsz == 0x5000  # bss included
    assert placed.device_tree == BASE + 16 * MIB - 4096
    assert placed.initrd.paddr == placed.device_tree - 8192
    assert placed.initrd.memsz == 5000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not a RISC-V kernel Image"),
        (header(magic=b"ARM\x64"), "is not a RISC-V kernel Image"),
        (header(offset=2**63), "which no machine here has"),
        (header(offset=1 * MIB), "not a multiple of 2 MiB"),
        (header(code0=0x106F5A4D), "built with the C extension"),
        (header(flags=1), "big-endian"),
        (header(size=13 * MIB), "does not fit into 16 MiB"),
        (header(size=2**64 - 1), "which no machine here has; build it again"),
        (b"\x7fELF" + bytes(100), "is an ELF file"),
        (b"\x1f\x8b" + bytes(100), "gunzip"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(ImageError, match=reason):
        kernel.place(data, "k", (BASE, 16 * MIB), 4000)


def test_two_mebibytes_are_a_place():
    assert kernel.place(header(offset=2 * MIB), "k", (BASE, 16 * MIB), 4000).entry == BASE + 2 * MIB


def test_an_initrd_that_does_not_fit():
    with pytest.raises(ImageError, match="and its initrd do not fit"):
        kernel.place(header(), "k", (BASE, 16 * MIB), 4000, bytes(13 * MIB))


def small_kernel(body: str) -> bytes:
    """An Image in assembly: its header is data behind a jump."""
    source = f"""
        .globl _start
        _start: j begin
            .word 0, 0x400000, 0, 0x2000, 0, 0, 0, 2, 0, 0, 0, 0x43534952, 0x56, 0x05435352, 0
        begin: {body}
            li a7, 8
            ecall
        print:  li a7, 1
            lbu a0, 0(s0)
            beqz a0, done
            ecall
            addi s0, s0, 1
            j print
        done:   ret
    """
    elf = Elf(assemble_text(source).elf())
    return b"".join(elf.piece(s.offset, s.filesz, "it") for s in elf.segments() if s.filesz)


def test_a_kernel_starts_at_its_place_with_the_tree_in_a1():
    # It prints "y" if the tree's magic is where a1 points, with pc and a0 as promised.
    body = """
        auipc t0, 0
        lw t1, 0(a1)
        li t2, 0xedfe0dd0
        bne t1, t2, 1f
        bnez a0, 1f
        srli t0, t0, 20
        li t1, 0x804
        bne t0, t1, 1f
        li a0, 'y'
        li a7, 1
        ecall
    1:  nop
    """
    machine = Machine(mem=8 * MIB)
    machine.load_kernel(small_kernel(body), append="quiet")
    assert machine.run(1000) is Exit.HALTED
    assert machine.output() == b"y"


def test_the_tree_names_initrd_command_line_and_disks(tmp_path):
    from toyisa.devices.disk import Disk

    (tmp_path / "image").write_bytes(bytes(512))
    machine = Machine(mem=8 * MIB)
    machine.attach(Disk(tmp_path / "image"))
    machine.load_kernel(small_kernel("nop"), b"the initrd", "root=/dev/vda ro")
    at = int(machine.hart.x[11]) - BASE
    start = BASE + at - 4096
    tree = fdt.flatten(fdt.machine_tree(8 * MIB, "root=/dev/vda ro", (start, start + 10), (0,)))
    assert machine.ram[at : at + len(tree)].tobytes() == tree
    assert machine.ram[start - BASE : start - BASE + 10].tobytes() == b"the initrd"
    assert b"root=/dev/vda ro\0" in tree
    assert b"virtio_mmio@10001000\0" in tree


def test_a_device_tree_compiler_reads_the_tree(tmp_path):
    import shutil
    import subprocess

    if not shutil.which("dtc"):
        pytest.skip("dtc is not installed")
    tree = fdt.flatten(fdt.machine_tree(8 * MIB, "quiet", (BASE, BASE + 1), (0, 1)))
    done = subprocess.run(["dtc", "-I", "dtb", "-O", "dts"], input=tree, capture_output=True)
    assert done.returncode == 0
    assert done.stderr == b"", done.stderr.decode()
    text = done.stdout.decode()
    assert "interrupts-extended = <0x01 0xffffffff 0x01 0x09>" in text
    assert "serial@10000000" in text
    assert 'riscv,isa = "rv32ima_zicntr_zicsr_zifencei_sstc";' in text
    assert 'riscv,isa-base = "rv32i";' in text
    named = '"i", "m", "a", "zicntr", "zicsr", "zifencei", "sstc"'
    assert f"riscv,isa-extensions = {named};" in text.replace("\\0", '", "')
    more = fdt.flatten(fdt.machine_tree(8 * MIB, svade=True))
    assert b"rv32ima_zicntr_zicsr_zifencei_sstc_svade\0" in more
    assert b"sstc\0svade\0" in more
