"""How long `toyvmm compare nano` takes, start to end, warm.

    python -m bench.compare [--engines native,trap,bt] [--runs 3]

The median of whole commands, each a process of its own, and the spread between them.
"""

import argparse
import statistics
import subprocess
import sys
import time

from bench.origin import origin


def once(engines: str) -> float:
    """Seconds that one comparison takes."""
    began = time.perf_counter()
    command = (sys.executable, "-m", "vmm.cli", "compare", "nano", "--engines", engines, "--json")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", default="native,trap,bt")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    once(options.engines)  # compiles, if it must
    times = [once(options.engines) for _ in range(options.runs)]
    median = statistics.median(times)
    spread = 100 * (max(times) - min(times)) / median
    print(f"compare nano, {options.engines}: {median:.2f} s, {spread:.0f} % spread")
    print(", ".join(f"{key} {value}" for key, value in origin().items()))


if __name__ == "__main__":
    main()
