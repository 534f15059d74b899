"""Every array index in compiled code, against docs/containment.md: `python -m tests.subscripts`.

numba's code checks no index.  So each index that is not a constant is listed in that page
with what bounds it, by file, function and expression.  A new or changed index fails a test,
which prints the row to add.  This cannot see addresses that are given to `view`, and calls by
address.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "containment.md"
COMPILED = {"njit", "entry"}
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \| (.*) \|$", re.MULTILINE)


class Index(NamedTuple):
    """An index expression of a function, and what it indexes there."""

    function: str  # file: name
    expression: str
    arrays: str    # everything that it indexes, sorted

    def row(self, bound: str) -> str:
        return f"| `{self.function}` | `{self.expression}` | `{self.arrays}` | {bound} |"


def _constant(node: ast.expr | None) -> bool:
    """Whether an index consists of literals, names in capitals and enum members only.

    The author of the program has chosen such an index, and not a guest.
    """
    match node:
        case None | ast.Constant():
            return True
        case ast.Name(id=name):
            return name.isupper()
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return owner[0].isupper() and name.isupper()
        case ast.BinOp(left=left, right=right):
            return _constant(left) and _constant(right)
        case ast.Call(func=ast.Attribute(attr="int64"), args=[one]):
            return _constant(one)
        case ast.Slice(lower=lower, upper=upper):
            return _constant(lower) and _constant(upper)
        case ast.Tuple(elts=parts):
            return all(map(_constant, parts))
    return False


def _shown(index: ast.expr) -> str:
    """An index as the page shows it: a constant that is added last is `k`."""
    if isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add) and _constant(index.right):
        return f"{ast.unparse(index.left)} + k"
    return ast.unparse(index)


def _decorated(function: ast.FunctionDef) -> bool:
    """Whether a function is compiled: by `njit` or `entry`, or by numba's own."""
    names = (re.findall(r"\w+", ast.unparse(decorator))[:2] for decorator in
             function.decorator_list)  # fmt: skip
    return any(COMPILED & set(name) for name in names)


def of_source(source: str, file: str) -> Iterator[Index]:
    """The indexes of one file's compiled functions."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef) or not _decorated(function):
            continue
        found: dict[str, set[str]] = defaultdict(set)
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and not _constant(node.slice):
                found[_shown(node.slice)].add(ast.unparse(node.value))
        for expression, arrays in found.items():
            yield Index(f"{file}: {function.name}", expression, ", ".join(sorted(arrays)))


def of_code() -> list[Index]:
    """The indexes of all compiled functions, file by file."""
    files = sorted(p for top in ("toyisa", "vmm") for p in (ROOT / top).rglob("*.py"))
    return [
        index for path in files
        for index in of_source(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]  # fmt: skip


def of_page(text: str) -> dict[Index, str]:
    """The rows of the page: an index, and what bounds it."""
    return {Index(*row[:3]): row[3].strip() for row in ROW.findall(text)}


def complaints(code: list[Index], page: dict[Index, str]) -> list[str]:
    """What the page lacks, has too much, or leaves open."""
    lacking = [f"add the row, with what bounds it:\n{index.row('')}"
               for index in code if index not in page]  # fmt: skip
    stale = [f"no compiled code has this any more:\n{index.row(bound)}"
             for index, bound in page.items() if index not in set(code)]  # fmt: skip
    silent = [f"what bounds it?\n{index.row(bound)}" for index, bound in page.items() if not bound]
    return lacking + stale + silent


if __name__ == "__main__":
    found = complaints(of_code(), of_page(PAGE.read_text(encoding="utf-8")))
    print("\n".join(found) or "docs/containment.md names every index")
    sys.exit(bool(found))
