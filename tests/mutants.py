"""Seeded faults, one at a time: does a test notice each?  `python -m tests.mutants --help`.

The faults are in `mutants.toml`.  Each is put into a copy of the tree, and the tests named
with it are run there, without the compiler unless it says `jit`.  A fault that no test
notices survives.  It is either a gap in the tests, or explained in the file by `survives`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("mutants.toml")
PARTS = ("toyisa", "vmm", "asm", "guests", "tests", "docs", "bench", "pyproject.toml", "README.md",
         "CHANGELOG.md", "Makefile")  # fmt: skip
PATIENCE = 300  # seconds: if a fault makes a test hang, it is noticed


class Untried(Exception):
    """No test has judged the fault: none ran, or a signal ended them."""


@dataclass(frozen=True)
class Fault:
    """One seeded fault: in `file`, `old` becomes `new`; `tests` are pytest's arguments."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = field(repr=False)
    jit: bool = False
    survives: str = ""


def faults() -> list[Fault]:
    """The list, tests by the names of its table of sets."""
    table = tomllib.loads(LIST.read_text(encoding="utf-8"))
    sets = {name: tuple(arguments) for name, arguments in table["tests"].items()}
    return [
        Fault(
            row["name"], row["file"], row["old"], row["new"], sets[row["tests"]],
            row.get("jit", False), row.get("survives", ""),
        )
        for row in table["fault"]
    ]  # fmt: skip


def copy_tree(where: Path) -> None:
    """The tree as it is now, without files that tools have left in it."""
    where.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".*", "*.elf")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, where / part, ignore=ignored)
        else:
            shutil.copy2(ROOT / part, where / part)


def run_tests(tree: Path, tests: tuple[str, ...], *, jit: bool) -> tuple[bool, str]:
    """Whether the tests pass in a tree, and the last line that they print."""
    environment = os.environ | {
        "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1",
        "TOYVMM_CACHE_DIR": str(tree / "cache"), "NUMBA_DISABLE_JIT": "0" if jit else "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *tests], cwd=tree, env=environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"hung for {PATIENCE} s"
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()[-100:]]
    if done.returncode < 0:  # by the fault or by somebody: one cannot know
        raise Untried(f"ended by signal {-done.returncode}")
    if done.returncode > 1:  # 1: tests failed; more: they did not run
        raise Untried(f"no test ran: {lines[-1]}")
    if "numba.core.errors" in done.stdout:
        raise Untried("does not compile")
    return done.returncode == 0, lines[-1]


def try_fault(tree: Path, fault: Fault) -> str:
    """`killed` or `survived`, and why, after putting the fault into `tree` and out again."""
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        return f"stale: {fault.file} has {text.count(fault.old)} places like that"
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    try:
        passed, line = run_tests(tree, fault.tests, jit=fault.jit)
    except Untried as error:
        return f"not tried: {error}"
    finally:
        path.write_text(text, encoding="utf-8")
    return f"survived: {line}" if passed else f"killed: {line}"


def main() -> int:
    """Run the faults named, or all; 1 if one survives without an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="faults, or parts of their names; all if none")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--baseline", action="store_true", help="the same tests without a fault")
    chosen = parser.parse_args()
    todo = [f for f in faults() if not chosen.names or any(n in f.name for n in chosen.names)]
    with tempfile.TemporaryDirectory() as below:
        trees: Queue[Path] = Queue()
        for n in range(chosen.jobs):
            copy_tree(Path(below) / str(n))
            trees.put(Path(below) / str(n))

        def one(fault: Fault) -> tuple[Fault, str]:
            tree = trees.get()
            try:
                if chosen.baseline:
                    passed, line = run_tests(tree, fault.tests, jit=fault.jit)
                    answer = f"{'passes' if passed else 'FAILS'}: {line}"
                else:
                    answer = try_fault(tree, fault)
            finally:
                trees.put(tree)
            print(f"{fault.name:38} {answer}", flush=True)
            return fault, answer

        if chosen.baseline:
            todo = list({(f.tests, f.jit): f for f in todo}.values())
        with ThreadPoolExecutor(chosen.jobs) as pool:
            answers = list(pool.map(one, todo))
    good = ("killed", "passes")
    bad = [f for f, answer in answers if not answer.startswith(good) and not f.survives]
    killed = sum(answer.startswith(good) for _, answer in answers)
    print(f"{killed} of {len(answers)} {'pass' if chosen.baseline else 'killed'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
