"""Answers for the text of one function: its lines, names, blocks and memory.

Must not know Python's syntax.  Code that is written while no block is open can never run, and
is left out.
"""

import numpy as np

from toyisa.compiled.front.kinds import (
    BOOL,
    I64,
    Array,
    Kind,
    Record,
    Tuple,
    Unsupported,
    Value,
    array,
    constant,
    record,
    several,
    truth,
)


class Body:
    """A function while it is written."""

    def __init__(self):
        self.slots: list[str] = []  # the beginning of the first block
        self.lines: list[str] = []
        self.block: str | None = "entry"  # None: no block is open
        self._reached: set[str] = set()
        self._names = 0

    def name(self, stem: str = "t") -> str:
        """A name that is not in use yet."""
        self._names += 1
        return f"{stem}{self._names}"

    def line(self, text: str) -> None:
        """Add a line without a result."""
        if self.block:
            self.lines.append(text)

    def new(self, text: str) -> str:
        """Add an instruction; return the operand that is its result."""
        result = f"%{self.name()}"
        self.line(f"{result} = {text}")
        return result

    def label(self, name: str) -> None:
        """Begin a block, if anything leads there; the block above falls into it."""
        self.jump(name)
        if name in self._reached:
            self.block = name
            self.lines.append(f"{name}:")

    def jump(self, name: str) -> None:
        """End the block and go on at `name`."""
        self.end(f"br label %{name}", name)

    def fork(self, condition: Value, yes: str, no: str) -> None:
        """End the block; go on at `yes` if the condition holds, otherwise at `no`."""
        if condition.number is not None:
            self.jump(yes if condition.number else no)
        else:
            held = self.as_bool(condition).ref
            self.end(f"br i1 {held}, label %{yes}, label %{no}", yes, no)

    def end(self, text: str, *names: str) -> None:
        """End the block with an instruction that leads to blocks of these names."""
        if self.block:
            self.lines.append(text)
            self._reached.update(names)
            self.block = None

    def slot(self, part: str) -> str:
        """Room in the frame for a value of LLVM's type `part`; return its address."""
        result = f"%{self.name('s')}"
        self.slots.append(f"{result} = alloca {part}")
        return result

    # Values of one kind, converted to another.

    def as_int(self, value: Value) -> Value:
        """A number as a 64-bit number."""
        if value.kind is I64:
            return value
        if value.kind is not BOOL:
            raise Unsupported(f"a {value.kind.name} where a number is wanted")
        if value.number is not None:
            return constant(value.number)
        return Value(I64, (self.new(f"zext i1 {value.ref} to i64"),))

    def as_bool(self, value: Value) -> Value:
        """Whether a number is not 0."""
        if value.kind is BOOL:
            return value
        if value.kind is not I64:
            raise Unsupported(f"a {value.kind.name} where a condition is wanted")
        if value.number is not None:
            return truth(value.number != 0)
        return Value(BOOL, (self.new(f"icmp ne i64 {value.ref}, 0"),))

    def converted(self, value: Value, kind: Kind) -> Value:
        """A value, converted to the kind to which it was joined."""
        if value.kind is kind:
            return value
        if kind is I64:
            return self.as_int(value)
        if isinstance(kind, Tuple) and isinstance(value.kind, Tuple):
            members = zip(self.members(value), kind.members)
            return self.gathered([self.converted(*pair) for pair in members])
        raise Unsupported(f"a {value.kind.name} where a {kind.name} is wanted")

    def members(self, value: Value) -> list[Value]:
        """The values of a tuple."""
        found, at = [], 0
        for kind in value.kind.members:
            parts = value.parts[at : at + len(kind.parts)]
            known = kind in (I64, BOOL) and _known(parts[0])
            found.append(Value(kind, parts, known if known is not False else None))
            at += len(kind.parts)
        return found

    def gathered(self, values: list[Value]) -> Value:
        """Values as a tuple."""
        if not values:
            raise Unsupported("a tuple of nothing")
        kind = several(tuple(value.kind for value in values))
        return Value(kind, tuple(part for value in values for part in value.parts))

    # Memory.

    def field(self, value: Value, name: str) -> Value:
        """A field of a record: a number is loaded, anything else stays in place."""
        return self.read(*self.place(value, name))

    def place(self, value: Value, name: str) -> tuple[np.dtype, str]:
        """The type and address of a record's field."""
        if not isinstance(value.kind, Record) or name not in value.kind.dtype.fields:
            raise Unsupported(f"a {value.kind.name} has no field {name!r}")
        dtype, offset = value.kind.dtype.fields[name][:2]
        return dtype, self.offset(value.ref, offset)

    def offset(self, address: str, offset: int) -> str:
        """The address `offset` bytes further."""
        if not offset:
            return address
        return self.new(f"getelementptr inbounds i8, ptr {address}, i64 {offset}")

    def read(self, dtype: np.dtype, address: str) -> Value:
        """What is at an address: a number is loaded, anything else stays in place."""
        if dtype.subdtype:
            return Value(array(*dtype.subdtype), (address,))
        if dtype.names:
            return Value(record(dtype), (address,))
        part = _scalar(dtype)
        loaded = self.new(f"load {part}, ptr {address}")
        if part == "i64":
            return Value(I64, (loaded,))
        how = "sext" if dtype.kind == "i" else "zext"
        return Value(I64, (self.new(f"{how} {part} {loaded} to i64"),))

    def write(self, dtype: np.dtype, address: str, value: Value) -> None:
        """Store a number, cut to the size of its place; an array item by item."""
        if dtype.subdtype:
            self.copy(Value(array(*dtype.subdtype), (address,)), value)
            return
        part = _scalar(dtype)
        number = self.as_int(value)
        cut = number.ref
        if number.number is not None:
            bits = 8 * dtype.itemsize
            cut = str((number.number + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1))
        elif part != "i64":
            cut = self.new(f"trunc i64 {number.ref} to {part}")
        self.line(f"store {part} {cut}, ptr {address}")

    def sizes(self, value: Value) -> list[Value]:
        """The sizes of an array's dimensions."""
        rest = iter(value.parts[1:])
        return [
            constant(size) if size is not None else _operand(next(rest))
            for size in value.kind.shape
        ]

    def item(self, value: Value, indexes: list[Value]) -> tuple[np.dtype, str] | Value:
        """The type and address of an item; with fewer indexes than dimensions, of the array
        there.
        """
        if not isinstance(value.kind, Array) or len(indexes) > len(value.kind.shape):
            raise Unsupported(f"a {value.kind.name} with {len(indexes)} indexes")
        at, sizes = self.as_int(indexes[0]), self.sizes(value)
        for index, size in zip(indexes, sizes):
            if index.number is not None:
                room = 1 << 63 if size.number is None else size.number
                if not 0 <= index.number < room:
                    raise Unsupported(f"the index {index.number}")
        for n, size in enumerate(sizes[1:], 1):
            at = self.times(at, size)
            if n < len(indexes):
                at = Value(I64, (self.new(f"add i64 {at.ref}, {self.as_int(indexes[n]).ref}"),))
        item = value.kind.item
        part = f"[{item.itemsize} x i8]" if item.names else _scalar(item)
        address = self.new(f"getelementptr inbounds {part}, ptr {value.ref}, i64 {at.ref}")
        rest = value.kind.shape[len(indexes) :]
        if not rest:
            return item, address
        dynamic = [size.ref for size in sizes[len(indexes) :] if size.number is None]
        return Value(array(item, rest, value.kind.frozen), (address, *dynamic))

    def times(self, one: Value, other: Value) -> Value:
        """The product of two sizes."""
        if one.number is not None and other.number is not None:
            return constant(one.number * other.number)
        return Value(I64, (self.new(f"mul i64 {one.ref}, {other.ref}"),))

    def flat(self, value: Value) -> Value:
        """An array of any shape as a list of all its items."""
        count = constant(1)
        for size in self.sizes(value):
            count = self.times(count, size)
        return Value(array(value.kind.item, (None,), value.kind.frozen), (value.ref, count.ref))

    def copy(self, target: Value, source: Value) -> None:
        """Copy an array over another of the same shape."""
        if not isinstance(source.kind, Array) or source.kind.shape != target.kind.shape:
            raise Unsupported("arrays of different shapes")
        if None in target.kind.shape:
            raise Unsupported("an array whose size is not known")
        here, there = self.flat(target), self.flat(source)
        self.each(constant(0), self.sizes(here)[0], lambda at: self.write(
            *self.item(here, [at]), self.read(*self.item(there, [at]))))  # fmt: skip

    def each(self, first: Value, end: Value, act) -> None:
        """Call `act` with a number that runs from `first` to before `end`."""
        counter = self.slot("i64")
        again, inside, after = (self.name(stem) for stem in ("again", "inside", "after"))
        self.line(f"store i64 {first.ref}, ptr {counter}")
        self.label(again)
        at = Value(I64, (self.new(f"load i64, ptr {counter}"),))
        more = Value(BOOL, (self.new(f"icmp slt i64 {at.ref}, {end.ref}"),))
        self.fork(more, inside, after)
        self.label(inside)
        act(at)
        self.line(f"store i64 {self.new(f'add i64 {at.ref}, 1')}, ptr {counter}")
        self.jump(again)
        self.label(after)


def _scalar(dtype: np.dtype) -> str:
    if dtype.kind not in "iu" or dtype.str[1:] == "u8" or not dtype.isnative:
        raise Unsupported(f"a number of type {dtype}")
    return f"i{8 * dtype.itemsize}"


def _known(ref: str) -> int | bool:
    """The number that an operand is, or False if it is not a constant."""
    if ref in ("true", "false"):
        return int(ref == "true")
    return int(ref) if ref.lstrip("-").isdigit() else False


def _operand(ref: str) -> Value:
    return constant(int(ref)) if ref.lstrip("-").isdigit() else Value(I64, (ref,))
