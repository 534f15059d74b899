"""Generated kernels in S and U on Spike and on our machine, instruction by instruction."""

from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from tests.guests import spike
from toyisa.core.memory import RAM_BASE
from toyisa.machine import Machine
from toyisa.testing import kernels
from toyisa.testing.code import Code
from vmm.watch.commitlog import CommitLog
from vmm.watch.stepping import Stepper

pytestmark = spike.needed
ECALL = "(0x00000073)"
LONGEST = 200_000  # instructions: each kernel ends before


def our_log(kernel, count):
    machine = Machine(mem=1 << 20, clock="icount")
    machine.load(kernel.elf())
    machine.end_input()
    file = StringIO()
    Stepper(machine, [CommitLog(file)]).run(count)
    # An ecall that the firmware answers retires here; on Spike it is a trap to M.
    lines = [line for line in file.getvalue().splitlines() if ECALL not in line]
    return spike.comparable(lines)


def same(kernel, where):
    theirs = spike.commit_log(kernel, where)
    ours = our_log(kernel, LONGEST)
    for n, (a, b) in enumerate(zip(ours, theirs)):
        before = "\n".join(theirs[max(n - 12, 0) : n])
        assert a == b, f"line {n}\n{before}\nours   {a}\nspike  {b}"
    return ours, theirs


def agree(kernel, where):
    ours, theirs = same(kernel, where)
    assert len(ours) == len(theirs)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck),
          phases=[Phase.explicit, Phase.reuse, Phase.generate])  # fmt: skip
@given(kernel=kernels(standard=True))
def test_generated_kernels(kernel, tmp_path_factory):
    agree(kernel, tmp_path_factory.mktemp("spike"))


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(kernel=kernels(standard=True))
def test_many_generated_kernels(kernel, tmp_path_factory):
    agree(kernel, tmp_path_factory.mktemp("spike"))


def bodied(build):
    """The smallest kernel, with a given body in place of a random one."""
    kernel = find(kernels(0, standard=True), lambda _: True,
                  settings=settings(phases=[Phase.generate], database=None))  # fmt: skip
    finish = kernel.symbols["finish"] - RAM_BASE >> 2
    body = build(Code()).words()
    # Both are position-independent, except for the addresses of labels, which are not needed any
    # more.
    kernel.words = [*kernel.words[:finish], *body, *kernel.words[finish:]]
    return kernel


# Where the manual leaves a choice, and ours differs from Spike's: docs/isa.md lists them.
SAVE_WORD = 0x80009080
CHOICES = {
    # "sstatus.FS": writable without the F extension; ours is read-only 0.
    "sstatus.FS": lambda c: c.li(29, 3 << 13).e("csrrs", 0, "sstatus", 29)
                             .e("csrrs", 5, "sstatus", 0),
    # Any store to the word clears our reservation; on Spike only another hart's store.
    "to the same word between lr.w and sc.w": lambda c: c.li(29, SAVE_WORD).e("lr.w", 5, 29)
                                              .e("sw", 0, 0, 29).e("sc.w", 5, 0, 29),
}  # fmt: skip


@pytest.mark.parametrize("choice", CHOICES)
def test_where_we_differ_by_choice(choice, tmp_path):
    """The last instruction of each gives another result, and nothing before it does."""
    kernel = bodied(CHOICES[choice])
    ours, theirs = our_log(kernel, LONGEST), spike.commit_log(kernel, tmp_path)
    first = next(n for n, (a, b) in enumerate(zip(ours, theirs)) if a != b)
    (mine, mine_x5), (spikes, spikes_x5) = (a[first].split(" x5  ") for a in (ours, theirs))
    assert mine == spikes
    assert mine_x5 != spikes_x5
    listed = Path(__file__).parents[2] / "docs" / "isa.md"
    assert choice.replace("sc.w", "`sc.w`").replace("lr.w", "`lr.w`") in listed.read_text()
