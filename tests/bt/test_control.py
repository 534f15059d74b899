"""Jumps, links, and what a kernel can see of its own code: guest addresses, guest bytes."""

import pytest

from tests.bt.ways import pair_of_ways, same
from tests.smallkernels import RAM, kernel

REGISTERS = [n for n in range(32) if n not in (8, 9, 18, 26, 27, 30, 31)]  # the frame's own

FOLD = """
    .macro fold reg                     # into s2
    slli    s1, s2, 5
    add     s2, s2, s1
    xor     s2, s2, \\reg
    .endm
"""


def every_jalr():
    """jalr with each pair of rd and rs1, three times each: cold, predicted, by the bucket."""
    lines = [FOLD, "    li s0, 3", "again:"]
    for rd in REGISTERS:
        for rs1 in sorted({rd, 1, 5, 6, 7, 10, 29} - {0}):
            at = f"x{rd}_{rs1}"
            lines += [
                f"    la x{rs1}, {at} - 8",
                f"    jalr x{rd}, 8(x{rs1})",
                "    addi s2, s2, 77",
                f"{at}:",
                f"    fold x{rd}",
                f"    fold x{rs1}",
            ]
    return "\n".join([*lines, "    addi s0, s0, -1", "    beqz s0, 9f", "    j again", "9:"])


def two_targets():
    """Indirect jumps that alternate: the prediction misses, the bucket hits, and is replaced."""
    lines = [FOLD, "    li s0, 12", "again:"]
    for rd, rs1 in [(0, 10), (1, 10), (5, 10), (6, 10), (1, 5), (5, 5), (6, 6), (5, 6), (7, 7)]:
        at = f"t{rd}_{rs1}"
        lines += [
            "    andi a3, s0, 3", "    slli a3, a3, 4",
            f"    la x{rs1}, {at}", f"    add x{rs1}, x{rs1}, a3",
            "    li t2, 0x1234" if rs1 != 7 else "    nop",
            f"    jalr x{rd}, x{rs1}",
            f"{at}:",
            *["    addi s2, s2, 1", "    nop", "    nop", "    nop"] * 4,
            f"    fold x{rd}", f"    fold x{rs1}", "    fold t0", "    fold t1",
        ]  # fmt: skip
    return "\n".join([*lines, "    addi s0, s0, -1", "    beqz s0, 9f", "    j again", "9:"])


def many_targets():
    """More targets than a fan has room for, four to a bucket, by jumps and by calls."""
    lines = [FOLD, """
        li      s0, 90
        la      a6, at0
    again:
        andi    a0, s0, 3               # targets 0 2 4 ... 14, by turns
        slli    a1, a0, 2
        srli    a2, s0, 3
        andi    a2, a2, 1
        slli    a2, a2, 1
        add     a0, a1, a2
        slli    a1, a0, 10
        add     a1, a1, a6
        jalr    ra, a1
        fold    ra
        la      ra, 1f
        jalr    t1, 4(a1)
    1:  fold    t1
        jr      24(a1)
    back:
        addi    s0, s0, -1
        beqz    s0, 9f
        j       again
    9:  j       finish
        .balign 4096
    """]  # fmt: skip
    for n in range(16):
        lines += [
            f"at{n}:", "    nop", f"    addi s2, s2, {n}", "    fold a1", "    ret",
            "    fold a0", "    la a3, back", "    jr a3", f"    .balign {1024 if n < 15 else 4}",
        ]  # fmt: skip
    return "\n".join(lines)


def shared_function():
    """A function of one unit, called from many places by turns, and one that calls it."""
    lines = [FOLD, "    li s0, 30", "again:"]
    for n in range(9):
        lines += [
            f"    andi a0, s0, {n}", f"    bnez a0, on{n}", "    call one",
            f"on{n}: call two", "    fold ra", "    call one", "    fold a0",
        ]  # fmt: skip
    return "\n".join([
        *lines, "    addi s0, s0, -1", "    beqz s0, 9f", "    j again", "9:  j finish",
        "one: addi a0, a0, 7", "    slli a1, a0, 3", "    xor a0, a0, a1", "    ret",
        "two: mv a5, ra", "    call one", "    call one", "    mv ra, a5", "    ret",
    ])  # fmt: skip


def small_functions():
    """Called, jumped into and out of, from many places; some get other return addresses."""
    lines = [FOLD, "    li s0, 12", "again:"]
    for n in range(24):
        leaf = ("leaf", "short", "tail", "way")[n % 4]
        lines += [f"    li a0, {n}", f"    call {leaf}", "    fold a0"]
        if n % 5 == 0:
            lines += [f"    la ra, back{n}", f"    j {leaf}", "    addi s2, s2, 9", f"back{n}:"]
        if n % 7 == 0:
            lines += [f"    la a5, {leaf}", "    jalr a5", "    fold a0"]
    lines += ["    addi s0, s0, -1", "    beqz s0, 9f", "    j again"]
    lines += ["leaf:", "    addi a0, a0, 3", "short:", "    ret"]
    lines += ["tail:", "    xor a0, a0, s0", "    j leaf"]
    lines += ["way:", "    andi a1, a0, 4", "    beqz a1, tail", "    slli a0, a0, 1", "    ret"]
    return "\n".join([*lines, "9:"])


BODIES = {
    "every rd and rs1": every_jalr(),
    "targets that change": two_targets(),
    "more targets than are compared with, of few buckets": many_targets(),
    "a function called from many places": shared_function(),
    "small functions with return addresses of their own": small_functions(),
    "sums its own code, its return addresses and its stack": FOLD + """
        li      sp, DATA2
        li      s0, 3
    1:  la      a0, _start
        la      a1, finish
    2:  lw      a2, 0(a0)
        fold    a2
        addi    a0, a0, 4
        bltu    a0, a1, 2b
        li      a0, 6
        call    down
        li      a0, DATA2 - 256
    3:  lw      a2, 0(a0)
        fold    a2
        addi    a0, a0, 4
        li      a1, DATA2
        bltu    a0, a1, 3b
        auipc   a0, 0x12345
        fold    a0
        addi    s0, s0, -1
        bnez    s0, 1b
        j       finish
    down:
        addi    sp, sp, -16
        sw      ra, 12(sp)
        sw      a0, 8(sp)
        fold    ra
        lw      a3, -4(ra)              # the call itself
        fold    a3
        addi    a0, a0, -1
        beqz    a0, 1f
        jal     down
    1:  lw      ra, 12(sp)
        addi    sp, sp, 16
        ret
    """,
    "misaligned targets, with link and without": """
        li      s0, 6
    again:
        .word   0x0020006f              # jal x0, 2
        .word   0x002000ef              # jal ra, 2
        .word   0x0060006f              # jal x0, 6
        .word   0x00000163              # beq x0, x0, 2
        .word   0x00001163              # bne x0, x0, 2: not taken
        .word   0x00115163              # bge sp, ra, 2
        la      a0, over
        jalr    x0, 1(a0)               # the lowest bit is dropped
        addi    s2, s2, 1
    over:
        jalr    x0, 2(a0)
        jalr    ra, 2(a0)
        jalr    a0, 3(a0)
        la      t0, over
        jalr    t0, 2(t0)
        jalr    t1, 6(t0)
        la      t1, 1f
        jalr    t1, 1(t1)
        addi    s2, s2, 1
    1:  add     s3, s3, t1
        la      t0, 1f
        jalr    t0, 1(t0)
        addi    s2, s2, 1
    1:  add     s3, s3, t0
        addi    s0, s0, -1
        bnez    s0, again
    """,
    "a far call by auipc, and one that is jumped into": FOLD + """
        li      s0, 4
    1:  auipc   t1, 0
        jalr    ra, 16(t1)
        addi    s2, s2, 3
        fold    ra
        auipc   t0, 0
        jalr    t0, 17(t0)              # over the fold
        fold    t0
        fold    t0
        auipc   t1, 0
        la      t1, 2f
        jr      t1
        auipc   a0, 0
    2:  jalr    a1, 8(t1)
        fold    a1
        fold    t1
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "branches near and far, both ways": FOLD + """
        li      s0, 40
    1:  andi    a0, s0, 1
        bnez    a0, far
    2:  andi    a0, s0, 2
        beqz    a0, 3f
        addi    s2, s2, 1
    3:  bgeu    s0, a0, 4f
        nop
    4:  blt     zero, s0, 5f
        nop
    5:  addi    s0, s0, -1
        bnez    s0, 1b
        j       finish
        .space  3960
    far:
        fold    s0
        j       2b
    """,
    "a branch back over much code": FOLD + """
        li      s0, 6
    1:
    """ + "    addi s2, s2, 3\n" * 300 + """
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "a jump to where nothing can be fetched, then something": """
        page    0, DATA, 0
        entry   DATA, 0, 0
        li      t0, 0x00008067          # ret
        li      t1, DATA
        sw      t0, 0(t1)
        space   ROOT, 1
        sfence.vma
        li      s0, 6
    again:
        la      ra, 1f
        j       out                     # a direct edge, to an indirect one
    1:  addi    s2, s2, 1
        andi    t2, s0, 1
        beqz    t2, 2f
        page    0, DATA, 0xcf
        j       3f
    2:  page    0, DATA, 0
    3:  sfence.vma
        addi    s0, s0, -1
        bnez    s0, again
        j       finish
    out:
        lui     t0, WINDOW >> 12
        jr      t0
    """,
    "direct jumps off the end of what is mapped, and back": """
        # The window's page 0 has code that jumps and falls into page 1, which comes and goes.
        page    0, DATA, 0xcf
        page    1, DATA2, 0
        space   ROOT, 1
        sfence.vma
        la      a0, from
        li      a1, DATA + 0xff0
        li      a2, 8
    1:  lw      a3, 0(a0)
        sw      a3, 0(a1)
        addi    a0, a0, 4
        addi    a1, a1, 4
        addi    a2, a2, -1
        bnez    a2, 1b
        fence.i
        li      s0, 12
    again:
        la      ra, 1f
        li      t0, WINDOW + 0xff0
        andi    t1, s0, 1
        bnez    t1, 2f
        addi    t0, t0, 4               # by the jump
    2:  jr      t0
    1:  addi    s2, s2, 1
        andi    t2, s0, 3
        bnez    t2, 2f
        page    1, DATA2, 0xcf
        j       3f
    2:  page    1, DATA2, 0
    3:  sfence.vma
        addi    s0, s0, -1
        bnez    s0, again
        j       finish
    from:
        beqz    t1, 1f
        nop
        nop
        beqz    zero, 1f
    1:  addi    s3, s3, 1
        ret
    """,
    "illegal words, ebreak, ecall, in the middle of units": """
        li      s0, 6
    1:  addi    a0, a0, 1
        .word   0
        addi    a0, a0, 1
        .word   0xffffffff
        ebreak
        addi    a0, a0, 1
        .word   0x30200073              # mret
        .word   0x0000a073              # csrs fflags: none here
        li      a7, 0x0badc0de
        ecall
        addi    a0, a0, 3
        .word   0x00000057
        fence
        fence.i
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "reservations across callouts": FOLD + """
        li      s0, 10
        li      a0, DATA
    1:  lr.w    a1, (a0)
        csrr    a2, sip                 # root is asked in between
        addi    a1, a1, 1
        sc.w    a3, a1, (a0)
        bnez    a3, 1b
        lr.w    a1, (a0)
        sw      s0, 0(a0)
        sc.w    a3, a1, (a0)
        fold    a3
        lr.w    a1, (a0)
        ebreak                          # a trap ends it
        sc.w    a3, a1, (a0)
        fold    a3
        lr.w    a1, (a0)
        csrw    sscratch, a1
        csrsi   sstatus, 0
        j       2f
    2:  sc.w    a3, a1, (a0)
        fold    a3
        amoadd.w a4, a0, (a0)
        amoswap.w a0, a0, (a0)          # rd is its own address
        fold    a0
        li      a0, DATA
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
}  # fmt: skip


@pair_of_ways
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_control(body, way):
    native = same(kernel(body), 200_000, way, mem=RAM)
    assert native.end == "HALTED"
