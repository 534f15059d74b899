"""`toyvmm host`: what it prints, what it writes, and its exit codes."""

import csv
import json
import os
import re
import signal
import subprocess

import pytest

from tests.unit.cli.command import ROOT, argv, environment, heed_ctrl_c, toyvmm
from vmm.cli.host import SCHEMA
from vmm.cli.hosttable import PLAIN, aligned, said, time, with_console
from vmm.cli.hosttop import CLEAR, HOME, lines
from vmm.cli.status import Status

SCENARIO = """
[host]
mem = "64M"
until = "2ms"
[host.options]
slice_us = 100
[[domain]]
name = "spin"
kernel = "spin.S"
mem = "1M"
[[domain]]
name = "hello"
kernel = "hello"
mem = "1M"
"""
SPIN = "_start: j _start\n"
CRASH = "_start: csrw stvec, zero\n ebreak\n"  # each trap leads to another


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "s.toml").write_text(SCENARIO)
    (tmp_path / "spin.S").write_text(SPIN)
    return tmp_path


def test_the_tables(folder):
    done = toyvmm("host", "up", "s.toml", cwd=folder)
    assert done.returncode == Status.PASSED, done.stderr
    lines = done.stdout.decode().splitlines()
    heads = [lines[n].split() for n in (0, 4, 8)]
    assert heads == [
        ["domain", "engine", "state", "share", "ran", "exits", "code", "console"],
        ["domain", "switches", "moves", "sleeps", "stolen", "wake", "worst"],
        ["hart", "busy", "idle", "switches"],
    ]
    assert max(map(len, lines)) <= 80
    spin, hello = (line.split() for line in lines[1:3])
    assert spin[:3] == ["spin", "trap", "running"]
    assert hello[:3] == ["hello", "trap", "ended"]
    assert lines[2].endswith("  0  hello, world")
    assert [line.split()[0] for line in lines[5:7]] == ["spin", "hello"]
    assert lines[9].split()[:3] == ["0", "2.0ms", "0.0us"]
    assert re.fullmatch(rb"toyvmm: s: the scenario's time is over, at 2\.0 ms; [0-9.]+ s\n",
                        done.stderr)  # fmt: skip


def test_an_event_that_the_scheduler_refuses_is_told(folder):
    text = SCENARIO.replace("slice_us = 100", "").replace(
        "[host]", '[host]\nscheduler = "pinned"\nharts = 2'
    )
    text += '[[event]]\nat = "1ms"\ndomain = "hello"\ndo = "set"\npins = [0]\n'
    (folder / "p.toml").write_text(text.replace('"hello"\nmem', '"spin.S"\nmem'))
    done = toyvmm("host", "up", "p.toml", cwd=folder)
    assert done.returncode == Status.USAGE
    assert done.stdout == b""
    assert (b"p.toml: [[event]] 1: 'hello' cannot be changed: domain 'hello' has no hart of its "
            b"own: hart 0 belongs to 'spin'; give") in done.stderr  # fmt: skip


def test_the_object_has_what_the_documentation_lists(folder):
    done = toyvmm("host", "up", "s.toml", "--json", "--until", "500us", cwd=folder)
    found = json.loads(done.stdout)
    assert (found["schema"], found["exit"], found["status"]) == (SCHEMA, "time", 0)
    assert found["now"] >= found["hz"] * 500 // 10**6
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = text.split("# The JSON of `toyvmm host`\n")[1].split("\n# ")[0]
    parts = section.split("\n\n")
    tables = [part for part in parts if part.startswith("| ")]
    rows = (found, found["harts"][0], found["domains"][0])
    for table, row in zip(tables, rows, strict=True):
        listed = re.findall(r"`(\w+)`", " ".join(
            line.split("|")[1] for line in table.splitlines()[2:]))  # fmt: skip
        assert listed == list(row)


def test_the_same_run_gives_the_same_object(folder):
    first, second = (
        json.loads(toyvmm("host", "up", "s.toml", "--json", cwd=folder).stdout) for _ in range(2)
    )
    assert first.pop("seconds")
    assert second.pop("seconds")
    assert first == second


def test_its_files(folder):
    done = toyvmm("host", "up", "s.toml", "--csv", "out.csv", "--timeline", "out.json", cwd=folder)
    assert done.returncode == Status.PASSED, done.stderr
    header, *rows = csv.reader((folder / "out.csv").read_text().splitlines())
    assert tuple(header) == PLAIN
    assert [row[0] for row in rows] == ["spin", "hello"]
    events = json.loads((folder / "out.json").read_text())["traceEvents"]
    names = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert names == {"s: harts", "s: domains", "hart 0", "spin", "hello"}


def test_a_domain_that_crashes_is_exit_code_1(folder):
    (folder / "crash.S").write_text(CRASH)
    (folder / "s.toml").write_text(SCENARIO.replace('"hello"\nmem', '"crash.S"\nmem'))
    done = toyvmm("host", "up", "s.toml", cwd=folder)
    assert done.returncode == Status.FAILED
    assert b"crashed" in done.stdout
    assert b"1 domain crashed" in done.stderr


def test_a_timeout_prints_what_there_is(folder):
    done = toyvmm("host", "up", "s.toml", "--until", "3600s", "--timeout", "0.2", cwd=folder)
    assert done.returncode == Status.LIMIT
    assert b"hello, world" in done.stdout
    assert b"stopped by --timeout" in done.stderr


def test_ctrl_c_prints_what_there_is(folder):
    fifo = folder / "timeline"  # what comes out of it says that domains take turns
    os.mkfifo(fifo)
    (folder / "s.toml").write_text(SCENARIO.replace('"spin"', '"spin"\ncount = 2'))
    child = subprocess.Popen(
        argv("host", "up", "s.toml", "--until", "3600s", "--timeout", "0", "--json",
             "--timeline", "timeline", "--csv", "out.csv"),
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
        preexec_fn=heed_ctrl_c,
    )  # fmt: skip
    try:
        with fifo.open("rb") as file:
            while b'"ph": "X"' not in file.read1():
                pass
            child.send_signal(signal.SIGINT)
            file.read()
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == Status.INTERRUPTED, err
    found = json.loads(out)
    assert (found["exit"], found["status"]) == ("interrupted", 130)
    assert found["domains"][2]["state"] == "ended"
    assert (folder / "out.csv").exists()


def test_check_says_that_it_is_right(folder):
    done = toyvmm("host", "check", "s.toml", cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"s.toml: 2 domains on 1 hart, 0 events: right\n")
    (folder / "s.toml").write_text(SCENARIO.replace("64M", "5M"))
    done = toyvmm("host", "check", "s.toml", cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"[[domain]] 2 ('hello'): 'hello' cannot be made: it needs" in done.stderr


def test_top_draws_on_a_terminal_only(folder):
    done = toyvmm("host", "top", "s.toml", cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"needs a terminal; use `toyvmm host up`" in done.stderr
    ours, theirs = os.openpty()
    child = subprocess.Popen(argv("host", "top", "s.toml", "--until", "50ms"), cwd=folder,
                             stdout=theirs, stderr=subprocess.PIPE, env=environment())  # fmt: skip
    os.close(theirs)
    seen = b""
    while piece := _read(ours):
        seen += piece
    os.close(ours)
    _, err = child.communicate(timeout=60)
    assert child.returncode == Status.PASSED, err
    screen, end = seen.rsplit(HOME.encode(), 1)
    assert screen.startswith((CLEAR + HOME).encode() + b"s: ")
    assert b"1 hart 100% busy, scheduler rr" in screen
    assert b"hello   trap" in screen
    assert b"running  99" in end or b"running  100" in end


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has the other end any more
        return b""


def test_the_live_table_shows_what_was_done_since_the_one_before():
    row = {"name": "a", "engine": "bt", "state": "running", "share": 0.5, "memory": 3 << 20,
           "exits": 1000, "sleeps": 2, "reason": None, "last_line": "hi", "ran": 500}  # fmt: skip
    before = {"now": 1000, "hz": 10**6, "scheduler": "rr", "harts": [{"busy": 500}],
              "domains": [row]}  # fmt: skip
    after = before | {"now": 2000, "harts": [{"busy": 1250}], "domains": [row | {"ran": 1250}]}
    head, _, _, line = lines(after, before, "x", 80)
    assert head == "x: 2.0 ms, 1 hart 75% busy, scheduler rr"
    assert line.split() == ["a", "bt", "running", "75%", "50.0%", "3.0M", "1,000", "2", "hi"]


def test_a_name_that_is_nothing_gets_a_hint():
    done = toyvmm("host", "up", "fairnes")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no file and no scenario is called 'fairnes'; did you mean `fairness`?" in done.stderr


def test_scenarios_are_among_the_examples():
    listed = toyvmm("examples").stdout.decode()
    assert re.search(r"^consolidation +24 toyix", listed, re.MULTILINE)
    assert "`toyvmm host up NAME`" in listed
    assert b'name = "patched"' in toyvmm("examples", "consolidation").stdout


def test_columns_are_aligned():
    rows = [["a", "b", "c", "d"], ["ccc", "", "", "10"]]
    assert aligned(rows, left=1) == ["a    b  c   d", "ccc        10"]
    rows = [["name", "e", "s", "last"], ["a", "e", "s", "x" * 100]]
    assert with_console(rows, 40)[1] == "a     e  s  " + "x" * 28
    assert with_console(rows, 10)[1] == "a     e  s  " + "x" * 12


def test_what_a_guest_says_is_fit_for_a_terminal():
    assert said({"reason": "at \x1b[2J", "last_line": ""}) == "at ?[2J"


@pytest.mark.parametrize(("cycles", "shown"), [
    (None, "-"), (0, "0.0us"), (1500, "1.5us"), (2_500_000, "2.5ms"), (3 * 10**9, "3.00s"),
])  # fmt: skip
def test_times_are_easy_to_read(cycles, shown):
    assert time(cycles, 10**9) == shown
