"""How fast the interpreter runs compiled C, and the same programs under Spike.

    python -m bench.interp [--json] [--no-spike] [--runs 3] [NAME ...]

Both sides run the same source, compiled alike, in S under an identity map of superpages.
Ours is timed around `Machine.run`, with cycle accounting on.  Spike is a process: its
start-up is measured by the same program with few rounds and subtracted, so its rate is
(additional instructions) / (additional seconds).  Both run by turns, and seconds are the
processor's, so a busy host slows both alike.  Times are medians.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.coldstart import spent
from bench.origin import origin
from tests.cprograms import BENCH, CProgram, Runtime, cross_compile, missing_compiler
from toyisa.tables.extensions import FOR_EMULATORS

SPIKE_OPTIONS = (f"--isa={FOR_EMULATORS}", "-m64")
BUDGET = 1 << 40


@dataclass
class Figure:
    """One program: instructions, M insn/s here and under Spike, spread of ours in percent."""

    name: str
    instret: int
    seconds: float
    rate: float
    spread: float
    spike_rate: float | None = None


def run_machine(elf: Path) -> tuple[int, float]:
    """Instructions retired and seconds spent in `Machine.run`."""
    from toyisa.machine import Exit, Machine

    machine = Machine()
    machine.load(elf)
    start = time.process_time()
    reason = machine.run(budget=BUDGET)
    seconds = time.process_time() - start
    if reason != Exit.HALTED or machine.code:
        raise RuntimeError(f"{elf.name}: ended by {reason}, code {machine.code}")
    return machine.instret, seconds


def spike_seconds(spike: str, elf: Path) -> float:
    """Processor time of a whole Spike process."""
    command = [spike, *SPIKE_OPTIONS, str(elf)]
    return spent(command)[1]


def measure(program: CProgram, spike: str | None, runs: int, out: Path) -> Figure:
    """The figure of one program."""
    few, many = program.test_rounds, program.bench_rounds
    short, _ = run_machine(cross_compile(program, Runtime.PAGED, few, out))  # and warm up
    elf = cross_compile(program, Runtime.PAGED, many, out)
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(run_machine(elf))
        if spike:
            base = cross_compile(program, Runtime.SPIKE_PAGED, few, out)
            full = cross_compile(program, Runtime.SPIKE_PAGED, many, out)
            theirs.append(spike_seconds(spike, full) - spike_seconds(spike, base))
    instret, times = ours[0][0], [seconds for _, seconds in ours]
    seconds = statistics.median(times)
    spread = 100 * (max(times) - min(times)) / seconds
    figure = Figure(program.name, instret, seconds, instret / seconds / 1e6, spread)
    if spike:
        figure.spike_rate = (instret - short) / statistics.median(theirs) / 1e6
    return figure


def print_table(figures: list[Figure], where: dict[str, str]) -> None:
    """The figures for people."""
    print(f"{where['cpu']}, commit {where['commit']}, numba {where['numba']}")
    print(f"{'program':<12}{'M insn':>9}{'seconds':>9}{'M insn/s':>10}{'+-%':>6}"
          f"{'Spike':>9}{'ratio':>7}")  # fmt: skip
    for f in figures:
        line = (
            f"{f.name:<12}{f.instret / 1e6:>9.1f}{f.seconds:>9.3f}{f.rate:>10.0f}{f.spread:>6.0f}"
        )
        if f.spike_rate:
            line += f"{f.spike_rate:>9.0f}{f.rate / f.spike_rate:>7.2f}"
        print(line)
    mean = statistics.geometric_mean(f.rate for f in figures)
    line = f"{'geo. mean':<12}{'':>18}{mean:>10.0f}{'':>6}"
    if all(f.spike_rate for f in figures):
        spike = statistics.geometric_mean(f.spike_rate for f in figures)
        line += f"{spike:>9.0f}{mean / spike:>7.2f}"
    print(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs; all by default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--no-spike", action="store_true", help="leave Spike out")
    parser.add_argument("--runs", type=int, default=3, help="runs per program (3)")
    options = parser.parse_args()
    if reason := missing_compiler():
        print(reason, file=sys.stderr)
        return 2
    beside = Path(sys.executable).parent / "spike"
    spike = None if options.no_spike else shutil.which("spike") or shutil.which(beside)
    known = [p.name for p in BENCH]
    if unknown := set(options.names) - set(known):
        parser.error(f"no program is called {min(unknown)!r}; there are {', '.join(known)}")
    chosen = [p for p in BENCH if not options.names or p.name in options.names]
    with tempfile.TemporaryDirectory() as directory:
        figures = [measure(p, spike, options.runs, Path(directory)) for p in chosen]
    if options.json:
        print(json.dumps({"origin": origin(), "figures": [asdict(f) for f in figures]}, indent=1))
    else:
        print_table(figures, origin())
    return 0


if __name__ == "__main__":
    sys.exit(main())
