"""Popek and Goldberg: what executing each instruction shows is what the tables declare."""

import json

import pytest

from tests.unit.cli.command import toyvmm
from toyisa.tables.csrs import BY_NAME as CSRS
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.tables.insns import INSNS, Cost, Hole
from toyisa.tables.levels import Profile
from vmm.theory.classify import classify, subjects
from vmm.theory.verdict import as_json


@pytest.fixture(scope="module", params=list(Profile), ids=lambda p: p.name.lower())
def found(request):
    return classify(request.param)


def test_every_row_and_every_csr_form_is_a_subject():
    names = [subject.name for subject in subjects()]
    assert len(names) == len(set(names))
    plain = [row.name for row in INSNS if row.cost is not Cost.CSR]
    assert {n for n in names if " " not in n} == set(plain)
    assert {s.csr for s in subjects() if s.csr} == set(CSRS)


def test_declared_is_measured(found):
    assert {r.subject.name: r.measured for r in found.results if not r.agrees} == {}


def test_what_behaviour_depends_on(found):
    """Level, location or another resource; the level only if U can read what belongs to S."""
    seen = {r.subject.name: r.depends_on for r in found.results}
    assert all(bool(seen[r.subject.name]) == ("B" in r.measured) for r in found.results)
    level = {"level"} if found.profile == Profile.LEAKY_USER else set()
    assert seen["csrrs satp (read)"] == {"location", "resource"} | level
    assert seen["csrrs sstatus (read)"] == seen["probe.r"] == {"resource"}
    assert set().union(*seen.values()) == {"location", "resource"} | level


def test_the_verdicts(found):
    assert (not found.theorem1) == (found.profile == Profile.STRICT)
    assert (not found.theorem3) == (found.profile != Profile.LEAKY_USER)
    assert all(r.privileged for r in found.results if r.measured != "-" and not r.violation)


def test_the_holes_are_those_of_the_tables(found):
    """Every hole, of the declared kind, and no other; `-` on strict."""
    holes = {r.subject.name: r.violation.kind for r in found.theorem1}
    declared = {}
    if found.profile != Profile.STRICT:
        declared = {row.name: row.hole.value for row in INSNS if row.hole is not Hole.NONE}
        for subject in subjects():
            row = CSRS.get(subject.csr)
            writes, reads = "write" in subject.form, "read" in subject.form
            if row and (row.drops_writes or not writes) and (row.leaks_reads or not reads):
                declared[subject.name] = "drop" if writes else "leak"
        assert set(declared.values()) == {"drop", "leak", "real"}
    assert holes == declared


def test_a_counterexample_is_two_states_and_two_outcomes_without_a_trap(found):
    for result in found.theorem1:
        example = result.violation
        assert not any(outcome.trap for outcome in example.outcomes)
        assert example.outcomes[0] != example.outcomes[1]
        assert example.states[0] != example.states[1]
    for result in found.theorem3:
        assert all(state.context.name == "U" for state in result.user_violation.states)


def test_the_json(found):
    answer = json.loads(json.dumps(as_json(found)))
    assert answer.keys() == {"schema", "profile", "instructions", "theorem1", "theorem3"}
    assert len(answer["instructions"]) == len(list(subjects()))
    by_name = {row["name"]: row for row in answer["instructions"]}
    assert by_name["add"] | {"name": ""} == {
        "name": "", "declared": "-", "measured": "-", "depends_on": [], "privileged": False,
        "counterexample": None, "user_counterexample": None,
    }  # fmt: skip
    for name in answer["theorem1"]["violations"]:
        states = by_name[name]["counterexample"]["states"]
        assert states[0] != states[1]


def test_the_command():
    done = toyvmm("classify", "--profile", "leaky")
    assert done.returncode == 0
    out = done.stdout.decode()
    assert "theorem 1 (a trap-and-emulate monitor" in out
    assert "does not hold, 22 violations" in out
    assert ": holds" in out.splitlines()[-1]
    for kind in ("silent drop", "leak of real state", "behaviour by the real level"):
        assert kind in out
    assert ROWS["probe.r"].name in out
