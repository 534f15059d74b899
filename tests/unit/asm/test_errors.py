"""Errors: place, caret, reason, fix, backtrace; several in a run; never a traceback."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm import AsmErrors, assemble, assemble_text
from asm.directives import DIRECTIVES
from asm.errors import MAX_ERRORS
from asm.expand import MNEMONICS


def problems(source: str, **options) -> list:
    with pytest.raises(AsmErrors) as raised:
        assemble_text(source, "x.S", **options)
    return raised.value.problems


def only(source: str):
    found = problems(source)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


# Source with one error; what the caret stands under; a piece of what is said.
CASES = [
    ("  adi a0, a0, 1", "adi", "unknown instruction `adi`"),
    ("\taddi a0, a99, 1", "a99", "not a register"),
    ("  addi a0, a0, 2048", "2048", "does not fit"),
    ("  addi a0, a0, -2049", "-2049", "does not fit"),
    ("  slli a0, a0, 32", "32", "shift amount"),
    ("  add a0, a1", "add", "takes 3 operands, not 2"),
    ("  lw a0, 4096(sp)", "4096", "does not fit"),
    ("  lw a0, 4[sp]", "[sp]", "unexpected"),
    ("  csrr a0, sstats", "sstats", "no CSR"),
    ("  csrwi sstatus, 32", "32", "5-bit immediate"),
    ("  lui a0, 0x100000", "0x100000", "20-bit immediate"),
    ("  j nowhere", "nowhere", "not defined"),
    ("  beq a0, a1, 1f", "1f", "no label `1:` after"),
    ("  beq a0, a1, 1b", "1b", "no label `1:` before"),
    ("a: nop\na: nop", "a", "already defined"),
    ("  .equ a0, 1", "a0", "is a register"),
    ("  .equiv x, 1\n .equiv x, 2", "x", "already defined"),
    ("  li a0, 0x1ffffffff", "0x1ffffffff", "32 bits"),
    ("  li a0, later\nlater:", "later", "not defined before"),
    ("  mret", "mret", "unknown instruction"),
    ("  ld a0, 0(a1)", "ld", "unknown instruction"),
    ("  c.addi a0, 1", "c.addi", "unknown instruction"),
    ("  .option rvc", "rvc", "not supported"),
    ("  .sectoin .x", ".sectoin", "unknown directive"),
    ("  .asciz \"abc", "\"abc", "no end"),
    ("  .asciz \"a\\q\"", "\\q", "unknown escape"),
    ("  .word 1 +", "1 +", "a value is missing"),
    ("  .word 1 / 0", ".word", "division by zero"),
    ("  .word (1", "(1", "`)` is missing"),
    ("  .align 65", "65", "not an alignment"),
    ("  .balign 3", "3", "not an alignment"),
    ("  .if 1\n nop", ".if", "no .endif"),
    ("  nop\n .endif", ".endif", "no open .if"),
    ("  nop\n .endm", ".endm", "nothing is open that"),
    (" nop\n.macro m\n nop", ".macro", "no .endm"),
    (" nop\n.rept 3\n nop", ".rept", "no .endr"),
    (".macro m a:req\n.endm\n m", "m", "needs a value for `a`"),
    (".macro m a\n.endm\n m 1, 2", "2", "takes 1 arguments"),
    ("  .error \"stop here\"", ".error", "stop here"),
    ("  .popsection", ".popsection", "without"),
    ("  .section .x,\"q\"", "\"q\"", "not section flags"),
    ("  .bss\n .word 1", ".word", "can hold only zeros"),
    ("  .bss\n nop", "nop", "cannot hold instructions"),
    ("  nop\n .byte 1\n nop", "nop", "not a multiple of 4"),
    ("  .incbin \"nothing.bin\"", "nothing.bin", "cannot find"),
    ("  .include \"nothing.inc\"", "nothing.inc", "cannot find"),
    ("  .org 4\n .org 2", ".org", "backwards"),
    ("  addi a0, a0, %pcrel_lo(x)\nx: nop", "x", "no %pcrel_hi for this"),
    ("  lui a0, %higher(x)\nx:", "%higher", "unknown operator"),
    ("  sw a0, x\nx:", "x", "takes a register for its address"),
    ("  j far\n.space 1<<20\nfar:", "far", "too far"),
    ("  nop /* open", "/*", "no end"),
    ("  ) nop", ")", "expected a statement"),
    ("1x: nop", "1x", "cannot be a label"),
    ("  .purgem m", "m", "no macro"),
    ("  .word " + "(" * 200 + "1" + ")" * 200, "", "nested too deep"),
    ("  .word 9" + "0" * 6000, "", "too long"),
    ("x = y\ny = x\n la a0, x", "", "defined by means of itself"),
    ("  fence rq, w", "rq", "set of accesses"),
    ("  .insn r OPP, 0, 0, a0, a0, a0", "OPP", "unknown opcode"),
    ("  .insn 4, 0x10", "0x10", "not an instruction word"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "under", "says"), CASES, ids=[case[2] for case in CASES])
def test_says_what_and_where(source, under, says):
    problem = only(source)
    assert says in problem.what
    text = problem.place.text
    assert text == source.split("\n")[problem.place.line - 1]
    assert text[problem.column - 1 :].startswith(under)
    head, line, caret, *_ = str(problem).split("\n")
    assert head.startswith(f"x.S:{problem.place.line}:{problem.column}: error: ")
    assert caret.index("^") == line.index("|") + 2 + problem.column - 1


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        (" addd a0, a0, a0", "did you mean `add`?"),
        (" ADDII a0, a0, 1", "did you mean `addi`?"),
        (" csrr a0, sstats", "did you mean `sstatus`?"),
        (" .sectoin .text", "did you mean `.section`?"),
        (" j lop\nloop: nop", "did you mean `loop`?"),
        (" mv a0, s12", "did you mean `s2`?"),
        (".macro PUSH\n.endm\n PUHS", "did you mean `PUSH`?"),
        (" sw a0, x\nx:", "`sw a0, x, t0`"),
        (" li a0, x\nx:", "use `la`"),
        (" addi a0, a0, 5000", "`li`"),
        (" nop\n .byte 1\n nop", ".align 2"),
    ],
)
def test_offers_the_fix(source, fix):
    if "PUSH" in source:
        source = source.replace("PUSH", "push").replace("PUHS", "puhs")
        fix = fix.lower()
    assert fix in only(source).fix


def test_every_error_is_told_until_there_are_too_many():
    assert [p.place.line for p in problems(" bad\n nop\n worse\n j nowhere\n")] == [1, 3, 4]
    assert len(problems(" bad\n" * 100)) == MAX_ERRORS


def test_an_undefined_name_is_told_once_at_its_first_use():
    (problem,) = problems(" nop\n j x\n j x\n la a0, x\n .word x\n")
    assert problem.place.line == 2


def test_a_name_needed_early_that_never_comes_is_simply_undefined():
    problem = only(" nop\n .if lengh > 3\n nop\n .endif\n length = 4\n")
    assert "`lengh` is not defined" in problem.what
    assert "`length`" in problem.fix
    assert "before this line" in only(" .if length > 3\n nop\n .endif\n length = 4\n").what


@pytest.mark.parametrize("name", ["1x", "a0", "", "a b"])
def test_a_define_that_is_no_name(name):
    with pytest.raises(AsmErrors, match="cannot define it"):
        assemble_text(" nop\n", defines={name: 1})


def test_backtrace_through_macros_and_files(tmp_path):
    (tmp_path / "in.inc").write_text(".macro inner r\n  addi \\r, \\r, 1\n.endm\n inner a99\n")
    (tmp_path / "main.S").write_text(' nop\n.include "in.inc"\n')
    with pytest.raises(AsmErrors) as raised:
        assemble(tmp_path / "main.S")
    (problem,) = raised.value.problems
    assert (problem.place.path, problem.place.line) == (str(tmp_path / "in.inc"), 2)
    assert problem.place.text == "  addi a99, a99, 1"
    used, included = problem.place.backtrace
    assert re.fullmatch(r"in macro `inner`, used at .*in\.inc:4: inner a99", used)
    assert re.fullmatch(r'included at .*main\.S:2: \.include "in\.inc"', included)


def test_columns_after_a_separator():
    problem = only(" nop ; nop ; bad")
    assert problem.column == 14


def test_warnings_do_not_stop():
    program = assemble_text(' .data\n .byte 256\n .warning "mind"\n')
    assert [warning.severity for warning in program.warnings] == ["warning", "warning"]
    assert "0x100 is cut to 0x0" in str(program.warnings[0])


def test_defines():
    program = assemble_text(".if X == 3\n li a0, X\n.endif\n", defines={"X": 3})
    assert program.sections[0].data == bytes.fromhex("13053000")


WORDS = st.sampled_from(
    [*sorted(MNEMONICS), *sorted(DIRECTIVES), "a0", "x31", "sp", "1b", "1f", "1:", "l:", "l", "sym",
     "=", ",", "(", ")", "%lo(", "%hi(", "+", "-", "*", "/", "<<",
     "~", "'a'", "'", '"s"', '"', "\\",
     "\\@", "\\x", ";", "\n", "\n", "\n", "#", "/*", "*/", "//", "0", "-1", "4096", "0x80000000",
     "99999999999999999999", ".", "sstatus", "$", "@", "\t", "é", "٣", "²", "\x7f"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=30), st.sampled_from([" ", ""]))
def test_no_text_ends_in_a_traceback(words, between):
    _survives(between.join(words))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_characters_end_in_a_traceback(text):
    _survives(text)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([*sorted(MNEMONICS), *sorted(DIRECTIVES)]), st.lists(WORDS, max_size=6))
def test_no_operands_end_in_a_traceback(name, words):
    _survives(f"{name} {' '.join(words)}\n")
    _survives(f".macro m x\n{name} {', '.join(words)}, \\x\n.endm\nm 5\nm sym\n")


def _survives(source: str) -> None:
    try:
        program = assemble_text(source)
    except AsmErrors as errors:
        str(errors)
    else:
        program.elf()
        program.listing()
