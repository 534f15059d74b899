"""The guest's `instret` counts its own instructions, whatever time counts and the translation
is.
"""

import pytest

import guests
from tests.bt import test_control, test_csr
from tests.bt.sequences import ROUND
from tests.bt.test_guests import loading
from tests.bt.ways import bare, under_bt
from tests.smallkernels import RAM, kernel
from tests.virtual import NATIVE, machine

GUESTS = guests.catalogue()
TIMELESS = ("hello", "pages")  # their instructions do not depend on the time
READ = "    csrr    a2, instret\n    slli    s3, s3, 1\n    xor     s3, s3, a2\n"
BODIES = {**test_control.BODIES, **test_csr.BODIES, "every sequence": "    li s0, 4\n" + ROUND}


def read_often(body):
    """The same, but after every third line `instret` is read and added to a register."""
    lines = [line for line in body.splitlines() if line.strip()]
    return "\n".join(line + ("\n" + READ if n % 3 == 2 else "") for n, line in enumerate(lines))


def place(made):
    """How far the guest has got, and where it is."""
    return made.instret, int(made.hart.pc)


def ends(made, budget=200_000):
    """The result of a run, except what depends on the time."""
    end = made.run(budget)
    hart = made.hart
    return {
        "end": end.name, "code": made.code, "instret": made.instret, "console": made.output(),
        "pc": int(hart.pc), "x": hart.x[:32].tolist(), "traps": made.traps_by_cause(),
        "sepc": int(hart.csr.sepc), "digest": made.guest_digest(),
    }  # fmt: skip


def equal(prepare, way, budget=200_000, **more):
    """The run on the bare machine, with the clock in cycles, after asserting that `bt`'s is the
    same.
    """
    runs = []
    for made in (bare(way, clock="cycles", **more), under_bt(way, clock="cycles", **more)):
        prepare(made)
        runs.append(ends(made, budget))
    assert runs[1] == runs[0]
    return runs[0]


@pytest.mark.parametrize("way", ["strict", "callouts", "traps", "all small"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_every_kind_of_translation(body, way):
    assert equal(kernel(body), way, mem=RAM)["end"] == "HALTED"


@pytest.mark.parametrize("way", ["strict", "traps", "all small"])
def test_the_guest_reads_it_between_all_sequences(way):
    body = "    li s0, 4\n    li s3, 0\n" + read_often(ROUND)
    assert equal(kernel(body), way, mem=RAM)["end"] == "HALTED"


@pytest.mark.parametrize("name", TIMELESS)
@pytest.mark.parametrize("clock", ["cycles", "icount"])
@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_guests(name, clock, engine):
    runs = []
    for which in (NATIVE, engine):
        made = machine(which, clock=clock)
        loading(GUESTS[name])(made)
        runs.append(ends(made, GUESTS[name].budget))
    assert runs[1] == runs[0]
    assert runs[0]["end"] == "HALTED"


def test_a_meter_and_a_full_pool_change_nothing():
    """A meter and a full pool fold the counts at other moments."""
    from toyisa.core.decodepool import flush_pool, fold_all

    prepare = kernel("    li s0, 40\n" + ROUND)
    native, translated = (make("strict", clock="cycles", mem=RAM) for make in (bare, under_bt))
    for made in (native, translated):
        prepare(made)
    for n in range(60):
        for made in (native, translated):
            made.run(37)
        (flush_pool if n % 3 else fold_all)(translated.host.hart, translated.host.memory)
        assert place(translated) == place(native)


@pytest.mark.parametrize("way", ["strict", "leaky", "all small"])
def test_a_budget_ends_at_its_instruction(way):
    """Also with the clock in cycles, where one instruction of the guest may be ten of the
    machine.
    """
    prepare = kernel("    li s0, 3\n" + ROUND)
    native, translated = (make(way, clock="cycles", mem=RAM) for make in (bare, under_bt))
    for made in (native, translated):
        prepare(made)
    for n in range(150):
        for made in (native, translated):
            made.run(1 + n % 7)
        assert place(translated) == place(native)
        assert translated.hart.x[:32].tolist() == native.hart.x[:32].tolist()


def test_slices_cost_nothing():
    """Neither the cycles nor the exits of a run depend on where it is stopped."""
    runs = []
    for slice_ in (1 << 20, 1000, 61):
        made = under_bt("strict", clock="cycles")
        loading(GUESTS["pages"])(made)
        while made.run(slice_).name == "BUDGET":
            pass
        exits = {name: row["count"] for name, row in made.exits().items() if name != "other"}
        runs.append((made.cycles, made.instret, made.digest(), exits))
    assert runs[0] == runs[1] == runs[2]
