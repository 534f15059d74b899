"""Each typical mistake of a first kernel leads to the right sentence.

`mistakes/NAME.S` is a kernel with one mistake, `mistakes/NAME.txt` everything that is said of
it. After a change of wording, `python -m tests.guests.test_mistakes` writes the texts anew.
"""

import io
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from vmm.cli.main import invoke
from vmm.cli.status import Status

MISTAKES = Path(__file__).parent / "mistakes"
NAMES = sorted(path.stem for path in MISTAKES.glob("*.S"))
HINT = "toyvmm: hint: "
LIMIT = "100000"  # instructions


def hints(name: str, *command: str, marker: str = HINT) -> str:
    """What a command says of the kernel `name`, one sentence on each line."""
    here, err = Path.cwd(), io.StringIO()
    os.chdir(MISTAKES)
    try:
        with redirect_stdout(io.TextIOWrapper(io.BytesIO())), redirect_stderr(err):
            status = invoke([*command, f"{name}.S", "--input", os.devnull, "--max-insns", LIMIT])
    finally:
        os.chdir(here)
    assert status in (Status.FAILED, Status.LIMIT), err.getvalue()
    said = [line.removeprefix(marker) for line in err.getvalue().splitlines() if marker in line]
    return "".join(f"{line}\n" for line in said)


def uncounted(text: str) -> str:
    """The same with every count as N."""
    return re.sub(r"\b\d[\d,]*\b", "N", text)


def golden(name: str) -> str:
    return (MISTAKES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_sentence(name):
    assert hints(name, "run") == golden(name)


def test_there_are_fourteen():
    assert len(NAMES) >= 14


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "engine"),
    [
        pytest.param(name, engine, marks=[] if n % 2 == m else pytest.mark.slow)
        for n, name in enumerate(NAMES) if name != "no-fence"
        for m, engine in enumerate(("trap", "bt"))
    ],
)
def test_the_sentence_under_an_engine(name, engine):
    """The same mistake; counts and times depend on the engine's time."""
    kind = re.split("[`;]", uncounted(golden(name)))[0]
    assert kind in uncounted(hints(name, "boot", "--engine", engine))


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["native", "trap", "bt"])
def test_the_check_for_fences_says_the_same_under_each_engine(engine):
    check = "toyvmm: check: "
    assert hints("no-fence", "boot", "--engine", engine, "--check", "fence", marker=check) == (
        golden("no-fence")
    )


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_an_engine_says_what_its_tlb_still_holds(engine):
    (line,) = hints("no-fence", "boot", "--engine", engine).splitlines()
    assert line.startswith("missing sfence.vma? The TLB still holds 0x40000000 as physical 0x8000")
    assert line.endswith("; `--check fence` tells each use")


if __name__ == "__main__":
    for mistake in NAMES:
        (MISTAKES / f"{mistake}.txt").write_text(hints(mistake, "run"), encoding="utf-8")
