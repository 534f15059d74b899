"""CSR instructions in every form, on every CSR, with any registers, and other sensitive ones."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bt.ways import each_way, same
from tests.smallkernels import RAM, kernel
from toyisa.tables.csrs import CSRS
from toyisa.tables.insns import INSNS, Cost

ROWS = [row for row in INSNS if row.cost is Cost.CSR]
REGISTERS = [n for n in range(32) if n not in (9, 18, 26, 27)]  # s1, s2, s10, s11
regs = st.one_of(st.sampled_from([0, 5, 6, 7, 28, 29]), st.sampled_from(REGISTERS))
interesting = [0, 1, 2, 0x20, 0x22, 0x100, 0x102, 0x122, 1 << 18, 1 << 19, 0xC0122, 0xFFFFFFFF]
values = st.one_of(st.sampled_from(interesting), st.integers(0, 0xFFFFFFFF))
numbers = st.one_of(
    st.sampled_from([0x100, 0x100, 0x104, 0x140, 0x141, 0x142, 0x143]),
    st.sampled_from([row.number for row in CSRS]),
    st.sampled_from([0x000, 0x145, 0x180, 0x300, 0x34A, 0xC03, 0xFFF]),
)
SETTLE = {  # after instructions that could take the kernel elsewhere
    0x105: ["la t0, trap", "csrw stvec, t0"],
    0x180: ["csrw satp, zero"],
}


@st.composite
def lines(draw):
    """One instruction; its source is loaded before, and its result is added to s2 after."""
    row, number, rd, rs1 = draw(st.sampled_from(ROWS)), draw(numbers), draw(regs), draw(regs)
    value = draw(values)
    if number == 0x180:
        value &= 0x7FFFFFFF  # bare
    before = []
    if rs1 and not row.name.endswith("i"):
        before = [f"li x{rs1}, {value:#x}"]
    elif number == 0x14D or number == 0x15D:
        rs1 = draw(st.integers(0, 31))
    if number == 0x105:
        before.insert(0, "csrci sstatus, 2")
    word = row.encode(rd, number, rs1)
    return [
        *before, f".word {word:#x}", *SETTLE.get(number, []),
        f"mv s1, x{rd}", "slli s2, s2, 1", "add s2, s2, s1",
    ]  # fmt: skip


bodies = st.lists(lines(), min_size=1, max_size=20)
ways = st.sampled_from(["strict", "leaky", "callouts", "traps", "all small"])
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


def run(body, way):
    text = "    li s0, 3\nagain:\n" + "".join(f"    {line}\n" for part in body for line in part)
    text += "    csrci sstatus, 2\n    li s0, 3\n    addi s8, s8, 1\n    blt s8, s0, 8f\n"
    text += "    j 9f\n8:  j again\n9:\n"
    same(kernel(text), 5000, way, mem=RAM)


@settings(max_examples=150, deadline=None, suppress_health_check=CHECKS)
@given(bodies, ways)
def test_any_access(body, way):
    run(body, way)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=CHECKS)
@given(bodies, ways)
def test_many_accesses(body, way):
    run(body, way)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("number", [0x100, 0x104, 0x105, 0x140, 0x141, 0x142, 0x143], ids=hex)
def test_every_pair_of_registers(row, number):
    """rd and rs1 each x0, a scratch register, another; equal and different; with values that
    matter.
    """
    body = []
    for rd in (0, 5, 6, 7, 28, 29, 10):
        for rs1 in (0, 5, 6, 7, 28, 29, 10):
            for value in (0x2, 0x122, 0xFFFFFFFF & ~0xC0000):
                load = [f"li x{rs1}, {value:#x}"] if rs1 and not row.name.endswith("i") else []
                body.append([
                    *load, f".word {row.encode(rd, number, rs1):#x}",
                    f"mv s1, x{rd}", "slli s2, s2, 1", "add s2, s2, s1",
                    *(f"add s2, s2, x{n}" for n in (5, 6, 7, 28, 29)),
                ])  # fmt: skip
    run(body, "leaky")


BODIES = {
    "interrupts enabled with one pending": """
        li      t0, 0x22
        csrw    sie, t0
        li      s0, 8
    1:  csrsi   sip, 2
        csrsi   sstatus, 2
        addi    s2, s2, 1
        csrci   sstatus, 2
        csrsi   sip, 2
        li      t0, 2
        csrs    sstatus, t0
        addi    s2, s2, 1
        csrci   sstatus, 2
        csrsi   sip, 2
        li      t0, 0x122
        csrrw   t0, sstatus, t0
        addi    s2, s2, 1
        csrci   sstatus, 2
        csrw    sie, zero
        csrsi   sip, 2
        csrsi   sstatus, 2
        addi    s2, s2, 1
        li      t0, 2
        csrs    sie, t0
        addi    s2, s2, 1
        csrsi   sip, 2
        csrwi   sie, 2
        addi    s2, s2, 1
        csrci   sstatus, 2
        li      t0, 0x22
        csrw    sie, t0
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "sret with every SPP and SPIE": """
        entry   ROOT + 0x800, 0x80000000, 0xcf
        space   ROOT, 1
        li      s0, 6
    1:  csrsi   sip, 2
        csrwi   sie, 2
        li      s3, 0
    2:  csrwi   sstatus, 0
        csrw    sstatus, s3
        la      t0, 3f
        andi    t1, s3, 0x100
        bnez    t1, 4f
        li      t1, USER - 0x80000000
        add     t0, t0, t1
    4:  csrw    sepc, t0
        sret
    3:  addi    s2, s2, 1
        csrr    s4, sstatus             # illegal in U
        kernel
        csrr    s4, sstatus
        add     s2, s2, s4
        csrci   sstatus, 2
        csrsi   sip, 2
        addi    s3, s3, 0x20
        andi    t0, s3, 0x40
        beqz    t0, 2b
        addi    s3, s3, -0x40
        xori    s3, s3, 0x100
        andi    t0, s3, 0x100
        bnez    t0, 2b
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "SUM and MXR by every form": """
        page    0, DATA, 0xd7
        page    1, DATA, 0xc9
        page    2, DATA, 0xdb
        space   ROOT, 1
        li      s0, 4
    1:  li      s3, SUM
        li      s4, SUM | MXR
        csrs    sstatus, s3
        load    WINDOW
        csrrs   t2, sstatus, s4
        load    WINDOW + 0x1000
        load    WINDOW + 0x2000
        csrrc   t2, sstatus, s3
        load    WINDOW
        load    WINDOW + 0x1000
        load    WINDOW + 0x2000
        csrrw   t2, sstatus, s3
        add     s2, s2, t2
        load    WINDOW
        store   WINDOW, 5
        load    WINDOW + 0x1000
        csrw    sstatus, zero
        load    WINDOW
        store   WINDOW, 5
        load    WINDOW + 0x1000
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "probes": """
        page    0, DATA, 0xd7
        page    1, DATA, 0xc3
        page    2, DATA, 0xc9
        space   ROOT, 1
        li      s0, 4
        .macro  ask at
        li      t0, \\at
        .word   0x0002830b              # probe.r t1, t0
        slli    s2, s2, 1
        add     s2, s2, t1
        .word   0x0002930b
        slli    s2, s2, 1
        add     s2, s2, t1
        .word   0x0002828b              # rd == rs1
        add     s2, s2, t0
        .endm
    1:  ask     WINDOW
        ask     WINDOW + 0x1000
        ask     WINDOW + 0x2000
        ask     WINDOW + 0x3000
        ask     0x80000000
        ask     0xffc00000
        ask     0xfffff800
        li      t0, SUM
        csrs    sstatus, t0
        ask     WINDOW
        csrw    sstatus, zero
        user
        ask     WINDOW
        ask     0xfffff800
        kernel
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
}  # fmt: skip


@each_way
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_sensitive(body, way):
    native = same(kernel(body), 20_000, way, mem=RAM)
    assert native.end == "HALTED"
