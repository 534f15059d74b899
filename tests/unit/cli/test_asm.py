"""`toyvmm asm` writes an ELF and a listing, or says what is wrong and writes nothing."""

import pytest

from tests.unit.cli.command import toyvmm

GOOD = ".globl _start\n_start:\n    li a0, VALUE\n    ebreak\n"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_an_elf_here_by_default_and_a_listing(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.S").write_text(GOOD)
    done = toyvmm("asm", "src/a.S", "-D", "VALUE=0x123", "--listing", "a.lst", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert names(tmp_path) == ["a.elf", "a.lst", "src"]
    elf = (tmp_path / "a.elf").read_bytes()
    assert elf.startswith(b"\x7fELF")
    assert bytes.fromhex("13053012") in elf  # addi a0, zero, 0x123
    assert b"12300513" in (tmp_path / "a.lst").read_bytes()


def test_base_and_include_folder(tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "value.inc").write_text(".equ VALUE, 7\n")
    (tmp_path / "a.S").write_text('.include "value.inc"\n' + GOOD)
    done = toyvmm("asm", "a.S", "-I", "inc", "--base", "0x80400000", "-o", "b", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    entry = (tmp_path / "b").read_bytes()[24:28]
    assert int.from_bytes(entry, "little") == 0x8040_0000


def test_the_include_files_of_the_examples_are_found(tmp_path):
    (tmp_path / "a.S").write_text('.include "include/riscv.inc"\n.equ VALUE, IRQ_TIMER\n' + GOOD)
    assert toyvmm("asm", "a.S", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("source", "reason"),
    [(b"addi a0, a1\nfoo\n", b"a.S:2:1: error: unknown instruction `foo`"),
     (b"\x7fELF\0\1", b"a.S"), (b"", b"a.S"), (b'.include "a.S"\n', b"a.S")],
    ids=["errors", "binary", "empty", "recursive"],
)  # fmt: skip
def test_errors_are_told_and_nothing_is_written(tmp_path, source, reason):
    (tmp_path / "a.S").write_bytes(source)
    (tmp_path / "a.elf").write_bytes(b"old")
    done = toyvmm("asm", "a.S", "--listing", "a.lst", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert reason in done.stderr
    assert names(tmp_path) == ["a.S", "a.elf"]
    assert (tmp_path / "a.elf").read_bytes() == b"old"


def test_a_source_that_cannot_be_read(tmp_path):
    for name in ("missing.S", ".", "x" * 300):
        done = toyvmm("asm", name, "-o", "out", cwd=tmp_path)
        assert done.returncode == 2
        assert name.encode() in done.stderr
    assert names(tmp_path) == []


def test_the_source_is_never_overwritten(tmp_path):
    (tmp_path / "a.S").write_text(GOOD)
    (tmp_path / "link").symlink_to("a.S")
    for option in ("-o", "--listing"):
        done = toyvmm("asm", "a.S", option, "link", "-D", "VALUE", cwd=tmp_path)
        assert done.returncode == 2
        assert b"would replace what the command reads" in done.stderr
    assert (tmp_path / "a.S").read_text() == GOOD


def test_a_confined_source_reads_nothing_outside(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("password\n")
    (tmp_path / "in" / "a.S").write_text('.include "../secret"\n')
    done = toyvmm("asm", "in/a.S", "--confine", "in", cwd=tmp_path)
    assert done.returncode == 2
    assert b"in/a.S:1:11: error: `../secret` lies outside" in done.stderr
    assert b"password" not in done.stderr
    done = toyvmm("asm", "in/a.S", "--confine", "in", "-I", ".", cwd=tmp_path)
    assert (done.returncode, b"include directory" in done.stderr) == (2, True)
    (tmp_path / "in" / "a.S").write_text('.include "include/riscv.inc"\n nop\n')
    assert toyvmm("asm", "in/a.S", "--confine", "in", cwd=tmp_path).returncode == 0


def test_a_source_without_end_ends(tmp_path):
    (tmp_path / "a.S").write_text(".rept 100000\n beqz a0, 1f\n1:\n.endr\n")
    done = toyvmm("asm", "a.S", "--timeout", "0.001", cwd=tmp_path)
    assert done.returncode == 2
    assert b"a.S:" in done.stderr
    assert b"takes longer than 0.001 s" in done.stderr
    assert names(tmp_path) == ["a.S"]


def test_notes_go_to_stderr(tmp_path):
    (tmp_path / "a.S").write_text(' nop\n.print "hello"\n')
    done = toyvmm("asm", "a.S", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"a.S:2:1: note: hello" in done.stderr


def test_run_confines_as_well(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("password\n")
    (tmp_path / "in" / "a.S").write_text('.include "../secret"\n')
    for command in ("run", "boot"):
        done = toyvmm(command, "in/a.S", "--confine", "in", cwd=tmp_path)
        assert done.returncode == 2
        assert b"`../secret` lies outside" in done.stderr


def test_a_source_that_is_judged_is_confined_unless_the_user_says_otherwise(tmp_path):
    (tmp_path / "in" / "own").mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    (tmp_path / "secret").write_text("password\n")
    (tmp_path / "lib" / "end.S").write_text(" li a7, 8\n ecall\n")
    (tmp_path / "in" / "own" / "one.S").write_text(' .include "include/riscv.inc"\n li a0, 1\n')
    (tmp_path / "in" / "a.S").write_text('.include "own/one.S"\n.include "end.S"\n')
    (tmp_path / "in" / "b.S").write_text('.include "../secret"\n')
    (tmp_path / "in" / "c.S").write_text('.include "../lib/end.S"\n')
    expect = ("--expect", "^$", "--input", "/dev/null")
    for command in ("run", "boot"):
        engine = ("--engine", "native") if command == "boot" else ()

        def ends(name, *options, command=command, engine=engine):
            return toyvmm(command, *engine, name, *options, cwd=tmp_path)

        assert ends("in/a.S", "-I", "lib", *expect).returncode == 0
        done = ends("in/b.S", *expect)
        assert done.returncode == 2
        assert b"`../secret` lies outside" in done.stderr
        assert b"password" not in done.stderr
        for options in ((), ("--confine", "in")):
            assert b"lies outside" in ends("in/c.S", *options, *expect).stderr
        for options in (("--confine", "."), ("--no-confine",), ("-I", "lib")):
            assert ends("in/c.S", *options, *expect).returncode == 0
        assert ends("in/c.S", "--input", "/dev/null").returncode == 0
    assert ends("in/c.S", "--no-confine", "--confine", ".").returncode == 2
