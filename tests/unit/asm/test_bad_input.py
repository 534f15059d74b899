"""Files that are not sources, and sources that never end: one clear error each."""

import os

import pytest

from asm import AsmErrors, assemble, assemble_text


def one_error(path, **options) -> str:
    with pytest.raises(AsmErrors) as raised:
        assemble(path, **options)
    (problem,) = raised.value.problems
    assert str(path) in str(problem)
    return problem.what


def test_missing(tmp_path):
    assert one_error(tmp_path / "none.S") == "no such file"


def test_directory(tmp_path):
    assert "directory" in one_error(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "regular file" in one_error(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "nothing to assemble"),
        (b"\n\n  # only a comment\n", "nothing to assemble"),
        (b"nop\0nop\n", "binary file: byte 3"),
        (b"\x7fELF\x01\x01\x01", "ELF file"),
    ],
)
def test_not_a_source(tmp_path, data, says):
    path = tmp_path / "x.S"
    path.write_bytes(data)
    assert says in one_error(path)


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("asm.source.MAX_SOURCE", 10)
    path = tmp_path / "x.S"
    path.write_bytes(b"nop\n" * 3)
    assert "too large: 12 bytes; the limit is 10" in one_error(path)


def test_include_of_itself(tmp_path):
    path = tmp_path / "x.S"
    path.write_text(' nop\n.include "x.S"\n')
    assert "includes itself" in one_error(path)


def test_include_in_a_circle(tmp_path):
    (tmp_path / "a.S").write_text('.include "b.S"\n')
    (tmp_path / "b.S").write_text('.include "a.S"\n')
    with pytest.raises(AsmErrors, match="includes itself"):
        assemble(tmp_path / "a.S")


def test_include_of_a_binary(tmp_path):
    (tmp_path / "b.S").write_bytes(b"\0")
    (tmp_path / "a.S").write_text('.include "b.S"\n')
    assert "binary file" in one_error(tmp_path / "a.S")


ENDLESS = {
    "macro uses itself": (".macro m\n m\n.endm\n m\n", "nested too deep"),
    "two macros": (".macro a\n b\n.endm\n.macro b\n a\n.endm\n a\n", "nested too deep"),
    "growing argument": (".macro m x\n m \\x\\x\n.endm\n m ab\n", "too"),
    "doubling macro": (".macro m\n m\n m\n.endm\n m\n", "nested too deep"),
    "rept": (".rept 1<<40\n nop\n.endr\n", "repeats to"),
    "rept in rept": (".rept 1000000\n.rept 1000000\n nop\n.endr\n.endr\n", "repeats to"),
    "space": (".data\n.space 1<<31\n", "the limit" ),
    "room": (".bss\n.space 1<<33\n", "the limit"),
    "fill": (".data\n.fill 1<<30, 8, 1\n", "the limit"),
    "org": (".org 1<<31\n", "too large"),
    "below zero": (".space -1\n", "size of -1"),
    "alignment": (".data\n.byte 1\n.balign 1<<40\n", "not an alignment"),
    "above 4 GiB": (".bss\n.space 1<<30\n"
        ".section .x,\"aw\",@nobits\n.space 1<<30\n"
        ".section .y,\"aw\",@nobits\n.space 99\n", "below 4 GiB"),
    "chain of names": (
        "".join(f"n{i} = n{i + 1} + 1\n" for i in range(3000))
        + ".word n0\nn3000 = 1\n", "too many others"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_endless(name):
    source, says = ENDLESS[name]
    with pytest.raises(AsmErrors) as raised:
        assemble_text(source, "x.S")
    problem = raised.value.problems[0]
    assert says in f"{problem.what} {problem.why}"
    assert len(str(problem)) < 4000


def test_many_expansions(monkeypatch):
    monkeypatch.setattr("asm.limits.MAX_STATEMENTS", 1000)
    source = ".macro m\n.rept 100\n .byte 0\n.endr\n.endm\n.rept 100\n m\n.endr\n"
    with pytest.raises(AsmErrors, match="grows too long"):
        assemble_text(source)


def test_a_huge_nobits_section_takes_no_bytes():
    program = assemble_text(" nop\n.bss\n.space 1<<29\n")
    assert len(program.elf()) < 10_000


def test_a_base_that_is_no_address():
    with pytest.raises(AsmErrors, match="base"):
        assemble_text(" nop\n", base=2)
    with pytest.raises(AsmErrors, match="base"):
        assemble_text(" nop\n", base=1 << 32)
