"""How fast snapshots are saved and restored: `python -m bench.snapshots`.

    python -m bench.snapshots [--mem MIB ...] [--folder PATH ...] [--runs N] [--json]

RAM is random, so nothing can be compressed: each byte is copied, added to the checksum and
written.  Saved and restored alternate, so that a busy moment of the host meets both.  What
is done before that, and each restored machine's digest, which must be the saved one's, are
not in the times.  Rates are in 10^6 bytes of RAM a second, the median of several and the
slowest: of the process's time (user and system), and on the wall.  `save` waits until the
disk has the file, so on a slow disk its wall time is the disk's.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.origin import origin
from toyisa.core.memory import RAM_BASE
from toyisa.machine import Machine

ASKED = 300  # 10^6 bytes a second
MEMORY = Path("/dev/shm")


def filled(size: int) -> Machine:
    """A machine with random RAM."""
    machine = Machine(mem=size)
    machine.boot(RAM_BASE, 0)
    machine.poke(RAM_BASE, np.random.default_rng(1).bytes(size))
    return machine


def spent(act: Callable[[], object]) -> tuple[tuple[float, float], object]:
    """Seconds of the process and on the wall, and what `act` returns."""
    began, cpu = time.perf_counter(), time.process_time()
    made = act()
    return (time.process_time() - cpu, time.perf_counter() - began), made


def measure(machine: Machine, folder: Path, runs: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of `runs` saves and restores, after one of each that does not count."""
    times: dict[str, list[tuple[float, float]]] = {"save": [], "restore": []}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place, "state")
        for _ in range(runs + 1):
            saving, _ = spent(lambda: machine.save(file))
            restoring, again = spent(lambda: Machine.restore(file))
            if again.digest() != machine.digest():
                raise SystemExit("the restored machine is another one")
            del again
            times["save"].append(saving)
            times["restore"].append(restoring)
    return {what: rows[1:] for what, rows in times.items()}


def rates(size: int, rows: list[tuple[float, float]]) -> dict[str, int]:
    """Rates of the median and of the slowest run."""
    found = {}
    for name, seconds in zip(("cpu", "wall"), zip(*rows)):
        found[name] = round(size / 1e6 / statistics.median(seconds))
        found[f"{name}_slowest"] = round(size / 1e6 / max(seconds))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mem", type=int, nargs="+", default=[64, 256], help="MiB of RAM (64 256)")
    parser.add_argument("--folder", type=Path, nargs="+",
                        help="where (/dev/shm, and where temporary files are)")  # fmt: skip
    parser.add_argument("--runs", type=int, default=7, help="measurements of each (7)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    here = Path(tempfile.gettempdir())
    folders = options.folder or [*([MEMORY] if MEMORY.is_dir() else []), here]
    found = []
    for mem in options.mem:
        machine = filled(mem << 20)
        for folder in folders:
            for what, rows in measure(machine, folder, options.runs).items():
                found.append(
                    {"mib": mem, "folder": str(folder), "what": what, **rates(mem << 20, rows)}
                )
    if options.json:
        told = {"schema": "toyvmm.snapshots/1", **origin(), "asked": ASKED, "rates": found}
        print(json.dumps(told, indent=1))
        return 0
    print(f"10^6 bytes a second; asked: {ASKED}")
    print(f"{'MiB':>4} {'folder':12} {'':8} {'CPU':>6} {'slowest':>8} {'wall':>6} {'slowest':>8}")
    for row in found:
        print(
            f"{row['mib']:4} {row['folder']:12} {row['what']:8} {row['cpu']:6} "
            f"{row['cpu_slowest']:8} {row['wall']:6} {row['wall_slowest']:8}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
