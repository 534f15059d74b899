"""How fast the host runs a paravirtual guest: hypercalls a second, and computing.

    python -m bench.pv [--json] [--runs 5] [--clock icount|cycles]

Hypercalls: a loop in S around `event`, the shortest there is, and around `set_pte`; time is
spent in `Machine.run`.  Computing: the user program of nano/compute, with more rounds, under
`pv` and on the bare machine in turns; the rate is native's time over pv's.  Medians.
"""

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import asm
import guests
from bench.origin import origin
from toyisa.machine import Exit, Machine
from vmm.machine import VirtualMachine

CALLS = 2_000_000
ROUNDS = 4000  # of the sieve

LOOP = """
    .include "include/pvops.inc"
    .include "include/call.inc"
    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .text
main:
    PROLOGUE
    la      a0, table
    PT_ALLOC a0
    li      s0, {count}
    la      s1, table
1:  mv      a0, s1
    li      a1, 0
    HYPERCALL {call}
    addi    s0, s0, -1
    bnez    s0, 1b
    li      a0, 0
    EPILOGUE
trap:
    j       panic_trap
    .bss
    .balign 4096
table:
    .space  4096
"""


@dataclass
class Figure:
    """What was measured: a rate in `unit`, and its spread in percent."""

    name: str
    rate: float
    unit: str
    spread: float


def seconds(machine: Machine, elf: bytes) -> float:
    """The time that a guest takes from its first instruction to its end."""
    machine.load(elf)
    machine.end_input()
    start = time.perf_counter()
    end = machine.run()
    spent = time.perf_counter() - start
    if end is not Exit.HALTED or machine.code:
        raise RuntimeError(f"ended by {end.name}, code {machine.code}: {machine.output()!r}")
    return spent


def hypercalls(call: str, runs: int, clock: str) -> Figure:
    """Millions of hypercalls a second."""
    text = LOOP.format(count=CALLS, call=f"HYP_{call}")
    elf = asm.assemble_text(text, include_dirs=[guests.ROOT], defines=guests.BUILDS["pv"]).elf()
    # The first run is not counted: it accesses memory that no run has accessed before.
    times = [seconds(VirtualMachine(engine="pv", clock=clock), elf) for _ in range(runs + 1)]
    return figure(f"hypercall {call.lower()}", [CALLS / 1e6 / t for t in times[1:]], "M/s")


def compute(runs: int, clock: str) -> Figure:
    """Native's time over pv's."""
    guest = guests.catalogue()["nano/compute"]
    text = guest.source.read_text().replace(".equ COUNT, 8", f".equ COUNT, {ROUNDS}", 1)
    dirs = guests.include_dirs(guest.source)
    native, patched = (
        asm.assemble_text(text, include_dirs=dirs, defines=guests.BUILDS[build]).elf()
        for build in ("", "pv")
    )
    ratios = []
    for _ in range(runs + 1):
        bare = seconds(Machine(clock=clock), native)
        ratios.append(100 * bare / seconds(VirtualMachine(engine="pv", clock=clock), patched))
    return figure("computing, of native", ratios[1:], "%")


def figure(name: str, samples: list[float], unit: str) -> Figure:
    middle = statistics.median(samples)
    return Figure(name, middle, unit, 100 * (max(samples) - min(samples)) / middle)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (5)")
    parser.add_argument("--clock", choices=("cycles", "icount"), default="cycles")
    options = parser.parse_args()
    found = [hypercalls(call, options.runs, options.clock) for call in ("EVENT", "SET_PTE")]
    found.append(compute(options.runs, options.clock))
    if options.json:
        print(json.dumps({"origin": origin(), "figures": [asdict(f) for f in found]}, indent=1))
        return 0
    where = origin()
    print(f"{where['cpu']}, commit {where['commit']}, numba {where['numba']}")
    for f in found:
        print(f"{f.name:<24}{f.rate:>8.1f} {f.unit:<5}+-{f.spread:.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
