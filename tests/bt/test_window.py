"""The monitor's window: whatever reads or writes there sees what the guest has there."""

import pytest

from tests.bt.ways import pair_of_ways, same, under_bt
from tests.smallkernels import RAM, kernel

# The last page, through a pointer and from x0, at every size; then from users.
TOUCH = """
    .equ    TOPS, 0xffc00000
    .macro  touch                       # fold what is seen, change it, see it again
    li      a0, 0xfffff800
    lw      a1, 0(a0)
    add     s2, s2, a1
    sw      s0, 0(a0)
    lw      a1, -2048(zero)
    xor     s2, s2, a1
    sw      s0, -2044(zero)
    sh      s0, -2040(zero)
    sb      s0, -2035(zero)
    lh      a1, -2040(zero)
    add     s2, s2, a1
    lhu     a1, -2040(zero)
    add     s2, s2, a1
    lb      a1, -2035(zero)
    add     s2, s2, a1
    lbu     a1, -2035(zero)
    add     s2, s2, a1
    lw      t0, -4(zero)
    lw      t1, -8(zero)
    add     s2, s2, t0
    xor     s2, s2, t1
    lw      a1, -1993(zero)             # misaligned
    sw      a1, -1994(zero)
    sh      a1, -1991(zero)
    lw      zero, -2000(zero)
    li      a0, 0xfffff804
    amoadd.w a1, s0, (a0)
    add     s2, s2, a1
    lr.w    a1, (a0)
    addi    a1, a1, 1
    sc.w    a2, a1, (a0)
    add     s2, s2, a2
    lw      a1, 2(a0)                   # misaligned, by pointer
    li      a0, TOPS
    lw      a1, 0(a0)                   # where translated code begins
    add     s2, s2, a1
    sw      s0, 64(a0)
    lw      a1, 64(a0)
    add     s2, s2, a1
    li      a0, 0xffcf0000              # where the buckets lie
    lw      a1, 0(a0)
    add     s2, s2, a1
    sw      s0, 0(a0)
    csrrs   a1, sstatus, zero           # the virtual state is none the worse
    add     s2, s2, a1
    csrr    a1, sscratch
    add     s2, s2, a1
    .endm
    .macro  top frame, flags            # map the three pages
    entry   LEAF2 + 0xffc, \\frame, \\flags
    entry   LEAF2, \\frame, \\flags
    entry   LEAF2 + 0x3c0, \\frame + 0x1000, \\flags
    .endm
    .macro  fetch at
    la      ra, 99f
    li      t0, \\at
    jr      t0
99:
    .endm
    entry   ROOT + 0xffc, LEAF2, V
    li      t0, 0x12345678
    csrw    sscratch, t0
"""

BODIES = {
    "paging off: nothing is there": TOUCH + """
        li      s0, 6
    1:  touch
        fetch   0xfffff800
        fetch   TOPS
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "RAM is there, it goes, and comes again": TOUCH + """
        top     DATA, 0xc7
        space   ROOT, 1
        li      s0, 6
    1:  touch
        andi    t0, s0, 1
        bnez    t0, 2f
        top     DATA, 0xc3
        j       3f
    2:  top     DATA2, 0xc7
    3:  sfence.vma
        touch
        top     DATA, 0
        sfence.vma
        touch
        entry   ROOT + 0xffc, 0, 0
        sfence.vma
        touch
        entry   ROOT + 0xffc, LEAF2, V
        top     DATA, 0xc7
        sfence.vma
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "a superpage": TOUCH + """
        entry   ROOT + 0xffc, 0x80000000, 0xc7
        space   ROOT, 1
        li      s0, 3
    1:  touch
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "a device is there": TOUCH + """
        entry   LEAF2 + 0xffc, UART, 0xc7
        space   ROOT, 1
        li      s0, 6
        li      a0, 0xfffff000
    1:  lbu     a1, 5(a0)
        add     s2, s2, a1
        sb      s0, 7(a0)
        lbu     a1, 7(a0)
        add     s2, s2, a1
        lbu     a1, -2041(zero)
        add     s2, s2, a1
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "U's pages, with SUM and without": TOUCH + """
        top     DATA, 0xd7
        space   ROOT, 1
        li      s0, 4
    1:  touch
        li      t0, SUM
        csrs    sstatus, t0
        touch
        li      t0, SUM
        csrc    sstatus, t0
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "executable only, with MXR and without": TOUCH + """
        top     DATA, 0xc9
        page    0, DATA, 0xc9
        space   ROOT, 1
        li      s0, 4
    1:  touch
        load    WINDOW
        add     s2, s2, a0
        store   WINDOW, 7
        li      t0, MXR
        csrs    sstatus, t0
        touch
        load    WINDOW
        add     s2, s2, a0
        store   WINDOW, 7
        li      t0, MXR
        csrc    sstatus, t0
        load    WINDOW
        addi    s0, s0, -1
        bnez    s0, 1b
    """,
    "kernel code that lies there": TOUCH + """
        la      a0, inner
        li      a1, DATA + 0x800
        li      a2, 16
    1:  lw      a3, 0(a0)
        sw      a3, 0(a1)
        addi    a0, a0, 4
        addi    a1, a1, 4
        addi    a2, a2, -1
        bnez    a2, 1b
        top     DATA, 0xcf
        space   ROOT, 1
        li      s0, 6
    2:  li      t0, 0xfffff800
        jalr    ra, t0
        li      t0, 0xffc00800
        jalr    ra, t0
        li      t0, 0xffc00001          # words of data there: illegal
        fetch   0xffcf0000
        addi    s0, s0, -1
        bnez    s0, 2b
        j       finish
    inner:
        auipc   a0, 0
        add     s2, s2, a0
        lw      a1, 8(a0)
        add     s2, s2, a1
        lw      a1, -2048(zero)
        add     s2, s2, a1
        csrrw   a1, sscratch, a0
        add     s2, s2, a1
        addi    s3, ra, 0
        jal     1f
    1:  add     s2, s2, ra
        addi    ra, s3, 0
        ret
    """,
    "user code there, reading and running it": TOUCH + """
        la      a0, inner
        li      a1, DATA + 0x800
        li      a2, 16
    1:  lw      a3, 0(a0)
        sw      a3, 0(a1)
        addi    a0, a0, 4
        addi    a1, a1, 4
        addi    a2, a2, -1
        bnez    a2, 1b
        top     DATA, 0xdf
        space   ROOT, 1
        li      s0, 4
    2:  user
        lw      a1, -2048(zero)
        add     s2, s2, a1
        sw      s0, -1024(zero)
        lw      a1, -1024(zero)
        add     s2, s2, a1
        li      a0, TOPS
        lw      a1, 0(a0)
        sw      s0, 32(a0)
        add     s2, s2, a1
        li      t0, 0xfffff800
        jalr    ra, t0
        kernel
        addi    s0, s0, -1
        bnez    s0, 2b
        j       finish
    inner:
        auipc   a0, 0
        add     s2, s2, a0
        lw      a1, -2048(zero)
        add     s2, s2, a1
        ret
    """,
    "a user where the kernel has it, and nothing else": TOUCH + """
        top     DATA, 0xcf
        space   ROOT, 1
        li      s0, 4
    2:  user
        lw      a1, -2048(zero)
        sw      a1, -2048(zero)
        li      a0, TOPS
        lw      a1, 0(a0)
        sw      a1, 0(a0)
        jump    TOPS
        jump    0xffcf001c
        kernel
        addi    s0, s0, -1
        bnez    s0, 2b
    """,
}  # fmt: skip


# The same at the other end: what x0 reaches, also for words that become page tables.
MIRRORED = {
    "0xfffff800": "0x400", "0xfffff804": "0x404", "0xfffff000": "0x0",
    "0xffc00800": "0x1400", "0xffc00001": "0x1001", "0xffc00000": "0x1000",
    "0xffcf0000": "0xe9000", "0xffcf001c": "0xe901c", "DATA + 0x800": "DATA + 0x400",
    "-2048(zero)": "1024(zero)", "-2044(zero)": "1028(zero)", "-2041(zero)": "1031(zero)",
    "-2040(zero)": "1032(zero)", "-2035(zero)": "1037(zero)", "-2000(zero)": "1072(zero)",
    "-1994(zero)": "1078(zero)", "-1993(zero)": "1079(zero)", "-1991(zero)": "1081(zero)",
    "-1024(zero)": "512(zero)", "-8(zero)": "2040(zero)", "-4(zero)": "2044(zero)",
    "LEAF2 + 0x3c0": "LEAF2 + 0x3a4", "LEAF2 + 0xffc": "LEAF2 @", "LEAF2,": "LEAF2 + 4,",
    "LEAF2 @": "LEAF2", "ROOT + 0xffc": "ROOT",
}  # fmt: skip


def mirrored(body):
    for was, now in MIRRORED.items():
        body = body.replace(was, now)
    assert "0xff" not in body
    assert "-20" not in body
    return body


LONG = "kernel code that lies there"
CASES = [pytest.param(body, id=name, marks=[pytest.mark.compiled] if name == LONG else [])
         for name, body in BODIES.items()]  # fmt: skip


@pair_of_ways
@pytest.mark.parametrize("body", CASES)
def test_window(body, way):
    native = same(kernel(body), 200_000, way, mem=RAM)
    assert native.end == "HALTED"


@pytest.mark.parametrize("way", ["strict", "at the bottom", "restless", "all small"])
@pytest.mark.parametrize("body", CASES)
def test_at_the_bottom(body, way):
    native = same(kernel(mirrored(body)), 200_000, way, mem=RAM)
    assert native.end == "HALTED"


def test_it_goes_where_the_guest_is_not():
    """There and back, ever more slowly, for a kernel that uses both ends."""
    body = BODIES["RAM is there, it goes, and comes again"]
    both = body.replace("li      s0, 6", "li      s0, 60") + "j 9f\n" * 0
    for text, expected in ((both, 1), (mirrored(both), 0)):
        made = under_bt("strict", mem=RAM, clock="cycles")
        kernel(text)(made)
        made.run(500_000)
        assert made.counters()["moved"] == expected
