"""`docs/howto/write-a-scheduler.md` is true: its policy runs domains by their weights."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosting.fakehost import MS, Fake, FakeHost
from tests.unit.cli.command import ROOT, environment
from vmm import sched
from vmm.sched import Policy

PAGE = (ROOT / "docs" / "howto" / "write-a-scheduler.md").read_text(encoding="utf-8")
CODE = {
    re.match(r"# (\w+\.py):", code)[1]: code
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
}


@pytest.fixture
def policy(monkeypatch):
    """The page's policy, which is registered for as long as a test lasts."""
    monkeypatch.setattr(sched, "_REGISTERED", {})
    exec(compile(CODE["lottery.py"], "lottery.py", "exec"), {"__name__": "lottery"})
    return "lottery"


def test_it_is_forty_lines(policy):
    assert len(CODE["lottery.py"].splitlines()) <= 42
    assert policy in sched.names()


def test_domains_get_their_weights_and_pins(policy):
    domains = [Fake("one"), Fake("three", weight=768), Fake("pinned", pins=[1])]
    host = FakeHost(policy, *domains, harts=2)
    host.conserves = True
    host.run(20_000 * MS)
    assert domains[2].harts == {1}
    single = FakeHost(policy, Fake("one"), Fake("three", weight=768))
    single.run(20_000 * MS)
    got = [domain.ran / single.now for domain in single.domains]
    assert got == pytest.approx([0.25, 0.75], abs=0.01)


def test_who_sleeps_is_not_drawn(policy):
    host = FakeHost(policy, Fake("io").periodic(MS, 10 * MS), Fake("busy"))
    host.conserves = True
    host.run(1_000 * MS)
    host.stop(host.domains[1])
    host.run(2_000 * MS)
    assert host.domains[0].ran == pytest.approx(200 * MS, rel=0.02)


@pytest.mark.compiled
def test_the_program_of_the_page(tmp_path: Path):
    for name, code in CODE.items():
        (tmp_path / name).write_text(code)
    done = subprocess.run([sys.executable, "fair.py"], cwd=tmp_path, env=environment(),
                          capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in told] == ["one", "three"]
    assert 18 <= int(told[0][1].rstrip("%")) <= 32
    assert 68 <= int(told[1][1].rstrip("%")) <= 82


def test_every_method_of_a_policy_is_in_the_table():
    methods = {name for name in vars(Policy) if not name.startswith("_")}
    assert methods == set(re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE))
