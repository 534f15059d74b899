"""Answers for the arguments of macros: splitting a list of them.

Must not know what a macro does with them.
"""

from __future__ import annotations

import re

_STRING = re.compile(r'("(?:[^"\\]|\\.)*"?)')
_BLANKS = re.compile(r"\s*")
_SIGNS = frozenset("-+*/%&|^~<>=!()")
_OPENING = frozenset("-+*/%&|^~<>=!(")  # a blank after one of these does not end an argument


def arguments(text: str) -> list[str]:
    """All arguments of a list, as `.irp` takes them."""
    found, text, at = [], text.strip(), 0
    while at < len(text):
        value, at = argument(text, at)
        found.append(value)
    return found


def argument(text: str, at: int) -> tuple[str, int]:
    """The argument of `text` that begins at `at`, and where the next one begins.

    Commas or blanks separate arguments.  Blanks around operators do not: `a + b` is one
    argument, `a b` are two.  A string loses its quotes.
    """
    depth = 0
    out: list[str] = []
    while at < len(text):
        sign = text[at]
        if sign == '"':
            quoted = _STRING.match(text, at)[0]
            closed = len(quoted) > 1 and quoted[-1] == '"'
            out.append(quoted[1:-1] if closed else quoted)
            at += len(quoted)
            continue
        if sign == "'" and at + 1 < len(text):
            end = at + (3 if text[at + 1] == "\\" else 2)
            end += text[end : end + 1] == "'"
            out.append(text[at:end])
            at = end
            continue
        if sign == "," and not depth:
            return "".join(out), _BLANKS.match(text, at + 1).end()
        if sign.isspace():
            end = _BLANKS.match(text, at).end()
            before = out[-1][-1:] if out else ""
            if text[end : end + 1] not in _SIGNS and before not in _OPENING and not depth:
                if text[end : end + 1] == ",":
                    end = _BLANKS.match(text, end + 1).end()
                return "".join(out), end
            at = end
            continue
        depth += (sign == "(") - (sign == ")")
        out.append(sign)
        at += 1
    return "".join(out), at
