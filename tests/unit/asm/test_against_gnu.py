"""The same bytes as GNU `as` and `ld` make of the same source."""

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asm import assemble_text
from asm.encode import FORMS
from tests.unit.asm import gnu
from toyisa.tables import csrs
from toyisa.tables.fields import REG_NUMBERS, Kind
from toyisa.tables.insns import INSNS

pytestmark = gnu.needed

# Hypothesis draws many examples into one temporary directory: each overwrites it.
FIXTURE = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
REGISTERS = sorted(REG_NUMBERS)
NOP = b"\x13\0\0\0"
OURS_ALONE = {"probe.r", "probe.w"}


def same(source: str, where, *, flags=(), **options) -> None:
    """Assert that both make the same sections of a source."""
    ours = {s.name: bytes(s.data) for s in assemble_text(source, **options).sections}
    theirs = gnu.link(source, where, flags=flags)
    for name, data in theirs.items():
        mine = ours.get(name, b"")
        if name == ".text" and len(mine) < len(data):  # they pad code to its alignment
            mine += NOP * ((len(data) - len(mine)) // 4)
        assert mine.hex(" ", 4) == data.hex(" ", 4), name


# -- programs drawn from the table --------------------------------------------

LABELS = 4


@st.composite
def operand(draw, field):
    if field.kind is Kind.REG:
        return draw(st.sampled_from(REGISTERS))
    if field.kind is Kind.CSR:
        named = st.sampled_from([row.name for row in csrs.CSRS])
        return draw(named | st.integers(0, 4095).map(hex))
    if field.kind is Kind.FENCE:
        return draw(st.sampled_from(["i", "o", "r", "w", "rw", "io", "ir", "iorw", "orw"]))
    if field.kind is Kind.TARGET:
        return f"L{draw(st.integers(0, LABELS - 1))}"
    value = draw(st.integers(field.low, field.high) | st.sampled_from([field.low, field.high]))
    return draw(st.sampled_from([str(value), hex(value), f"({value})", f"{value} + 0"]))


@st.composite
def statement(draw):
    form = draw(st.sampled_from([f for f in FORMS.values() if f.row.name not in OURS_ALONE]))
    syntax = form.row.operands
    for field in form.row.fields:
        syntax = syntax.replace(field.name, draw(operand(field)), 1)
    return f"{form.name} {syntax}"


@st.composite
def program(draw):
    lines = draw(st.lists(statement(), min_size=1, max_size=60))
    for label in range(LABELS):
        lines.insert(draw(st.integers(0, len(lines))), f"L{label}:")
    return "\n".join(["_start:", *lines])


@settings(max_examples=60, **FIXTURE)
@given(program())
def test_random_programs(tmp_path, source):
    same(source, tmp_path, flags=gnu.EVERY_ROW)


def test_every_row_of_the_table_is_drawn(tmp_path):
    lines = ["_start:", "L0:"]
    for form in FORMS.values():
        if form.row.name in OURS_ALONE:
            continue
        syntax = form.row.operands
        for field in form.row.fields:
            example = {
                Kind.REG: "a0", Kind.CSR: "satp", Kind.FENCE: "rw", Kind.TARGET: "L0", Kind.IMM: "5"
            }[field.kind]  # fmt: skip
            syntax = syntax.replace(field.name, example, 1)
        lines.append(f"{form.name} {syntax}")
    assert len(lines) > len(INSNS)
    same("\n".join(lines), tmp_path, flags=gnu.EVERY_ROW)


# -- pseudo-instructions -------------------------------------------------------

PSEUDO = """
nop|ret|unimp|fence|fence.tso|fence.i|pause|scall|sbreak|ecall|ebreak|sret|wfi
mv R,R|move R,R|not R,R|neg R,R|seqz R,R|snez R,R|sltz R,R|sgtz R,R
sgt R,R,R|sgtu R,R,R|sext.b R,R|sext.h R,R|zext.b R,R|zext.h R,R
beqz R,T|bnez R,T|blez R,T|bgez R,T|bltz R,T|bgtz R,T
bgt R,R,T|ble R,R,T|bgtu R,R,T|bleu R,R,T
j T|jal T|jal R,T|jr R|jr 4(R)|jr R,8|jalr R|jalr 12(R)|jalr R,R|jalr R,-4(R)|jalr R,R,4|jalr (R)
call T|call R,T|tail T|jump T,R|la R,T|lla R,T|la R,1234567|la R,V|la R,T+8|la R,V-4
csrr R,C|csrw C,R|csrs C,R|csrc C,R|csrwi C,7|csrsi C,31|csrci C,0|csrw C,5|csrs C,6|csrc C,7
csrrw R,C,R|csrrw R,C,9|csrrs R,C,9|csrrc R,C,9
rdcycle R|rdcycleh R|rdtime R|rdtimeh R|rdinstret R|rdinstreth R
sfence.vma|sfence.vma R|sfence.vma R,R|fence rw,w|fence iorw,iorw|fence r,rw
lb R,V|lh R,V|lw R,V|lbu R,V|lhu R,V|lw R,V+4|lw R,(R)|lw R,0(R)|lw R,-2048(R)
sb R,V,R|sh R,V,R|sw R,V,R|sw R,V+12,R|sw R,(R)|sw R,2047(R)
add R,R,5|and R,R,-1|or R,R,0x7ff|xor R,R,-2048|slt R,R,1|sltu R,R,1|sll R,R,31|srl R,R,0|sra R,R,3
lr.w R,(R)|lr.w.aq R,0(R)|sc.w.rl R,R,(R)|amoadd.w.aqrl R,R,0(R)|amoswap.w R,R,(R)
lui R,%hi(V)|addi R,R,%lo(V)|lw R,%lo(V)(R)|sw R,%lo(V+4)(R)
jalr R,%lo(T)(R)|lui R,%hi(0xdeadbeef)
lui R,0|lui R,0xfffff|auipc R,0x12345|andi R,R,0xffffffff
addi R,R,'a'|addi R,R,'\\n'|xori R,R,1<<4|2
1: auipc R,%pcrel_hi(V); addi R,R,%pcrel_lo(1b)|2: auipc R,%pcrel_hi(V); sw R,%pcrel_lo(2b)(R)
.insn r OP, 0, 0x20, R, R, R|.insn r CUSTOM_0, 7, 0x7f, R, R, R|.insn i OP_IMM, 1, R, R, 5
.insn i LOAD, 2, R, 8(R)|.insn s STORE, 2, R, 8(R)
.insn b BRANCH, 1, R, R, T|.insn sb BRANCH, 1, R, R, T
.insn u LUI, R, 0xfff|.insn j JAL, R, T|.insn uj JAL, R, T|.insn 4, 0x13|.insn 0x00000033
.insn i 0x13, 0, R, R, -1|.insn r 0x33, 0, 1, R, R, R|.insn r4 MADD, 1, 2, R, R, R, R
"""
CASES = [case.strip() for line in PSEUDO.splitlines() for case in line.split("|") if case.strip()]
# A `|` of the source is written apart.
CASES = [case for case in CASES if case not in ("xori R,R,1<<4", "2")] + ["xori R,R,1<<4|2"]


@pytest.mark.parametrize("seed", range(10))
def test_every_pseudo_instruction(tmp_path, seed):
    choose = random.Random(seed).choice
    kinds = {"R": REGISTERS, "C": sorted(csrs.BY_NAME), "T": ["here", "there", "other"]}
    kinds["V"] = ["variable"]
    lines = [".globl _start, other", "_start:", "here: nop"]
    for case in CASES:
        lines.append(re.sub(r"(?<![\w.])[RCTV](?!\w)", lambda match: choose(kinds[match[0]]), case))
    lines += ["there: nop", "other: nop", ".data", ".word 1", "variable: .word 1,2,3,4"]
    same("\n".join(lines), tmp_path)


INTERESTING = st.sampled_from(
    [0, 1, -1, 2047, 2048, -2048, -2049, 4095, 4096, 0x7FF, 0x800, 0xFFF, 0x1000, 0x7FFFF7FF,
     0x7FFFF800, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFF800, 0xFFFFF7FF, -0x80000000]
)  # fmt: skip


@settings(max_examples=25, **FIXTURE)
@given(st.lists(INTERESTING | st.integers(-(1 << 31), (1 << 32) - 1), min_size=1, max_size=200))
def test_li_takes_as_many_instructions(tmp_path, values):
    same("\n".join(["_start:", *(f"li a0, {value}" for value in values)]), tmp_path)


# -- branches that do not reach ------------------------------------------------

FAR = {
    "just in reach": "_start: beq a0, a1, end\n.space 4088\nend: nop",
    "just out of reach": "_start: beq a0, a1, end\n.space 4092\nend: nop",
    "back in reach": "_start: nop\n.space 4092\nbltu a0, a1, _start",
    "back out of reach": "_start: nop\n.space 4096\nbgeu a0, a1, _start",
    "one pushes another": "_start: beqz a0, end\nbnez a1, _start\n"
    "blt a0, a1, end\n.space 4080\nend: nop\n bge a2, a3, _start",
    "to another section": "_start: bne a0, a1, d\n.data\nd: nop",
    "weak": ".weak w\n_start: bne a0, a1, w\nw: nop",
    "global": ".globl w\n_start: bne a0, a1, w\nw: nop",
    "loop": "_start:\n" + "1: beqz a0, 2f\n bnez a1, 1b\n.space 3000\n2: bgt a1, a2, 1b\n" * 5,
}


@pytest.mark.parametrize("name", FAR)
def test_far_branches(tmp_path, name):
    same(FAR[name], tmp_path)


@settings(max_examples=30, **FIXTURE)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 500)), min_size=10, max_size=10))
def test_random_far_branches(tmp_path, blocks):
    lines = ["_start:"]
    for number, (target, words) in enumerate(blocks):
        lines += [f"L{number}: bne a0, a1, L{target}", f".fill {words}, 4, 0x13", ".balign 16"]
    same("\n".join(lines), tmp_path)
