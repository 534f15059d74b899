"""`run --trace` and `--log` show each step; `explain` says what the words mean."""

import pytest

from tests.unit.cli.command import toyvmm

SOURCE = """
_start: la      t0, handler
        csrw    stvec, t0
        la      t1, word
        li      a0, 5
        sw      a0, 0(t1)
        lb      a1, 0(t1)
        .word   0
        li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
handler: csrr   t3, sepc
        addi    t3, t3, 4
        csrw    sepc, t3
        sret
        .data
word:   .word   0
"""


@pytest.fixture
def traced(tmp_path):
    def run(*arguments):
        (tmp_path / "guest.S").write_text(SOURCE)
        done = toyvmm("run", "guest.S", "-q", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stderr.decode().splitlines()

    return run


def test_every_kind(traced):
    lines = [" ".join(line.split()) for line in traced("--trace", "all")]
    for line in (
        "insn S 0x80000018 _start+0x18 sw a0,0(t1)",
        "mem store 4 at 0x80001000 = 0x00000005",
        "mem load 1 at 0x80001000 = 0x05",
        "trap illegal at 0x80000020 _start+0x20, stval 0x00000000 -> 0x80000034 handler",
        "csr sepc=0x80000020",
    ):
        found = [other for other in lines if other[:4] == line[:4]]
        assert any(line.split("0x8000")[0] in other for other in found), (line, found)


def test_only_what_is_asked_for(traced):
    kinds = {line.split()[0] for line in traced("--trace", "mem,trap")}
    assert kinds == {"mem", "trap"}


def test_walks(tmp_path):
    window = ("--log-from", 10_000, "--log-until", 12_000)
    done = toyvmm("run", "pages", "--trace", "mmu", "--trace-file", "t", *window, cwd=tmp_path)
    assert done.returncode == 0
    lines = (tmp_path / "t").read_text().splitlines()
    assert len(lines) > 5
    assert all(line.startswith("mmu  0x") and "table entries read" in line for line in lines)


def test_a_window(traced, tmp_path):
    traced("--log", "log", "--log-from", "3", "--log-until", "7")
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("core   0: 1 0x8000000c ")


def test_watching_changes_nothing(traced, tmp_path):
    import json

    traced("--json-file", "plain")
    traced("--json-file", "watched", "--log", "log")
    plain, watched = (json.loads((tmp_path / name).read_text()) for name in ("plain", "watched"))
    del plain["seconds"], watched["seconds"]
    assert plain == watched


def test_unknown_kind(tmp_path):
    done = toyvmm("run", "hello", "--trace", "insn,foo")
    assert done.returncode == 2
    assert b"'foo' cannot be traced" in done.stderr


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("sret", ["return from a trap taken in S", "control sensitive", "0001000000100000"]),
        ("13", ["load page fault", "scause 0xd", "the address"]),
        ("irq_timer", ["interrupt 5", "deleg_int"]),
        ("sstatus", ["CSR 0x100", "SPP", "POPF", "SMSW"]),
        ("0x180", ["satp: CSR 0x180", "0x80000000   MODE_SV32"]),
        ("0x10500073", ["the instruction  wfi"]),
        ("probe.r", ["behaviour sensitive", "VERR"]),
        ("ret", ["a pseudo-instruction", "jalr x0,0(x1)"]),
        ("beqz", ["beqz rs,to", "is  beq rs,x0,to"]),
        ("li", ["addi rd,x0,constant", "lui rd,upper ; addi rd,rd,lower"]),
        ("call", ["auipc ra,upper ; jalr ra,lower(ra)"]),
        (".align", ["a directive", "`.align 2` is 4 bytes"]),
        (".cfi_startproc", ["accepted, and ignored"]),
        (".subsection", ["refused: there are no numbered subsections here"]),
        ("pte", ["bit 4  U", "bit 0  V", "PPN[1]"]),
        ("U", ["bit 4 of a page-table entry", "only with SUM"]),
        ("pte 0x200000cf", ["DA--XWRV leaf 0x80000000", "X set"]),
        ("pte 0x5", ["W without R is reserved"]),
        ("sbi", ["a7 0x8", "shutdown", "a7 0x4442434e, a6 0", "console_write"]),
        ("DBCN", ["a7 = 0x4442434e", "console_write_byte"]),
        ("set_timer", ["a7 0x0", "a7 0x54494d45, a6 0"]),
        ("ecall 8", ["shutdown", "from U it goes to the kernel's own handler"]),
        ("ecall 93", ["no such extension", "answers -2"]),
        ("ecall", ["trap: environment call", "`toyvmm explain sbi`"]),
    ],
)
def test_explain(name, parts):
    done = toyvmm("explain", *name.split())
    assert done.returncode == 0
    for part in parts:
        assert part in done.stdout.decode()


def test_explain_every_known_name():
    from vmm.explain.lookup import explain, known

    for name in known():
        assert len(explain(name)) >= 2, name


def test_every_directive_and_mnemonic_is_explained():
    from asm.directives import DIRECTIVES
    from asm.expand import MNEMONICS
    from vmm.explain.lookup import explain

    for name in (*DIRECTIVES, *MNEMONICS):
        assert explain(name), name


@pytest.mark.parametrize(
    ("source", "name"),
    [("li a0, 5", "li"), ("li a0, 0x12345", "li"), ("la a0, there", "la"),
     ("call there", "call"), ("call t0, there", "call"), ("tail there", "tail"),
     ("jump there, t2", "jump"), ("jr t2", "jr"), ("jr 8(t2)", "jr"), ("lla a0, there", "lla")],
)  # fmt: skip
def test_what_a_pseudo_instruction_is_said_to_be_is_what_becomes_of_it(tmp_path, source, name):
    from asm.assembler import assemble
    from toyisa.load.elf import Elf
    from toyisa.tables.insns import find
    from vmm.explain.asm import CHOOSING

    (tmp_path / "a.S").write_text(f"_start: {source}\nthere:\n")
    ((_, code),) = Elf(assemble(tmp_path / "a.S").elf()).code()
    words = [int.from_bytes(code[n : n + 4], "little") for n in range(0, len(code), 4)]
    ways = [[step.split()[0] for step in text.split("  ")[0].split(" ; ")]
            for _, text in CHOOSING[name]]  # fmt: skip
    assert [find(word).name for word in words] in ways
    links = {word >> 7 & 31 for word in words[1:] if find(word).name == "jalr"}
    assert not links or links <= {0, 1, 5}


def test_explain_unknown():
    done = toyvmm("explain", "stap")
    assert done.returncode == 2
    assert b"did you mean `satp`?" in done.stderr


@pytest.mark.parametrize("name", ["nonsense", "quux", "pte 0x1ffffffff", "sret 3", "ecall x"])
def test_no_hint_is_better_than_a_wrong_one(name):
    done = toyvmm("explain", *name.split())
    assert done.returncode == 2
    assert b"did you mean" not in done.stderr
