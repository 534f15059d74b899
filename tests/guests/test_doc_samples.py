"""Commands print what the documentation shows."""

import pytest

from tests.docsamples import PAGES, commands, each, matches, samples
from tests.unit.cli.command import ROOT

WITH_SAMPLES = [page for page in PAGES if samples(page.read_text(encoding="utf-8"))]


@pytest.mark.compiled
@pytest.mark.parametrize("page", WITH_SAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_samples_of_a_page_are_true(page):
    """If this fails: `python -m tests.docsamples`, and read the difference."""

    def true(command, printed):
        assert matches(command.shown, printed), "\n".join([command.line, *printed[:40]])

    each(page.read_text(encoding="utf-8"), true)


def test_there_are_samples():
    pages = {page.name for page in WITH_SAMPLES}
    assert {"README.md", "tutorial.md", "virtual-machines.md"} <= pages


def test_what_matches():
    assert matches(["a", "...", "z"], ["a", "b", "c", "z"])
    assert matches(["a ..."], ["a b"])
    assert not matches(["a", "z"], ["a", "b", "z"])
    assert not matches(["a", "..."], ["b", "a"])
    assert not matches(["a"], [])


def test_a_sample_needs_output():
    assert not commands("$ toyvmm run hello\n")
    assert commands("$ toyvmm run a \\\n    --json\nout\n")[0].line == "toyvmm run a     --json"
