"""Every PTE under every access, level, SUM and MXR: inside a guest as on the bare machine."""

import pytest

from tests.smallkernels import RAM, kernel
from tests.virtual import compare, each_engine, each_layout

# The entry that is swept, the frame in it, and the address that it maps.
PLACES = {
    "page": ("LEAF", "DATA", "WINDOW"),
    "superpage": ("ROOT + 8", "0x80000000", "0x00830000"),
    "misaligned superpage": ("ROOT + 8", "0x80001000", "0x00830000"),
    "table": ("ROOT + 8", "SPARE", "0x00830000"),
    "nothing": ("LEAF", "0x20000000", "WINDOW"),
}  # fmt: skip
ACCESSES = """
    lbu     a0, 1(s3)
    lw      a0, 0(s3)
    lr.w    a0, (s3)
    sw      s5, 4(s3)
    sb      s5, 9(s3)
    lr.w    a0, (s3)
    sc.w    a0, s5, (s3)
    amoadd.w a0, s5, (s3)
    probe.r a1, s3
    probe.w a2, s3
    add     s4, s4, a0
    add     s4, s4, a1
    add     s4, s4, a2
"""
SWEEP = """
    .macro anew                             # the entry as it is to be, code on its page
    li      t0, {frame} >> 12 << 10
    or      t0, t0, s0
    sw      t0, 0(s2)
    sfence.vma
    .endm
    .macro note                             # what became of the entry
    lw      t0, 0(s2)
    slli    t1, s4, 5
    sub     s4, t1, s4
    add     s4, s4, t0
    .endm
    entry   SPARE + 4 * 0x30, DATA, RW | X | U
    space   ROOT, 1
    li      s2, {at}
    li      s3, {va}
    li      s5, 0x00008067                  # ret
    li      s4, 0
    li      s0, 255
each:
    li      s1, 3
status:
    li      t0, SUM | MXR
    csrc    sstatus, t0
    slli    t0, s1, 18
    csrs    sstatus, t0
    anew
    {accesses}
    note
    anew
    li      t0, DATA
    sw      s5, 0(t0)
    jump    {va}
    note
    anew
    user
    {accesses}
    jump    {va}
    kernel
    note
    anew
    probe.r a1, s3                          # a question leaves no trace
    probe.w a2, s3
    note
    anew
    user                                    # reads only: A alone
    lw      a0, 0(s3)
    kernel
    lw      a0, 0(s3)
    note
    li      s11, LOG
    addi    s1, s1, -1
    bgez    s1, status
    addi    s0, s0, -1
    bgez    s0, each
"""


@each_engine
@pytest.mark.parametrize("place", PLACES)
def test_every_flag(place, engine):
    at, frame, va = PLACES[place]
    body = SWEEP.format(at=at, frame=frame, va=va, accesses=ACCESSES)
    bare = compare(kernel(body), 2_000_000, engine, mem=RAM)
    assert bare.end == "HALTED"
    wanted = {"load_access", "store_access"} if place == "nothing" else {"store_page"}
    assert wanted | {"load_page", "ecall_u", "illegal"} <= bare.traps.keys()


TOGGLE = """
    page    0, DATA, R
    page    1, DATA, X
    page    2, DATA, RWAD | U
    page    3, DATA, X | U
    store   DATA, 0x00008067
    space   ROOT, 1
    li      s0, 3                           # warm after the first round
again:
    .irp bits, 0, SUM, MXR, SUM | MXR, MXR, SUM, 0
    li      t0, SUM | MXR
    csrc    sstatus, t0
    li      t0, \\bits
    csrs    sstatus, t0
    .irp n, 0, 1, 2, 3
    load    WINDOW + 0x1000 * \\n
    .endr
    .irp n, 0, 2, 3
    store   WINDOW + 0x1000 * \\n, 0x00008067
    .endr
    .irp n, 1, 2, 3
    jump    WINDOW + 0x1000 * \\n
    .endr
    user
    .irp n, 0, 1, 2, 3
    load    WINDOW + 0x1000 * \\n
    jump    WINDOW + 0x1000 * \\n
    .endr
    kernel
    .endr
    addi    s0, s0, -1
    bnez    s0, again
"""


@each_engine
@each_layout
@pytest.mark.parametrize("cost", ["p4", "modern"])
def test_sum_and_mxr_change_without_a_fence(engine, layout, cost):
    bare = compare(kernel(TOGGLE), 100_000, engine, layout=layout, cost=cost, mem=RAM)
    assert bare.end == "HALTED"
    assert {"load_page", "store_page", "fetch_page"} <= bare.traps.keys()


CHANGES = """
    .macro access                           # and go on without a word of it
    load    WINDOW
    store   WINDOW, 0x00008067
    jump    WINDOW
    .endm
    page    0, DATA, RWAD | X | U
    store   DATA, 0x00008067
    li      t0, SUM
    csrs    sstatus, t0
    space   ROOT, 1
    .irp flags, RWAD | X | U, R | A | U, X | A | U, 0, RWAD | U, RWAD | X
    page    0, DATA, \\flags
    sfence.vma
    access
    li      t0, MXR
    csrs    sstatus, t0
    access
    li      t0, MXR
    csrc    sstatus, t0
    user
    access
    kernel
    .endr
"""


@each_engine
@each_layout
def test_every_view_follows_the_tables(engine, layout):
    """S, S with MXR and U use a page in turn; its entry changes while all three know it."""
    bare = compare(kernel(CHANGES), 100_000, engine, layout=layout, mem=RAM)
    assert bare.end == "HALTED"
    assert {"load_page", "store_page", "fetch_page"} <= bare.traps.keys()
