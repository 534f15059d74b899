"""A scenario that is right happens, at its times, and is reported as it was."""

import json
import os
import signal
from itertools import pairwise

import pytest

from vmm.hosting.domain import State
from vmm.scenario.build import cycles
from vmm.scenario.result import latencies, result
from vmm.scenario.session import KEPT, Console, Ended, Session
from vmm.scenario.tables import ScenarioError
from vmm.watch.hosttimeline import HostTimeline

DOMAIN = '[[domain]]\nname = "a"\nkernel = "hello"\n'

EVENTS = """
[host]
mem = "64M"
until = "40ms"
[host.options]
slice_us = 100
[[domain]]
name = "spin"
kernel = "spin.S"
mem = "1M"
[[domain]]
name = "late"
kernel = "spin.S"
mem = "1M"
start = "never"
[[event]]
at = "5ms"
domain = "late"
do = "start"
[[event]]
at = "10ms"
domain = "spin"
do = "pause"
[[event]]
at = "15ms"
domain = "late"
do = "set"
weight = 7
cap = 30
[[event]]
at = "20ms"
domain = "spin"
do = "resume"
[[event]]
at = "30ms"
domain = "late"
do = "kill"
"""


class Noted:
    """A watch that keeps what it was told."""

    def __init__(self):
        self.states, self.slices = [], []

    def became(self, domain, now):
        self.states.append((domain.name, domain.state, now))

    def ran(self, seat, domain, began, ended):
        self.slices.append((seat.number, domain.name, began, ended))


def test_events_happen_at_their_times(hosted):
    host = hosted(EVENTS)
    host.watch = noted = Noted()
    late, spin = host.domains["late"], host.domains["spin"]
    host.run(until=host.ms(14))
    assert (late.state, late.weight, spin.state) == (State.RUNNING, 256, State.PAUSED)
    host.run(until=host.ms(16))
    assert (late.weight, late.cap) == (7, 30)
    Session(host).run(host.ms(40))
    first = {}
    for name, state, now in noted.states:
        first.setdefault((name, state), now)
    slack = host.ms(0.05)  # an instruction, and what root does
    for name, state, ms in [("late", State.READY, 5), ("spin", State.PAUSED, 10),
                            ("late", State.KILLED, 30)]:  # fmt: skip
        assert 0 <= first[name, state] - host.ms(ms) < slack
    assert late.began == first["late", State.READY]
    paused = [(began, ended) for _, name, began, ended in noted.slices
              if name == "spin" and host.ms(10) + slack < ended and began < host.ms(20)]
    assert not paused
    # Alone for 5 ms, half of 5, none of 10, half of 10, then alone for 10.
    assert abs(spin.ran - host.ms(22.5)) < host.ms(0.5)
    assert abs(late.ran - host.ms(2.5 + 10 + 5)) < host.ms(0.5)


def test_an_event_that_the_scheduler_refuses_is_an_error_with_its_place(hosted, monkeypatch):
    host = hosted(EVENTS)

    def changed(domain, now):
        raise ValueError("not so")

    monkeypatch.setattr(host.policy, "changed", changed)
    reason = r"s\.toml: \[\[event\]\] 3: 'late' cannot be changed: not so"
    with pytest.raises(ScenarioError, match=reason):
        host.run(until=host.ms(40))


def test_a_start_or_a_resume_does_nothing_to_a_domain_in_another_state(hosted):
    host = hosted(EVENTS.replace('do = "resume"', 'do = "start"'))
    host.run(until=host.ms(40))
    assert host.domains["spin"].state is State.PAUSED


def test_the_timeline_is_valid_and_its_slices_do_not_overlap(hosted, tmp_path):
    text = EVENTS.replace("[host]", "[host]\nharts = 2\nquantum = 40_000")
    host = hosted(text.replace('mem = "1M"', 'mem = "1M"\ncount = 2'))
    with (tmp_path / "t.json").open("w") as file:
        timeline = HostTimeline(host, "test", file)
        host.run(until=host.ms(40))
        timeline.close()
    found = json.loads((tmp_path / "t.json").read_text())
    assert found["otherData"] == {"truncated": False}
    events = found["traceEvents"]
    tracks = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert sorted(tracks.values()) == ["hart 0", "hart 1", "late-0", "late-1", "spin-0", "spin-1"]
    slices = [event for event in events if event["ph"] == "X"]
    for track, label in tracks.items():
        mine = [e for e in slices if (e["pid"], e["tid"]) == track]
        for one, other in pairwise(mine):
            assert one["ts"] + one["dur"] <= other["ts"] + 1e-6
        names = {e["name"] for e in mine}
        if label.startswith("hart"):
            assert names <= set(host.domains)
        else:
            assert "running" in names <= {"ready", "running", "paused", "asleep"}
    # Every cycle that a domain ran is on a track of a hart.
    for domain in host.domains.values():
        shown = [e for e in slices if e["pid"] == 1 and e["name"] == domain.name]
        assert sum(e["args"]["cycles"] for e in shown) == domain.ran


def test_a_timeline_ends_at_its_limit(hosted, tmp_path):
    host = hosted(EVENTS)
    with (tmp_path / "t.json").open("w") as file:
        timeline = HostTimeline(host, "test", file, most=5)
        host.run(until=host.ms(40))
        timeline.close()
    found = json.loads((tmp_path / "t.json").read_text())
    assert found["otherData"] == {"truncated": True}
    assert sum(event["ph"] == "X" for event in found["traceEvents"]) == 5


def test_why_a_session_ended(hosted):
    assert Session(hosted(EVENTS)).run(10) is Ended.TIME
    assert Session(hosted(EVENTS)).run(1 << 60, seconds=0.01) is Ended.TIMEOUT
    session = Session(hosted(DOMAIN + 'mem = "1M"\n'))
    assert session.run(session.host.ms(5)) is Ended.OVER
    assert session.consoles["a"].last_line == "hello, world"


def test_ctrl_c_is_answered_at_once_and_leaves_a_host_that_is_whole(hosted):
    session, ticks = Session(hosted(EVENTS)), []

    def tick():
        ticks.append(None)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored
    try:
        assert session.run(1 << 60, seconds=2, tick=tick) is Ended.INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(ticks) == 1
    host = session.host
    assert sum(d.ran for d in host.domains.values()) + host.root_cycles == host.seats[0].busy


def test_a_console_keeps_its_beginning_and_shows_its_end():
    console = Console()
    console.add(b"first\n" + b"x" * KEPT + b"\nlast \x1b[2J\n\n")
    assert console.truncated
    assert len(console.kept) == KEPT
    assert console.last_line == "last ?[2J"


def test_latencies_are_bounds():
    import numpy as np

    bins = np.zeros(48, np.int64)
    assert latencies(bins) == (None, None)
    bins[[3, 10]] = 3, 2
    assert latencies(bins) == (8, 1024)
    bins[10] = 4
    assert latencies(bins) == (1024, 1024)


def test_the_result_is_plain_and_sums_up(hosted):
    host = hosted(EVENTS)
    session = Session(host)
    session.run(cycles(host, 40_000_000))
    found = json.loads(json.dumps(result(session)))
    assert found["root_cycles"] + sum(row["ran"] for row in found["domains"]) == sum(
        row["busy"] for row in found["harts"]
    )
    assert [row["state"] for row in found["domains"]] == ["running", "killed"]
    owners = host.platform.frames["owner"]
    assert sum(row["memory"] for row in found["domains"]) == int((owners > 0).sum()) * 4096
