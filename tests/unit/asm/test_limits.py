"""What a source can make grow is limited: an error with its place, soon, whatever the source
asks for.
"""

import inspect
import os
import sys
import time

import pytest

from asm import AsmErrors, assemble, assemble_text
from tests.unit.asm.test_errors import only, problems

DOUBLING = ".macro m n\n.if \\n\nm (\\n-1)\nm (\\n-1)\n.endif\n.endm\n_start: m 40\n"


@pytest.fixture
def bounded(monkeypatch):
    """Limits a hundredth of the usual ones, so that the tests are quick."""
    for name in ("MAX_STATEMENTS", "MAX_EXPANSIONS", "MAX_TEXT", "MAX_SECTIONS"):
        monkeypatch.setattr(f"asm.limits.{name}", getattr(__import__("asm").limits, name) // 100)
    monkeypatch.setattr("asm.emit.MAX_SECTIONS", 100)
    monkeypatch.setattr("asm.macros.MAX_REPEATED", 10_000)


GROWING = {
    "doubling": (DOUBLING, "characters that macros and `.eqv` expand to"),
    "doubling, short": (DOUBLING.replace("(\\n-1)", "\\n-1"), "macros"),
    "two by two": (".macro m\n.endm\n.macro n\n" + " m\n" * 50 + ".endm\n.rept 30\nn\n.endr\n",
                   "uses of macros"),
    "repeated": (".rept 100\n.rept 100\n.rept 9\n nop\n.endr\n.endr\n.endr\n", "statements"),
    "long lines": (".irp x, " + ", ".join("a" * 100 for _ in range(100)) + "\n.irp y, "
                   + ", ".join("b" * 100 for _ in range(100)) + '\n.ascii "\\x"\n.endr\n.endr\n',
                   "characters"),
    "names for expressions": (".eqv a0x, 1\n" + "".join(f".eqv a{n + 1}x, a{n}x+a{n}x\n"
                              for n in range(40)) + " .word a40x\n", "`.eqv` expand to"),
    "sections": (".macro m n\n.section .s\\n\n.endm\n"
                 + "".join(f"m {n}\n" for n in range(200)), "too many sections"),
}  # fmt: skip


def test_names_for_names_are_no_endless_descent():
    names = "".join(f".eqv b{n + 1}, b{n}\n" for n in range(3000))
    found = problems(f".eqv b0, 1\n{names} .word b3000\n")
    assert found[0].what == "this expression is nested too deep"


def test_bytes_of_one_section_and_of_all(monkeypatch):
    monkeypatch.setattr("asm.section.MAX_IMAGE", 100_000)
    line = f'.ascii "{"x" * 1000}"\n'
    assert "bytes long" in only(f".data\n.rept 10000\n{line}.endr\n").what
    monkeypatch.setattr("asm.emit.MAX_TOTAL", 250_000)
    fill = "".join(f".section .s{n}\n.rept 90\n{line}.endr\n" for n in range(4))
    assert "too large" in only(fill).what
    assert "too large" in only(fill.replace(".section", ".pushsection")).what


@pytest.mark.parametrize("name", GROWING)
def test_growing(bounded, name):
    source, says = GROWING[name]
    with pytest.raises(AsmErrors) as raised:
        assemble_text(source, "x.S")
    problem = raised.value.problems[-1]
    assert says in f"{problem.what} {problem.why}"
    assert problem.place.line


def test_one_expansion_is_measured_before_it_is_made():
    body = "\\x" * 20_000
    assert "too much text" in only(f".macro m x\n{body}\n.endm\nm {'a' * 500_000}\n").what


HUGE = [
    "-1", "0xffffffffffffffff", "1<<63", "-(1<<62)", "99999999999999999999", "1<<40", "0x80000000"
]  # fmt: skip
COUNTED = [".rept {}\n nop\n.endr", ".data\n.fill {}", ".data\n.fill {}, 8, 1",
           ".data\n.fill 1<<20, {}", ".space {}", ".data\n.zero {}", ".bss\n.skip {}",
           ".align {}", ".balign {}", ".p2align {}, 0, 1",
           ".org {}", ".data\n.dcb.l {}, 1", ".data\n.ds.d {}", ".comm x, {}", ".comm x, 4, {}",
           ".lcomm x, {}", ".struct {}\nx: .space 8", '.incbin "/dev/null", {}', ".text {}",
           ".loc {0} {0}", ".file {} \"x\"", ". = {}", ".section .x,\"aM\",@progbits,{}",
           ".insn 4, {}", ".uleb128 {}", ".octa {}", ".word 1<<{}, 1>>{}",
           "x: .size x, {}"]  # fmt: skip


@pytest.mark.parametrize("directive", COUNTED)
def test_counts_of_any_size_and_sign(directive):
    for count in HUGE:
        try:
            program = assemble_text(f" nop\n{directive.format(count, count)}\n nop\n")
        except AsmErrors as errors:
            str(errors)
        else:
            assert len(program.elf()) < 1 << 26
            program.listing()


@pytest.mark.parametrize("count", ["-1", "0xffffffffffffffff"])
def test_a_negative_count_repeats_nothing_and_is_an_error(count):
    problem = only(f" nop\n.rept {count}\n.endr\n")
    assert (problem.place.line, problem.what) == (2, "a count below 0: -1")
    assert problem.at == count


def test_an_empty_body_may_be_repeated_any_number_of_times():
    assert len(assemble_text(" nop\n.rept 1<<62\n.endr\n").sections[0].data) == 4


def test_numbers_of_thousands_of_digits():
    digits = "9" * 5000
    for text in (digits, f"0x{digits}", f"1<<{digits}", f"-{digits}", f"0b{'1' * 5000}"):
        for line in (f".word {text}", f"li a0, {text}", f"addi a0, a0, {text}", f".rept {text}"):
            with pytest.raises(AsmErrors):
                assemble_text(f" {line}\n.endr\n")


NESTED = {
    "brackets": " .word " + "(" * 2000 + "1" + ")" * 2000,
    "signs": " .word " + "-~" * 3000 + "1",
    "sum": "late = 5\n .word " + "+".join(["x"] * 5000) + "\nx = late\n",
    "conditions": ".if 1\n" * 20_000,
    "repetitions": ".rept 1\n" * 5000 + ".endr\n" * 5000,
    "macros": ".macro m\n" * 3000 + ".endm\n" * 3000 + "m\n",
    "names": "".join(f"n{i} = n{i + 1} + 1\n" for i in range(3000)) + ".word n0\nn3000 = 1\n",
}


@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting(name):
    with pytest.raises(AsmErrors) as raised:
        assemble_text(NESTED[name] + "\n", "x.S")
    assert len(str(raised.value)) < 20_000


def test_nesting_deeper_than_python_goes(monkeypatch):
    expression = "1||1&&1==1+1|1*(" * 99 + "1" + ")" * 99
    assert assemble_text(f" .data\n .word {expression}\n")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        assert "nested too deep" in only(f" nop\n .word {expression}\n").what
    finally:
        sys.setrecursionlimit(limit)


def test_a_name_that_is_used_twice_is_computed_once():
    chain = "".join(f"n{i} = n{i + 1} + n{i + 1}\n" for i in range(60))
    program = assemble_text(f"{chain} .data\n .dword n0\nn60 = 1\n")
    assert bytes(program.sections[1].data) == (1 << 60).to_bytes(8, "little")


def test_many_labels_on_one_line():
    assert len(assemble_text("1:" * 50_000 + " nop\n").sections[0].data) == 4


def test_long_lists_of_arguments():
    source = ".macro m a:vararg\n.endm\n m " + "1, " * 100_000 + "1\n nop\n"
    assert len(assemble_text(source).sections[0].data) == 4
    source = " nop\n.irp x, " + "1 " * 50_000 + "\n.endr\n"
    assert len(assemble_text(source).sections[0].data) == 4
    with pytest.raises(AsmErrors):
        assemble_text(".macro m a\n.endm\n m (" + " " * 200_000 + "\n nop\n bad")


SLOW = ".macro m n\n.rept 1000\n beqz a0, \\n\n.endr\n.endm\n.rept 300\n m 1f\n1:\n.endr\n"


def test_the_time_is_limited_too(monkeypatch):
    clock = iter(range(10_000_000))
    monkeypatch.setattr("asm.limits.time.monotonic", lambda: next(clock))
    with pytest.raises(AsmErrors) as raised:
        assemble_text(SLOW, timeout=100)
    problem = raised.value.problems[-1]
    assert problem.what == "assembling takes longer than 100 s"
    assert problem.place.line
    assert "--timeout" in problem.fix
    assert next(clock) < 1000  # the loops look at it often, and end at once


def _until_over(monkeypatch, what: str, source: str) -> int:
    """How often `what` is called until the time is over; each call takes a second."""
    import importlib

    module, _, name = what.rpartition(".")
    real, calls = getattr(importlib.import_module(module), name), []

    def slow(*arguments):
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(what, slow)
    monkeypatch.setattr("asm.limits.time.monotonic", lambda: len(calls))
    with pytest.raises(AsmErrors, match="longer than 10 s"):
        assemble_text(source, timeout=10)
    return len(calls)


def test_the_time_is_looked_at_while_statements_are_read(monkeypatch):
    assert _until_over(monkeypatch, "asm.data.split", " .byte 1\n" * 5000) < 50


def test_the_time_is_looked_at_while_values_are_written(monkeypatch):
    source = " .data\n" + " .word x\n" * 5000 + "x:\n"
    assert _until_over(monkeypatch, "asm.layout.apply", source) < 2000


def test_the_time_is_looked_at_while_branches_are_measured(monkeypatch):
    source = " beqz a0, x\n" * 5000 + "x:\n"
    assert _until_over(monkeypatch, "asm.guesses._near", source) < 2000


def test_the_clock_may_run_for_ever():
    before = time.monotonic()
    assemble_text(" nop\n", timeout=None)
    assemble_text(" nop\n", timeout=time.monotonic() - before + 60)


SPECIAL = ["/dev/zero", "/dev/full", ".", "pipe", "/dev/tty"]


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("directive", [".incbin", ".include"])
def test_special_and_endless_files(tmp_path, name, directive):
    if name == "pipe":
        os.mkfifo(tmp_path / name)
    elif name[0] == "/" and not os.path.exists(name):
        pytest.skip(f"there is no {name} here")
    (tmp_path / "x.S").write_text(f' nop\n{directive} "{name}"\n')
    with pytest.raises(AsmErrors) as raised:
        assemble(tmp_path / "x.S")
    (problem,) = raised.value.problems
    assert problem.place.line == 2
    assert "regular" in problem.what or "directory" in problem.what or "cannot read" in problem.what


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 3000 + "b", "\udce9", "a\x01"])
@pytest.mark.parametrize("directive", [".incbin", ".include"])
@pytest.mark.parametrize("confine", [(), "."])
def test_names_that_no_file_can_have(name, directive, confine):
    with pytest.raises(AsmErrors) as raised:
        assemble_text(f' nop\n{directive} "{name}"\n', confine=confine)
    assert raised.value.problems[0].place.line == 2


def test_a_statement_and_a_file_have_an_end(monkeypatch):
    monkeypatch.setattr("asm.source.MAX_LINE", 100)
    assert "too long" in only(" nop\n .word " + "1," * 60 + "1\n").what
    monkeypatch.setattr("asm.source.MAX_LINES", 50)
    for source in ("\n" * 60, ";" * 60, "\n" * 6000, " nop ; nop\n" * 30):
        with pytest.raises(AsmErrors, match="too long: the limit is 50 statements"):
            assemble_text(source)


def test_values_that_wait_for_addresses(monkeypatch):
    monkeypatch.setattr("asm.emit.MAX_FIXUPS", 100)
    assert "wait for addresses" in only(" .data\n .word " + "x," * 100 + "x\nx:\n").why


def test_a_file_that_says_it_is_empty_and_is_not():
    """Files of /proc have size 0, but they have content."""
    program = assemble_text(' .data\n.incbin "/proc/self/status"\n')
    assert bytes(program.sections[1].data).startswith(b"Name:")


def test_a_file_that_grows_is_read_up_to_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("asm.source.MAX_SOURCE", 100)
    (tmp_path / "big").write_bytes(bytes(101))
    with pytest.raises(AsmErrors, match="too large: 101 bytes"):
        assemble_text(f'.incbin "{tmp_path / "big"}"\n')


def test_a_source_includes_itself_through_a_link(tmp_path):
    (tmp_path / "x.S").write_text(' nop\n.include "y.S"\n')
    (tmp_path / "y.S").symlink_to("x.S")
    with pytest.raises(AsmErrors, match="includes itself"):
        assemble(tmp_path / "x.S")


def test_code_that_ends_where_addresses_do():
    program = assemble_text(" nop\n nop\n nop\n nop\nend:\n", base=0xFFFF_FFF0)
    assert len(program.elf()) > 100
    assert program.symbols["end"].value == 0


def test_a_macro_may_have_a_line_of_many_statements():
    """Preprocessed tests have them: the blanks before each statement must not add up."""
    line = ";".join(f" addi x1, x1, {n % 100}" for n in range(2000))
    program = assemble_text(f".macro m\n{line}\n.endm\n m\n m\n")
    assert len(program.sections[0].data) == 2 * 2000 * 4
