"""How fast code in S that is rich in calls and indirect jumps runs under `bt`, against `native`.

    python -m bench.bt [--json] [--runs 7] [NAME ...]

Each program is compiled C in S under an identity map, and runs on both engines by turns, a
slice of the same instructions at a time: a busy host slows both.  A ratio is the median over
the pairs of slices, by the processor time of this process; the first slices, in which code is
decoded and translated, are left out.  Above 1, `bt` is the faster one.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.origin import origin
from tests.cprograms import CProgram, Runtime, cross_compile, missing_compiler
from toyisa.machine import Machine
from vmm.machine import VirtualMachine

HERE = Path(__file__).parent / "c"
FOREVER = 1_000_000_000  # rounds: no program ends within its slices
WARM, SLICE = 5_000_000, 10_000_000  # instructions
PROGRAMS = (
    *(f"bench/{name}.c" for name in ("fib", "quicksort", "bytecode", "hashtable")),
    *(str(path) for path in sorted(HERE.glob("*.c"))),
)


@dataclass
class Figure:
    """A program: speed of each engine in M insn/s, their ratio, its quartiles, and of cycles."""

    name: str
    native: float
    bt: float
    ratio: float
    low: float
    high: float
    cycles: float  # native's cycles over bt's


def prepared(elf: Path, engine: str) -> Machine:
    """A machine that runs the program, warm."""
    machine = Machine() if engine == "native" else VirtualMachine(engine=engine)
    machine.load(elf)
    machine.run(WARM)
    return machine


def seconds(machine: Machine) -> float:
    """Processor time of one slice."""
    before, began = machine.instret, time.process_time()
    machine.run(SLICE)
    spent = time.process_time() - began
    if machine.instret - before != SLICE:
        raise RuntimeError(f"the program ended: code {machine.code}, {machine.output()!r}")
    return spent


def measure(path: str, runs: int, out: Path) -> Figure:
    """The figure of one program."""
    program = CProgram(path)
    elf = cross_compile(program, Runtime.PAGED, FOREVER, out)
    native, bt = prepared(elf, "native"), prepared(elf, "bt")
    cycles = native.cycles, bt.cycles
    pairs = [(seconds(native), seconds(bt)) for _ in range(runs)]
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
    rates = [SLICE / 1e6 / statistics.median(times) for times in zip(*pairs, strict=True)]
    in_cycles = (native.cycles - cycles[0]) / (bt.cycles - cycles[1])
    return Figure(program.name, *rates, ratio, low, high, in_cycles)


def print_table(figures: list[Figure], where: dict[str, str]) -> None:
    """The figures for people."""
    print(f"{where['cpu']}, commit {where['commit']}, numba {where['numba']}")
    print(f"{'program':<12}{'native':>8}{'bt':>8}{'ratio':>8}{'quartiles':>16}{'cycles':>8}")
    for f in figures:
        spread = f"{f.low:.2f} to {f.high:.2f}"
        print(
            f"{f.name:<12}{f.native:>8.0f}{f.bt:>8.0f}{f.ratio:>8.2f}{spread:>16}{f.cycles:>8.2f}"
        )
    means = [statistics.geometric_mean(values) for values in
             zip(*((f.native, f.bt, f.ratio, f.cycles) for f in figures), strict=True)]  # fmt: skip
    print(
        f"{'geo. mean':<12}{means[0]:>8.0f}{means[1]:>8.0f}{means[2]:>8.2f}{'':>16}{means[3]:>8.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs; all by default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=7, help="pairs of slices a program (7)")
    options = parser.parse_args()
    if reason := missing_compiler():
        print(reason, file=sys.stderr)
        return 2
    known = [Path(p).stem for p in PROGRAMS]
    if unknown := set(options.names) - set(known):
        parser.error(f"no program is called {min(unknown)!r}; there are {', '.join(known)}")
    chosen = [p for p in PROGRAMS if not options.names or Path(p).stem in options.names]
    with tempfile.TemporaryDirectory() as directory:
        figures = [measure(p, options.runs, Path(directory)) for p in chosen]
    if options.json:
        print(json.dumps({"origin": origin(), "figures": [asdict(f) for f in figures]}, indent=1))
    else:
        print_table(figures, origin())
    return 0


if __name__ == "__main__":
    sys.exit(main())
