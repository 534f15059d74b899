"""The experiments judge what happens: each verdict holds in small, and fails on a mutation."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vmm.cli.experiment import EXPERIMENTS
from vmm.cli.main import invoke
from vmm.cli.status import Status
from vmm.experiments import consolidation, fairness, isolation, latency, loads, report, theft
from vmm.experiments.chart import svg
from vmm.experiments.measured import Setup, Way, choose

QUICK = Way("bvt", "quick", {"ctx_us": 500})  # turns of a tenth: shares settle ten times as fast
DOCS = Path(__file__).parents[2] / "docs"


def answers(outcome):
    """Whether each verdict holds, by what it requires."""
    return {verdict.required: verdict.holds for verdict in outcome.verdicts}


def values(outcome, way):
    return {one.what: one.value for one in outcome.measured if one.way == way}


def test_shares_follow_weights():
    setup = Setup((QUICK,), seconds=1.0)
    fair, equal = fairness.run(setup), fairness.run(setup, weights=(1,) * 8)
    assert [*answers(fair).values()] == [True]
    assert [*answers(equal).values()] == [False]
    assert abs(values(equal, "quick")["share of weight 8"] - 12.5) < 0.5
    for outcome in (fair, equal):
        shares = [value for what, value in values(outcome, "quick").items()
                  if what.startswith("share")]  # fmt: skip
        assert sum(shares) == pytest.approx(100)


def test_round_robin_knows_no_weights_and_is_not_judged():
    outcome = fairness.run(Setup((Way("rr"),), seconds=0.5))
    assert outcome.verdicts == []
    assert values(outcome, "rr")["largest error"] > 100


def test_who_warps_is_first():
    setup = Setup((Way("bvt"),), seconds=2.0)
    asked = "woken, warped << busy"
    warped, cold = latency.run(setup), latency.run(setup, warp=0)
    assert answers(warped)[asked]
    assert answers(warped)["woken, warped << woken"]
    assert not answers(cold)["woken, warped << woken"]
    late = values(warped, "bvt")
    assert 0 < late["woken, warped, mean"] <= late["woken, warped, worst"] < late["busy, mean"]


def test_who_is_woken_is_boosted_by_credits_and_waits_its_turn_without():
    outcome = latency.run(Setup((Way("credit"), Way("rr")), seconds=3.0))
    assert answers(outcome) == {"woken << busy": True}
    assert values(outcome, "rr")["woken, mean"] > 20  # six turns of 5 ms come first


def test_a_thief_robs_sampled_accounts_only():
    outcome = theft.run(Setup(theft.WAYS, seconds=1.0))
    assert answers(outcome) == {
        "the thief takes more than 90 %": True, "the thief takes its share: ~ 50 %": True,
    }  # fmt: skip
    assert values(outcome, "bvt")["share of the thief"] < 55


def test_an_honest_domain_takes_its_share_of_sampled_accounts():
    outcome = theft.run(Setup(theft.WAYS[:1], seconds=1.0), thief="hog")
    assert answers(outcome) == {"the thief takes more than 90 %": False}


@pytest.mark.parametrize("way", ["rr", "bvt", "credit"])
def test_a_neighbour_leaves_a_share(way):
    outcome = isolation.run(Setup((Way(way),), seconds=0.6))
    assert [*answers(outcome).values()] == [True, True]  # two ask for the same
    assert all(verdict.holds for verdict in outcome.verdicts)
    assert len(outcome.verdicts) == 4


def test_a_heavy_neighbour_leaves_less():
    outcome = isolation.run(Setup((Way("bvt"),), seconds=0.6), weight=1024)
    by_name = {verdict.name: verdict.holds for verdict in outcome.verdicts}
    assert by_name == {
        "a hog beside a hog, bvt": False, "a hog beside a storm, bvt": False,
        "a hog beside a thief, bvt": False, "a hog beside a probe, bvt": True,
    }  # fmt: skip


def test_a_crowd():
    ways = (Way("credit"), Way("rr"))
    outcome = consolidation.run(Setup(ways, seconds=2.0), busy=12, period=1_000_000)
    assert [verdict.holds for verdict in outcome.verdicts] == [True]  # rr is not judged
    assert values(outcome, "rr")["idle, mean"] > 30  # it waits for all the others
    assert 20 < values(outcome, "rr")["busy, mean"] < 60


def test_who_computes_is_not_idle():
    setup = Setup((Way("bvt"),), seconds=2.0)
    outcome = consolidation.run(setup, busy=6, period=500_000, idle_guest="busy")
    assert [verdict.holds for verdict in outcome.verdicts] == [False]


@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_an_experiment_runs_under_each_engine(engine):
    outcome = theft.run(Setup(theft.WAYS[:2], engine, seconds=0.5))
    assert all(verdict.holds for verdict in outcome.verdicts)


def test_the_same_experiment_gives_the_same_again():
    setup = Setup((Way("credit"),), seconds=0.5)
    assert latency.run(setup) == latency.run(setup)


def test_a_guest_that_ends_is_no_result(monkeypatch, capfd):
    hello = loads.image("hello", "pv")
    monkeypatch.setattr(loads, "image", lambda *_name, **_defines: hello)
    assert invoke(["experiment", "isolation", "--seconds", "0.1"]) == Status.USAGE
    said = "domain 'victim' should run for ever, and has ended under pv: hello, world"
    assert said in capfd.readouterr().err


def test_which_schedulers_are_used():
    known = (Way("credit", "one"), Way("credit", "two"), Way("rr"))
    assert choose(known, ()) == known
    assert choose(known, ("bvt", "credit")) == (Way("bvt"), *known[:2])


# -- what is shown -----------------------------------------------------------


def command(capfd, *arguments):
    assert invoke(["experiment", *arguments]) == Status.PASSED
    return capfd.readouterr().out


def test_the_table_and_the_verdicts(capfd):
    out = command(capfd, "theft", "--seconds", "0.5", "--scheduler", "credit")
    lines = out.splitlines()
    assert lines[0].startswith("theft: what a domain gets that sleeps at every tick")
    assert re.search(r"^share of the thief, % +9\d\S* +[45]\d\S* +98 \[V\]$", out, re.MULTILINE)
    assert "Verdicts: 2 hold, 0 do not" in lines
    assert "holds (thief 9" in out.replace("\n    ", " ")
    assert "Published: Zhou et al. 2011." in out
    assert max(map(len, lines)) <= 80


def test_a_verdict_that_does_not_hold_is_said():
    setup = Setup(theft.WAYS[:1], seconds=0.5)
    text = "\n".join(report.lines("theft", "", setup, theft.run(setup, thief="hog")))
    assert "Verdicts: 0 hold, 1 do not" in text
    assert "DOES NOT HOLD" in text


def keys(value):
    """Every key of an object, at any depth, but for names that are values."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value) | set().union(*(keys(each) for key, each in value.items() if key != "values"))


def test_the_json_is_what_the_page_says(capfd):
    arguments = ["fairness", "--seconds", "0.5", "--scheduler", "bvt", "--json"]
    found = json.loads(command(capfd, *arguments))
    assert (found["schema"], found["experiment"]) == ("toyvmm.experiment/1", "fairness")
    assert (found["engine"], found["cost"], found["virtual_seconds"]) == ("pv", "p4", 0.5)
    assert found["verdicts"][0]["row"] == 16
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    section = text.split("# The JSON of `toyvmm experiment`")[1].split("\n# ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert keys(found) == set(re.findall(r"`(\w+)`", "".join(cells)))


def test_the_picture(tmp_path, capfd):
    file = tmp_path / "theft.svg"
    command(capfd, "theft", "--seconds", "0.3", "--scheduler", "credit", "--svg", str(file))
    picture = ElementTree.parse(file).getroot()
    texts = {element.text for element in picture.iter() if element.text}
    assert {"share of the thief", "credit, sampled", "credit, exact", "published", "%"} <= texts
    dots = [each for each in picture.iter() if each.tag.endswith("circle")]
    assert len(dots) == 3 + 4 + 1  # the legend; two shares in two ways; a published one


def test_nothing_measured_is_drawn_too():
    assert "</svg>" in svg(theft.run(Setup((), seconds=0.1)), "empty")


@pytest.mark.parametrize(("arguments", "reason"), [
    (["fairness", "--scheduler", "bvd"], "no scheduler is called 'bvd'; did you mean `bvt`?"),
    (["fairness", "--scheduler", "quux"], "no scheduler is called 'quux'; there are rr"),
    (["fairness", "--scheduler", "pinned"], "domain 'hog1' has no hart of its own: hart 0 belongs"),
    (["fairness", "--engine", "native"], "the bare machine runs one guest"),
    (["fairness", "--engine", "no"], "no engine is called 'no'"),
    (["fairness", "--cost", "modren"], "did you mean `modern`?"),
    (["fairness", "--seconds", "0"], "0.1<=x<=1000"),
    (["unfairness"], "'unfairness' is not one of"),
    (["theft", "--svg", "no/such/folder.svg"], "folder"),
])  # fmt: skip
def test_what_cannot_be_run_is_refused(arguments, reason, capfd):
    assert invoke(["experiment", *arguments]) == Status.USAGE
    out, err = capfd.readouterr()
    assert reason in err.replace("\n", " ")
    assert out == ""


def test_every_experiment_can_be_named():
    modules = {consolidation, fairness, isolation, latency, theft}
    assert {module.__name__.rpartition(".")[2] for module in modules} == set(EXPERIMENTS)
    for module in modules:
        assert module.WAYS
        assert module.SUMMARY
        assert module.SECONDS > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_page_shows_what_is_printed(name, capfd):
    """If this fails, what a domain gets has changed: read the difference, then copy it."""
    page = (DOCS / "experiments.md").read_text(encoding="utf-8")
    shown = page.split(f"$ toyvmm experiment {name}\n")[1].split("```")[0]
    assert command(capfd, name) == shown
