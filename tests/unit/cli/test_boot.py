"""`toyvmm boot` and `stat`: a guest under an engine, as shown to people and programs."""

import json
from itertools import pairwise

import pytest

import guests
from tests.unit.cli.command import toyvmm
from vmm.cli.boot import SCHEMA
from vmm.cli.stat import table
from vmm.cli.status import Status

ENGINES = ("native", "trap", "bt")
SPIN = "_start: j _start\n"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_console_is_the_guests_under_every_engine(engine):
    done = toyvmm("boot", "hello", "--engine", engine)
    assert done.returncode == Status.PASSED
    assert done.stdout.decode() == guests.catalogue()["hello"].golden.read_text()
    assert f"toyvmm: hello under {engine}: passed; " in done.stderr.decode()


def run_json(*arguments):
    done = toyvmm("boot", *arguments, "--json", "-q")
    return json.loads(done.stdout)


@pytest.mark.compiled
def test_two_runs_give_the_same_json():
    first, second = (run_json("toyix", "--demo", "--engine", "trap") for _ in range(2))
    assert first.pop("seconds") != second.pop("seconds")
    assert first == second


def test_the_json():
    native = run_json("pages", "--engine", "native", "--clock", "icount")
    trap = run_json("pages", "--engine", "trap", "--clock", "icount")
    for result in (native, trap):
        assert result["schema"] == SCHEMA
        assert sum(result["cycles_by_class"].values()) == result["cycles"]
    same = ("console", "guest_digest", "trail", "instret", "traps_by_cause", "code", "exit")
    assert {key: native[key] for key in same} == {key: trap[key] for key in same}
    assert (native["engine"], native["paging"], native["exits"]) == ("native", "own", {})
    assert native["shadow"] is None
    assert (trap["engine"], trap["paging"]) == ("trap", "shadow")
    assert trap["exits"]["hidden_fault"]["count"] == trap["shadow"]["fills"] > 0
    csr = trap["exits"]["csr"]
    assert csr["min"] * csr["count"] <= csr["cycles"] <= csr["max"] * csr["count"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("hello", "--engine", "nativ"), "did you mean `native`?"),
        (("hello", "--engine", "zzz"), "there are native, trap"),
        (("hello", "--engine", "none.py"), "none.py: no such file"),
        (("hello", "--paging", "nested"), "has no paging 'nested'; it has shadow"),
        (("hello", "--engine", "native", "--trace", "exit"), "a bare machine has no exits"),
        (("hello", "--engine", "native", "--timeline", "x"), "a bare machine has no exits"),
        (("hello", "--trace", "mmu"), "'mmu' cannot be traced"),
        ((), "Missing argument 'TARGET'"),
        (("helo",), "did you mean `hello`?"),
    ],
)
def test_refused(arguments, reason, tmp_path):
    done = toyvmm("boot", *arguments, cwd=tmp_path)
    assert done.returncode == Status.USAGE
    assert reason in done.stderr.decode()
    assert done.stdout == b""


def test_a_file_that_is_no_engine(tmp_path):
    (tmp_path / "none.py").write_text("x = 1\n")
    (tmp_path / "bad.py").write_text("x = 1 / 0\n")
    for name, reason in (("none.py", "registers no engine"), ("bad.py", "ZeroDivisionError")):
        done = toyvmm("boot", "hello", "--engine", name, cwd=tmp_path)
        assert done.returncode == Status.USAGE
        assert reason in done.stderr.decode()


@pytest.mark.compiled
def test_a_guest_that_runs_wrong_ends_by_itself_and_is_told_why():
    done = toyvmm("boot", "toyix", "--demo", "--profile", "leaky", "--max-insns", "50e6")
    assert done.returncode == Status.LIMIT
    assert "hint: on the profile 'leaky'" in done.stderr.decode()
    assert "`toyvmm explain-leak toyix --profile leaky`" in done.stderr.decode()


@pytest.mark.parametrize("arguments", [("--profile", "strict"), ("--engine", "native")])
def test_no_hint_where_nothing_leaks(tmp_path, arguments):
    (tmp_path / "guest.S").write_text(SPIN)
    done = toyvmm("boot", "guest.S", "--max-insns", "1000", *arguments, cwd=tmp_path)
    assert done.returncode == Status.LIMIT
    assert "explain-leak" not in done.stderr.decode()


def test_a_guest_that_cannot_go_on_gets_a_crash_report(tmp_path):
    (tmp_path / "guest.S").write_text("_start: csrw stvec, zero\n lw a0, 0(zero)\n")
    done = toyvmm("boot", "guest.S", cwd=tmp_path)
    assert done.returncode == Status.FAILED
    assert "toyvmm: crash: load access fault at 0x80000004 _start+0x4" in done.stderr.decode()


def test_exits_are_traced_with_what_they_did_to_shadow_tables():
    done = toyvmm("boot", "hello", "-q", "--trace", "exit,shadow")
    lines = [" ".join(line.split()) for line in done.stderr.decode().splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith("exit"))
    assert "hidden_fault 0x80000000 _start fetch_page 0x80000000" in lines[first]
    assert lines[first + 1] == "shadow table a root for no table"
    assert lines[first + 3] == "shadow fill 0x80000000 -> 0x80000000 DA--XWRV"
    assert any("csr 0x80000008 _start+0x8 csrw sscratch,zero" in line for line in lines)


def test_the_trace_has_every_exit_once_and_changes_nothing(tmp_path):
    arguments = ("boot", "pages", "-q", "--json")
    plain = json.loads(toyvmm(*arguments).stdout)
    options = ("--trace", "exit", "--trace-file", "t", "--timeline", "t.json")
    watched = json.loads(toyvmm(*arguments, *options, cwd=tmp_path).stdout)
    del plain["seconds"], watched["seconds"]
    assert plain == watched
    kinds = [line.split()[3] for line in (tmp_path / "t").read_text().splitlines()]
    counted = {kind: row["count"] for kind, row in plain["exits"].items()}
    assert {kind: kinds.count(kind) for kind in set(kinds)} == counted


@pytest.mark.compiled
def test_a_trace_in_a_window_with_steps(tmp_path):
    done = toyvmm("boot", "ticks", "-q", "--trace", "insn,exit", "--log-from", 1000,
                  "--log-until", 1010)  # fmt: skip
    kinds = [line.split()[0] for line in done.stderr.decode().splitlines()]
    assert kinds.count("insn") == 10
    assert 0 < kinds.count("exit") < 10


def test_a_trace_is_bounded():
    from io import StringIO

    import numpy as np

    from toyisa.machine import Machine
    from vmm.domain.record import LOG
    from vmm.watch.exitlog import ExitLines

    file = StringIO()
    lines = ExitLines(Machine(mem=1 << 20), ("exit",), file, most=3)
    lines(np.zeros(10, LOG))
    text = file.getvalue().splitlines()
    assert len(text) == 4
    assert "--log-from" in text[-1]


def test_the_timeline_is_chromes_format(tmp_path):
    done = toyvmm("boot", "pages", "-q", "--timeline", "t.json", "--json", cwd=tmp_path)
    result = json.loads(done.stdout)
    trace = json.loads((tmp_path / "t.json").read_text())
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    exits = [span for span in spans if span["cat"] == "exit"]
    assert len(exits) == sum(row["count"] for row in result["exits"].values())
    assert sum(span["args"]["cycles"] for span in exits) == sum(
        row["cycles"] for row in result["exits"].values()
    )
    for before, after in pairwise(spans):  # one track: nothing overlaps
        assert before["ts"] + before["dur"] <= after["ts"] + 0.001
    assert trace["otherData"] == {"truncated": False}


def test_stat_prints_a_table_by_time():
    done = toyvmm("stat", "pages")
    head, *rows = done.stdout.decode().splitlines()
    assert head.split() == ["EXIT", "Samples", "Samples%", "Time%", "Min", "Max", "Mean"]
    assert {"csr", "hidden_fault", "sbi"} <= {row.split()[0] for row in rows if row}
    assert "of the guest's time" in rows[-1]


def test_stat_as_json_adds_up():
    result = json.loads(toyvmm("stat", "pages", "--json").stdout)
    booted = run_json("pages")
    spent = [row["cycles"] for row in result["exits"]]
    assert spent == sorted(spent, reverse=True)
    assert abs(sum(row["time_percent"] for row in result["exits"]) - 100) < 0.1
    assert {row["exit"]: row["samples"] for row in result["exits"]} == {
        kind: row["count"] for kind, row in booted["exits"].items()
    }


def test_stat_of_a_bare_machine_is_refused():
    done = toyvmm("stat", "hello", "--engine", "native")
    assert done.returncode == Status.USAGE


def test_a_table_of_nothing():
    assert table({}) == []


def test_help_names_all_engines_and_their_pagings():
    from vmm import engines

    text = " ".join(toyvmm("boot", "--help").stdout.decode().split())
    listed = text[text.index("How the guest's kernel runs: ") :]
    names, pagings = listed.split("; or a file")[0], listed.split("has several ways: ")[1]
    for name in ("native", *engines.names()):
        assert name in names
    by_way = {}
    for name in engines.names():
        for way in engines.find(name).paging:
            by_way.setdefault(way, []).append(name)
    for way, found in by_way.items():
        assert f"{way} ({', '.join(found)})" in pagings
