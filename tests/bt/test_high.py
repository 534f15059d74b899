"""A kernel at the top of memory, whose processes share only a trampoline with it."""

import pytest

from tests.bt.highstacks import XV6_HIGH, elf
from tests.bt.ways import bare, same, under_bt
from vmm.engines.bt.record import Count

ELSEWHERE = 0xFE3F_F000  # not at an end of the address space
BUDGET = 10_000_000


def loading(**more):
    image = elf(**more)

    def prepare(machine):
        machine.load(image)
        machine.end_input()

    return prepare


@pytest.mark.parametrize("way", ["strict", "leaky", "traps", "few shadows", "all small"])
@pytest.mark.parametrize("high", [XV6_HIGH, ELSEWHERE], ids=hex)
def test_it_is_the_same_kernel(high, way):
    native = same(loading(high=high, rounds=30), BUDGET, way, mem=4 << 20)
    assert (native.end, native.console) == ("HALTED", b"20ec8b7d\n")


def ended(make, **more):
    made = make("strict", clock="cycles", **{k: more.pop(k) for k in ("cost",) if k in more})
    loading(**more)(made)
    assert made.run(BUDGET).name == "HALTED"
    return made


@pytest.mark.parametrize(("cost", "most"), [("p4", 2.97), ("modern", 2.35)])
def test_it_costs_little_more_than_on_the_bare_machine(cost, most):
    """A system call takes 4,300 cycles of `p4`; root emulates five of its instructions."""
    native, high, elsewhere = (
        ended(make, cost=cost, high=high, rounds=1000)
        for make, high in ((bare, XV6_HIGH), (under_bt, XV6_HIGH), (under_bt, ELSEWHERE))
    )
    assert high.cycles <= most * native.cycles, high.cycles / native.cycles
    assert high.cycles <= 1.1 * elsewhere.cycles
    assert (high.counters()["moved"], elsewhere.counters()["moved"]) == (1, 0)


def test_a_fence_behind_a_write_of_satp_is_no_exit_of_its_own():
    high = ended(under_bt, rounds=100)
    assert high.counters()["fenced"] == high.exits()["satp"]["count"] == 201
    assert "fence" not in high.exits()


def test_translations_stay_when_the_kernel_is_not_mapped():
    """From the process's space to the kernel's and back, nothing is translated again."""
    few, many = (ended(under_bt, rounds=rounds).private[0].count for rounds in (20, 400))
    for count in (Count.UNITS, Count.INVALIDATED, Count.CHAINED, Count.MISSES, Count.PREDICTED):
        assert few[count] == many[count], count
