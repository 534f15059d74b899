"""How long a first run takes, from an empty cache, in units of `import numba`.

    python -m bench.coldstart [--runs N] [--json]

Machines differ by more than what is measured, so each time stands beside that of
`python -c "import numba"`, the median of several in the same run.  There is no C compiler
on the path.  Engines are added one by one to the same cache; `all` is the sum of all.
User and system time of all processes is told, too: that of a busy machine says more.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.origin import origin

BOUNDS = {"hello": 12, "trap": 6, "bt": 6, "pv": 6, "all": 28}  # what was asked for
TOYVMM = [sys.executable, "-m", "vmm"]


def spent(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds on the wall, and of CPU, that a command takes; it must succeed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, sum(
        getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime")
    )


def once() -> dict[str, tuple[float, float]]:
    """One measurement: `import`, `hello`, each engine, and `all`; wall and CPU seconds."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "TOYVMM_"))}
    with tempfile.TemporaryDirectory() as folder:
        cache, empty = Path(folder, "cache"), Path(folder, "bin")
        empty.mkdir()
        environment = kept | {"TOYVMM_CACHE_DIR": str(cache), "PATH": str(empty)}
        imports = [spent([sys.executable, "-c", "import numba"], environment) for _ in range(5)]
        times = {"import": tuple(statistics.median(column) for column in zip(*imports))}
        times["hello"] = spent([*TOYVMM, "run", "hello"], environment)
        warm = [spent([*TOYVMM, "run", "hello"], environment) for _ in range(3)]
        times["warm hello"] = tuple(statistics.median(column) for column in zip(*warm))
        for engine in ("trap", "bt", "pv"):
            times[engine] = spent([*TOYVMM, "boot", "hello", "--engine", engine], environment)
        cold = [times[name] for name in ("hello", "trap", "bt", "pv")]
        times["all"] = tuple(sum(column) for column in zip(*cold))
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="measurements; the median is told (3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    runs = [once() for _ in range(options.runs)]
    found = {}
    for name in runs[0]:
        units = [[run[name][n] / run["import"][n] for run in runs] for n in (0, 1)]
        found[name] = {
            "seconds": statistics.median(run[name][0] for run in runs),
            "cpu_seconds": statistics.median(run[name][1] for run in runs),
            "units": statistics.median(units[0]),
            "cpu_units": statistics.median(units[1]),
            "asked": BOUNDS.get(name),
        }
    if options.json:
        print(json.dumps({"schema": "toyvmm.coldstart/1", **origin(), "times": found}, indent=1))
        return 0
    print(f"{'':12} {'seconds':>8} {'of CPU':>8} {'units':>8} {'of CPU':>8} {'asked':>6}")
    for name, row in found.items():
        print(
            f"{name:12} {row['seconds']:8.2f} {row['cpu_seconds']:8.2f} {row['units']:8.1f} "
            f"{row['cpu_units']:8.1f} {row['asked'] or '':>6}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
