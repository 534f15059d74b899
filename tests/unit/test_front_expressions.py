"""The front end: random expressions give what the rules of docs/adr/0013-front-end.md say.

The rules stand here a second time, as plain Python that wraps after each step.
"""

import importlib.util
from itertools import count, product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compilers import TOP, wrapped
from toyisa.compiled.entries import entry
from toyisa.compiled.front.kinds import I64

EDGES = (0, 1, -1, 2, -3, 7, 63, 64, -64, 1 << 31, (1 << 32) - 1, -(1 << 32), TOP - 1, 1 - TOP)
NUMBERS = (*EDGES, -TOP)
_files = count()


BINARY = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b,
    "<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63),
    "//": lambda a, b: a // b if b else 0, "%": lambda a, b: a % b if b else 0,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "and": lambda a, b: a and b, "or": lambda a, b: a or b,
}  # fmt: skip
UNARY = {"-": lambda a: -a, "~": lambda a: ~a, "not ": lambda a: not a}
CALLS = {"min": min, "max": max}
ONE = {"abs": abs, "int": int, "bool": bool}


def trees(inner):
    """Expressions of these: what stands before, between and behind, and what is computed."""
    return st.one_of(
        st.tuples(st.sampled_from([*BINARY]), inner, inner),
        st.tuples(st.sampled_from([*UNARY]), inner),
        st.tuples(st.sampled_from([*CALLS]), inner, inner),
        st.tuples(st.sampled_from([*ONE]), inner),
        st.tuples(st.sampled_from(["if", "chain"]), inner, inner, inner),
    )


LEAVES = st.sampled_from(["a", "b", *EDGES])
EXPRESSIONS = st.lists(st.recursive(LEAVES, trees, max_leaves=12), min_size=6, max_size=6)


def text(tree):
    """The expression as Python writes it."""
    match tree:
        case str() | int():
            return f"({tree})"
        case "if", test, yes, no:
            return f"({text(yes)} if {text(test)} else {text(no)})"
        case "chain", one, two, three:
            return f"({text(one)} < {text(two)} <= {text(three)})"
        case name, one:
            return f"({name}({text(one)}))"
        case name, one, other if name in CALLS:
            return f"{name}({text(one)}, {text(other)})"
        case operator, one, other:
            return f"({text(one)} {operator} {text(other)})"


def value(tree, a, b):
    """What the rules say it is."""
    match tree:
        case str():
            return a if tree == "a" else b
        case int():
            return tree
        case "if", test, yes, no:
            return value(yes if value(test, a, b) else no, a, b)
        case "chain", *inner:
            one, two, three = (value(each, a, b) for each in inner)
            return int(one < two <= three)
        case name, one:
            return wrapped((UNARY | ONE)[name](value(one, a, b)))
        case name, one, other:
            return wrapped((BINARY | CALLS)[name](value(one, a, b), value(other, a, b)))


def compiled(expressions, folder):
    """A function of these expressions; its text must be in a file."""
    name = f"expressions{next(_files)}"
    path = folder / f"{name}.py"
    listed = "".join(f"    x{n} = {text(tree)}\n" for n, tree in enumerate(expressions))
    names = ", ".join(f"x{n}" for n in range(len(expressions)))
    path.write_text(f"def found(a, b):\n{listed}    return {names}\n")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return entry(module.found).compile((I64, I64))


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(expressions=EXPRESSIONS, more=st.integers(-TOP, TOP - 1))
def test_expressions_follow_the_rules(expressions, more, tmp_path):
    code = compiled(expressions, tmp_path)
    for a, b in product((*NUMBERS, more), NUMBERS):
        found = tuple(map(int, code(a, b)))
        assert found == tuple(value(tree, a, b) for tree in expressions), (a, b)
