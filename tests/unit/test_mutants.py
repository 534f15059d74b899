"""Each seeded fault of `mutants.toml` changes code that exists, and has a name of its own."""

import re

import pytest

from tests.mutants import LIST, ROOT, Untried, faults, run_tests


def test_the_list_is_fresh():
    found = faults()
    assert len({fault.name for fault in found}) == len(found) >= 60
    stale = [f.name for f in found if (ROOT / f.file).read_text().count(f.old) != 1]
    assert stale == []
    assert all(f.old != f.new for f in found)
    for fault in found:
        assert all((ROOT / t).exists() for t in fault.tests if t.startswith("tests/"))


def test_what_survives_is_explained_where_a_reader_looks():
    explained = (ROOT / "tests" / "README.md").read_text()
    for name in re.findall(r'name = "(.*)"\n(?:(?!\[\[).*\n)*survives', LIST.read_text()):
        assert name in explained


def test_what_the_laws_name_is_there():
    """Each test and each fault exists; and a fault is tried with a test of its own law."""
    known = {fault.name: fault for fault in faults()}
    rows = [line for line in (ROOT / "docs" / "laws.md").read_text().splitlines() if "| " in line]
    named = 0
    for row in rows:
        tests = set(re.findall(r"`(tests/[^`]+\.py)`", row))
        assert all((ROOT / path).exists() for path in tests)
        for name in re.findall(r"`([a-z]+: [^`]+)`", row):
            named += 1
            assert tests & set(known[name].tests), name
    assert named >= 12


def test_an_end_by_a_signal_is_no_answer(tmp_path):
    """Somebody else may have sent the signal: the fault is neither killed nor survives."""
    (tmp_path / "test_it.py").write_text("import os\ndef test(): os.kill(os.getpid(), 15)\n")
    with pytest.raises(Untried, match="signal 15"):
        run_tests(tmp_path, ("test_it.py",), jit=True)


@pytest.mark.parametrize(("text", "why"), [
    ("import nothing_like_that", "no test ran"),
    ("import numba\n@numba.njit\ndef f(): return 1 + 'a'\ndef test(): f()", "does not compile"),
])  # fmt: skip
def test_a_fault_that_runs_nowhere_is_no_fault(tmp_path, text, why):
    """Any test would notice; that says nothing of the tests."""
    (tmp_path / "test_it.py").write_text(text)
    with pytest.raises(Untried, match=why):
        run_tests(tmp_path, ("test_it.py",), jit=True)
