"""Scenario files: what is wrong in one is said with its place, and what is right happens."""

import json
import os
import signal
from itertools import pairwise

import pytest

from toyisa.files.reading import Unreadable
from vmm.hosting.domain import State
from vmm.scenario import catalogue
from vmm.scenario.build import build, cycles
from vmm.scenario.kernels import kernels
from vmm.scenario.read import MAX_DOMAINS, MAX_EVENTS, MAX_FILE, read
from vmm.scenario.result import latencies, result
from vmm.scenario.session import KEPT, Console, Ended, Session
from vmm.scenario.tables import ScenarioError
from vmm.watch.hosttimeline import HostTimeline

SPIN = "_start: j _start\n"
DOMAIN = '[[domain]]\nname = "a"\nkernel = "hello"\n'


@pytest.fixture
def made(tmp_path):
    """Write a scenario and read it; `spin.S` is beside it."""
    (tmp_path / "spin.S").write_text(SPIN)

    def made(text):
        (tmp_path / "s.toml").write_text(text)
        return read(tmp_path / "s.toml")

    return made


@pytest.fixture
def hosted(made):
    """The host of a scenario."""

    def hosted(text):
        scenario = made(text)
        return build(scenario, kernels(scenario))

    return hosted


WRONG = [
    ("[hosts]\n" + DOMAIN, r"s\.toml: unknown key 'hosts'; did you mean `host`\?"),
    ('host = 3\n' + DOMAIN, r"\[host\]: must be a table, not 3"),
    ("[host]\nhart = 2\n" + DOMAIN, r"\[host\]: unknown key 'hart'; did you mean `harts`\?"),
    ("[host]\nharts = 9\n" + DOMAIN, r"\[host\], key 'harts': must be a whole number, 1 to 8"),
    ("[host]\nharts = true\n" + DOMAIN, "key 'harts': must be a whole number, 1 to 8, not True"),
    ("[host]\nmem = 3.5\n" + DOMAIN, "key 'mem': must be a size, 1M to 2048M"),
    ('[host]\nmem = "9999999G"\n' + DOMAIN, "key 'mem': must be a size"),
    ('[host]\nscheduler = "rrr"\n' + DOMAIN, r"there is no 'rrr'; did you mean `rr`\?"),
    ('[host]\nuntil = 200\n' + DOMAIN, "key 'until': must be a time up to 3600s"),
    ('[host]\nuntil = "3601s"\n' + DOMAIN, "must be a time up to 3600s"),
    ('[host]\nuntil = "-1s"\n' + DOMAIN, "must be a time up to 3600s"),
    ('[host]\nquantum = 0\n' + DOMAIN, "key 'quantum': must be a whole number, 1 to 1000000000"),
    ('[host.options]\nslice_us = [1]\n' + DOMAIN, "slice_us must be a number"),
    ('[host.options]\nslice_us = nan\n' + DOMAIN, "slice_us must be a number"),
    ('[host.options]\nslice_us = 1e300\n' + DOMAIN, "slice_us must be a number"),
    ('[host.options]\n"--" = 1\n' + DOMAIN, "'--' is not an option's name"),
    ("", r"there is no \[\[domain\]\]"),
    ("domain = 1\n", r"'domain' must be written \[\[domain\]\]"),
    ("domain = [1]\n", r"\[\[domain\]\] 1: must be a table, not 1"),
    (DOMAIN + "nmae = 1\n", r"\[\[domain\]\] 1 \('a'\): unknown key 'nmae'; did you mean `name`"),
    ('[[domain]]\nkernel = "hello"\n', r"\[\[domain\]\] 1: key 'name' is missing; give it"),
    ('[[domain]]\nname = "a"\n', "key 'kernel' is missing"),
    ('[[domain]]\nname = "a b"\nkernel = "hello"\n', "key 'name': must be a name of letters"),
    ('[[domain]]\nname = "\\u001b[2J"\nkernel = "hello"\n', r"\[\[domain\]\] 1 \('.x1b\[2J'\)"),
    (DOMAIN + 'engine = "trpa"\n', r"there is no 'trpa'; did you mean `trap`\?"),
    (DOMAIN + 'engine = "./x.py"\n', "key 'engine': there is no './x.py'"),
    (DOMAIN + 'mem = "1K"\n', "key 'mem': must be a size"),
    ('[host]\nmem = "2G"\n' + DOMAIN + 'engine = "pv"\n', "a host with pv has at most 1024 MiB"),
    (DOMAIN + "weight = 0\n", "key 'weight': must be a whole number, 1 to 65536, not 0"),
    (DOMAIN + "cap = 101\n", "key 'cap': must be a whole number, 0 to 100"),
    (DOMAIN + "pins = [1]\n", "key 'pins': must be a whole number, 0 to 0, not 1"),
    (DOMAIN + "pins = 0\n", "key 'pins': must be an array of numbers, 0 to 0"),
    (DOMAIN + 'start = "soon"\n', 'not \'soon\'; or "never": an event starts it'),
    (DOMAIN + 'clock = "sun"\n', "key 'clock': there is no 'sun'; there are cycles, icount"),
    (DOMAIN + "count = 0\n", "key 'count': must be a whole number, 1 to 256"),
    (DOMAIN + "count = 200\n" + DOMAIN.replace('"a"', '"b"') + "count = 57\n",
     "there are more than 256 domains"),
    (DOMAIN + DOMAIN, r"\[\[domain\]\] 2 \('a'\): there is a domain 'a' already"),
    (DOMAIN + "count = 2\n" + DOMAIN.replace('"a"', '"a-1"'), "there is a domain 'a-1' already"),
    (DOMAIN + 'input = "x"\ninput_file = "y"\n', "key 'input_file': excludes 'input'"),
    (DOMAIN + 'input_file = "y"\n', "key 'input_file': .*y: no such file"),
    (DOMAIN + 'input_file = "/dev/zero"\n', "key 'input_file': /dev/zero: is a device"),
    (DOMAIN + "demo = true\n", "key 'demo': needs a kernel of the catalogue that has a script"),
    (DOMAIN + "demo = 1\n", "key 'demo': must be true or false, not 1"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "a"\ndo = "stop"\n',
     r"\[\[event\]\] 1, key 'do': there is no 'stop'"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "b"\ndo = "kill"\n',
     "key 'domain': no domain is called 'b'; there are a"),
    (DOMAIN + '[[event]]\ndomain = "a"\ndo = "kill"\n', "key 'at' is missing"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "a"\ndo = "set"\n', "give weight, cap or pins"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "a"\ndo = "kill"\nweight = 3\n',
     'key \'weight\': is for do = "set", not for do = "kill"'),
    ("= =", r"s\.toml: is not TOML"),
    ("x = " + "[" * 100_000, "is nested too deeply|is not TOML"),
    ("x = " + "9" * 5000, "is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_what_is_wrong_is_said_with_its_place(made, text, reason):
    with pytest.raises(ScenarioError, match=reason) as error:
        made(text)
    assert "s.toml: " in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


def test_a_file_and_its_tables_are_limited(made):
    with pytest.raises(Unreadable, match="is larger than 256 KB"):
        made("#" * (MAX_FILE + 1))
    rows = "".join(f'[[domain]]\nname = "a{n}"\nkernel = "hello"\n' for n in range(MAX_DOMAINS + 1))
    with pytest.raises(ScenarioError, match=r"there are 257 \[\[domain\]\]; at most 256 can be"):
        made(rows)
    event = '[[event]]\nat="1s"\ndomain="a"\ndo="kill"\n'
    with pytest.raises(ScenarioError, match=r"there are 4097 \[\[event\]\]"):
        made(DOMAIN + event * (MAX_EVENTS + 1))


@pytest.mark.parametrize(("kernel", "reason"), [
    ("toyx", r"no guest and no file is called 'toyx'; did you mean `toyix`\?"),
    ("none.elf", "none.elf: no such file"),
    ("x" * 300, "no guest and no file is called 'xxx"),
    ("x" * 300 + ".elf", "File name too long"),
    ("/dev/zero", "is a device"),
    ("s.toml", "is not an ELF file; a source needs the suffix .S"),
    (".", "is a directory"),
])  # fmt: skip
def test_a_kernel_that_cannot_be_used_is_refused(made, kernel, reason):
    scenario = made(DOMAIN.replace("hello", kernel))
    with pytest.raises(ScenarioError, match=rf"\[\[domain\]\] 1 \('a'\), key 'kernel': .*{reason}"):
        kernels(scenario)


def test_a_kernel_that_is_not_patched_is_refused_for_pv(made):
    scenario = made(DOMAIN.replace("hello", "spin.S") + 'engine = "pv"\n')
    with pytest.raises(ScenarioError, match="is not patched for `pv`"):
        kernels(scenario)


def test_a_source_includes_nothing_from_outside_its_folder(made, tmp_path):
    from asm.errors import AsmErrors

    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.inc").write_text("secret\n")
    (inner / "k.S").write_text('.include "../secret.inc"\n')
    scenario = made(DOMAIN.replace("hello", "inner/k.S"))
    with pytest.raises(AsmErrors, match=r"outside|confined") as error:
        kernels(scenario)
    assert "secret\n" not in str(error.value)


@pytest.mark.parametrize(("text", "reason"), [
    ("[host.options]\nslice = 3\n" + DOMAIN,
     r"\[host\]: the scheduler 'rr' has no option slice; did you mean `slice_us`\?"),
    ('[host]\ncost = "modren"\n' + DOMAIN, r"key 'cost': .*did you mean `modern`\?"),
    ('[host]\nmem = "8M"\n' + DOMAIN, r"\[\[domain\]\] 1 \('a'\): 'a' cannot be made: it needs"),
])  # fmt: skip
def test_what_no_host_can_have_is_refused(hosted, text, reason):
    with pytest.raises(ScenarioError, match=reason):
        hosted(text)


def test_a_table_stands_for_several_domains_and_an_event_for_all_of_them(made):
    scenario = made(DOMAIN + 'count = 3\n[[event]]\nat = "1us"\ndomain = "a"\ndo = "kill"\n'
                    '[[event]]\nat = "2us"\ndomain = "a-1"\ndo = "kill"\n')  # fmt: skip
    assert [domain.name for domain in scenario.domains] == ["a-0", "a-1", "a-2"]
    assert [event.domains for event in scenario.events] == [("a-0", "a-1", "a-2"), ("a-1",)]
    assert [event.at for event in scenario.events] == [1000, 2000]


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

    assert session.run(1 << 60, seconds=2, tick=tick) is Ended.INTERRUPTED
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


@pytest.mark.parametrize("name", catalogue.shipped())
def test_what_is_shipped_is_right(name):
    scenario = read(catalogue.find(name))
    assert scenario.summary == catalogue.summary(name)
    assert len(kernels(scenario)) == len(scenario.domains)
