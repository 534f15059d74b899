"""Answers for statements: what a function does, line by line.

Must not know how a program is put together (`program.py`).
"""

import ast
from collections.abc import Callable

from toyisa.compiled.front import arithmetic, source
from toyisa.compiled.front.expressions import Expressions, type_of
from toyisa.compiled.front.kinds import (
    I64,
    NOTHING,
    VOID,
    Array,
    Kind,
    Tuple,
    Unsupported,
    Value,
    constant,
    joined,
)


class Again(Exception):
    """A name, or the result, is of another kind than assumed: write the function again."""


class Statements(Expressions):
    """A function that is written completely."""

    def __init__(self, program, function, kinds: tuple[Kind, ...], learned: dict[str, Kind]):
        super().__init__(program, function)
        self.learned = learned  # kinds of names; that of the result under "return"
        self.tree = source.tree(function)
        self._loops: list[tuple[str, str]] = []  # the blocks to which `break` and `continue` go
        self.parameters = self._begin(kinds)

    def _begin(self, kinds: tuple[Kind, ...]) -> str:
        """Name the parameters; return LLVM's list of them."""
        names, changed = source.parameters(self.tree), source.assigned(self.tree)
        if len(names) != len(kinds):
            raise Unsupported("it is called with another number of arguments")
        listed = []
        for name, kind in zip(names, kinds):
            parts = tuple(f"%a{len(listed) + n}" for n in range(len(kind.parts)))
            listed += [f"{part} {ref}" for part, ref in zip(kind.parts, parts)]
            if name in changed:
                self.assign_name(name, Value(kind, parts))
            else:
                self.locals[name] = Value(kind, parts)
        for name in changed:  # they are local from the first line on
            if name in self.learned:
                self.kinds[name] = self.learned[name]
        self._changed = changed
        return ", ".join(listed)

    def known(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name) and node.id in getattr(self, "_changed", ()):
            return source.MISSING
        return super().known(node)

    def write_all(self) -> str:
        """The function's blocks."""
        self.run(self.tree.body)
        if self.block:
            self._give(VOID)
        return "\n".join(["entry:", *self.slots, *self.lines])

    def run(self, statements: list[ast.stmt]) -> None:
        """Write statements, up to one after which nothing can run."""
        for node in statements:
            if self.block is None:
                return
            write = getattr(self, f"on_{type(node).__name__.lower()}", None)
            try:
                if write is None:
                    raise Unsupported(type(node).__name__)
                write(node)
            except Unsupported as error:
                error.line = error.line or node.lineno
                raise
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                # It has not understood the code, so nothing that it wrote is used
                refusal = Unsupported(f"{type(error).__name__}: {error}")
                refusal.line = node.lineno
                raise refusal from error

    def learn(self, name: str, kind: Kind) -> Kind:
        """A name, or the result, is also of this kind: return the kind that covers all its
        kinds.
        """
        before = self.learned.get(name)
        if before is None:
            self.learned[name] = kind
        elif joined(before, kind) is not before:
            self.learned[name] = joined(before, kind)
            raise Again
        return self.learned[name]

    # Results.

    def on_return(self, node: ast.Return) -> None:
        nothing = node.value is None or (
            isinstance(node.value, ast.Constant) and node.value.value is None
        )
        self._give(VOID if nothing else self.expr(node.value))

    def _give(self, value: Value) -> None:
        kind = self.learn("return", value.kind)
        value = self.converted(value, kind)
        if len(kind.parts) < 2:
            self.end(f"ret {type_of(kind)} {''.join(value.parts)}".rstrip())
        else:
            whole = "undef"
            for n, (part, ref) in enumerate(zip(kind.parts, value.parts)):
                whole = self.new(f"insertvalue {type_of(kind)} {whole}, {part} {ref}, {n}")
            self.end(f"ret {type_of(kind)} {whole}")
        self.block = None

    # Assignments.

    def on_assign(self, node: ast.Assign) -> None:
        value = self.expr(node.value)
        for target in node.targets:
            self.assign(target, value)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Give a target its value."""
        match target:
            case ast.Name():
                self.assign_name(target.id, value)
            case ast.Tuple():
                if not isinstance(value.kind, Tuple) or len(value.kind.members) != len(target.elts):
                    raise Unsupported("not as many values as targets")
                for inner, member in zip(target.elts, self.members(value)):
                    self.assign(inner, member)
            case ast.Attribute():
                self.write(*self.place(self.expr(target.value), target.attr), value)
            case ast.Subscript(slice=ast.Slice()):
                self._fill(self.changed(target.value), target.slice, value)
            case ast.Subscript():
                found = self.item(self.changed(target.value), self.indexes(target.slice))
                if isinstance(found, Value):
                    self.copy(found, value)
                else:
                    self.write(*found, value)
            case _:
                raise Unsupported(f"{type(target).__name__} as a target")

    def changed(self, node: ast.expr) -> Value:
        """An array in which something is stored."""
        value = self.expr(node)
        if isinstance(value.kind, Array) and value.kind.frozen:
            raise Unsupported("a table of a module, or another array that nobody may change")
        return value

    def assign_name(self, name: str, value: Value) -> None:
        """Assign to a local name."""
        if value.kind is NOTHING:
            raise Unsupported(f"{name} has no value")
        kind = self.kinds[name] = self.learn(name, value.kind)
        for part, slot, ref in zip(
            kind.parts, self.slots_of(name), self.converted(value, kind).parts
        ):
            self.line(f"store {part} {ref}, ptr {slot}")

    def _fill(self, target: Value, part: ast.Slice, value: Value) -> None:
        """Give all items of a slice one value, or all items of an array another array's."""
        whole = not part.lower and not part.upper
        if not isinstance(target.kind, Array) or part.step:
            raise Unsupported("such a slice")
        if isinstance(value.kind, Array):
            if not whole:
                raise Unsupported("part of an array from another")
            self.copy(target, value)
            return
        if whole:
            target = self.flat(target)
        elif len(target.kind.shape) != 1:
            raise Unsupported("some rows of a table")
        size = self.sizes(target)[0]
        first = self.bound(part.lower) if part.lower else constant(0)
        end = arithmetic.least(self, self.bound(part.upper), size) if part.upper else size
        self.each(first, end, lambda at: self.write(*self.item(target, [at]), value))

    def bound(self, node: ast.expr) -> Value:
        """Where a slice begins or ends."""
        value = self.as_int(self.expr(node))
        if value.number is not None and value.number < 0:
            raise Unsupported("a slice that counts from the end")
        return value

    def on_augassign(self, node: ast.AugAssign) -> None:
        operator = type(node.op).__name__
        target = node.target
        if isinstance(target, ast.Name):
            old = self.expr(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            value = arithmetic.operate(self, operator, old, self.expr(node.value))
            self.assign_name(target.id, value)
            return
        if isinstance(target, ast.Attribute):
            place = self.place(self.expr(target.value), target.attr)
        elif isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            place = self.item(self.changed(target.value), self.indexes(target.slice))
            if isinstance(place, Value):
                raise Unsupported("arithmetic on arrays")
        else:
            raise Unsupported("arithmetic on a slice")
        old = self.read(*place)
        self.write(*place, arithmetic.operate(self, operator, old, self.expr(node.value)))

    def on_expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.expr(node.value)

    def on_pass(self, _node: ast.Pass) -> None:
        pass

    # Ways through a function.

    def on_if(self, node: ast.If) -> None:
        yes, no, after = (self.name(stem) for stem in ("yes", "no", "after"))
        self.branch(node.test, yes, no if node.orelse else after)
        self._arm(yes, node.body, after)
        if node.orelse:
            self._arm(no, node.orelse, after)
        self.label(after)

    def _arm(self, label: str, body: list[ast.stmt], after: str) -> None:
        """Statements that run on a condition."""
        self.label(label)
        self.run(body)
        self.jump(after)

    def on_match(self, node: ast.Match) -> None:
        subject = self.as_int(self.expr(node.subject))
        after, other = self.name("after"), None
        arms, table = [], []
        for case in node.cases:
            label = self.name("case")
            numbers = self._numbers(case.pattern)
            if case.guard is not None or other is not None:
                raise Unsupported("such a case")
            if numbers is None:
                other = label
            else:
                table += [f"i64 {number}, label %{label}" for number in numbers]
            arms.append((label, case.body))
        text = f"switch i64 {subject.ref}, label %{other or after} [ {' '.join(table)} ]"
        self.end(text, other or after, *(label for label, _body in arms))
        for label, body in arms:
            self._arm(label, body, after)
        self.label(after)

    def _numbers(self, pattern: ast.pattern) -> list[int] | None:
        """The numbers for which a pattern stands; None means any other number."""
        match pattern:
            case ast.MatchAs(pattern=None, name=None):
                return None
            case ast.MatchValue():
                number = self.expr(pattern.value).number
                if number is not None:
                    return [number]
            case ast.MatchOr():
                found = [self._numbers(inner) for inner in pattern.patterns]
                return None if None in found else [n for numbers in found for n in numbers]
        raise Unsupported("such a pattern")

    # Loops.

    def on_while(self, node: ast.While) -> None:
        again, inside, after = (self.name(stem) for stem in ("again", "inside", "after"))
        if node.orelse:
            raise Unsupported("while with else")
        self.label(again)
        self.branch(node.test, inside, after)
        self._loop(inside, node.body, after, again)
        self.jump(again)
        self.label(after)

    def _loop(self, label: str, body: list[ast.stmt], after: str, again: str) -> None:
        self.label(label)
        self._loops.append((after, again))
        self.run(body)
        self._loops.pop()

    def on_for(self, node: ast.For) -> None:
        if node.orelse:
            raise Unsupported("for with else")
        if isinstance(node.iter, ast.Call) and self.known(node.iter.func) is range:
            self._range(node, [self.as_int(self.expr(a)) for a in node.iter.args])
            return
        value = self.expr(node.iter)
        if isinstance(value.kind, Tuple):
            self._members(node, value)
        elif isinstance(value.kind, Array):
            bounds = constant(0), self.sizes(value)[0], constant(1)
            self._count(node, *bounds, lambda at: self.at(value, [at]))
        else:
            raise Unsupported(f"a loop over a {value.kind.name}")

    def _members(self, node: ast.For, value: Value) -> None:
        """A loop over a tuple: what is in it is written once for each member."""
        after = self.name("after")
        for member in self.members(value):
            following = self.name("following")
            self.assign(node.target, member)
            self._loop(self.name("inside"), node.body, after, following)
            self.label(following)
        self.label(after)

    def _range(self, node: ast.For, bounds: list[Value]) -> None:
        first, end, step = (
            (constant(0), bounds[0], constant(1)) if len(bounds) == 1
            else (*bounds, constant(1))[:3]
        )  # fmt: skip
        if len(bounds) > 3 or not step.number:
            raise Unsupported("a step that is not known")
        self._count(node, first, end, step, lambda at: at)

    def _count(
        self, node: ast.For, first: Value, end: Value, step: Value, item: Callable[[Value], Value]
    ) -> None:
        """A loop over what `item` makes of each number from `first` to before `end`."""
        again, inside, following, after = (
            self.name(stem) for stem in ("again", "inside", "following", "after")
        )
        counter = self.slot("i64")
        self.line(f"store i64 {first.ref}, ptr {counter}")
        self.label(again)
        at = Value(I64, (self.new(f"load i64, ptr {counter}"),))
        operator = "Lt" if step.number > 0 else "Gt"
        self.fork(arithmetic.compare(self, operator, at, end), inside, after)
        self.label(inside)
        self.assign(node.target, item(at))
        self._loop(self.name("inside"), node.body, after, following)
        self.label(following)
        more = Value(I64, (self.new(f"add i64 {at.ref}, {step.ref}"),))
        self.line(f"store i64 {more.ref}, ptr {counter}")
        if abs(step.number) == 1:  # there is room for it, as the end has not been reached
            self.jump(again)
        else:
            self.fork(arithmetic.compare(self, operator, at, more), again, after)
        self.label(after)

    def on_break(self, _node: ast.Break) -> None:
        self.jump(self._loops[-1][0])

    def on_continue(self, _node: ast.Continue) -> None:
        self.jump(self._loops[-1][1])
