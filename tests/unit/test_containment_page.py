"""docs/containment.md names every index in compiled code, and what bounds it."""

import re

from tests import subscripts
from tests.subscripts import Index, complaints, of_code, of_page, of_source

SOURCE = """
@njit
def look(vm, mem, n, {argument}):
    total = vm.table[KIND] + vm.table[Kind.OTHER] + vm.table[np.int64(Kind.OTHER)] + mem.x[:]
    {line}
    return total

def in_python(table, n):
    return table[n]
"""


def test_the_page_names_every_index():
    """If this fails: `python -m tests.subscripts`, and say what bounds the index."""
    text = subscripts.PAGE.read_text(encoding="utf-8")
    assert complaints(of_code(), of_page(text)) == []


def test_the_words_that_bounds_are_told_in_are_explained():
    text = subscripts.PAGE.read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| \*([^*]+)\* \|", text, re.MULTILINE))
    used = {word for bound in of_page(text).values() for word in re.findall(r"\*([^*]+)\*", bound)}
    assert used <= explained


def found(line, argument="k"):
    return [*of_source(SOURCE.format(line=line, argument=argument), "f.py")]


def test_a_new_index_is_an_index_to_be_told():
    """Constants do not count, nor does code that runs in Python."""
    assert found("pass") == []
    assert found("total += vm.table[n]") == [Index("f.py: look", "n", "vm.table")]
    assert found("vm.a[n + 1] = vm.b[n + KIND] = 0") == [Index("f.py: look", "n + k", "vm.a, vm.b")]
    assert found("vm.a[n + k] = 0") == [Index("f.py: look", "n + k", "vm.a")]
    assert found("total += mem.x[n:]") == [Index("f.py: look", "n:", "mem.x")]
    assert found("total += vm.table[n, KIND]") == [Index("f.py: look", "(n, KIND)", "vm.table")]


def test_what_is_lacking_stale_or_open_is_told():
    index = Index("f.py: look", "n", "vm.table")
    assert complaints([index], {index: "the mask"}) == []
    assert complaints([index], of_page(index.row("the mask"))) == []
    assert "add the row" in complaints([index], {})[0]
    assert "no compiled code" in complaints([], {index: "the mask"})[0]
    assert "what bounds it?" in complaints([index], {index: ""})[0]


def test_every_decorator_of_compiled_code_is_known(tmp_path):
    """numba's own, too: it compiles `view`."""
    for decorator in ("njit", "entry", "numba.njit", 'numba.njit(inline="always")'):
        source = SOURCE.replace("@njit", f"@{decorator}")
        assert [*of_source(source.format(line="vm.a[n] = 0", argument="k"), "f.py")]
