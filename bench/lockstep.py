"""How many user instructions a second are compared with unicorn: `python -m bench.lockstep`.

They are compared as in `tests/lockstep/test_unicorn.py`, with and without the time that it
takes to make the programs.  Must not say whether they agree.
"""

import json
import time

from hypothesis import HealthCheck, Phase, given, settings

from bench.origin import origin
from tests.lockstep import test_unicorn as lockstep
from tests.lockstep.subjects import Core, Unicorn
from toyisa.testing import programs

ROUNDS = 5
EXAMPLES = 200


def corners(unicorn: Unicorn, core: Core) -> float:
    """Compared instructions a second of the arithmetic rows on corner operands."""
    batches = list(lockstep.batches())[:20]
    start, count = time.perf_counter(), 0
    for words in batches:
        for a, b in zip(lockstep.CORNERS, reversed(lockstep.CORNERS)):
            lockstep.run_both(unicorn, core, lockstep.corner_program(words, a, b))
            count += len(words)
    return count / (time.perf_counter() - start)


def drawn() -> list:
    """Random programs, each from several states."""
    found = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(program=programs())
    def collect(program):
        found.extend(lockstep.variants(program))

    collect()
    return found


def main() -> None:
    """Print a JSON object: medians, and the spread over rounds."""
    unicorn, core = Unicorn(), Core()
    corners(unicorn, core)
    rates = sorted(corners(unicorn, core) for _ in range(ROUNDS))
    start = time.perf_counter()
    found = drawn()
    drawing = time.perf_counter() - start
    start = time.perf_counter()
    for program in found:
        lockstep.run_both(unicorn, core, program)
    running = time.perf_counter() - start
    words = sum(len(program.words) for program in found)
    print(json.dumps({
        **origin(),
        "corner_instructions_per_s": round(rates[ROUNDS // 2]),
        "corner_spread": [round(rates[0]), round(rates[-1])],
        "random_instructions_per_s": round(words / running),
        "random_instructions_per_s_with_drawing": round(words / (running + drawing)),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
