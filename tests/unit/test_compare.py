"""The comparison's arithmetic and judgement, on rows made up here."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from toyisa.tables.cost import load
from toyisa.tables.levels import Profile
from vmm.comparison.chart import svg
from vmm.comparison.document import row_document
from vmm.comparison.measure import Row
from vmm.comparison.orderings import ORDERINGS, RELATIONS
from vmm.comparison.published import FIGURES
from vmm.comparison.redflags import red_flags
from vmm.comparison.report import lines
from vmm.comparison.sensitivity import flips
from vmm.comparison.subjects import Setting, Subject
from vmm.comparison.vectors import KEYS, TERMS, Vector
from vmm.comparison.verdicts import verdicts
from vmm.comparison.whole import Whole, explain

P4 = Setting(Profile.STRICT, load("p4"))
PAGING = {"native": "own"}


def row(benchmark, engine, alu=0, wrong="", force="", iterations=1, **counts):
    """A row that costs `alu` cycles and what `counts` of other things cost."""
    subject = Subject(engine, PAGING.get(engine, "shadow"), force)
    events = Vector(dict.fromkeys(KEYS, 0) | {"alu": alu} | counts)
    return Row(benchmark, subject, P4, iterations, events, wrong)


def verdict(number, rows, benchmark=None):
    found = [v for v in verdicts(rows) if v.row == number and benchmark in (None, v.benchmark)]
    return found[0]


def test_terms_sum_to_the_total():
    counts = {key: 3 * n + 1 for n, key in enumerate(KEYS)}
    vector = Vector(counts, hypercalls=7)
    terms = vector.terms(P4.cost.price)
    assert sum(terms.values()) == vector.cycles(P4.cost.price)
    assert terms["hypercalls"] == 7 * P4.cost.price["root_cross"]
    assert terms["idle"] == counts["idle"]
    nothing = vector - vector
    assert nothing.cycles(P4.cost.price) == 0
    assert nothing.hypercalls == 0


@pytest.mark.parametrize(
    ("relation", "a", "b", "holds"),
    [
        ("=", 100, 101, True), ("=", 100, 102, False), ("~", 100, 120, True),
        ("~", 120, 100, True), ("~", 100, 121, False), ("<", 100, 120, True),
        ("<", 100, 119, False), ("<<", 100, 300, True), ("<<", 100, 299, False),
        ("<=", 100, 100, True), ("<=", 101, 100, False),
    ],
)  # fmt: skip
def test_relations(relation, a, b, holds):
    assert RELATIONS[relation](a, b) is holds


def test_orderings_are_read_as_they_are_written():
    (second,) = [o for o in ORDERINGS if o.row == 2]
    assert second.chain == ([("native",), ("HW",), ("PV",), ("BT",)], ["~", "~", "<<"])
    ninth = next(o for o in ORDERINGS if o.row == 9)
    assert ninth.chain[0][-1] == ("HW-shadow", "trap")


@pytest.mark.parametrize(("bt", "holds"), [(300, True), (299, False)])
def test_steps_that_nobody_plays_keep_the_strongest_relation(bt, holds):
    answer = verdict(2, [row("syscall", "native", 100), row("syscall", "bt", bt)])
    assert answer.ordering == "native << bt"
    assert answer.holds is holds
    assert answer.values == {"native": 100, "bt": bt}
    assert answer.missing == ("HW", "PV")
    assert answer.kind == "emergent"


def test_every_player_of_a_step_must_obey():
    rows = [row("ctxswitch", "native", 1), row("ctxswitch", "trap", 9), row("ctxswitch", "bt", 2)]
    answer = verdict(11, rows)
    assert (answer.ordering, answer.holds) == ("native << trap, bt", False)


def test_one_emulated_read_is_calibrated():
    rows = [row("time_read", "bt", 216), row("time_read", "bt", 1254, force="callout"),
            row("time_read", "trap", 2030)]  # fmt: skip
    answer = verdict(4, rows)
    assert (answer.holds, answer.kind) == (True, "calibrated")
    other = [replace(r, setting=Setting(Profile.STRICT, load("core2"))) for r in rows]
    assert verdict(4, other).kind == "emergent"


def test_user_compute_is_held_to_its_throughput():
    assert verdict(1, [row("compute", "native", 100), row("compute", "bt", 109)]).holds
    assert not verdict(1, [row("compute", "native", 100), row("compute", "bt", 111)]).holds


def test_what_is_wrong_or_missing_is_no_answer():
    rows = [row("irq_toggle", "native", 100), row("irq_toggle", "trap", wrong="it is not off")]
    answer = verdict(3, rows)
    assert (answer.holds, answer.why) == (None, "trap runs it wrong on this machine")
    assert verdict(3, []).why == "no benchmark"
    assert verdict(5, [row("in", "native", 100)]).why == "needs BT, HW"
    assert verdict(10, rows).holds is None


@pytest.mark.parametrize(("cold", "warm", "holds"), [(12, 0, True), (12, 1, False), (0, 0, False)])
def test_translation_must_vanish(cold, warm, holds):
    rows = [row("cold:1", "bt", 16, root_translate=cold),
            row("cold:2", "bt", 16, root_translate=warm)]  # fmt: skip
    assert verdict(14, rows).holds is holds


def test_flips_are_what_a_price_turns_over():
    """native 100 of arithmetic, bt 110 of arithmetic and 10 words of 5: 1.6 times."""
    rows = [row("illegal", "native", 100), row("illegal", "bt", 110, root_word=10)]
    assert verdict(7, rows).holds
    assert flips(rows)[7, "illegal"] == []
    close = [row("illegal", "native", 100), row("illegal", "bt", 100, root_word=5)]
    assert verdict(7, close).holds
    assert flips(close)[7, "illegal"] == ["alu x2", "root_word /2"]


def test_crossing_and_callout_are_changed_jointly_too():
    rows = [row("illegal", "native", 100),
            row("illegal", "bt", 0, root_cross=1, root_callout=1)]  # fmt: skip
    assert "root_cross and root_callout /2" not in flips(rows)[7, "illegal"]
    low = [row("illegal", "native", 600), row("illegal", "bt", 0, root_cross=1, root_callout=1)]
    assert "root_cross and root_callout /2" in flips(low)[7, "illegal"]


@pytest.mark.parametrize(
    ("rows", "flag"),
    [
        ([("syscall", "native", 100), ("syscall", "bt", 110)], "as much as native"),
        ([("irq_toggle", "trap", 100), ("irq_toggle", "bt", 110)], "slower than trap"),
    ],
)
def test_red_flags(rows, flag):
    (line,) = red_flags([row(*one) for one in rows])
    assert flag in line
    assert red_flags([row(*one[:2], 10 * one[2] if one[1] == "trap" else one[2] * 9 ** n)
                      for n, one in enumerate(rows)]) == []  # fmt: skip


def test_every_figure_says_where_it_was_read():
    for figure in FIGURES.values():
        assert figure.tag in ("V", "D", "X")
        assert figure.source
        assert figure.unit in ("cycles", "us", "x")


def test_the_document_of_a_row():
    native, bt = row("syscall", "native", 200, iterations=2), row("syscall", "bt", 400)
    document = row_document(bt, native)
    assert (document["cycles"], document["ratio"]) == (400, 4)
    assert set(document["breakdown"]) == set(TERMS)
    assert sum(document["breakdown"].values()) == document["cycles"]
    assert document["published"]["value"] == 2314
    assert row_document(row("syscall", "trap", wrong="so"), native)["cycles"] is None


@pytest.mark.parametrize("markdown", [False, True])
def test_the_text_has_costs_published_figures_and_verdicts(markdown):
    rows = [row("syscall", "native", 100), row("syscall", "bt", 1000, root_word=1)]
    text = "\n".join(lines(rows, markdown, terms=True, sensitivity=True))
    assert "1,005 10x" in text.replace("  ", " ")
    assert "2,314 9.5x [D]" in text
    assert "2 system call: native << bt: holds (native 100, bt 1,005; emergent)" in text
    assert "flips: none" in text
    assert "red flag: none" in text
    assert ("| --- |" in text) is markdown


def test_other_machines_get_published_ratios_only():
    core2 = Setting(Profile.STRICT, load("core2"))
    rows = [replace(row("syscall", "native", 100), setting=core2),
            replace(row("syscall", "bt", 1000), setting=core2)]  # fmt: skip
    text = "\n".join(lines(rows, False, False, False))
    assert "9.5x [D]" in text
    assert "2,314" not in text


def test_the_chart_is_svg_with_a_dot_and_a_ring():
    root = ET.fromstring(svg([row("syscall", "native", 100), row("syscall", "bt", 1000)], "a < b"))
    tag = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{tag}svg"
    dots = [circle for circle in root.iter(f"{tag}circle") if int(circle.get("cy")) > 50]
    assert [circle.get("fill") == "none" for circle in dots] == [False, True]
    places = [float(circle.get("cx")) for circle in dots]
    assert places[1] < places[0]  # 9.5 times and 10 times
    ET.fromstring(svg([], "nothing to draw"))


def whole(engine, **counts):
    events = Vector(dict.fromkeys(KEYS, 0) | counts)
    subject = Subject(engine, PAGING.get(engine, "shadow"))
    return Whole("guest", subject, P4, events, {}, 0, "", "")


def test_an_explanation_accounts_for_all_of_the_difference():
    a, b = whole("trap", alu=1000, root_cross=10, idle=5), whole("bt", alu=1500, root_callout=10)
    text = explain(a, b)
    price = P4.cost.price
    assert f"{-10 * price['root_cross']:+,} crossings (10 to 0 crossings)" in text
    assert "+500 instructions" in text
    assert "idle" not in text
    assert f"{abs(b.busy - a.busy):,} fewer" in text
    assert explain(a, a).startswith("trap is busy for 1.00 times the cycles of trap, 0 more")
