"""Law 7: no guest, however hostile, reads or writes a frame that is not its own.

The guest's frames lie among as many frames that belong to nobody.  These are full of one
pattern, then of another, and the guest must behave the same.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import shadowcheck
from tests.tablekernels import RAM_SIZE, table_kernels
from tests.virtual import each_engine, machine
from toyisa.testing.programs import u32
from toyisa.testing.states import machine_states

PAGE = 4096
PATTERNS = (0x5A5A5A5A, 0x200404CF)  # the second one is a page-table entry
BUDGET = 3000
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
few = settings(max_examples=40, deadline=None, suppress_health_check=CHECKS)
many = settings(max_examples=3000, deadline=None, suppress_health_check=CHECKS)


def among_strangers(engine, pattern, **options):
    """A machine whose guest has a random half of the frames; and the bytes of the others."""
    made = machine(engine, mem=2 * RAM_SIZE, scatter=3, **options)
    vm, frames = made.vm, RAM_SIZE // PAGE
    made.host.frames["gfn"][made.pages["mfn"][frames:]] = -1
    made.pages["mfn"][frames:] = -1
    vm.frames = frames
    pages = made.host.ram.view(np.uint32).reshape(-1, PAGE // 4)
    others = np.ones(len(pages), bool)
    others[made.pages["mfn"][:frames]] = False
    others[: int(vm.own) + made.engine.frames] = False  # the monitor's
    assert others.sum() > frames
    pages[others] = pattern
    return made, lambda: pages[others]


def place(state):
    """A function that puts a random state of the machine, with random satp and stvec, into a
    machine.
    """

    def put(made):
        from toyisa.core.tlb import recontext

        for at, data in state.ram.items():
            made.poke(0x80000000 + at, data)
        hart = made.hart
        hart.x[:32] = state.x
        hart.pc, hart.priv = state.pc, state.priv
        for name, value in state.csr.items():
            hart.csr[name] = value
        hart.clock.per_tick = 16
        recontext(hart)
        made.end_input()

    return put


@st.composite
def hostile(draw, size=30):
    """A function that puts a guest that keeps no rule into a machine."""
    if draw(st.booleans()):
        return draw(table_kernels(fenced=False, size=size)).put
    state = draw(machine_states(max_size=size))
    near = st.integers(0x80000, 0x801FF).map(lambda frame: 0x80000000 | frame)
    state.csr["satp"] = draw(st.one_of(st.just(state.csr["satp"]), near, u32))
    state.csr["stvec"] = draw(st.one_of(st.just(state.csr["stvec"]), u32)) & ~2
    return place(state)


layouts = st.fixed_dictionaries({
    "shadow": st.sampled_from([4, 5, 8, 511]), "cost": st.sampled_from(["p4", "modern"]),
    "clock": st.sampled_from(["icount", "cycles"]),
})  # fmt: skip


def contained(engine, put, layout):
    """Run the guest among strangers of either pattern; check everything that the law requires."""
    runs = []
    for pattern in PATTERNS:
        made, others = among_strangers(engine, pattern, **layout)
        put(made)
        ends = []
        for _ in range(3):
            before = made.instret
            ends.append(made.run(BUDGET).name)
            assert ends[-1] in {"HALTED", "BUDGET", "IDLE", "FATAL", "OUTPUT"}
            assert ends[-1] != "FATAL" or made.reason
            over = made.instret - before - BUDGET
            assert over <= 0
            assert (others() == pattern).all()
            found = shadowcheck.faults(made)
            assert not found, found
        runs.append((ends, made.digest(), made.output(), made.exits(), made.reason))
    assert runs[0] == runs[1]


@each_engine
def test_hostile_kernels(engine):
    @few
    @given(hostile(), layouts)
    def check(put, layout):
        contained(engine, put, layout)

    check()


@pytest.mark.slow
@each_engine
def test_many_hostile_kernels(engine):
    @many
    @given(hostile(size=60), layouts)
    def check(put, layout):
        contained(engine, put, layout)

    check()


@each_engine
def test_a_guest_that_maps_all_there_is(engine):
    """Each of 192 frames is a table, in two root tables, and superpages in turn; with few shadow
    frames or many.
    """
    from tests.smallkernels import kernel

    body = """
        entry   ROOT2 + 0x800, 0x80000000, 0xcf
        li      s4, 0x20000001              # a table at 0x8000_0000
        li      s0, 0x40                    # each frame from 0x40 on has an entry for DATA
    1:  slli    t0, s0, 12
        li      t1, 0x80000000
        add     t0, t0, t1
        li      t1, (DATA >> 2) | RW
        sw      t1, 0(t0)
        slli    t0, s0, 2
        li      t2, ROOT2
        add     t0, t0, t2
        slli    t1, s0, 10
        add     t1, t1, s4
        sw      t1, 0(t0)                   # and is a table of one root's
        li      t2, ROOT - ROOT2
        add     t0, t0, t2
        andi    t2, s0, 1
        beqz    t2, 2f
        li      t1, 0x20000007              # or in the other a superpage
    2:  sw      t1, 0(t0)
        addi    s0, s0, 1
        li      t1, 256
        bne     s0, t1, 1b
        li      s1, 3
    3:  space   ROOT, 1
        call    touch
        space   ROOT2, 2
        call    touch
        addi    s1, s1, -1
        bnez    s1, 3b
        j       finish
    touch:
        li      s0, 0x40
    4:  slli    t0, s0, 22
        lw      a0, 0(t0)
        sw      s0, 64(t0)
        addi    s0, s0, 1
        li      t1, 256
        bne     s0, t1, 4b
        ret
    """
    for shadow in (4, 64, 511):
        runs = []
        for pattern in PATTERNS:
            made, others = among_strangers(engine, pattern, shadow=shadow, clock="icount")
            kernel(body)(made)
            end = made.run(300_000).name
            assert (others() == pattern).all()
            assert not shadowcheck.faults(made)
            runs.append((end, made.digest(), made.exits()))
        assert runs[0] == runs[1]
        assert runs[0][0] == "HALTED"
        assert bool(made.vm.stats.evicted) == (shadow < 511)


@each_engine
@pytest.mark.parametrize("act", ["lw s3, 0(t0)", "sw s11, 0(t0)"])
def test_a_foreign_frame_is_noticed(engine, act):
    """If a monitor gave the guest one frame too many, both checks of the law notice it."""
    from tests.smallkernels import kernel

    seen = []
    for pattern in PATTERNS:
        made, others = among_strangers(engine, pattern, clock="icount")
        page = made.pages["mfn"][0x30] = next(
            n for n in range(int(made.vm.own) + made.engine.frames, made.host.ram.size // PAGE)
            if made.host.frames["gfn"][n] < 0
        )  # fmt: skip
        kernel(f"space ROOT, 1\nli t0, DATA\n{act}\n")(made)
        made.run(BUDGET)
        seen.append((made.hart.x[:32].tolist(), (others() == pattern).all()))
        assert page >= 0
    stores = act.startswith("sw")
    assert [untouched for _, untouched in seen] == [not stores] * 2
    assert (seen[0][0] == seen[1][0]) == stores


@pytest.mark.slow
def test_the_same_with_bounds_checks():
    """The core is compiled again, so that an index out of bounds is an IndexError."""
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1"}
    folder = Path(__file__).parent
    tests = [folder / name for name in (
        "test_containment.py", "test_shadow_tables.py", "test_shadow_evictions.py",
        "test_shadow_fences.py", "test_shadow_rights.py",
        "test_virtual_traps.py", "test_monitor_figures.py", "test_random_kernels.py",
    )]  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, env=environment, cwd=folder.parents[1], capture_output=True)
    assert done.returncode == 0, done.stdout.decode()[-3000:]


CHECKED = """
import numpy as np
from toyisa.core.hardware import Hardware
from toyisa.core.memory import pool_of
from toyisa.compiled.njit import call_unit, entry, unit_address, unit_types

@entry
def beyond(hart, mem, request, first, second):
    return np.int64(pool_of(mem).uops[first])

@entry
def caller(hart, mem, address, first):
    return call_unit(address, hart, mem, 0, first, 0)

made = Hardware(4096)
hart, mem = made.hart, made.memory
address = unit_address(beyond, unit_types(hart, mem))
print(caller(hart, mem, address, 5))
try:
    caller(hart, mem, address, 1 << 20)
except IndexError:
    print("IndexError")
"""


def test_bounds_checks_are_seen_through_units(tmp_path):
    """If checks are on, an error in a unit that is called by address reaches the caller."""
    (tmp_path / "checked.py").write_text(CHECKED)
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1"}
    done = subprocess.run(
        [sys.executable, tmp_path / "checked.py"], env=environment, capture_output=True
    )
    assert done.stdout.split()[-1:] == [b"IndexError"], done.stderr.decode()
