"""Quoted source lines are harmless to a terminal, and no wider than it is."""

import pytest

from asm import AsmErrors, assemble, assemble_text
from asm.quote import cells, visible
from tests.unit.asm.test_errors import only


def shown(source: str) -> tuple[str, str]:
    """The quoted line and the line of its caret."""
    _, line, caret, *_ = str(only(source)).split("\n")
    return line, caret


def under(line: str, caret: str) -> str:
    """The text under the caret and its tildes, by columns."""
    start = cells(caret[: caret.index("^")])
    taken, out = 0, ""
    for sign in line:
        if start <= taken < start + len(caret.strip(" |\t")):
            out += sign
        taken += cells(sign)
    return out


@pytest.mark.parametrize("columns", ["", "40", "80", "133", "nonsense", "-5", "0"])
def test_lines_are_as_wide_as_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    width = int(columns) if columns.isdigit() and int(columns) else 80
    for before, after in ((0, 500), (500, 0), (500, 500), (30, 30), (70, 1)):
        source = " nop" + " " * before + "; bda a0 ;" + "x" * after + "#" + "y" * 1000
        problem = next(p for p in errors(source) if p.at == "bda")
        _, line, caret, *_ = str(problem).split("\n")
        assert len(line) <= width
        assert len(caret) <= width
        assert under(line, caret) == "bda"


def errors(source: str) -> list:
    with pytest.raises(AsmErrors) as raised:
        assemble_text(source, "x.S")
    return raised.value.problems


def test_a_wide_piece_is_cut_as_well():
    line, caret = shown(" .word " + "(" * 3000)
    assert len(line) == len(caret) == 80


def test_the_backtrace_is_cut_too():
    text = str(only(".macro m x\n bad\n.endm\n m " + "1" * 500 + "\n"))
    assert all(len(line) <= 80 for line in text.split("\n"))
    assert "in macro `m`, used at x.S:4" in text


NASTY = "\x1b]0;title\x07\x1b[2J\x9b1m\r\x08\u202e\u2066\u200f"


def test_no_control_character_reaches_the_terminal():
    places = [
        f" bad {NASTY} a0",
        f" .error \"{NASTY}\"",
        f" addi a0, a0, {NASTY}",
        f".macro m x\n bad \\x\n.endm\n m \"{NASTY}\"",
        f' .include "{NASTY}"',
        f" j \"{NASTY}\"",
    ]
    for source in places:
        text = "\n".join(str(problem) for problem in errors(source))
        assert all(visible(line) == line for line in text.split("\n")), ascii(text)
        assert "\\x1b" in text


def test_a_file_of_such_a_name(tmp_path):
    path = tmp_path / "a\x1b[31mb.S"
    path.write_text(" bad\n")
    with pytest.raises(AsmErrors) as raised:
        assemble(path)
    assert "a\\x1b[31mb.S:1:2" in str(raised.value)


@pytest.mark.parametrize("before", ["", "\t", "é", "漢字", "e\u0301", "\x1b\x1b", "a\tb"])
def test_the_caret_stands_under_what_is_wrong(before):
    line, caret = shown(f' .ascii "{before}", bad')
    assert under(line, caret) == "bad"


def test_visible():
    assert visible("a\tb\x00\x1b\x7f\x85\u202e\udce9é") == "a\tb\\x00\\x1b\\x7f\\x85\\u202e\\xe9é"


# -- bytes that are not UTF-8 ---------------------------------------------------


def test_comments_and_strings_may_be_latin_1(tmp_path):
    path = tmp_path / "x.S"
    head = b"# caf\xe9 \xff\n nop /* \xfc */\n .data\n"
    path.write_bytes(head + b" .ascii \"\xe9\", \"\\\\\xe8\"\n .byte '\xe9\n")
    program = assemble(path)
    assert bytes(program.sections[1].data) == b"\xe9\\\xe8\xe9"
    assert "café ÿ" in program.listing()
    assert len(program.elf()) > 100


def test_an_error_in_a_latin_1_line(tmp_path):
    path = tmp_path / "x.S"
    path.write_bytes(b" bad # \xe9\n \xff\xfe\n")
    with pytest.raises(AsmErrors) as raised:
        assemble(path)
    first, second = raised.value.problems
    assert "bad # é" in str(first)
    assert (second.place.line, second.column) == (2, 2)


def test_a_mark_of_utf_8_at_the_beginning(tmp_path):
    (tmp_path / "x.S").write_bytes(b"\xef\xbb\xbf nop\n")
    assert assemble(tmp_path / "x.S").sections[0].size == 4
