"""Each seeded fault of `mutants.toml` is about code that exists, and has its own name."""

import re

from tests.mutants import LIST, ROOT, faults


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
