"""What the machine calls itself is made of its rows' extensions, as other tools spell them."""

import re

from toyisa.load import fdt
from toyisa.tables import extensions
from toyisa.tables.csrs import CSRS
from toyisa.tables.extensions import EXTENSIONS, Extension, is_whole
from toyisa.tables.insns import BY_NAME, INSNS
from toyisa.tables.lacking import explain


def test_the_names_of_this_machine():
    """What tools and guests are told; extensions of which there is a part only may follow."""
    assert extensions.BASE == "rv32i"
    assert extensions.FOR_KERNELS == ("i", "m", "a", "zicntr", "zicsr", "zifencei", "sstc")
    assert extensions.MARCH == "rv32ima_zicsr_zifencei"
    assert extensions.FOR_ASSEMBLERS.startswith(extensions.MARCH)
    assert extensions.FOR_EMULATORS.startswith("rv32ima_zicntr_zicsr_zifencei")
    assert extensions.ATTRIBUTE.startswith("rv32i2p1_m2p0_a2p1_zicsr2p0_zifencei2p0")
    assert extensions.ELF_FLAGS == 0


def test_every_row_is_of_an_extension_that_is_listed():
    rows = {row.ext for row in (*INSNS, *CSRS)}
    assert rows <= extensions.NAMES
    for extension in EXTENSIONS:
        there = extension.name in rows or extension.part_of in rows
        assert there or extension.whole, f"{extension.name}: listed as whole, but no row is of it"


def test_of_an_extension_in_part_no_kernel_is_told_and_no_compiler():
    for extension in EXTENSIONS:
        if extension.known and extension.name in extensions.NAMED:
            name = extension.name.lower()
            assert (name in extensions.FOR_KERNELS) == is_whole(extension), name
            if extension.name in extensions.IN_CODE and len(name) > 1:
                assert (f"_{name}" in extensions.MARCH) == is_whole(extension), name
                assert f"_{name}" in extensions.FOR_ASSEMBLERS


def test_an_extension_is_whole_with_its_last_instruction():
    assert is_whole(Extension("M", "2.0", "-", ("mul", "rem")))
    assert not is_whole(Extension("M", "2.0", "-", ("mul", "andn")))
    assert not is_whole(Extension("M", "2.0", "-", ("mul", "add")))  # there, but of another


def test_a_kernel_is_told_by_the_tree():
    cpu = fdt.machine_tree(8 << 20)["cpus"]["cpu@0"]
    assert cpu["riscv,isa"] == extensions.joined(extensions.FOR_KERNELS)
    assert cpu["riscv,isa-extensions"].rstrip(b"\0").decode().split("\0") == list(
        extensions.FOR_KERNELS
    )


def test_single_letters_stand_together_before_names():
    assert re.fullmatch(r"rv32[a-z]+(_[a-z]{2,}\w*)*", extensions.FOR_EMULATORS)
    assert extensions.joined(("i", "zba")) == "rv32i_zba"


def test_what_is_lacking_names_what_to_build_with():
    assert extensions.LETTERS in explain(0x00A5051B)  # addiw
    assert explain(BY_NAME["add"].match) is None
