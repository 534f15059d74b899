"""Fast tags hold numbers of contexts: two contexts never share one, and all go on overflow."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from asm import assemble_text
from toyisa.core import state
from toyisa.core.contexts import MOST, forget_contexts, number_of
from toyisa.core.state import CONTEXTS, NO_TAG
from toyisa.core.sv32 import MXR, SUM
from toyisa.core.tlb import PAGED, hit_tag, recontext
from toyisa.machine import Exit, Machine
from toyisa.tables.levels import Level, STraps

ASIDS = st.one_of(st.sampled_from([0, 1, 257, 511]), st.integers(0, 511))
LIMITS = st.sampled_from([0, 1 << 12, 0xFFC0_0000, 0xFFFF_F000, 1 << 22])


FIELDS = {
    "level": st.sampled_from([*Level]), "paged": st.booleans(), "asid": ASIDS,
    "status": st.sampled_from([0, SUM, MXR, SUM | MXR]),
    "traps": st.sampled_from([0, STraps.ALL]), "s_base": LIMITS, "s_limit": LIMITS,
}  # fmt: skip
FIRST = {"level": Level.S, "paged": True, "asid": 1, "status": 0, "traps": 0, "s_base": 0,
         "s_limit": 0}  # fmt: skip
CHANGES = st.one_of([st.tuples(st.just(name), values) for name, values in FIELDS.items()])


def enter(hart, context):
    """Make the hart's context this one."""
    hart.priv = context["level"]
    hart.csr.satp = (PAGED if context["paged"] else 0) | context["asid"] << 22
    hart.csr.sstatus = context["status"]
    hart.root.s_traps = context["traps"]
    hart.root.s_base, hart.root.s_limit = context["s_base"], context["s_limit"]
    recontext(hart)


def meaning(context, *, by_x0=False):
    """What a data access in this context depends on: the naive twin of a number."""
    bound = context["traps"] and context["level"] == Level.S and not by_x0
    bound = bound and (context["s_base"] or context["s_limit"])
    return (
        context["level"], context["paged"] and (context["asid"], context["status"]),
        bound and (context["s_base"], context["s_limit"]),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=63), st.integers(0, MOST))
def test_a_tag_matches_in_the_context_that_it_was_set_in_and_in_no_other(changes, before):
    """Against a set of pairs: what a tag at each page was set for, since all were dropped."""
    hart = state.new_hart()
    hart.tlb.dmask = 63
    for key in range(before):  # so that an overflow is near
        number_of(hart.tlb.contexts, (1 << 40) + key)
    held = {}  # by page, what its tag was set for
    context = dict(FIRST)
    for n, (name, value) in enumerate(changes):
        context[name] = value
        overflows = hart.tlb.contexts.overflows
        enter(hart, context)
        if hart.tlb.contexts.overflows != overflows:
            assert (hart.tlb.rtag == NO_TAG).all()
            held.clear()
        for page, owner in held.items():
            for by_x0 in (False, True):
                tag = hart.tlb.ctx_r ^ (hart.tlb.absolute if by_x0 else 0)
                hit = hit_tag(hart.tlb.rtag, hart.tlb.frame_at, tag, page << 12, 3, 63)
                assert (hit >= 0) == (owner == meaning(context, by_x0=by_x0))
        by_x0 = bool(n & 1)
        hart.tlb.rtag[n] = hart.tlb.ctx_r ^ (hart.tlb.absolute if by_x0 else 0) | n << 12
        held[n] = meaning(context, by_x0=by_x0)


def test_every_number_is_another_until_all_are_free_again():
    known = state.new_hart().tlb.contexts
    for stride in (1, 3, 64, 1 << 9, 1 << 13, 1 << 33):
        assert len({number_of(known, stride * n) for n in range(MOST)}) == MOST
        forget_contexts(known)
    numbers = [number_of(known, key << 13 | key) for key in range(MOST)]
    assert sorted(numbers) == sorted(set(numbers))
    assert max(numbers) < CONTEXTS < 1 << 15
    assert number_of(known, MOST << 13 | MOST) == -1
    assert [number_of(known, key << 13 | key) for key in range(MOST)] == numbers
    forget_contexts(known)
    assert number_of(known, MOST << 13 | MOST) >= 0
    assert (known.count, known.overflows) == (1, 7)


def test_an_overflow_drops_all_tags():
    hart = state.new_hart()
    hart.tlb.dmask = hart.tlb.imask = 63
    for asid in range(512):
        hart.tlb.rtag[:64] = hart.tlb.wtag[:64] = hart.tlb.xtag[:64] = 5
        hart.fetch.tag = 5
        before = int(hart.tlb.contexts.overflows)
        enter(hart, FIRST | {"asid": asid})
        gone = hart.tlb.contexts.overflows != before
        for tags in (hart.tlb.rtag[:64], hart.tlb.wtag[:64], hart.tlb.xtag[:64], hart.fetch.tag):
            assert np.all(tags == (NO_TAG if gone else 5))
    assert hart.tlb.contexts.overflows >= 2
    assert hart.tlb.ctx_r == hart.tlb.ctx_w == hart.tlb.ctx_x


# Two roots map one page to two frames; spaces 1 to 511 use them by turns.
SPACES = """
    .globl _start
_start:
    la      s0, root_a
    la      s1, root_b
    la      t0, page_a
    srli    t0, t0, 2
    ori     t0, t0, 0xcf
    la      t1, low_a
    sw      t0, 0(t1)
    srli    t1, t1, 2
    ori     t1, t1, 1
    sw      t1, 0(s0)
    la      t0, page_b
    srli    t0, t0, 2
    ori     t0, t0, 0xcf
    la      t1, low_b
    sw      t0, 0(t1)
    srli    t1, t1, 2
    ori     t1, t1, 1
    sw      t1, 0(s1)
    li      t0, 0x200000cf      # RAM, 4 MiB
    li      t1, 2048
    add     t2, s0, t1
    sw      t0, 0(t2)
    add     t2, s1, t1
    sw      t0, 0(t2)
    srli    s0, s0, 12
    srli    s1, s1, 12
    lui     t0, 0x80000
    or      s0, s0, t0
    or      s1, s1, t0
    li      s2, 0               # wrong values seen
    li      s4, 1               # the space
each:
    andi    t0, s4, 1
    mv      t1, s0
    li      t2, 0x11
    beqz    t0, 1f
    mv      t1, s1
    li      t2, 0x22
1:  slli    t0, s4, 22
    or      t1, t1, t0
    csrw    satp, t1
    lw      t3, 0(x0)
    beq     t3, t2, 2f
    addi    s2, s2, 1
2:  addi    s4, s4, 1
    li      t0, 512
    bne     s4, t0, each
    csrw    satp, x0
    li      t0, 0x5555
    li      t1, 0x100000
    sw      t0, 0(t1)
    .balign 4096
root_a: .space 4096
root_b: .space 4096
low_a:  .space 4096
low_b:  .space 4096
page_a: .word 0x11
    .balign 4096
page_b: .word 0x22
    .balign 4096
"""


def test_more_spaces_than_numbers():
    machine = Machine(mem=1 << 20)
    machine.load(assemble_text(SPACES).elf())
    assert machine.run() is Exit.HALTED
    assert machine.hart.x[18] == 0, "wrong values read"
    assert machine.hart.tlb.contexts.overflows >= 2
