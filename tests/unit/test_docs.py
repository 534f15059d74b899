"""The generated parts of the documentation are not stale, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from toyisa.tables import gendocs
from toyisa.tables.csrs import CSRS
from toyisa.tables.insns import INSNS

ROOT = Path(gendocs.__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *(ROOT / name / "README.md" for name in ("guests", "tests")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def test_the_tables_of_isa_md_are_what_the_package_says():
    """If this fails: `make gen`."""
    text = gendocs.PATH.read_text(encoding="utf-8")
    assert gendocs.render(text) == text


def test_every_table_is_used_and_every_row_is_there():
    text = gendocs.PATH.read_text(encoding="utf-8")
    assert {name for _, name, _ in gendocs.BLOCK.findall(text)} == set(gendocs.TABLES)
    for row in (*INSNS, *CSRS):
        assert f"| `{row.name}" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_reading_guide_names_files_that_exist():
    """In a row of a table a name without a folder is in the folder of the one before."""
    text = (ROOT / "docs" / "reading-guide.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        folder = ROOT
        for name in re.findall(r"`([\w./-]+\.(?:py|toml|inc|S|md))`", line):
            if "/" in name:
                folder = (ROOT / name).parent
            found = ROOT / name if "/" in name else folder / name
            assert found.exists() or "|" not in line, name


def test_the_property_tests_of_the_howto_run():
    """Its blocks of Python, one behind the other, and each test that they define."""
    text = (ROOT / "docs" / "howto" / "property-tests.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks[0].splitlines()) <= 14  # ten lines, imports aside
    names: dict = {}
    for block in blocks:
        exec(compile(block, "property-tests.md", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == len(blocks)
    for test in tests:
        test()
