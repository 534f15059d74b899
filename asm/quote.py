"""Answers for showing pieces of a source on a terminal: one line, harmless, not too wide.

Must not know what is wrong with the source.
"""

from __future__ import annotations

import os
import re
import unicodedata

NO_TERMINAL = 80  # columns
_WIDEST = 500
_NARROWEST = 40
_MARGIN = 9  # `  1234 | `

# Characters that a terminal may obey instead of showing: controls (but not the tab), marks that
# change the direction of text or end a line, halves of characters.
_UNSAFE = re.compile(
    "[\0-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def columns() -> int:
    """The width of the terminal for errors; 80 if there is none."""
    try:
        width = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        width = 0
    if width <= 0:
        try:
            width = os.get_terminal_size(2).columns
        except OSError:
            width = 0
    return min(max(width or NO_TERMINAL, _NARROWEST), _WIDEST)


def visible(text: str) -> str:
    """`text` with an escape such as `\\x1b` for each character that cannot be shown."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def legible(text: str) -> str:
    """Text from bytes; bytes that are not UTF-8 are read as Latin-1, which people probably
    meant.
    """
    if text.isascii():
        return text
    return re.sub("[\udc80-\udcff]", lambda match: chr(ord(match[0]) - 0xDC00), text)


def cells(text: str) -> int:
    """The columns that a text takes; a tab counts as one."""
    if text.isascii():
        return len(text)
    return sum(_cell(sign) for sign in text)


def _cell(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def cut(text: str, width: int) -> str:
    """`text` made visible; if it is wider than `width`, its end is left out."""
    text = visible(text[: width + 1]) if len(text) > width else visible(text)
    if cells(text) <= width:
        return text
    return _clip(text, width - 3) + "..."


def _clip(text: str, room: int) -> str:
    """The longest beginning of `text` that takes at most `room` columns."""
    if text.isascii():
        return text[: max(room, 0)]
    taken = 0
    for at, sign in enumerate(text):
        taken += _cell(sign)
        if taken > room:
            return text[:at]
    return text


def underlined(number: int, text: str, start: int, length: int) -> list[str]:
    """Line `number` of a source and, below it, a caret under the piece at `start`.

    A line wider than the terminal is cut on both sides, so that the caret can be seen.
    """
    room = columns() - _MARGIN
    left = visible(text[max(0, start - room) : start])
    piece = visible(text[start : start + min(length, room)])
    right = visible(text[start + length : start + length + room])
    behind = cells(piece) + cells(right)
    spare = max(room - behind, room // 3)
    while cells(left) > spare:  # keep what is nearest to the piece
        left = left[max(1, (cells(left) - spare) // 2) :]
    shown = _clip(left + piece + right, room)
    # Tabs are kept, so the caret is right however wide the terminal shows them.
    indent = "".join("\t" if sign == "\t" else " " * _cell(sign) for sign in left)
    under = max(1, min(cells(piece), room - cells(left)))
    return [f"{number:6} | {shown}", f"       | {indent}^{'~' * (under - 1)}"]
