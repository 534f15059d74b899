"""How fast the monitor is on this host: exits, faults, translated loops, whole boots.

    python -m bench.vmm [--json] [--runs 5]

Every figure is the median of several timings in one process, after a warm-up.  Things that
are compared are timed in turn, so that a busy host slows both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from asm import assemble_text
from bench.origin import origin
from toyisa.machine import Exit, Machine
from vmm import engines
from vmm.machine import VirtualMachine, new_machine

LINUX = Path(__file__).parent.parent / "build" / "linux" / "Image"

CSR = """
_start: li      s0, 0x7fffffff
1:      .rept   16
        csrr    t0, stvec
        .endr
        addi    s0, s0, -1
        bnez    s0, 1b
"""
# A table of 1024 pages is touched page by page, then written anew with A clear.
HIDDEN = """
        .equ    ROOT, 0x80100000
        .equ    TABLE, 0x80101000
_start: li      s0, ROOT
        li      t0, TABLE >> 2 | 1
        sw      t0, 0(s0)
        li      t1, 0x200000cf
        li      t2, 512 * 4
        add     t2, t2, s0
        sw      t1, 0(t2)
        li      t0, 1 << 31 | ROOT >> 12
        csrw    satp, t0
again:  li      t0, TABLE
        li      t1, 0x20080003
        li      t2, 1024
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        addi    t2, t2, -1
        bnez    t2, 1b
        sfence.vma
        li      t0, 0
        li      t1, 0x1000
        li      t2, 1024
touch:  lw      t3, 0(t0)
        add     t0, t0, t1
        addi    t2, t2, -1
        bnez    t2, touch
        j       again
"""
LOOP = """
_start: li      s0, 0x7fffffff
        la      s1, word
1:      lw      t0, 0(s1)
        add     t0, t0, s0
        sw      t0, 0(s1)
        xor     t1, t0, s0
        {call}
        addi    s0, s0, -1
        bnez    s0, 1b
f:      add     t2, t2, t1
        slli    t3, t2, 3
        ret
        .balign 4096
        .data
word:   .word   0
"""
S0 = 8


def rate(machine: Machine, done: Callable[[Machine], int], budget: int) -> float:
    """Millions of what `done` counts in a second, over `budget` instructions."""
    before, began = done(machine), time.perf_counter()
    machine.run(budget)
    return (done(machine) - before) / (time.perf_counter() - began) / 1e6


def exits(kind: str) -> Callable[[Machine], int]:
    return lambda machine: machine.exits().get(kind, {}).get("count", 0)


def prepared(source: str, engine: str) -> Machine:
    machine = new_machine(engine)
    machine.load(assemble_text(source).elf())
    machine.run(1_000_000)
    return machine


def exit_rates(runs: int) -> dict[str, float]:
    """Emulated CSR accesses and hidden faults under `trap`, millions a second."""
    csr, hidden = prepared(CSR, "trap"), prepared(HIDDEN, "trap")
    return {
        "emulated CSR accesses, M/s": statistics.median(
            rate(csr, exits("csr"), 2_000_000) for _ in range(runs)),
        "hidden faults, M/s": _fault_rate(hidden, runs),
    }  # fmt: skip


def _fault_rate(machine: Machine, runs: int) -> float:
    """Hidden faults a second of the time spent in the touching loop alone."""
    spent = faults = 0.0
    touch = {name: at for at, name in machine.symbols}["touch"]
    for _ in range(64 * runs):
        while not touch <= machine.hart.pc < touch + 16:
            machine.run(16)
        began, before = time.perf_counter(), exits("hidden_fault")(machine)
        machine.run(4000)
        spent += time.perf_counter() - began
        faults += exits("hidden_fault")(machine) - before
    return faults / spent / 1e6


def _rounds(machine: Machine) -> int:
    return -int(machine.hart.x[S0])


def loops(engines: tuple[str, ...], runs: int) -> dict[str, dict[str, float]]:
    """Speed of kernel loops by engine, as a part of the bare machine's."""
    found = {}
    for name, call in (("kernel loop", ""), ("kernel loop with call and return", "call    f")):
        count = 12 if call else 6
        machines = {e: prepared(LOOP.format(call=call), e) for e in ("native", *engines)}
        ratios = {e: [] for e in engines}
        for _ in range(runs):
            speed = {e: count * rate(m, _rounds, 30_000_000) for e, m in machines.items()}
            for e in engines:
                ratios[e].append(speed[e] / speed["native"])
        found[name] = {e: statistics.median(values) for e, values in ratios.items()}
    return found


def boot_seconds(engine: str, load: Callable[[Machine], None]) -> float:
    """Seconds of run time from a fresh machine to its end."""
    machine = new_machine(engine)
    load(machine)
    machine.end_input()
    began = time.perf_counter()
    while machine.run() is Exit.OUTPUT:
        machine.output()
    return time.perf_counter() - began


def boots(runs: int) -> dict[str, dict[str, float]]:
    """Whole runs: seconds by engine, medians."""
    import guests
    from vmm.cli.target import find

    toyix = find("toyix")
    script = guests.catalogue()["toyix"].input.read_bytes()

    def load_toyix(machine: Machine) -> None:
        machine.load(toyix.elf)
        machine.feed(script)

    jobs = {"toyix, its script": load_toyix}
    if LINUX.exists():
        jobs["Linux to power-off"] = lambda machine: machine.load_kernel(LINUX)
    return {
        name: {engine: statistics.median(boot_seconds(engine, load) for _ in range(runs))
               for engine in ("native", "trap", "bt")}
        for name, load in jobs.items()
    }  # fmt: skip


def translating(runs: int) -> float:
    """Microseconds of host time for making a block, on code that runs once."""
    body = "\n".join(f"addi t0, t0, {n % 7}\nbeqz zero, l{n}\nl{n}:" for n in range(4000))
    source = f"_start: li t1, 1\n{body}\n1: j 1b\n"
    costs = []
    for _ in range(runs):
        machine = VirtualMachine(engine="bt")
        machine.load(assemble_text(source).elf())
        machine.run(100)
        before, began = machine.counters()["units"], time.perf_counter()
        machine.run(7000)
        seconds = time.perf_counter() - began
        costs.append(seconds * 1e6 / (machine.counters()["units"] - before))
    return statistics.median(costs)


# Of machines made after a first, and kept.  Their guest runs if it is given.
MORE = """
import gc, sys, time
from vmm.machine import new_machine

engine, runs, elf = sys.argv[1], int(sys.argv[2]), sys.argv[3:]

def resident():
    with open("/proc/self/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss"))

def made():
    machine = new_machine(engine)
    if elf:
        machine.load(elf[0])
        machine.run()
    return machine

kept = [made(), made()]
gc.collect()
before, began = resident(), time.process_time()
kept += [made() for _ in range(runs)]
spent = time.process_time() - began
print((resident() - before) / 1024 / runs, 1000 * spent / runs)
"""


def one_more(engine: str, runs: int) -> dict[str, float]:
    """What one more machine costs: MiB and milliseconds to make it, MiB after `hello` has run."""
    from vmm.cli.target import find

    elf = find("hello", build="" if engine == engines.NATIVE else engines.facts(engine).build).elf
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "hello.elf"
        file.write_bytes(elf)
        (made, spent), (ran, _) = (_measured(engine, runs, *more) for more in ((), (str(file),)))
    return {"MiB": made, "ms": spent, "MiB after hello": ran}


def _measured(*arguments: object) -> list[float]:
    command = [sys.executable, "-c", MORE, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def cold_seconds(engine: str) -> float:
    """Seconds from an empty cache to the end of the smallest guest: all that is compiled."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "TOYVMM_CACHE_DIR": directory}
        command = [sys.executable, "-m", "vmm.cli", "boot", "hello", "--engine", engine]
        began = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    found = {
        "rates": exit_rates(options.runs),
        "microseconds a translated unit": translating(options.runs),
        "speed against native": loops(("trap", "bt"), options.runs),
        "seconds": boots(options.runs),
        "a machine more": {
            engine: one_more(engine, 4 * options.runs) for engine in ("native", *engines.names())
        },
        "cold start": {engine: cold_seconds(engine) for engine in ("trap", "bt")},
    }
    if options.json:
        print(json.dumps({**origin(), **found}, indent=2))
        return
    print(", ".join(f"{value}" for value in origin().values()))
    for name, value in found["rates"].items():
        print(f"{name:<40}{value:8.2f}")
    print(f"{'a translated unit, microseconds':<60}{found['microseconds a translated unit']:8.2f}")
    for name, row in found["speed against native"].items():
        print(f"{name + ', against native':<60}" + _cells(row, ".0%"))
    for name, row in found["seconds"].items():
        print(f"{name + ', seconds':<60}" + _cells(row, ".3f"))
    for name, row in found["a machine more"].items():
        print(f"{'a machine more, ' + name:<60}" + _cells(row, ".2f"))
    row = found["cold start"]
    print(f"{'`boot hello` with nothing compiled, seconds, once':<60}" + _cells(row, ".1f"))


def _cells(row: dict[str, float], form: str) -> str:
    return "  ".join(f"{engine} {value:{form}}" for engine, value in row.items())


if __name__ == "__main__":
    main()
