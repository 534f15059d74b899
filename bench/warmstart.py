"""How long a run takes when everything is kept: compiled code, assembled guests, bytecode.

    python -m bench.warmstart [--runs N] [--json]

Each command runs as often as the others, by turns, beside `python -c "import numba"`, since
machines differ and other work comes and goes.  Seconds on the wall are those that a user
waits; of CPU (user and system) those of a busy machine say more.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.coldstart import TOYVMM, spent
from bench.origin import origin

COMMANDS = {
    "import numba": [sys.executable, "-c", "import numba"],
    "examples": [*TOYVMM, "examples"],
    "run hello": [*TOYVMM, "run", "hello"],
    "boot hello": [*TOYVMM, "boot", "hello", "--engine", "bt"],
    "compare nano": [*TOYVMM, "compare", "nano"],
}
ASKED = {"run hello": 0.5, "compare nano": 3.0}  # seconds, on a quiet machine


def measured(runs: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of each command, `runs` times, after runs that fill the caches."""
    drop = ("NUMBA_", "TOYVMM_", "PYTHONDONTWRITE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    with tempfile.TemporaryDirectory() as folder:
        environment = kept | {
            "TOYVMM_CACHE_DIR": str(Path(folder, "cache")),
            "PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode")),
        }
        for _ in range(2):  # a source is kept when it is a second old
            for command in COMMANDS.values():
                subprocess.run(command, env=environment, check=True, capture_output=True)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
        for _ in range(runs):
            for name, command in COMMANDS.items():
                times[name].append(spent(command, environment))
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10, help="of each command (10)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    found = {}
    for name, times in measured(options.runs).items():
        wall, cpu = zip(*times)
        found[name] = {
            "seconds": statistics.median(wall), "least": min(wall),
            "cpu_seconds": statistics.median(cpu), "asked": ASKED.get(name),
        }  # fmt: skip
    unit = found["import numba"]["cpu_seconds"]
    if options.json:
        print(json.dumps({"schema": "toyvmm.warmstart/1", **origin(), "times": found}, indent=1))
        return 0
    print(f"{'':12} {'seconds':>8} {'least':>6} {'of CPU':>7} {'units':>6} {'asked':>6}")
    for name, row in found.items():
        print(
            f"{name:12} {row['seconds']:8.3f} {row['least']:6.3f} {row['cpu_seconds']:7.3f} "
            f"{row['cpu_seconds'] / unit:6.2f} {row['asked'] or '':>6}"
        )
    print(f"median of {options.runs}; units of the CPU time of `import numba`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
