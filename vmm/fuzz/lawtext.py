"""Answers for the law of the round trip: words to text and back.

Every word belongs to one row of the table or is illegal; its text assembles to the word
again.
"""

import re
import struct

from hypothesis import strategies as st

from asm import assemble_text
from asm.disasm import disassemble
from asm.errors import AsmErrors
from asm.pseudo import WORDS
from toyisa.tables.fields import Kind
from toyisa.tables.insns import INSNS, find
from toyisa.testing import instructions
from toyisa.testing.programs import raw_words
from vmm.fuzz.case import Case, Violation
from vmm.fuzz.seen import Seen

PC = 0x8000_0000


@st.composite
def cases(draw: st.DrawFn, _engine: str) -> Case:
    """Up to 40 words, legal or not."""
    words = draw(st.lists(st.one_of(instructions(), raw_words), min_size=1, max_size=40))
    image = struct.pack(f"<{len(words)}I", *words)
    return Case(image, {"aliases": draw(st.booleans())}, None, " ".join(f"{w:08x}" for w in words))


def check(case: Case, _seen: Seen) -> None:
    """Violation if a word's text does not assemble to the word."""
    words = [word for (word,) in struct.iter_unpack("<I", case.image)]
    lines, expected = [], []
    for n, word in enumerate(words):
        rows = [row for row in INSNS if word & row.mask == row.match]
        if len(rows) > 1:
            raise Violation(f"one row for {word:08x}", [row.name for row in rows])
        row, pc = find(word), PC + 4 * n
        if row is not (rows[0] if rows else None):
            raise Violation(f"{word:08x} is {rows}", f"find says {row}")
        text = disassemble(word, pc, aliases=case.settings["aliases"])
        if row is None and text != f".word {word:#010x}":
            raise Violation(f".word {word:#010x}", text)
        if row is not None and row.fields[-1:] and row.fields[-1].kind is Kind.TARGET:
            # For GNU `as` a plain number is always a far target.
            text = re.sub(r"0x\w+$", lambda m, pc=pc: f".+({m[0]}-{pc:#x})", text)
        if row is not None and text.startswith(".word") and not word & row.ignored:
            raise Violation(f"{row.name} for {word:08x}", text)
        lines.append(text)
        # Text cannot express ignored bits, except where a name stands for the whole word.
        kept = row is None or text.startswith(".word") or text in WORDS
        expected.append(word if kept else word & ~row.ignored & 0xFFFF_FFFF)
    try:
        (section, *_) = assemble_text("\n".join([*lines, ""]), base=PC).sections
    except AsmErrors as errors:
        raise Violation("text that assembles", str(errors)) from None
    got = [word for (word,) in struct.iter_unpack("<I", bytes(section.data))]
    if got != expected:
        pairs = enumerate(zip(expected, got))
        n = next((n for n, (a, b) in pairs if a != b), min(len(got), len(expected)))
        raise Violation({"text": lines[n : n + 1], "words": [f"{w:08x}" for w in expected[n:]]},
                        {"text": lines[n : n + 1], "words": [f"{w:08x}" for w in got[n:]]})
