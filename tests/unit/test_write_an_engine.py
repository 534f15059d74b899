"""`docs/howto/write-an-engine.md` is true: its engine runs guests right, its program runs."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.unit.cli.command import ROOT, environment, toyvmm

PAGE = (ROOT / "docs" / "howto" / "write-an-engine.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the page's Python files, each named in its first line.

    One for all workers: an engine is compiled once for each place where its file is.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "engine"
    folder.mkdir(exist_ok=True)
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        put(folder / re.match(r"# (\w+\.py):", code)[1], code)
    return folder


def put(path, text):
    """Write a file that another worker may be writing or reading, too."""
    if not path.exists():
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text)
        partial.replace(path)


def booted(folder, guest, engine, *options):
    done = toyvmm("boot", guest, "--engine", engine, "--json", "-q", "--clock", "icount", *options,
                  cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_it_is_short(folder):
    assert len((folder / "counters.py").read_text().splitlines()) < 150


@pytest.mark.compiled
@pytest.mark.parametrize(("guest", "options"), [("toyix", ("--demo",)), ("nano/time_read", ())])
def test_a_guest_cannot_tell(folder, guest, options):
    native, trap, counters = (
        booted(folder, guest, engine, *options) for engine in ("native", "trap", "counters.py")
    )
    same = ("console", "guest_digest", "trail", "instret")
    assert {key: counters[key] for key in same} == {key: native[key] for key in same}
    assert trap["exits"]["counter"]["count"] > 0
    assert "counter" not in counters["exits"]
    assert counters["cycles"] < trap["cycles"]


@pytest.mark.compiled
def test_the_commands_of_the_page(folder):
    lines = re.findall(r"^\$ toyvmm (.*)$", PAGE, re.MULTILINE)
    assert len(lines) == 4
    for line in lines:
        done = toyvmm(*line.split(), cwd=folder)
        assert done.returncode == 0, (line, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("right", "wrong", "insn"),
    [
        ("virtual.csr.scounteren  #", "7  #", "rdtime"),
        ("~STraps.COUNTER", "~(STraps.COUNTER | STraps.SRET)", "sret"),
    ],
)
def test_what_the_page_tells_to_break(folder, right, wrong, insn):
    put(folder / "guest.S", GUEST)
    text = (folder / "counters.py").read_text()
    assert right in text
    put(folder / f"{insn}.py", text.replace(right, wrong))
    for engine, status in (("counters.py", 0), (f"{insn}.py", 1)):
        done = toyvmm("explain-leak", "guest.S", "--engine", engine, "--profile", "strict",
                      "--json", cwd=folder)  # fmt: skip
        assert done.returncode == status, done.stdout
    leak = json.loads(done.stdout)["leak"]
    assert leak["line"].split()[-2 if insn == "rdtime" else -1].startswith(insn)
    assert leak["holes"] == ["no hole of the profile"]


GUEST = """
_start: la      t0, end
        csrw    stvec, t0
        csrw    scounteren, zero
        la      t0, user
        csrw    sepc, t0
        csrw    sstatus, zero
        sret
user:   rdtime  a0
        ecall
        .align  2
end:    li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
"""


def test_the_program_of_the_page(folder):
    """It runs what the command has compiled."""
    source = ROOT / "guests" / "kernels" / "hello.S"
    assert toyvmm("asm", source, "-o", "hello.elf", cwd=folder).returncode == 0
    booted(folder, "hello.elf", "counters.py")
    done = subprocess.run([sys.executable, "boot.py"], cwd=folder, env=environment(),
                          capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "toyvmm: compiling" not in done.stderr
    hello, told = done.stdout.splitlines()
    assert hello == "hello, world"
    assert told.split()[:3] == ["sbi", "0", "2"]
