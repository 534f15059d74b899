"""How fast a host with many domains runs: one domain against a machine of its own, turns, boots.

    python -m bench.hosts [--json] [--runs 5]

Ratios compare processor time in one process, by turns, after a warm-up; the median is shown.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable

import guests
from asm import assemble_text
from bench.origin import origin
from tests.guests.build import assembled
from toyisa.machine import Machine
from vmm.hosting.host import Host
from vmm.machine import VirtualMachine

LOOP = """
    .globl _start
_start: li      s0, 0x7fffffff
        la      s1, word
1:      lw      t0, 0(s1)
        add     t0, t0, s0
        sw      t0, 0(s1)
        xor     t1, t0, s0
        addi    s0, s0, -1
        bnez    s0, 1b
        j       _start
        .balign 4096
        .data
word:   .word   0
"""
MEM = 1 << 20
CYCLES = 60_000_000
DOMAINS, TOYIX = 8, 128


def timed(act: Callable[[], object]) -> float:
    """Processor time of it."""
    began = time.process_time()
    act()
    return time.process_time() - began


def many(elf: bytes, count: int, **given: object) -> Host:
    """A host on which so many domains compute."""
    host = Host(mem=512 << 20, **given)
    for n in range(count):
        host.domain(f"d{n}", elf, engine="trap", mem=MEM)
    host.run(until=host.ms(5))
    return host


def rates(elf: bytes, runs: int) -> dict[str, float]:
    """Speed of one domain, and of eight, against a virtual machine that is alone; turns."""
    alone = VirtualMachine(mem=MEM, engine="trap")
    alone.load(elf)
    alone.run(1_000_000)
    one, eight = many(elf, 1), many(elf, DOMAINS)

    def on(host: Host) -> Callable[[], object]:
        return lambda: host.run(until=host.now + CYCLES)

    per_cycle = alone.instret / alone.cycles
    pairs = []
    for _ in range(runs):
        by_itself = timed(lambda: alone.run(int(CYCLES * per_cycle)))
        pairs.append([by_itself / timed(on(host)) for host in (one, eight)])
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    turning = many(elf, 4, options={"slice_us": 1})
    before = turning.seats[0].switches
    spent = timed(lambda: turning.run(until=turning.now + CYCLES))
    switches = (turning.seats[0].switches - before) / spent
    return {"one": first, f"{DOMAINS} on a hart": second, "switches a second": switches}


def making(elf: bytes, runs: int) -> dict[str, float]:
    """Milliseconds and MiB of the host for a domain of 16 MiB."""
    host = Host(mem=1 << 30)
    times, before = [], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(8 * runs):
        times.append(timed(lambda n=n: host.domain(f"m{n}", elf, mem=16 << 20)) * 1e3)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 / (8 * runs)
    return {"a domain, ms": statistics.median(times), "a domain, MiB": grown}


def boots() -> dict[str, float]:
    """Seconds and GiB of the host until so many `toyix` wait at their shells."""
    guest = guests.catalogue()["toyix"]
    elf = assembled(guest).elf()
    began = time.monotonic()
    host = Host(mem=1400 << 20)
    for n in range(TOYIX):
        host.domain(f"t{n}", elf, engine="trap", mem=6 << 20)
    host.run(until=host.ms(2000))
    if not all(b"$" in domain.output() for domain in host.domains.values()):
        raise RuntimeError("not all of them have come to the shell")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    return {f"{TOYIX} boots, s": time.monotonic() - began, f"{TOYIX} boots, GiB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=5, help="timings of each (5)")
    options = parser.parse_args()
    elf = assemble_text(LOOP).elf()
    Machine(mem=MEM)
    figures = rates(elf, options.runs) | making(elf, options.runs) | boots()
    if options.json:
        print(json.dumps({"origin": origin(), "figures": figures}, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:<20}{value:>12,.2f}")


if __name__ == "__main__":
    main()
