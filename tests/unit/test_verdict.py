"""Popek and Goldberg's classes of a few instructions, and how the verdict is shown."""

import pytest

from toyisa.tables.levels import Profile
from vmm.theory import classify, verdict

CHOSEN = {
    "add": ("-", None),
    "probe.r": ("B", "real"),
    "csrrs sstatus (read)": ("B", "leak"),
    "csrrwi sstatus (write)": ("C", "drop"),
    "sret": ("CB", None),
}


def measured(profile):
    few = [s for s in classify.subjects() if s.name in CHOSEN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "subjects", lambda: few)
        return classify.classify(profile)


@pytest.fixture(scope="module")
def leaky():
    return measured(Profile.LEAKY)


def test_on_a_leaky_machine_each_hole_has_a_counterexample(leaky):
    told = verdict.as_json(leaky)
    rows = {row["name"]: row for row in told["instructions"]}
    holes = {name: (row["counterexample"] or {}).get("kind") for name, row in rows.items()}
    assert holes == {name: hole for name, (_, hole) in CHOSEN.items()}
    assert {name: row["measured"] for name, row in rows.items()} == {
        name: declared for name, (declared, _) in CHOSEN.items()
    }
    assert set(told["theorem1"]["violations"]) == {name for name in CHOSEN if holes[name]}
    assert told["theorem3"] == {"holds": True, "violations": []}


def test_the_lines_show_two_states_and_two_outcomes(leaky):
    lines = list(verdict.lines(leaky))
    assert lines[0] == "profile leaky: measured on the machine"
    said = " ".join(" ".join(lines).split())
    assert f"{verdict.THEOREM1}: does not hold, 3 violations" in said
    assert lines[-1] == f"{verdict.THEOREM3}: holds"
    at = lines.index("  csrrwi sstatus (write): drop")
    assert lines[at + 1].strip() == verdict.KINDS["drop"]
    assert [line.split()[0] for line in lines[at + 2 : at + 7]] == [
        "instruction", "state", "outcome", "state", "outcome",
    ]  # fmt: skip
    assert "S on a bare machine" in lines[at + 3]
    assert "deprivileged S" in lines[at + 5]


def test_on_a_strict_machine_what_is_sensitive_traps():
    results = {r.subject.name: r for r in measured(Profile.STRICT).results}
    assert {name for name, r in results.items() if r.privileged} == set(CHOSEN) - {"add"}
    assert not any(r.violation for r in results.values())
