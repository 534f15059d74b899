"""A guest sees what the host writes into RAM as its own writes: code, page tables, reservations.

The host writes by the console's read call, by `tohost`, and by pokes from outside, on every
engine.
"""

import pytest

import asm
from tests.smallkernels import PRELUDE, RAM, kernel
from tests.virtual import compare, each_engine

TYPED = """
    .macro typed at                     # the next byte of input goes to \\at, physical
    li      a7, 0x4442434e
    li      a6, 1
77: li      a0, 1
    la      a1, \\at
    li      a2, 0
    ecall
    beqz    a1, 77b
    .endm
"""
# `addi s2, s2, 1`; its uppermost byte is typed anew, so that 16 times the byte is added.
CODE = """
    li      s1, 3
1:  jal     victim
    typed   victim + 3
    addi    s1, s1, -1
    bnez    s1, 1b
    jal     victim
    j       finish
    {place}
victim:
    addi    s2, s2, 1
    ret
"""
# The window's page is DATA, and DATA2 when the second byte of its entry is 0xc4.
TABLE = """
    page    0, DATA, RWAD
    store   DATA, 0x11
    store   DATA2, 0x22
    space   ROOT, 1
    load    WINDOW
    mv      s2, a0
    typed   LEAF + 1
    sfence.vma
    load    WINDOW
    slli    s2, s2, 8
    or      s2, s2, a0
"""
RESERVED = """
    li      s0, DATA
    lr.w    t1, (s0)
    typed   DATA + {at}
    li      t1, 5
    sc.w    s2, t1, (s0)
    lw      s3, (s0)
"""


def typing(body, data):
    def prepare(made):
        kernel(TYPED + body, live=True)(made)
        made.feed(data)
        made.end_input()

    return prepare


@each_engine
@pytest.mark.parametrize("place", ["", ".align 12"])
def test_a_console_call_over_code(engine, place):
    body = CODE.format(place=place)
    bare = compare(typing(body, b"\1\2\3"), 2_000_000, engine, mem=RAM)  # bytes come slowly
    assert bare.end == "HALTED"
    assert bare.state["x"][18] == f"{1 + 0x11 + 0x21 + 0x31:#x}"


@each_engine
def test_a_console_call_over_a_page_table(engine):
    bare = compare(typing(TABLE, b"\xc4"), 100_000, engine, mem=RAM)
    assert bare.end == "HALTED"
    assert bare.state["x"][18] == "0x1122"


@each_engine
@pytest.mark.parametrize(("at", "fails"), [(0, 1), (3, 1), (4, 0)])
def test_a_console_call_over_a_reserved_word(engine, at, fails):
    bare = compare(typing(RESERVED.format(at=at), b"\7"), 100_000, engine, mem=RAM)
    assert bare.end == "HALTED"
    assert int(bare.state["x"][18], 16) == fails


# It is called once, so it is code; then it is told to print, and cleared: an illegal instruction.
TOHOST = """
    jal     tohost
    la      s0, tohost
    li      t1, 0x00000013              # nop: and the character 0x13
    sw      t1, 0(s0)
    li      t1, 0x01010113              # addi sp, sp, 16: and device 1, command 1
    sw      t1, 4(s0)
    jal     tohost
    lw      s2, 0(s0)
    lw      s3, 4(s0)
    j       finish
    .balign 8
    .globl  tohost
tohost:
    nop
    nop
    ret
"""


@each_engine
def test_tohost_is_cleared_where_it_is_code(engine):
    def prepare(made):
        made.load(asm.assemble_text(PRELUDE + TOHOST).elf())
        made.end_input()

    bare = compare(prepare, 100_000, engine, mem=RAM)
    assert (bare.end, bare.console) == ("HALTED", b"\x13")
    assert bare.traps["illegal"] == 2
    assert bare.state["x"][18:20] == ["0x0", "0x0"]


POKED = {
    "code": ("victim: j victim", 0x13, "victim"),
    "table": (
        TABLE.split("mv ")[0] + "1: sfence.vma\n load WINDOW\n addi a0, a0, -0x22\n bnez a0, 1b",
        0x2000_C4C7, 0x8002_2000,
    ),
    "reserved": ("li s0, DATA\n1: lr.w t1, (s0)\n sc.w s2, t1, (s0)\n beqz t1, 1b", 7, 0x8003_0000),
}  # fmt: skip


@each_engine
@pytest.mark.parametrize("what", POKED)
def test_a_poke_from_outside(engine, what):
    """The guest loops until the memory that decides it is changed."""
    body, value, at = POKED[what]

    def prepare(made):
        kernel(body)(made)
        assert made.run(2000).name == "BUDGET"
        names = {name: address for address, name in made.symbols}
        made.poke(names.get(at, at), value.to_bytes(4, "little"))

    assert compare(prepare, 100_000, engine, mem=RAM).end == "HALTED"
