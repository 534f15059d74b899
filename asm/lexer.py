"""Answers for the parts of a statement: label, operation, operands, strings.

Must not know any operation, nor what an operand means.
"""

import re

from asm.errors import Fault
from asm.source import encode

# label: operation operands.  Each part may be missing.
STATEMENT = re.compile(r"\s*(?:([\w.$]+)\s*:\s*)?(?:([\w.$]+)\s*)?(.*)", re.S)
LABEL = re.compile(r"\s*([\w.$]+)\s*:")
NAME = re.compile(r"[A-Za-z_.$][\w.$]*\Z")

_PIECE = re.compile(r"""\s*"((?:[^"\\]|\\.)*)"\s*""", re.S)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", re.S)
_ESCAPES = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, "v": 11, "a": 7, "\\": 92, '"': 34, "'": 39}


def split(text: str) -> list[str]:
    """The operands in `text`: separated by commas outside quotes and brackets."""
    if not text or text.isspace():
        return []
    if "'" not in text and '"' not in text and "(" not in text:
        return [part.strip() for part in text.split(",")]
    parts, start, depth, at = [], 0, 0, 0
    while at < len(text):
        sign = text[at]
        if sign == '"':
            at = _past_string(text, at)
            continue
        if sign == "'":
            at += 3 if text[at + 1 : at + 2] == "\\" else 2
            at += text[at : at + 1] == "'"
            continue
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == "," and depth <= 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    parts.append(text[start:].strip())
    return parts


def _past_string(text: str, at: int) -> int:
    """The index after the string that starts at `at`."""
    match = _PIECE.match(text, at)
    if match is None:
        raise Fault("this string has no end", fix='close it with `"`', at=text[at:])
    return match.end()


def string(text: str) -> bytes:
    """The bytes of one string operand; adjacent strings are joined."""
    out, at = bytearray(), 0
    if not text:
        raise Fault("a string is missing", fix='write it as "text"')
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            opened = text[at:].lstrip()[:1] == '"'
            what = "this string has no end" if opened else "expected a string"
            raise Fault(what, fix='write it as "text"', at=text[at:])
        out += unescape(match[1])
        at = match.end()
    return bytes(out)


def unescape(text: str) -> bytes:
    """The bytes of a string's content, with C escapes resolved."""
    if "\\" not in text:
        return encode(text)
    out, at = bytearray(), 0
    for match in _ESCAPE.finditer(text):
        out += encode(text[at : match.start()])
        out += bytes((_escape(match[1]),))
        at = match.end()
    return bytes(out) + encode(text[at:])


def _escape(code: str) -> int:
    if code[0] == "x" and len(code) > 1:
        return int(code[1:], 16) & 0xFF
    if code[0] in "01234567":
        return int(code, 8) & 0xFF
    if code not in _ESCAPES:
        raise Fault(
            f"unknown escape `\\{code}`", fix="write `\\\\` for a backslash", at=f"\\{code}"
        )
    return _ESCAPES[code]


def character(text: str) -> int:
    """The value of the content of a character literal: `a`, `\\n`."""
    if text[0] == "\\":
        return _escape(text[1:])
    return encode(text)[0] if len(encode(text)) == 1 else ord(text)
