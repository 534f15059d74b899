"""What compilers, courses and GNU `as` also use: done, or refused by its name."""

import io
import re
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from asm import AsmErrors, assemble_text
from asm.accepted import DIRECTIVES as ACCEPTED
from asm.directives import DIRECTIVES
from tests.unit.asm.test_errors import only

DOCS = Path(__file__).parents[3] / "docs" / "assembler.md"

# Every directive that GNU as 2.40 for RISC-V knows (asked one by one), and clang's own.
GNU = """
abort align altmacro ascii asciz attach_to_group balign balignw balignl cfi_startproc cfi_endproc
cfi_fde_data cfi_inline_lsda cfi_label cfi_negate_ra_state cfi_personality_id cfi_val_encoded_addr
cfi_val_offset cfi_window_save cfi_def_cfa cfi_def_cfa_offset cfi_def_cfa_register cfi_offset
cfi_rel_offset cfi_restore cfi_sections cfi_undefined cfi_same_value cfi_remember_state
cfi_restore_state cfi_adjust_cfa_offset cfi_escape cfi_personality cfi_lsda cfi_return_column
cfi_register cfi_signal_frame comm common common.s dc dc.a dc.b dc.d dc.l dc.s dc.w dc.x dcb dcb.b
dcb.d dcb.l dcb.s dcb.w dcb.x debug double ds ds.b ds.d ds.l ds.p ds.s ds.w ds.x eject else elsec
elseif end endc endfunc endif endm endr equ equiv eqv err error exitm extern fail file fill float
float16 format func global globl hword if ifb ifc ifdef ifeq ifeqs ifge ifgt ifle iflt ifnb ifnc
ifndef ifne ifnes ifnotdef incbin include int irp irep irpc irepc lcomm lflags line linefile
linkonce list llen loc loc_mark_labels local long lsym macro mexit mri name noaltmacro noformat
nolist nop nops octa offset org p2align p2alignw p2alignl page plen popsection previous print psize
purgem pushsection quad reloc rept rep rva sbttl section set single size skip sleb128 short space
spc stabd stabn stabs string string8 string16 string32 string64 struct subsection symver text title
ttl type uleb128 version vtable_inherit vtable_entry weak weakref word xdef xref xstabs zero 2byte
4byte 8byte hidden internal protected ident option half dword dtprelword dtpreldword bss data insn
attribute variant_cc gnu_attribute byte addrsig addrsig_sym
"""


def test_every_directive_of_gnu_as_is_known():
    assert {f".{name}" for name in GNU.split()} - DIRECTIVES.keys() == set()


def test_what_is_refused_is_listed():
    text = DOCS.read_text()
    for name, directive in ACCEPTED.items():
        if "refuse" in directive.__qualname__:
            assert f"`{name}`" in text, name
            problem = only(f" nop\n {name} 1\n")
            assert problem.what == f"`{name}` is not supported"
            assert problem.why


SLIPS = [".oct", ".octaa", ".prnt", ".cfi_startprc", ".foo", ".x", ".local8"]


@pytest.mark.parametrize("name", SLIPS)
def test_hints_are_close_or_absent(name):
    hint = re.search(r"`(.*)`", only(f" nop\n {name} x\n").fix)
    assert hint is None or abs(len(hint[1]) - len(name)) <= 1
    assert ".local" not in only(" nop\n .octae 1\n").fix


EMPTY = [
    ".section .text.init\n_start: nop\n", "_start: nop\n.data\n", "_start: nop\n.bss\nlabel:\n",
    "_start: nop\n.bss\n.balign 8\n", "_start: nop\n.pushsection .data\n.popsection\n",
    ".section .text.init,\"ax\"\n_start: nop\n", ".data\nx: .word 1\n", ".bss\n.space 4\n",
    "_start: nop\n.section .foo,\"aw\",@nobits\n.section .debug_foo\n.section .init_array,\"aw\"\n",
    ".section .a,\"a\"\n.section .b,\"ax\"\nnop\n.section .c,\"a\"\n",
]  # fmt: skip


@pytest.mark.parametrize("source", EMPTY)
def test_sections_without_bytes(source):
    program = assemble_text(source)
    assert program.elf()
    assert program.listing()
    assert program.lines
    assert program.line_at(program.sections[0].address + 1000) is None
    code = [section for section in program.sections if section.code and section.size]
    if code:
        assert program.entry == code[0].address


def test_an_opcode_in_any_case_keeps_symbols_apart():
    program = assemble_text("_start: NOP\nFOO: nop\nfoo: J FOO\n")
    assert program.symbols["FOO"].value != program.symbols["foo"].value
    for line in ("add A0, a1, a2", "csrr a0, SATP", "fence RW, w", ".option NORVC", ".WORDS 1"):
        only(f" nop\n {line}\n")  # as with GNU as


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("arch, +c", "lacks the extension `c`"), ("arch, +zicsr, +f", "lacks the extension `f`"),
        ("arch, rv32imac", "lacks the extension `c`"), ("arch, rv64ima", "is not this machine"),
        ("arch, rv32i2p1_m2p0_zba1p0", "lacks the extension `zba`"), ("arch, rv32gc", "lacks"),
        ("arch, zicsr", "changes no architecture"), ("arch, +", "names no extension"),
        ("rvc", "not supported"), ("pic, 1", "not supported"),
    ],
)  # fmt: skip
def test_options_that_ask_for_what_is_not_there(option, says):
    assert says in only(f" nop\n .option {option}\n").what


ARCHS = ["+m", "-c", "-a,+a", "rv32ima", "rv32i2p1_m2p0_a2p1_zicsr2p0_zmmul1p0",
         "+zicsr, +zifencei", "rv32ima_zicsr_zifencei_zihintpause"]  # fmt: skip


@pytest.mark.parametrize("arch", ARCHS)
def test_options_that_ask_for_what_is(arch):
    assemble_text(f" nop\n .option push\n .option arch, {arch}\n .option pop\n")


def test_a_program_for_64_bits_is_refused_at_once():
    assert "rv32ima" in only(' .attribute arch, "rv64i2p1_m2p0"\n nop\n').fix
    assemble_text(' .attribute arch, "rv32i2p1_m2p0_c2p0"\n .attribute stack_align, 16\n nop\n')


@pytest.mark.parametrize("line", ["\\@: nop", "l\\@: nop", ".word \\@", "\\@"])
def test_the_counter_outside_macros(line):
    only(f" nop\n {line}\n")


def test_notes_warnings_and_errors():
    program = assemble_text(' nop\n.print "hello"\n.warning\n')
    assert [(w.severity, w.what) for w in program.warnings] == [
        ("note", "hello"), ("warning", ".warning was reached")
    ]  # fmt: skip
    assert only(" nop\n.abort\n bad\n").what == ".abort was reached"
    assert only(' nop\n.err "x"\n').what == ".err was reached"


def test_end_inside_macros_and_files(tmp_path):
    (tmp_path / "in.inc").write_text(".macro m\n nop\n .end\n bad\n.endm\n m\n bad\n")
    source = '.include "in.inc"\n bad\n'
    assert assemble_text(source, str(tmp_path / "x.S")).sections[0].size == 4


def test_visibility_is_in_the_symbol_table():
    source = " nop\n.globl h, i, p, d\nh: i: p: d:\n.hidden h\n.internal i\n.protected p\n"
    elf = ELFFile(io.BytesIO(assemble_text(source).elf()))
    table = elf.get_section_by_name(".symtab")
    seen = {name: table.get_symbol_by_name(name)[0]["st_other"]["visibility"] for name in "hipd"}
    assert seen == {
        "h": "STV_HIDDEN", "i": "STV_INTERNAL", "p": "STV_PROTECTED", "d": "STV_DEFAULT"
    }  # fmt: skip


# -- numbers of variable length, where labels are not known yet ------------------


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@pytest.mark.parametrize("distance", [0, 1, 127, 128, 16383, 16384, 2097152])
def test_distances_in_uleb128(distance):
    source = f" .data\n .uleb128 end - start\n .byte 0xee\nstart: .space {distance}\nend: .byte 1\n"
    data = bytes(assemble_text(source).sections[1].data)
    assert data[: data.index(0xEE)] == leb(distance)


def test_distances_that_hold_themselves():
    """Each length depends on the other; GNU as for other machines finds the same result."""
    count = 140
    source = " .data\nstart:\n" + " .uleb128 end - start\n" * count + "end:\n"
    data = bytes(assemble_text(source).sections[1].data)
    assert data == leb(len(data)) * count


def test_distances_over_branches_that_grow():
    code = "_start: beq a0, a1, end\n" + " nop\n" * 1200 + "end:\n"
    source = code + " .data\n .uleb128 end - _start\n"
    assert bytes(assemble_text(source).sections[1].data) == leb(4 * 1202)
    signed = assemble_text(" .data\n .sleb128 a - b\na: .space 70\nb:\n")
    assert signed.sections[1].data[:2] == b"\xba\x7f"
    assert "below 0" in only(" .data\n .uleb128 a - b\na: .space 7\nb:\n").what


def test_a_global_offset_table():
    source = """
        .option pic
_start: la a0, value
1:      auipc a1, %got_pcrel_hi(value)
        lw a1, %pcrel_lo(1b)(a1)
2:      auipc a2, %got_pcrel_hi(other)
        lw a2, %pcrel_lo(2b)(a2)
3:      auipc a3, %got_pcrel_hi(value)
        lw a3, %pcrel_lo(3b)(a3)
4:      auipc a3, %got_pcrel_hi(4b)
4:      auipc a3, %got_pcrel_hi(4b)
        auipc a3, %got_pcrel_hi(4b)
        auipc a3, %got_pcrel_hi(other + 4)
        auipc a3, %got_pcrel_hi(other - _start)
        .data
other:  .word 5
value:  .word 7
"""
    program = assemble_text(source)
    table = next(section for section in program.sections if section.name == ".got")
    value, other = (program.symbols[name].value for name in ("value", "other"))
    local = program.symbols["_start"].value + 32
    held = [value, other, local, local + 4, other + 4, other - program.symbols["_start"].value]
    assert bytes(table.data) == struct.pack("<6I", *held)


def test_groups_and_merged_sections():
    source = """
        .section .text.f,"axG",@progbits,f,comdat
f:      nop
        .section .rodata.str1.4,"aMS",@progbits,1
        .string "x"
        .section .text.f,"axG",@progbits,f,comdat
        nop
        .section .debug_str,"MS",@progbits,1
        .section .rodata.cst8,"aM",@progbits,8
        .dword 1
"""
    sizes = {section.name: section.size for section in assemble_text(source).sections}
    assert sizes[".text.f"] == 8


def test_views_count_the_rows_of_a_place():
    source = """
        .file 1 "x.c"
        .loc 1 1 0 view .V0
        .loc 1 2 0 is_stmt 0 view .V1
        .loc 1 3 view .V2
        nop
        .loc 1 4 view .V3
        nop
        .data
        .byte .V0, .V1, .V2, .V3
"""
    assert bytes(assemble_text(source).sections[1].data) == bytes((0, 1, 2, 0))


def test_a_wrong_loc():
    for line, says in [
        (".loc 1 2", "no `.file 1`"), (".file 1 \"x.c\"\n.loc 1", "expected file line"),
        (".file 1 \"x.c\"\n.loc 1 -5", "of no source"), (".file -1 \"x\"", "number of a file"),
        (".file 1 \"x.c\"\n.loc 1 2 3 frob", "unknown option"), (".file 1", "expected number"),
    ]:  # fmt: skip
        with pytest.raises(AsmErrors, match=says):
            assemble_text(f" nop\n{line}\n nop\n")
