"""The core forgets what it remembers when it must: whole runs against the model, which remembers
nothing.

Each kernel warms one mechanism (TLB entries, fast tags, decoded words, fused pairs) and then
changes what it was made from, with the fence that the manual requires.
"""

import pytest

import asm
from tests.lockstep.harts import Core, Setup, model, model_state
from tests.smallkernels import PRELUDE
from toyisa.tables.exits import Reason
from toyisa.tables.ops import PAIRS, WHOLES
from toyisa.testing.states import RAM_BASE, MachineState

LONGEST = 20_000  # instructions of the model's
PRESETS = ("p4", "core2", "modern")

MACROS = """
    .macro fold                         # what a0 is, and was each time before
    slli    s2, s2, 3
    srli    s3, s2, 29
    xor     s2, s2, s3
    xor     s2, s2, a0
    .endm
    .macro look at
    load    \\at
    fold
    .endm
"""
SUPER = "entry ROOT + 4 * (USER >> 22), 0x80000000, 0xcf\n"
KERNELS = {
    "a fence by address forgets that page": """
        page    1, DATA, RWAD
        page    2, DATA2, RWAD
        store   DATA, 1
        store   DATA2, 2
        space   ROOT, 1
        look    WINDOW + 0x1000
        look    WINDOW + 0x2000
        page    1, DATA2, RWAD
        li      t2, WINDOW + 0x1000
        sfence.vma t2
        look    WINDOW + 0x1000
        page    2, DATA, RWAD
        li      t2, WINDOW + 0x2abc
        sfence.vma t2, zero
        look    WINDOW + 0x2000
        page    2, DATA2, R | A
        li      t2, WINDOW + 0x2000
        sfence.vma t2
        store   WINDOW + 0x2000, 3          # faults
    """,
    "a fence of all forgets what loads, stores and fetches used": """
        page    1, DATA, 0xcf
        space   ROOT, 1
        store   DATA, 0x00008067            # ret
        store   DATA2, 0x00008067
        look    WINDOW + 0x1000
        store   WINDOW + 0x1004, 7
        jump    WINDOW + 0x1000
        page    1, DATA2, 0xcf
        sfence.vma
        look    WINDOW + 0x1004
        page    1, DATA2, 0xc1              # neither
        sfence.vma
        look    WINDOW + 0x1004
        store   WINDOW + 0x1004, 9
        jump    WINDOW + 0x1000
    """,
    "a fence by address forgets a superpage": SUPER + """
        li      t2, DATA
        li      t1, 0x1234
        sw      t1, 0(t2)
        space   ROOT, 1
        look    USER + 0x30000
        look    USER + 0x31000
        entry   ROOT + 4 * (USER >> 22), LEAF2, V
        entry   LEAF2 + 4 * 0x30, DATA2, RWAD
        entry   LEAF2 + 4 * 0x31, DATA, RWAD
        li      t2, USER + 0x31000          # another page of it
        sfence.vma t2
        look    USER + 0x30000
        look    USER + 0x31000
    """,
    "address spaces by their identifiers": """
        entry   ROOT2 + 0x800, 0x80000000, 0xcf
        entry   ROOT2 + 4 * (WINDOW >> 22), LEAF2, V
        page    1, DATA, RWAD
        entry   LEAF2 + 4, DATA2, RWAD
        store   DATA, 1
        store   DATA2, 2
        space   ROOT, 1
        look    WINDOW + 0x1000
        space   ROOT2, 2
        look    WINDOW + 0x1000
        space   ROOT, 1
        look    WINDOW + 0x1000
    """,
    "misaligned superpages": "space ROOT, 1\n" + "".join(f"""
        entry   ROOT + 4 * (USER >> 22), 0x80000000 + (1 << (12 + {bit})), 0xcf
        sfence.vma
        look    USER + 0x1000
    """ for bit in range(10)),
    "the timer's line is not written back to sip": """
        csrw    stimecmp, zero
        csrw    stimecmph, zero
        csrr    a1, sip
        csrsi   sip, 2
        csrr    a2, sip
        li      t0, -1
        csrw    stimecmph, t0
        csrr    a3, sip
        csrci   sip, 2
        csrr    a4, sip
    """,
    "wfi goes on with an interrupt pending, enabled or not": """
        li      t0, 0x20
        csrw    sie, t0
        csrw    stimecmp, zero
        csrw    stimecmph, zero
        wfi
        li      a1, 1
        li      t0, -1
        csrw    stimecmph, t0
        li      t0, 2
        csrw    sie, t0
        csrsi   sip, 2
        wfi
        li      a2, 1
    """,
    "misaligned accesses to a page that is known": """
        page    1, DATA, RWAD
        space   ROOT, 1
        store   WINDOW + 0x1000, 0x11223344
        li      s0, WINDOW + 0x1000
    """ + "".join(f"{name} a0, {offset}(s0)\nfold\n" for name in ("lh", "lhu", "lw", "sh", "sw")
                  for offset in (0, 1, 2, 3)) + "lw a1, 0(s0)\n",
    "a word after a first one, changed": "".join(f"""
        la      s0, at{n}
        li      a0, 0x1234
        li      a1, 0x77
        jalr    s0
        fold
        la      t0, other
        lw      t1, 0(t0)
        sw      t1, 4(s0)
        fence.i
        li      a0, 0x1234
        jalr    s0
        fold
        j       past{n}
        .align  {align}
    at{n}:
        srli    a0, a0, 3
        xor     a0, a0, a1
        ret
    past{n}:
    """ for n, align in enumerate((12, 4))) + """
        j       done
    other:
        or      a0, a0, a1
    done:
    """,
    "a jump whose target is elsewhere in RAM than before": """
        page    1, DATA, 0xcf
        space   ROOT, 1
        store   DATA, 0x00150513            # addi a0, a0, 1
        store   DATA + 4, 0x00008067        # ret
        store   DATA2, 0x01050513           # addi a0, a0, 16
        store   DATA2 + 4, 0x00008067
        li      s4, 8
    again:
        li      t2, WINDOW + 0x1000
        jalr    t2
        jalr    t2
        fold
        addi    s4, s4, -1
        andi    t2, s4, 2
        beqz    t2, even
        page    1, DATA2, 0xcf
        j       both
    even:
        page    1, DATA, 0xcf
    both:
        sfence.vma
        bnez    s4, again
    """,
    "returns deeper than any memory of calls, and to where no call was": """
        li      sp, DATA + 0x800
        li      s4, 50
        call    deep
        fold
        la      t2, other
        jalr    t2
        fold
        jalr    t0, 0(t2)
        fold
        j       done
    deep:
        addi    sp, sp, -4
        sw      ra, 0(sp)
        addi    a0, a0, 3
        addi    s4, s4, -1
        beqz    s4, up
        call    deep
        xor     a0, a0, s4
        addi    s4, s4, 5
    up:
        lw      ra, 0(sp)
        addi    sp, sp, 4
        ret
    other:
        addi    a0, a0, 7
        bnez    s5, twice
        li      s5, 1
        addi    ra, ra, 4                   # not to the instruction behind the call
        ret
    twice:
        jr      t0
        .balign 4096
    done:
    """,
}


def same(body: str, preset: str = "p4"):
    """Run completely on the core, and step by step on the model, to the first call of root."""
    text = f"{MACROS}{PRELUDE}{body}\n    j finish\n"
    (section, *_) = asm.assemble_text(text, base=RAM_BASE).sections
    x, csr = [0] * 32, {"scounteren": 7, "stimecmp": 0xFFFFFFFF, "stimecmph": 0xFFFFFFFF}
    setup = Setup(MachineState({0: bytes(section.data)}, x, RAM_BASE, 1, csr, []), preset=preset)
    hart, core = model(setup), Core(setup)
    while not (fx := hart.step()).exit:
        assert not fx.idle
        assert hart.retired < LONGEST
    assert core.enter(LONGEST, one_trap=False) == Reason.TRAP
    assert core.exit() == fx.exit
    assert model_state(hart) == core.state()
    assert core.ram() == bytes(hart.bus.ram)
    return hart


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("body", KERNELS.values(), ids=KERNELS)
def test_a_kernel_that_changes_what_it_used(body, preset):
    hart = same(body, preset)
    assert hart.retired > 20


# Two instructions that the core fuses, as text: registers that meet in every way.
SHAPES = {
    "ADDI": "addi {d}, {a}, -13", "ADD": "add {d}, {a}, {b}", "LW": "lw {d}, 8(s0)",
    "LBU": "lbu {d}, 5(s0)", "SW": "sw {a}, 12(s0)", "SLLI": "slli {d}, {a}, 7",
    "SRLI": "srli {d}, {a}, 9", "XOR": "xor {d}, {a}, {b}", "MUL": "mul {d}, {a}, {b}",
    "JALR_RETURN": "ret", "JAL": "jal {d}, far", "JAL_NEAR": "j {l}",
    "LW_ABS": "lw {d}, 8(zero)",
    "BNE_NEAR": "bne {a}, {b}, {l}", "BEQ_NEAR": "beq {a}, {b}, {l}",
    "BLT_NEAR": "blt {a}, {b}, {l}", "BLTU_NEAR": "bltu {a}, {b}, {l}",
}  # fmt: skip
MEETINGS = [
    ("a0", "a1", "a2", "a0", "a0", "a2"), ("a0", "a1", "a2", "a3", "a0", "a1"),
    ("a0", "a0", "a1", "a1", "a1", "a0"), ("a0", "a0", "a0", "a0", "a0", "a0"),
    ("a1", "a2", "a3", "a1", "a2", "a1"), ("zero", "a1", "a2", "a3", "a1", "zero"),
    ("a2", "zero", "a1", "zero", "a2", "a0"),
]  # fmt: skip
VALUES = [(0, 1, -1), (0x7FFFFFFF, -0x80000000, 13), (13, 13, 13), (0x12345, -77, 0x800)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_fused_pair_is_its_two_instructions(first, second):
    lines, n = ["li s0, DATA", "li s1, -99", "sw s1, 8(s0)", "sw s1, 4(s0)"], 0
    lines += ["entry LEAF2, DATA, RWAD", "entry ROOT, LEAF2, V", "space ROOT, 1"]  # for x0 bases
    for values in VALUES:
        for d, a, b, d2, a2, b2 in MEETINGS:
            n += 1
            one = SHAPES[first].format(d=d, a=a, b=b)
            two = SHAPES[second].format(d=d2, a=a2, b=b2, l=f"l{n}")
            lines += [f"li a{i}, {value}" for i, value in enumerate((*values, 7))]
            lines += [f"la ra, l{n}", f"j  k{n}", f"k{n}:", one, two, "addi s3, s3, 1", f"l{n}:"]
            lines += [f"add s2, s2, a{i}\n slli s2, s2, 1" for i in range(4)]
            lines += ["sw s2, 20(s0)"]
    lines += ["j past", ".balign 4096", "far: ret", "past:"]
    same("\n".join(lines))


def test_every_pair_has_a_shape():
    assert {name for pair in PAIRS for name in pair} == SHAPES.keys()


# A whole sequence as text, with the registers and the address that it has if it is one.
WHOLE = {
    "LI": ("lui {0}, 0x12345\n addi {1}, {2}, -77", ("a0", "a0", "a0")),
    "CHECK": (
        "sw {0}, {1}(zero)\n lui {2}, 0x12345\n addi {3}, {4}, -77\n bne {5}, {6}, {l}\n"
        "lw {7}, {8}(zero)",
        ("a0", "8", "a0", "a0", "a0", "a1", "a0", "a0", "8"),
    ),
}  # fmt: skip
CONSTANT = (0x12345 << 12) - 77


def almost(operands):
    """The operands; and with one of them changed, in each way."""
    yield operands
    for n, operand in enumerate(operands):
        for other in ("4",) if operand.isdigit() else ("a0", "a1", "a2", "zero"):
            yield (*operands[:n], other, *operands[n + 1 :])


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_sequence_is_its_instructions(name):
    """It is executed as one only if its registers and addresses fit together."""
    text, operands = WHOLE[name]
    lines, n = ["li s0, DATA", "li s1, -99", "sw s1, 8(s0)", "sw s1, 4(s0)"], 0
    lines += ["entry LEAF2, DATA, RWAD", "entry ROOT, LEAF2, V", "space ROOT, 1"]  # for x0 bases
    for a1 in (CONSTANT, 5):
        for changed in almost(operands):
            n += 1
            lines += ["li a0, 77", f"li a1, {a1}", f"li a2, {CONSTANT}", f"j k{n}", f"k{n}:"]
            lines += [text.format(*changed, l=f"l{n}"), "addi s2, s2, 1", f"l{n}:"]
            lines += ["lw s3, 4(s0)", "lw s4, 8(s0)"]
            lines += [f"add s2, s2, {r}\n slli s5, s2, 1\n srli s2, s2, 31\n or s2, s2, s5"
                      for r in ("a0", "a1", "a2", "s3", "s4")]  # fmt: skip
    same("\n".join(lines))


def test_every_whole_sequence_is_tried():
    assert WHOLE.keys() == WHOLES.keys()
