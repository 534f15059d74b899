"""What a kernel developer is told when the guest cannot go on."""

import pytest

from tests.unit.cli.command import toyvmm

MISALIGNED = """
        .globl _start
_start: la      sp, stack
        li      t0, 0x1000              # no code there: the handler faults for ever
        csrw    stvec, t0
        li      a0, 7
        call    work
        j       .
work:   lw      a1, 4(a0)               # 11 is no address of a word
        ret
        .bss
        .space  64
stack:
"""

PAGED = """
_start: la      t0, table
        li      t1, 0x200000cf          # root entry 512: the code's 4 MiB to itself
        li      t2, 2048
        add     t2, t0, t2
        sw      t1, 0(t2)
        srli    t0, t0, 12
        li      t1, 1 << 31
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        li      t0, 0x40000000
        csrw    stvec, t0
        jr      t0
        .data
        .balign 4096
table:  .space  4096
"""


@pytest.fixture
def report(tmp_path):
    def run(source, *arguments):
        (tmp_path / "guest.S").write_text(source)
        done = toyvmm("run", "guest.S", *arguments, cwd=tmp_path)
        assert done.returncode == 1
        return done.stderr.decode()

    return run


def test_where_why_and_the_way_there(report):
    text = report(MISALIGNED)
    assert "crash: load address misaligned at 0x80000020 work (guest.S:9: work: lw a1" in text
    assert "stval  0x0000000b" in text
    assert "then   insn_access: instruction access fault at 0x00001000" in text
    assert "63 times, stval 0x00001000" in text
    assert "a0 00000007" in text
    line = next(line for line in text.splitlines() if "lw a1,4(a0)" in line)
    for part in ("work", "trap: load_misaligned, stval 0xb", "guest.S:9: work: lw a1, 4(a0)"):
        assert part in line
    assert "cannot be fetched          (63 times) trap: insn_access" in text


def test_the_page_walk(report):
    text = report(PAGED)
    assert "instruction page fault" in text
    assert "walk   0x40000000: by the tables" in text
    assert "level 1: entry at 0x80001400 = 0x00000000: -------- not valid" in text
    assert "-> page fault: the entry is not valid" in text
    assert "why    fetch refused: V clear, in the entry at 0x80001400 = 0x00000000, level 1" in text


@pytest.mark.compiled
def test_the_last_steps_of_a_long_run(tmp_path):
    """The last instructions are found although the run had more than one snapshot."""
    source = """
        li      t0, 0
        csrw    stvec, t0
        li      s0, 70000000
loop:   addi    s0, s0, -2
        bnez    s0, loop
        li      a0, 77
        lw      a1, 0(a0)
    """
    (tmp_path / "guest.S").write_text("_start:\n" + source)
    text = toyvmm("run", "guest.S", "--json", cwd=tmp_path).stderr.decode()
    last = text[text.index("last instructions") :]
    assert "bnez s0" in last
    assert "trap: load_misaligned, stval 0x4d" in last


HANDLED = """
_start: la      t0, handler
        csrw    stvec, t0
        .word   0
        li      a0, 7                   # the guest goes on, and fails with a code
        j       fail
handler:
        csrr    t0, sepc
        addi    t0, t0, 4
        csrw    sepc, t0
        sret
fail:   li      t0, 0x100000
        li      t1, 0x73333
        sw      t1, 0(t0)
"""


def test_a_trap_that_the_kernel_handles_crashes_if_asked(report):
    assert "crash" not in report(HANDLED)
    assert "crash" not in report(HANDLED, "--crash-on", "load_page,breakpoint")
    text = report(HANDLED, "--crash-on", "breakpoint,illegal")
    assert "cause  illegal: illegal instruction" in text
    assert "last instructions" in text
    assert "trap to root: illegal" in text


@pytest.mark.parametrize("causes", ["all", "2", "0x2", "13,2", "load_page,2", "ILLEGAL"])
def test_causes_by_number_and_all(report, causes):
    assert "cause  illegal: illegal instruction" in report(HANDLED, "--crash-on", causes)


def test_all_are_faults_and_not_calls(report):
    source = """
_start: la t0, handler
        csrw stvec, t0
        la t0, user
        csrw sepc, t0
        sret
        .balign 4
handler: j fail
user:   ecall
fail:   li t0, 0x100000
        li t1, 0x73333
        sw t1, 0(t0)
"""
    assert "crash" not in report(source.replace("sret", "li t1, 0x100\n csrc sstatus, t1\n sret"),
                                 "--crash-on", "all")  # fmt: skip


@pytest.mark.parametrize("name", ["ecall_s", "9", "16", "-1", "nonsense", "illegal,", ""])
def test_no_exception_of_that_name(name):
    done = toyvmm("run", "hello", "--crash-on", name)
    assert done.returncode == 2
    assert b"is no exception of S; there are insn_misaligned (0), " in done.stderr


def test_input_is_replayed(tmp_path):
    """The replay gets the same input: the crash depends on it."""
    source = """
_start: li      a7, 2                   # getchar
        ecall
        li      t0, -1
        beq     a0, t0, _start
        mv      s1, a0
        li      t0, 0
        csrw    stvec, t0
        slli    a0, s1, 24
        lw      a1, 1(a0)
    """
    (tmp_path / "guest.S").write_text(source)
    text = toyvmm("run", "guest.S", cwd=tmp_path, stdin=b"AB").stderr.decode()
    assert "trap: load_misaligned, stval 0x41000001" in text
    assert "s1 00000041" in text
