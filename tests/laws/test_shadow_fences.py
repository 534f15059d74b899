"""After every fence that a guest can ask for, no old translation is used."""

import pytest

from tests.laws.test_shadow_tables import check_tables
from tests.virtual import each_engine, each_layout

# By name: the body, and the faults that the bare machine counts.
BODIES = {
    "the firmware's fences": ("""
        page    0, DATA, RWAD
        page    1, DATA, RWAD
        space   ROOT, 3
        .irp call, 6, 7, 0x52464e43
        .irp other, R | A | D, RWAD
        load    WINDOW
        load    WINDOW + 0x1000
        page    0, DATA, \\other
        page    1, DATA, \\other
        li      a7, \\call
        li      a6, 1                           # remote_sfence_vma
        li      a0, 1
        li      a1, 0
        la      t0, DATA2
        sw      a0, 0(t0)                       # to the legacy calls the mask is in memory
        .if \\call < 16
        mv      a0, t0
        .endif
        li      a2, WINDOW
        li      a3, 0x2000
        ecall
        store   WINDOW, 1
        store   WINDOW + 0x1000, 1
        .endr
        .endr
    """, {"store_page": 6}),
    "every fence": ("""
        page    0, DATA, RWAD
        page    1, DATA2, RWAD | G
        space   ROOT, 77                        # no real space's number
        .irp form, "sfence.vma", "sfence.vma a2", "sfence.vma zero, a3", "sfence.vma a2, a3"
        .irp other, R | V | A, RWAD
        load    WINDOW
        li      a2, WINDOW
        li      a3, 77
        page    0, DATA, \\other
        \\form
        store   WINDOW, 1
        li      a2, WINDOW + 0x1000
        page    1, DATA, \\other | G
        sfence.vma a2
        store   WINDOW + 0x1000, 1
        .endr
        .endr
    """, {"store_page": 8}),
}  # fmt: skip


@each_engine
@each_layout
@pytest.mark.parametrize("name", BODIES)
def test_fences(name, engine, layout):
    check_tables(*BODIES[name], engine, layout)
