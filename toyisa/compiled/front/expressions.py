"""Answers for expressions: what each node of Python's syntax makes of its parts.

Must not know statements (`statements.py`), nor how another function is compiled: it uses a
program (`program.py`) for that.
"""

import ast
import types
from collections.abc import Hashable

import numpy as np

from toyisa.compiled.front import arithmetic, source
from toyisa.compiled.front.body import Body
from toyisa.compiled.front.kinds import (
    BOOL,
    I64,
    Array,
    Kind,
    Tuple,
    Unsupported,
    Value,
    array,
    constant,
    joined,
    truth,
)


class Expressions(Body):
    """A function whose expressions can be written."""

    def __init__(self, program, function):
        super().__init__()
        self.program, self.function = program, function
        # Names that never change: their values, or where these are kept
        self.locals: dict[str, Value] = {}
        self.kinds: dict[str, Kind] = {}  # the kinds of names that change

    def expr(self, node: ast.expr) -> Value:
        """Write an expression; return its value."""
        write = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if write is None:
            raise Unsupported(f"{type(node).__name__}")
        return write(node)

    # Names and constants.

    def known(self, node: ast.expr) -> object:
        """The Python object for which a name or attribute stands, if no local value does."""
        if isinstance(node, ast.Name):
            if node.id in self.kinds or node.id in self.locals:
                return source.MISSING
            return source.meaning(self.function, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.known(node.value)
            if isinstance(owner, types.ModuleType | type):
                return getattr(owner, node.attr, source.MISSING)
        return source.MISSING

    def static(self, found: object) -> Value:
        """A Python object as a value."""
        if isinstance(found, bool | np.bool_):
            return truth(bool(found))
        if isinstance(found, int | np.integer):
            if not -1 << 63 <= found < 1 << 63:
                raise Unsupported("a number that has no room in 64 bits with its sign")
            return constant(int(found))
        if isinstance(found, np.ndarray) and found.dtype.kind in "iu":
            kind = array(found.dtype, found.shape, frozen=True)
            return Value(kind, (self.program.table(found),))
        if isinstance(found, tuple):
            return self.gathered([self.static(member) for member in found])
        raise Unsupported(f"a {type(found).__name__}")

    def on_constant(self, node: ast.Constant) -> Value:
        return self.static(node.value)

    def on_name(self, node: ast.Name) -> Value:
        if node.id in self.kinds:
            return self.variable(node.id)
        if node.id in self.locals:
            return self.locals[node.id]
        found = self.known(node)
        if found is source.MISSING:
            raise Unsupported(f"{node.id} may have no value")
        return self.static(found)

    def variable(self, name: str) -> Value:
        """The present value of a name that changes."""
        kind, slots = self.kinds[name], self.slots_of(name)
        loaded = (self.new(f"load {p}, ptr {s}") for p, s in zip(kind.parts, slots))
        return Value(kind, tuple(loaded))

    def slots_of(self, name: str) -> tuple[str, ...]:
        """Where the parts of a name that changes are kept."""
        if name not in self.locals:
            kind = self.kinds[name]
            self.locals[name] = Value(kind, tuple(map(self.slot, kind.parts)))
        return self.locals[name].parts

    # Parts of values.

    def on_attribute(self, node: ast.Attribute) -> Value:
        found = self.known(node)
        if found is not source.MISSING:
            return self.static(found)
        value = self.expr(node.value)
        if isinstance(value.kind, Array):
            if node.attr == "shape":
                return self.gathered(self.sizes(value))
            if node.attr == "size":
                total = constant(1)
                for size in self.sizes(value):
                    total = self.times(total, size)
                return total
        return self.field(value, node.attr)

    def on_subscript(self, node: ast.Subscript) -> Value:
        value = self.expr(node.value)
        if isinstance(value.kind, Tuple):
            index = self.expr(node.slice).number
            if index is None or not 0 <= index < len(value.kind.members):
                raise Unsupported("which member of a tuple is not known")
            return self.members(value)[index]
        if isinstance(node.slice, ast.Slice):
            if node.slice.lower or node.slice.upper or node.slice.step:
                raise Unsupported("part of an array as a value")
            return value
        return self.at(value, self.indexes(node.slice))

    def at(self, value: Value, indexes: list[Value]) -> Value:
        """What an array has at these indexes."""
        found = self.item(value, indexes)
        return found if isinstance(found, Value) else self.read(*found)

    def indexes(self, node: ast.expr) -> list[Value]:
        """The values of the indexes in brackets."""
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        return [self.expr(inner) for inner in nodes]

    def on_tuple(self, node: ast.Tuple) -> Value:
        return self.gathered([self.expr(inner) for inner in node.elts])

    # Operators.

    def on_binop(self, node: ast.BinOp) -> Value:
        one = self.expr(node.left)
        return arithmetic.operate(self, type(node.op).__name__, one, self.expr(node.right))

    def on_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.expr(node.operand)
        match node.op:
            case ast.Not():
                value = self.as_bool(value)
                if value.number is not None:
                    return truth(not value.number)
                return Value(BOOL, (self.new(f"xor i1 {value.ref}, true"),))
            case ast.USub():
                return arithmetic.negate(self, value)
            case ast.Invert():
                return arithmetic.operate(self, "BitXor", self.as_int(value), constant(-1))
        raise Unsupported(f"{type(node.op).__name__}")

    def on_compare(self, node: ast.Compare) -> Value:
        if len(node.ops) > 1:
            return self._by_way(node)
        one = self.expr(node.left)
        return arithmetic.compare(
            self, type(node.ops[0]).__name__, one, self.expr(node.comparators[0])
        )

    def branch(self, node: ast.expr, yes: str, no: str) -> None:
        """End the block; go on at `yes` if the expression holds, otherwise at `no`."""
        match node:
            case ast.UnaryOp(op=ast.Not()):
                self.branch(node.operand, no, yes)
            case ast.BoolOp():
                for value in node.values[:-1]:
                    after = self.name("more")
                    if isinstance(node.op, ast.And):
                        self.branch(value, after, no)
                    else:
                        self.branch(value, yes, after)
                    self.label(after)
                self.branch(node.values[-1], yes, no)
            case ast.Compare() if len(node.ops) > 1:
                one = self.expr(node.left)
                for n, (op, right) in enumerate(zip(node.ops, node.comparators), 1):
                    other = self.expr(right)
                    after = self.name("more") if n < len(node.ops) else yes
                    self.fork(arithmetic.compare(self, type(op).__name__, one, other), after, no)
                    if n < len(node.ops):
                        self.label(after)
                    one = other
            case _:
                self.fork(self.expr(node), yes, no)

    def _by_way(self, node: ast.expr) -> Value:
        """Whether a condition holds, as a value."""
        yes, no, after = (self.name(stem) for stem in ("yes", "no", "after"))
        self.branch(node, yes, no)
        ways = []
        for label, answer in ((yes, True), (no, False)):
            self.label(label)
            ways.append(self.way(truth(answer), after))
        return self.meet(after, ways)

    def on_boolop(self, node: ast.BoolOp) -> Value:
        """The operand that decides, as in Python."""
        after, ways = self.name("after"), []
        for inner in node.values[:-1]:
            value = self.expr(inner)
            decided, more = self.name("decided"), self.name("more")
            yes, no = (more, decided) if isinstance(node.op, ast.And) else (decided, more)
            self.fork(self.as_bool(value), yes, no)
            self.label(decided)
            ways.append(self.way(value, after))
            self.label(more)
        ways.append(self.way(self.expr(node.values[-1]), after))
        return self.meet(after, ways)

    def on_ifexp(self, node: ast.IfExp) -> Value:
        yes, no, after = (self.name(stem) for stem in ("yes", "no", "after"))
        self.branch(node.test, yes, no)
        ways = []
        for label, inner in ((yes, node.body), (no, node.orelse)):
            self.label(label)
            ways.append(self.way(self.expr(inner), after))
        return self.meet(after, ways)

    def way(self, value: Value, after: str) -> tuple[Value, str, int]:
        """End the block with a value for `meet`."""
        place = len(self.lines)
        block = self.block
        self.jump(after)
        return value, block, place

    def meet(self, after: str, ways: list[tuple[Value, str, int]]) -> Value:
        """Where several ways meet: the value of the one that was taken."""
        kind = ways[0][0].kind
        for value, _block, _place in ways[1:]:
            kind = joined(kind, value.kind)
        changed = []
        for value, block, place in reversed(ways):  # an insertion moves what comes after it
            end, self.lines = self.lines[place:], self.lines[:place]
            was, self.block = self.block, block
            changed.append((self.converted(value, kind), block))
            self.block = was
            self.lines += end
        self.label(after)
        changed = [(value, block) for value, block in reversed(changed) if block]
        parts = []
        for n, part in enumerate(kind.parts):
            given = ", ".join(f"[ {value.parts[n]}, %{block} ]" for value, block in changed)
            parts.append(self.new(f"phi {part} {given}"))
        return Value(kind, tuple(parts))

    # Calls.

    def on_call(self, node: ast.Call) -> Value:
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise Unsupported("a call with keywords")
        called = self.known(node.func)
        if called is source.MISSING:
            return self._method(node)
        arguments = [self._argument(a) for a in node.args]
        write = getattr(called, "front", None) or _BUILTINS.get(_hashable(called))
        if write:
            return write(self, *arguments)
        return self._function(called, arguments)

    def _argument(self, node: ast.expr) -> Value | object:
        """An argument's value, or the type if it is a type."""
        found = self.known(node)
        return found if isinstance(found, type | np.dtype) else self.expr(node)

    def _method(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "sum" and not node.args:
            value = self.expr(node.func.value)
            if isinstance(value.kind, Array) and len(value.kind.shape) == 1:
                return self._sum(value)
        raise Unsupported(f"a call of {ast.unparse(node.func)}")

    def _sum(self, value: Value) -> Value:
        total = self.slot("i64")
        self.line(f"store i64 0, ptr {total}")

        def add(at: Value) -> None:
            item = self.read(*self.item(value, [at]))
            so_far = self.new(f"load i64, ptr {total}")
            self.line(f"store i64 {self.new(f'add i64 {so_far}, {item.ref}')}, ptr {total}")

        self.each(constant(0), self.sizes(value)[0], add)
        return Value(I64, (self.new(f"load i64, ptr {total}"),))

    def _function(self, called: object, arguments: list[Value]) -> Value:
        function = getattr(called, "py_func", None)
        if function is None:
            raise Unsupported(f"a call of {called!r}")
        values = [self.as_int(v) if v.kind is BOOL else v for v in arguments]
        callee = self.program.instance(function, tuple(v.kind for v in values))
        passed = ", ".join(f"{p} {r}" for v in values for p, r in zip(v.kind.parts, v.parts))
        text = f"{type_of(callee.result)} @{callee.name}({passed})"
        parts = callee.result.parts
        if not parts:
            self.line(f"call {text}")
            return Value(callee.result, ())
        whole = self.new(f"call {text}")
        if len(parts) == 1:
            return Value(callee.result, (whole,))
        taken = (self.new(f"extractvalue {type_of(callee.result)} {whole}, {n}")
                 for n in range(len(parts)))  # fmt: skip
        return Value(callee.result, tuple(taken))


def _hashable(found: object) -> object:
    return found if isinstance(found, Hashable) else None


def type_of(kind: Kind) -> str:
    """LLVM's type of a function's result."""
    if len(kind.parts) == 1:
        return kind.parts[0]
    return "{ " + ", ".join(kind.parts) + " }" if kind.parts else "void"


def _extreme(operator: str):
    def write(body: Expressions, *values: Value) -> Value:
        if len(values) < 2:
            raise Unsupported("an extreme of one value")
        found = values[0]
        for value in values[1:]:
            found = arithmetic.least(body, found, value, operator)
        return found

    return write


def _length(body: Expressions, value: Value) -> Value:
    if isinstance(value.kind, Tuple):
        return constant(len(value.kind.members))
    return body.sizes(value)[0]


_BUILTINS = {
    np.int64: Expressions.as_int, int: Expressions.as_int, bool: Expressions.as_bool,
    min: _extreme("Lt"), max: _extreme("Gt"), abs: arithmetic.absolute, len: _length,
}  # fmt: skip
