"""Answers for expressions: reading GNU `as` syntax, and computing values.

A value is an int, an `Address`, a `Symbol` that is not defined yet, or a tuple `(operator,
left, right)` of these, to be computed when addresses are known. Must not know who asks, nor
what the value is used for.
"""

import re
from typing import Protocol

from asm.errors import Fault
from asm.lexer import character
from asm.symbols import LOCAL, Address, Expr, Symbol

# Precedence as in GNU `as`, not as in C: & | ^ bind tighter than + and -.
_RANKS = {
    **dict.fromkeys(("*", "/", "%", "<<", ">>"), 6),
    **dict.fromkeys(("|", "&", "^", "!"), 5),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("==", "!=", "<>", "<", ">", "<=", ">="), 3),
    "&&": 2,
    "||": 1,
}
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+[bf](?![\w.$])|\d+)(?![\w.$])
    | (?P<name>[A-Za-z_.$][\w.$]*)
    | '(?P<char>\\(?:x[0-9a-fA-F]+|[0-7]{1,3}|.)|[^\\])'?
    | (?P<sign><<|>>|<=|>=|==|!=|<>|&&|\|\||[-+*/%&|^!~<>()])
    | (?P<rest>\S.*)
    )""",
    re.X,
)
_PLAIN_NAME = re.compile(r"\s*(?!\.\s*\Z)[A-Za-z_.$][\w.$]*\s*\Z")
_PLAIN_NUMBER = re.compile(r"\s*(?:0x[0-9a-f]{1,16}|[1-9][0-9]{0,18}|0)\s*\Z")
_KNOWN = (int, Address)
_MAX_DEPTH = 100  # nested brackets and prefix operators


class Scope(Protocol):
    """What may be looked up while an expression is read."""

    def here(self) -> Address: ...

    def symbol(self, name: str) -> Symbol: ...

    def local(self, number: str, direction: str) -> Symbol: ...


class Undefined(Exception):
    """A value needs a symbol that is not defined (yet); `what` says who needs it."""

    def __init__(self, symbol: Symbol, what: str = "this"):
        super().__init__(symbol.name)
        self.symbol = symbol
        self.what = what


def parse(text: str, scope: Scope) -> Expr:
    """The value of an expression, computed as far as it is known.  Raises Fault."""
    if _PLAIN_NUMBER.match(text):
        return int(text, 0)
    try:
        if _PLAIN_NAME.match(text):
            return _snapshot(scope.symbol(text.strip()))
        reader = _Reader(text, scope)
        value = reader.ranked(0)
    except RecursionError:
        raise Fault("this expression is nested too deep") from None
    if reader.token is not None:
        raise Fault(f"unexpected `{reader.token}` in an expression", at=reader.rest())
    return value


def evaluate(value: Expr) -> int | Address:
    """The present value of `value`.  Raises Undefined, or Fault if it has no meaning."""
    try:
        return _evaluate(value, {})
    except RecursionError:
        raise Fault("this value depends on too many others") from None


def _evaluate(value: Expr, known: dict[Symbol, int | Address]) -> int | Address:
    """`known` keeps the symbols that were computed on the way, as many others may use them."""
    if isinstance(value, int):
        return value
    if isinstance(value, Address):
        if value.section.address is None:
            return value
        return value.section.address + value.offset
    if isinstance(value, Symbol):
        return _symbol(value, known)
    operator, left, right = value
    result = _apply(operator, _evaluate(left, known), _evaluate(right, known))
    if result is None:
        raise Fault(
            f"`{operator}` on addresses cannot be computed here",
            why="the addresses of sections are not known yet",
        )
    return result


def _symbol(symbol: Symbol, known: dict[Symbol, int | Address]) -> int | Address:
    if symbol in known:
        return known[symbol]
    if symbol.value is None:
        if symbol.binding == "weak":
            return 0  # "An undefined weak symbol has the value 0", as for linkers
        raise Undefined(symbol)
    if isinstance(symbol.value, _KNOWN):
        return _evaluate(symbol.value, known)
    deferred, symbol.value = symbol.value, None  # so that a definition in a circle ends here
    try:
        known[symbol] = _evaluate(deferred, known)
        return known[symbol]
    finally:
        symbol.value = deferred


class _Reader:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, text: str, scope: Scope):
        self.text = text
        self.scope = scope
        self.matches = _TOKEN.finditer(text)
        self.depth = 0
        self.advance()

    def advance(self) -> None:
        self.match = next(self.matches, None)
        self.token = self.match[self.match.lastgroup] if self.match else None
        self.kind = self.match.lastgroup if self.match else ""

    def rest(self) -> str:
        return self.text[self.match.start() :].strip() if self.match else self.text

    def ranked(self, floor: int) -> Expr:
        left = self.prefixed()
        while self.kind == "sign" and (rank := _RANKS.get(self.token, 0)) > floor:
            operator = self.token
            self.advance()
            # GNU `as` reads `a ! !b` as the operator `a !! b` of MRI
            if operator == self.token == "!":
                operator = "^"
                self.advance()
            left = fold(operator, left, self.ranked(rank))
        return left

    def prefixed(self) -> Expr:
        kind, token = self.kind, self.token
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Fault("this expression is nested too deep", why=f"the limit is {_MAX_DEPTH}")
        if token is None or kind == "rest":
            what = f"unexpected `{token}` in an expression" if token else "a value is missing"
            raise Fault(what, at=self.rest())
        self.advance()
        value = self.primary(kind, token)
        self.depth -= 1
        return value

    def primary(self, kind: str, token: str) -> Expr:
        if kind == "number":
            return self.number(token)
        if kind == "char":
            return character(token)
        if kind == "name":
            if token == ".":
                return self.scope.here()
            symbol = self.scope.symbol(token)
            # A defined name has the value that it has now: `.set` may change it later.
            return _snapshot(symbol)
        if token == "(":
            value = self.ranked(0)
            if self.token != ")":
                raise Fault("`)` is missing", at=self.rest())
            self.advance()
            return value
        if token in "-~!+":
            value = self.prefixed()
            if token == "-":
                return fold("-", 0, value)
            if token == "~":
                return fold("-", fold("-", 0, value), 1)
            return value if token == "+" else fold("not", value, 0)
        raise Fault(f"unexpected `{token}` in an expression", at=self.text)

    def number(self, token: str) -> Expr:
        if token[-1] in "bf" and (local := LOCAL.match(token)):
            symbol = self.scope.local(local[1], local[2])
            return symbol if symbol.value is None else symbol.value
        if len(token) > 100:
            raise Fault("this number is too long", at=token)
        try:
            if token[0] == "0" and token.isdigit():
                return int(token, 8)
            return int(token, 0)
        except ValueError:
            raise Fault(
                f"`{token}` is not a number", why="a leading 0 is octal", at=token
            ) from None


def _snapshot(symbol: Symbol) -> Expr:
    known = isinstance(symbol.value, _KNOWN) and symbol.binding != "weak"
    return symbol.value if known else symbol


def fold(operator: str, left: Expr, right: Expr) -> Expr:
    """`left operator right`, computed when both are known."""
    if isinstance(left, _KNOWN) and isinstance(right, _KNOWN):
        result = _apply(operator, left, right)
        if result is not None:
            return result
    return operator, left, right


def _apply(operator: str, left: int | Address, right: int | Address) -> int | Address | None:
    """The result; None if it depends on where sections lie."""
    if isinstance(left, Address) or isinstance(right, Address):
        return _apply_address(operator, left, right)
    if operator in ("/", "%") and not right:
        raise Fault("division by zero")
    if operator in ("<<", ">>") and not 0 <= right < 64:
        return 0
    return _signed64(_ARITHMETIC[operator](left, right))


def _apply_address(operator: str, left: int | Address, right: int | Address):
    if isinstance(left, Address) and isinstance(right, int):
        if operator == "+":
            return Address(left.section, left.offset + right)
        if operator == "-":
            return Address(left.section, left.offset - right)
    elif isinstance(left, int):
        if operator == "+":
            return Address(right.section, right.offset + left)
    elif left.section is right.section and _RANKS[operator] in (3, 4) and operator != "+":
        return _apply(operator, left.offset, right.offset)
    return None


def _quotient(left: int, right: int) -> int:
    """Division as C has it, towards zero."""
    size = abs(left) // abs(right)
    return size if (left < 0) == (right < 0) else -size


_ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": lambda a, b: a - b * _quotient(a, b),
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: (a & 0xFFFF_FFFF_FFFF_FFFF) >> b,
    "|": lambda a, b: a | b,
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "!": lambda a, b: a | ~b,
    # "a true result has a value of -1 whereas a false result has a value of 0"
    "==": lambda a, b: -(a == b),
    "!=": lambda a, b: -(a != b),
    "<>": lambda a, b: -(a != b),
    "<": lambda a, b: -(a < b),
    ">": lambda a, b: -(a > b),
    "<=": lambda a, b: -(a <= b),
    ">=": lambda a, b: -(a >= b),
    "&&": lambda a, b: int(bool(a and b)),
    "||": lambda a, b: int(bool(a or b)),
    "not": lambda a, b: int(not a),
}


def _signed64(value: int) -> int:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    return value - (1 << 64) if value >> 63 else value
