"""`toyvmm compare`, as shown to people and programs."""

import csv
import io
import json

import pytest

from tests.unit.cli.command import toyvmm
from vmm.cli.status import Status


def compared(*arguments):
    done = toyvmm("compare", *arguments, "--json")
    assert done.returncode == Status.PASSED, done.stderr
    return json.loads(done.stdout)


@pytest.mark.compiled
def test_two_runs_give_the_same_json():
    arguments = ("nano/time_read", "--engines", "native,bt", "--cost", "p4,core2", "--sensitivity")
    first, second = (compared(*arguments) for _ in range(2))
    first.pop("seconds"), second.pop("seconds")
    assert first == second
    ways = [(row["engine"], row["cost"]) for row in first["rows"]]
    assert ways == [(engine, cost) for cost in ("p4", "core2")
                    for engine in ("native", "bt", "bt:callout", "bt:trap")]  # fmt: skip
    keys = {"benchmark", "engine", "paging", "profile", "cost", "cycles", "ratio", "breakdown",
            "published"}  # fmt: skip
    assert keys <= set(first["rows"][0])
    (p4, _) = first["verdicts"]
    assert {"row", "ordering", "kind", "holds", "values", "flips"} <= set(p4)
    assert (p4["row"], p4["kind"], p4["holds"]) == (4, "calibrated", True)


def test_a_whole_guest():
    result = compared("hello", "--engines", "native,trap")
    native, trap = result["runs"]
    for run in (native, trap):
        assert sum(run["breakdown"].values()) == run["cycles"]
        assert run["same_console"]
    (sentence,) = result["explanations"]
    assert sentence.startswith("trap is busy for ")


def test_a_whole_guest_for_people():
    done = toyvmm("compare", "hello", "--engines", "native,trap")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == Status.PASSED
    assert lines[0].startswith("hello, power-on to power-off, in cycles; ")
    rows = {line.split("  ")[0].strip(): line.split()[-2:] for line in lines}
    assert rows["busy, times native"][0] == "1.00"
    assert float(rows["busy, times native"][1]) > 1
    assert lines[-1] == "the console is the same under each"


PLAIN = "    .globl _start\n_start:\n    li a7, 8\n    ecall\n"


@pytest.mark.parametrize(
    ("source", "why"),
    [(PLAIN, "is not patched for `pv`"),
     (PLAIN + "    .ifdef PV\n    .error \"not for pv\"\n    .endif\n", "its source has errors")],
)  # fmt: skip
def test_what_cannot_run_a_guest_is_left_out(tmp_path, source, why):
    (tmp_path / "my.S").write_text(source)
    result = compared(tmp_path / "my.S", "--engines", "native,trap,pv")
    assert [run["engine"] for run in result["runs"]] == ["native", "trap"]
    (left_out,) = result["left_out"]
    assert (left_out["engine"], left_out["paging"]) == ("pv", "direct")
    assert why in left_out["why"]
    told = toyvmm("compare", tmp_path / "my.S", "--engines", "native,pv")
    assert "left out: pv: " in told.stdout.decode()
    alone = toyvmm("compare", tmp_path / "my.S", "--engines", "pv")
    assert alone.returncode == Status.USAGE
    assert why in alone.stderr.decode()


def test_values_with_commas_between_them():
    arguments = "hello", "--engines", "native,trap"
    done = toyvmm("compare", *arguments, "--csv")
    assert done.returncode == Status.PASSED
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    for row, run in zip(rows, compared(*arguments)["runs"], strict=True):
        for key in ("engine", "paging", "profile", "cost", "cycles", "instret"):
            assert row[key] == str(run[key])
        for term, cycles in run["breakdown"].items():
            assert row[f"breakdown.{term}"] == str(cycles)


@pytest.mark.compiled
def test_more_processes_give_the_same_result():
    for arguments in (("hello",), ("nano/irq_toggle", "--cost", "p4,core2")):
        one, two = (compared(*arguments, "--engines", "native,trap", "--jobs", jobs)
                    for jobs in ("1", "2"))  # fmt: skip
        one.pop("seconds"), two.pop("seconds")
        assert two == one


@pytest.mark.compiled
def test_people_are_told_and_a_chart_is_drawn(tmp_path):
    chart = tmp_path / "chart.svg"
    done = toyvmm("compare", "nano/irq_toggle", "--engines", "native,trap", "--profile", "leaky",
                  "--svg", chart)  # fmt: skip
    assert done.returncode == Status.FAILED
    assert "wrong: irq_toggle under trap: interrupts are on after it" in done.stdout.decode()
    assert chart.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("nano/nothing",), "no benchmark is called 'nano/nothing'; there are syscall"),
        (("--engines", "nativ"), "did you mean `native`?"),
        (("--engines", ","), "names none"),
        (("--paging", "nested"), "no engine here has the paging 'nested'; there are "),
        (("--cost", "p5"), "no cost preset 'p5'"),
        (("--json", "--markdown"), "choose one of --json, --csv and --markdown"),
        (("--csv", "--json"), "choose one of --json, --csv and --markdown"),
        (("nowhere",), "no file and no example is called 'nowhere'"),
        (("hello", "--svg", "x"), "are for nano-benchmarks only"),
        (("nano/in", "--engines", "native", "--svg", "/nowhere/x"), "cannot write /nowhere/x"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, reason):
    done = toyvmm("compare", *arguments)
    assert done.returncode == Status.USAGE
    assert reason in done.stderr.decode()
