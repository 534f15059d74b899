"""No module imports itself by a way round, wherever the import stands: at the top of the
file, in a function, or for type checkers only.  What a name in a string brings in at run
time (an engine by its name) is not looked at."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("asm", "guests", "toyisa", "vmm")

Graph = dict[str, set[str]]


def modules(root: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    """Every module by its name, `a.b` for both a/b.py and a/b/__init__.py."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path, packages: tuple[str, ...]) -> Graph:
    """Module -> the modules of these packages that its text imports anywhere."""
    known = modules(root, packages)
    graph: Graph = {}
    for name, path in known.items():
        named = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: a relative import, which this test cannot follow"
                ways = ((f"{node.module}.{alias.name}", node.module) for alias in node.names)
                named |= {module if module in known else package for module, package in ways}
        graph[name] = (named & known.keys()) - {name}
    return graph


def circles(graph: Graph) -> dict[str, str]:
    """Module -> a shortest way from it back to itself, for each that has one."""
    ways = {start: _way_back(graph, start) for start in sorted(graph)}
    return {start: " -> ".join(way) for start, way in ways.items() if way}


def _way_back(graph: Graph, start: str) -> list[str]:
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop(0)
        for name in sorted(graph[way[-1]]):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def test_no_module_imports_itself_by_a_way_round():
    found = circles(imports(ROOT, PACKAGES))
    ways = sorted(set(found.values()))
    assert not ways, "these modules import each other:\n  " + "\n  ".join(ways)


@pytest.mark.parametrize(
    "text",
    [
        "import one.a",
        "from one import a",
        "from one.a import Thing",
        "def f():\n    from one.a import Thing",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from one.a import Thing",
    ],
)
def test_a_circle_is_named_wherever_the_import_stands(tmp_path, text):
    package = tmp_path / "one"
    package.mkdir()
    (package / "__init__.py").write_text("from one.a import Thing\n")
    (package / "a.py").write_text("import one.b\n\nclass Thing: ...\n")
    (package / "b.py").write_text(text + "\n")
    (package / "c.py").write_text("from one import a, b\n")  # uses both, and is in no circle
    assert circles(imports(tmp_path, ("one",))) == {
        "one.a": "one.a -> one.b -> one.a", "one.b": "one.b -> one.a -> one.b"
    }  # fmt: skip
