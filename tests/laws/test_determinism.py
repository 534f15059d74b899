"""The same inputs give the same digest, in any process; cycles by class sum to the total."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from tests.unit.cli.command import ROOT
from toyisa.machine import Exit, Machine
from toyisa.testing import kernels, programs
from toyisa.testing.code import Code
from toyisa.testing.images import write_elf

BASE, SCRATCH = 0x80000000, 0x80010000
RUN = """
import sys
from toyisa.machine import Machine
for clock in ("cycles", "icount"):
    machine = Machine(mem=1 << 20, clock=clock, cost="p4")
    machine.load(sys.argv[1])
    machine.end_input()
    machine.run(200_000)
    print(clock, machine.digest(), machine.output(), machine.cycles_by_class(),
          machine.traps_by_cause())
"""


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    """A kernel that does many things: it takes at least five kinds of traps."""
    def busy(kernel):
        machine = Machine(mem=1 << 20, clock="icount")
        machine.load(kernel.elf())
        machine.end_input()
        return machine.run(200_000) is Exit.HALTED and len(machine.traps_by_cause()) >= 5

    quick = settings(max_examples=500, phases=[Phase.generate], database=None,
                     deadline=None, suppress_health_check=list(HealthCheck))  # fmt: skip
    path = tmp_path_factory.mktemp("kernel") / "kernel.elf"
    path.write_bytes(find(kernels(), busy, settings=quick).elf())
    return path


def test_the_same_digest_in_two_processes_and_under_another_hash_seed(elf):
    answers = set()
    for seed in ("0", "0", "12345"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", RUN, str(elf)], env=environment,
                              capture_output=True, text=True, check=True)  # fmt: skip
        answers.add(done.stdout)
    assert len(answers) == 1
    assert len(answers.pop().splitlines()) == 2


def summed(machine):
    assert sum(machine.cycles_by_class().values()) == machine.cycles
    counted = sum(int(n) for n in machine.hart.counts.op)
    answered = machine.traps_by_cause().get("ecall_s", 0)
    assert counted + answered == machine.instret


@settings(max_examples=60, deadline=None)
@given(program=programs(), cost=st.sampled_from(["p4", "core2", "modern"]))
def test_cycles_of_programs_sum_to_the_total(program, cost):
    load = Code()
    for number, value in enumerate(program.regs[1:31], 1):
        load.li(number, value)
    load.li(31, SCRATCH + 2048)
    words = [*load.words(), *program.words, *Code().e("addi", 17, 0, 8).e("ecall").words()]
    data = b"".join(word.to_bytes(4, "little") for word in words)
    machine = Machine(mem=1 << 20, cost=cost)
    machine.load(write_elf({BASE: data, SCRATCH: program.memory}, BASE))
    assert machine.run(10_000) is Exit.HALTED
    summed(machine)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kernel=kernels(), cost=st.sampled_from(["p4", "core2", "modern"]),
    clock=st.sampled_from(["cycles", "icount"]), budget=st.integers(1, 3000),
)  # fmt: skip
def test_cycles_of_kernels_sum_to_the_total_wherever_they_stop(kernel, cost, clock, budget):
    machine = Machine(mem=1 << 20, cost=cost, clock=clock)
    machine.load(kernel.elf())
    machine.end_input()
    machine.run(budget)
    summed(machine)
    machine.run(200_000)
    summed(machine)
