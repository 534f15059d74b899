"""`toyvmm explain-leak`: the first instruction after which a guest is not as on a bare machine."""

import json
from functools import partial

import pytest

from tests.unit.cli.command import toyvmm
from vmm.cli.status import Status

LONG = partial(pytest.param, marks=pytest.mark.compiled)
FINISH = "\n li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)\n"
# Each sensitive instruction that leaks, in a guest of its own.
GUESTS = {
    "drop": ("csrsi sstatus, 2", ["silent drop"], {"sstatus"}, "x86's POPF"),
    "leak": ("csrw stvec, t0\n csrr a0, stvec", ["leak of real state"], {"a0"}, "SMSW"),
    "satp": ("csrr a0, satp", ["leak of real state"], {"a0"}, "STR"),
    # The guest's paging is off, so it may store anywhere; but the real tables have no such page.
    "real": ("li a1, 0x40000000\n probe.w a0, a1", ["behaviour by real state"], {"a0"}, "VERR"),
}


def found(*arguments, cwd=None):
    done = toyvmm("explain-leak", *arguments, "--json", cwd=cwd)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("name", GUESTS)
def test_each_class_of_hole(name, tmp_path):
    text, holes, registers, analogue = GUESTS[name]
    (tmp_path / "guest.S").write_text(f"_start: la t0, _start\n {text}{FINISH}")
    status, result = found("guest.S", cwd=tmp_path)
    leak = result["leak"]
    assert (status, result["end"], leak["holes"]) == (Status.FAILED, "leak", holes)
    assert set(leak["registers"]) == registers
    assert analogue in leak["why"]
    last = text.splitlines()[-1].strip()
    assert leak["line"].endswith(last)
    assert leak["insn"].split()[0] == last.split()[0]
    assert leak["level"] == "S"


@pytest.mark.parametrize("name", GUESTS)
def test_none_of_them_on_strict(name, tmp_path):
    (tmp_path / "guest.S").write_text(f"_start: la t0, _start\n {GUESTS[name][0]}{FINISH}")
    status, result = found("guest.S", "--profile", "strict", cwd=tmp_path)
    assert (status, result["end"], result["leak"]) == (Status.PASSED, "halted", None)


@pytest.mark.compiled
def test_toyix_leaks_at_a_line_of_its_source():
    done = toyvmm("explain-leak", "toyix")
    text = done.stdout.decode()
    assert done.returncode == Status.FAILED
    assert "lib/trap.S:84: RESTORE_TRAP_STATE t0" in text
    assert "csrw sstatus,t0" in text
    assert "silent drop: a write to sstatus is ignored" in text
    row = next(line.split() for line in text.splitlines() if line.startswith("  sstatus"))
    assert row == ["sstatus", "0x00000020", "0x00000000", "SPIE"]


@pytest.mark.parametrize("engine", ["trap", "bt"])
@pytest.mark.parametrize("guest", ["hello", *map(LONG, ("pages", "ticks", "toyix"))])
def test_strict_does_not_leak(guest, engine):
    demo = ["--demo"] if guest == "toyix" else []
    done = toyvmm("explain-leak", guest, "--engine", engine, "--profile", "strict",
                  "--max-insns", "3e6", *demo)  # fmt: skip
    assert done.returncode == Status.PASSED, done.stdout.decode()
    assert "no leak found in " in done.stdout.decode()


@pytest.mark.compiled
def test_a_translator_is_right_on_the_leaky_machine():
    assert toyvmm("explain-leak", "pages", "--engine", "bt").returncode == Status.PASSED


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("hello", "--engine", "native"), "engines are compared with the bare machine"),
        (("hello", "--engine", "tarp"), "did you mean `trap`?"),
        (("hello", "--engine", "pv"), "it is another program"),
        (("hello", "--disk", "x"), "cannot share a disk"),
    ],
)
def test_refused(arguments, reason):
    done = toyvmm("explain-leak", *arguments)
    assert done.returncode == Status.USAGE
    assert reason in done.stderr.decode()
