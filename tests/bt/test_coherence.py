"""Code that changes, moves, or has two mappings: the guest runs what its memory says."""

import pytest

from tests.bt.ways import same
from tests.smallkernels import RAM, kernel

# The code at `at`: `addi s2, s2, N` and a return, written by `write at, N`.
CODE = """
    .equ ADD, 0x00090913                # addi s2, s2, 0
    .macro write at, n                  # a function that adds n, at a pointer
    li      t0, \\at
    li      t1, ADD | ((\\n) << 20)
    sw      t1, 0(t0)
    li      t1, 0x00008067
    sw      t1, 4(t0)
    .endm
    .macro run at
    li      t0, \\at
    jalr    ra, t0
    .endm
"""

BODIES = {
    "stores to what comes next in the own unit": CODE + """
        li      s0, 20
    1:  la      t0, 2f
        slli    t1, s0, 20
        li      t2, ADD
        or      t1, t1, t2
        sw      t1, 0(t0)
        fence.i
    2:  addi    s2, s2, 0
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "by byte, half, atomic and conditional stores": CODE + """
        li      s0, 12
    1:  la      t0, 2f
        sb      s0, 3(t0)
        fence.i
    2:  addi    s2, s2, 0
        la      t0, 6f
        slli    t1, s0, 4
        sh      t1, 2(t0)
        fence.i
    6:  addi    s2, s2, 1
        la      t0, 3f
        li      t1, 1 << 20
        amoadd.w t2, t1, (t0)
        fence.i
    3:  addi    s3, s3, 0
    4:  la      t0, 5f
        lr.w    t1, (t0)
        li      t2, 1 << 20
        add     t1, t1, t2
        sc.w    t2, t1, (t0)
        fence.i
    5:  addi    s4, s4, 0
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "the head of a loop that is chained to itself": CODE + """
        li      s0, 200
    head:
        addi    s2, s2, 1
        addi    s0, s0, -1
        andi    t0, s0, 15
        bnez    t0, head
        la      t0, head
        lw      t1, 0(t0)
        li      t2, 1 << 20
        add     t1, t1, t2
        sw      t1, 0(t0)
        fence.i
        bgtz    s0, head
    """,
    "code across two pages, of which one changes": CODE + """
        j       over
        .align  12
        .space  4096 - 24
    across:
        addi    s3, s3, 1
        addi    s3, s3, 2
        addi    s3, s3, 3
        addi    s3, s3, 4
        addi    s3, s3, 5
        addi    s3, s3, 6
    next:
        addi    s2, s2, 0               # the second page's first word
        addi    s3, s3, 7
        ret
    over:
        li      s0, 20
    1:  call    across
        la      t0, next
        slli    t1, s0, 20
        li      t2, ADD
        or      t1, t1, t2
        sw      t1, 0(t0)
        fence.i
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "two address spaces, different code at one address": CODE + """
        write   DATA, 3
        write   DATA2, 50
        page    0, DATA, 0xcf
        entry   LEAF2, DATA2, 0xcf
        entry   ROOT2 + 0x800, 0x80000000, 0xcf
        entry   ROOT2 + 4 * (WINDOW >> 22), LEAF2, V
        li      s0, 12
    1:  space   ROOT, 1
        run     WINDOW
        run     WINDOW
        space   ROOT2, 2
        run     WINDOW
        andi    t0, s0, 3
        bnez    t0, 2f
        li      t0, DATA2
        lw      t1, 0(t0)
        li      t2, 1 << 20
        add     t1, t1, t2
        sw      t1, 0(t0)               # where it is mapped now
        li      t0, DATA
        lw      t1, 0(t0)
        add     t1, t1, t2
        sw      t1, 0(t0)               # and where it is not
        fence.i
    2:  addi    s0, s0, -1
        bnez    s0, 1b
        csrw    satp, zero
    """,
    "the same address, paging on and off": CODE + """
        entry   ROOT + 4 * (DATA >> 22), LEAF, V
        entry   LEAF + (DATA >> 12 << 2 & 0xffc), DATA2, 0xcf
        entry   LEAF + (0x80060000 >> 12 << 2 & 0xffc), 0x80060000, 0xc7
        entry   LEAF + (0x80022000 >> 12 << 2 & 0xffc), 0x80022000, 0xc7
        entry   LEAF, 0x80000000, 0xcf
        entry   LEAF + 4, 0x80001000, 0xcf
        write   DATA, 5
        write   DATA2, 70
        li      s0, 6
    1:  run     DATA
        space   ROOT, 0
        sfence.vma
        run     DATA
        run     DATA
        csrw    satp, zero
        sfence.vma
        run     DATA
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "a page remapped under code that has run": CODE + """
        write   DATA, 3
        write   DATA2, 50
        page    0, DATA, 0xcf
        space   ROOT, 1
        li      s0, 12
    1:  page    0, DATA, 0xcf
        sfence.vma
        run     WINDOW
        page    0, DATA2, 0xcf
        li      t0, WINDOW
        sfence.vma t0
        run     WINDOW
        page    0, DATA2, 0xc7          # not executable any more
        sfence.vma
        la      ra, 2f
        li      t0, WINDOW
        jr      t0
    2:  addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "the code that runs remaps its own page": CODE + """
        # WINDOW maps code's own frames; the other copy differs by one constant.
        la      a0, inner
        li      a1, DATA
        li      a2, 20
    1:  lw      a3, 0(a0)
        sw      a3, 0(a1)
        sw      a3, 0x400(a1)
        sw      a3, 0x7c0(a1)
        li      a4, DATA2 - DATA
        add     a4, a4, a1
        sw      a3, 0(a4)
        addi    a0, a0, 4
        addi    a1, a1, 4
        addi    a2, a2, -1
        bnez    a2, 1b
        la      a0, inner
        la      a1, change
        sub     a1, a1, a0
        li      a2, DATA2
        add     a1, a1, a2
        li      a2, ADD | 100 << 20
        sw      a2, 0(a1)
        fence.i
        space   ROOT, 1
        li      s0, 10
    2:  page    0, DATA, 0xcf
        sfence.vma
        li      a0, LEAF
        li      a1, DATA2 >> 12 << 10 | 0xcf
        li      t0, WINDOW
        jalr    ra, t0
        addi    s0, s0, -1
        bnez    s0, 2b
        j       finish
    inner:
        addi    s2, s2, 1
        sw      a1, 0(a0)
        sfence.vma
    change:
        addi    s2, s2, 1               # 100 in the other frame
        addi    s2, s2, 1
        ret
    """,
    "two addresses of one frame": CODE + """
        page    0, DATA, 0xcf
        page    1, DATA, 0xcf
        page    2, DATA, 0xc7
        space   ROOT, 1
        li      s0, 10
    1:  slli    t1, s0, 20
        li      t2, ADD
        or      t1, t1, t2
        li      t0, WINDOW + 0x2000
        sw      t1, 0(t0)
        li      t1, 0x00008067
        sw      t1, 4(t0)
        fence.i
        run     WINDOW
        run     WINDOW + 0x1000
        run     DATA
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "users write the kernel's code": CODE + """
        page    0, DATA, 0xd7
        space   ROOT, 1
        write   DATA, 3
        li      s0, 6
    1:  run     DATA
        user
        slli    t1, s0, 20
        li      t2, ADD
        or      t1, t1, t2
        li      t0, WINDOW
        sw      t1, 0(t0)
        kernel
        fence.i
        run     DATA
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "root entries taken away and put back": CODE + """
        write   DATA, 3
        write   DATA2, 50
        page    0, DATA, 0xcf
        entry   LEAF2, DATA2, 0xcf
        space   ROOT, 1
        li      s0, 8
    1:  run     WINDOW
        entry   ROOT + 4 * (WINDOW >> 22), LEAF2, V
        sfence.vma
        run     WINDOW
        entry   ROOT + 4 * (WINDOW >> 22), 0, 0
        sfence.vma
        la      ra, 2f
        li      t0, WINDOW
        jr      t0
    2:  entry   ROOT + 4 * (WINDOW >> 22), LEAF, V
        sfence.vma
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "code in the last 4 MiB, its root entry changed": CODE + """
        .equ    TOP, 0xffc00000
        write   DATA, 3
        write   DATA2, 50
        page    0, DATA, 0xcf
        entry   LEAF2, DATA2, 0xcf
        entry   ROOT + 4 * (TOP >> 22), LEAF, V
        space   ROOT, 1
        li      s0, 8
    1:  run     TOP
        run     TOP
        entry   ROOT + 4 * (TOP >> 22), LEAF2, V
        sfence.vma
        run     TOP
        run     TOP
        entry   ROOT + 4 * (TOP >> 22), LEAF, V
        sfence.vma
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "more tables of code than shadow frames": CODE + """
        # Code in five regions; each round one entry of another region's table changes.
        write   DATA, 3
        write   DATA2, 50
        .macro  region n
        entry   ROOT + 4 * (1 + \\n), 0x80040000 + 0x1000 * \\n, V
        entry   0x80040000 + 0x1000 * \\n, DATA, 0xcf
        .endm
        region  0
        region  1
        region  2
        region  3
        region  4
        region  5
        region  6
        space   ROOT, 1
        sfence.vma
        li      s0, 30
        li      s3, 0x80040000
        li      s4, 0x80047000
    1:  run     0x00400000
        run     0x00800000
        run     0x00c00000
        run     0x01000000
        run     0x01400000
        run     0x01800000
        run     0x01c00000
        lw      t1, 0(s3)
        li      t2, (DATA ^ DATA2) >> 12 << 10
        xor     t1, t1, t2
        sw      t1, 0(s3)
        sfence.vma
        li      t2, 0x1000
        add     s3, s3, t2
        bne     s3, s4, 2f
        li      s3, 0x80040000
    2:  addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "more kinds of address spaces than groups": CODE + """
        # Five spaces: in each another frame at WINDOW, and in all the same at 4 KiB above.
        .macro  kind n
        .equ    KROOT, 0x80040000 + 0x2000 * \\n
        write   DATA + 0x1000 * \\n, 3 * \\n + 1
        entry   KROOT + 0x800, 0x80000000, 0xcf
        entry   KROOT + 4 * (WINDOW >> 22), KROOT + 0x1000, V
        entry   KROOT + 0x1000, DATA + 0x1000 * \\n, 0xcf
        entry   KROOT + 0x1004, DATA, 0xcf
        .endm
        .irp n, 0,1,2,3,4
        kind    \\n
        .endr
        li      s0, 9
    1:  .irp n, 0,1,2,3,4,3,1
        space   0x80040000 + 0x2000 * \\n, \\n + 1
        run     WINDOW
        run     WINDOW + 0x1000
        .endr
        andi    t0, s0, 3
        bnez    t0, 2f
        slli    t1, s0, 20              # the code of one changes, and where another has it
        li      t2, ADD
        add     t1, t1, t2
        li      t0, DATA + 0x2000
        sw      t1, 0(t0)
        fence.i
        entry   0x80043000, DATA + 0x4000, 0xcf
        sfence.vma
    2:  addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "behind a jump that goes to two places by turns": CODE + """
        write   DATA, 1
        write   DATA2, 2
        space   ROOT, 1
        page    0, DATA, 0xcf
        page    1, DATA2, 0xcf
        sfence.vma
        li      s0, 24
        li      s3, WINDOW
        li      s4, WINDOW + 0x1000
    1:  andi    t1, s0, 2
        slli    t1, t1, 11
        add     t1, t1, s3              # no branch: there must be one jump only
        jalr    ra, t1                  # where it went first, or by the bucket
        slli    t1, s0, 20
        li      t2, ADD
        add     t1, t1, t2
        sw      t1, 0(s3)
        sw      t1, 0(s4)
        fence.i
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "a page table that is code, too": CODE + """
        # An entry with V, R and U set is `addi`; when A is set as well it is illegal.
        .equ    PTE, DATA >> 12 << 10 | 0x13
        entry   ROOT + 4 * (WINDOW >> 22), SPARE, V
        li      t0, SPARE + 16
        li      t1, PTE
        sw      t1, 0(t0)
        li      t1, 0x00008067
        sw      t1, 4(t0)
        fence.i
        li      t0, SUM
        csrs    sstatus, t0
        space   ROOT, 1
        sfence.vma
        run     SPARE + 16
        run     SPARE + 16
        li      t0, WINDOW + 0x4000
        lw      a0, 0(t0)               # sets A
        fence.i
        la      ra, 1f
        run     SPARE + 16
    1:  addi    s2, s2, 1
    """,
    "stores that keep hitting tables, then do not": CODE + """
        page    0, DATA, 0xc7
        space   ROOT, 1
        li      s0, 40
        li      a0, LEAF + 64
    1:  sw      s0, 0(a0)
        lw      a1, 0(a0)
        add     s2, s2, a1
        andi    a2, s0, 16
        li      a0, LEAF + 64
        bnez    a2, 2f
        li      a0, DATA
    2:  addi    s0, s0, -1
        bnez    s0, 1b
        li      a0, UART + 7            # a device
        li      s0, 20
        csrw    satp, zero
    3:  sb      s0, 0(a0)
        lbu     a1, 0(a0)
        add     s2, s2, a1
        addi    s0, s0, -1
        bnez    s0, 3b
        li      s0, 20
        li      a0, UART + 7
    4:  sb      s0, 0(a0)
        lbu     a1, 0(a0)
        add     s2, s2, a1
        li      a0, DATA + 5
        addi    s0, s0, -1
        bnez    s0, 4b
    """,
}  # fmt: skip


@pytest.mark.parametrize("way", ["strict", "few shadows", "all small"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_coherence(body, way):
    native = same(kernel(body), 200_000, way, mem=RAM)
    assert native.end == "HALTED"
