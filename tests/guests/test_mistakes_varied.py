"""The same mistakes in other forms lead to the same kind of sentence; correct kernels to none."""

import os
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper

import pytest

import guests
from vmm.cli.main import invoke
from vmm.cli.status import Status

BEGIN = """        .globl _start
_start: la sp, stack_top
        la t0, handler
        csrw stvec, t0
"""
DATA = """
        .data
        .balign 4096
root:   .space 4096
pages:  .space 4096
page:   .space 4096
        .bss
        .balign 16
        .space 4096
stack_top:
"""
SPINS = "\n .balign 4\nhandler: j handler\n"
SLEEPS = "\n .balign 4\nhandler: wfi\n j handler\n"
PRINTS = "\n .balign 4\nhandler: li a0, 'P'\n li a7, 1\n ecall\n j handler\n"
RETURNS = "\n .balign 4\nhandler: csrr t1, scause\n sret\n"
FAILS = "\n .balign 4\nhandler: li a7, 0x53525354\n li a6, 0\n li a0, 0\n li a1, 1\n ecall\n j .\n"
END = " li a7, 8\n ecall\n"
# The kernel's 4 MiB mapped to themselves, and a table for the first 4 MiB, at s2.
TABLES = """
        la s0, root
        li t1, 0x200000cf
        li t2, 2048
        add t2, s0, t2
        sw t1, 0(t2)
        la t1, pages
        srli t1, t1, 2
        ori t1, t1, 1
        sw t1, 0(s0)
        la s2, pages
        la s3, page
        srli s3, s3, 2
"""
PAGED = """
        srli t0, s0, 12
        li t1, 1 << 31
        or t0, t0, t1
        csrw satp, t0
        sfence.vma
"""
TO_U = " li t0, 256\n csrc sstatus, t0\n sret\n"
USER = " la t0, user\n csrw sepc, t0\n" + TO_U
TIMER = """
        li t0, 32
        csrw sie, t0
        rdtime a0
        addi a0, a0, 10
        li a1, 0
        li a7, 0
        ecall
        csrsi sstatus, 2
1:      addi s0, s0, 1
        j 1b
"""
RECURSION = "f: addi sp, sp, -32\n sw ra, 0(sp)\n call f\n lw ra, 0(sp)\n addi sp, sp, 32\n ret\n"
PUSHES = "f: addi sp, sp, -32\n sw ra, 28(sp)\n ret\n"

VARIANTS = {
    "no stack, no handler": ("_start: call f\n" + PUSHES, "no stack: "),
    "a stack at 4 KiB": (
        BEGIN.replace("la sp, stack_top", "li sp, 0x1000") + " call f\n" + PUSHES + SPINS + DATA,
        "no stack: "),
    "a stack behind RAM": (
        BEGIN.replace("la sp, stack_top", "li sp, 0x88000000") + " call f\n" + PUSHES + FAILS
        + DATA, "no stack: "),
    "a stack from sscratch, which is 0": (
        BEGIN + " ebreak\n" + END + "\n .balign 4\nhandler: csrrw sp, sscratch, sp\n"
        " addi sp, sp, -64\n sw t0, 0(sp)\n csrr t0, sepc\n addi t0, t0, 4\n csrw sepc, t0\n"
        " lw t0, 0(sp)\n addi sp, sp, 64\n csrrw sp, sscratch, sp\n sret\n" + DATA,
        "the handler takes sp from sscratch: was that set?"),
    "a jump by the wrong register": (
        BEGIN + " la t0, f\n jr t1\nf:" + END + SPINS + DATA, "by `jr t1` at "),
    "a call by it": (
        BEGIN + " la t0, f\n jalr t2\n" + END + "f: ret\n" + PRINTS + DATA, "by `jalr t2` at "),
    "stvec from it": (
        BEGIN.replace("csrw stvec, t0", "csrw stvec, t1") + " ebreak\n" + SPINS + DATA,
        "`csrw stvec,t1` at _start+0x10"),
    "the call's number in a0": (
        BEGIN + " li a7, 'H'\n li a0, 1\n ecall\n j .\n" + SPINS + DATA, "wrong register"),
    "the call's number in a6": (
        BEGIN + " li a6, 0x53525354\n li a7, 0\n ecall\n j .\n" + SPINS + DATA,
        "wrong register: `ecall`"),
    "behind RAM": (
        BEGIN + " li t1, 0x90000000\n sw t0, 0(t1)\n" + SPINS + DATA, "more memory (--mem)"),
    "a loop with a call": (
        BEGIN + " li s0, 10\n li s1, 10\n1: call putc\n addi s1, s1, -1\n bnez s0, 1b\n" + END
        + "putc: li a0, 'x'\n li a7, 1\n ecall\n ret\n" + SPINS + DATA,
        "depends on s0, which does not change"),
    "a flag that nobody sets": (
        BEGIN + " la t0, page\n1: lw t1, 0(t0)\n beqz t1, 1b\n" + SPINS + DATA, "endless loop: "),
    "j .": (BEGIN + " j .\n" + SPINS + DATA, "endless loop: `j 0x80000014`"),
    "a half-word": (BEGIN + " la t0, page\n lh a0, 1(t0)\n" + FAILS + DATA, "no multiple of 2"),
    "a jump between instructions": (
        BEGIN + " la t0, f\n addi t0, t0, 2\n jr t0\nf:" + SPINS + DATA, "is no multiple of 4"),
    "an atomic": (
        BEGIN + " la t0, page\n addi t0, t0, 2\n amoadd.w a0, a1, (t0)\n" + SLEEPS + DATA,
        "misaligned: `amoadd.w"),
    "a read-only superpage": (
        BEGIN + TABLES.replace("0x200000cf", "0x2000004b") + PAGED + " la t0, page\n"
        " sw t0, 0(t0)\n" + PRINTS + DATA, "W clear, in the leaf at 0x80001800"),
    "a user's load from the kernel": (
        BEGIN + TABLES + " ori t1, s3, 0xdf\n sw t1, 0(s2)\n la t3, page\n la t4, user\n"
        " lw t5, 0(t4)\n sw t5, 0(t3)\n lw t5, 4(t4)\n sw t5, 4(t3)\n" + PAGED
        + " csrw sepc, zero\n" + TO_U + FAILS + "user: lui t0, 0x80000\n lw t0, 0(t0)\n" + DATA,
        "U bit missing: `lw t0,0(t0)` at 0x4"),
    "a kernel's store to a user's page": (
        BEGIN + TABLES + " ori t1, s3, 0xdf\n sw t1, 0(s2)\n" + PAGED + " li t0, 64\n"
        " sw t0, 0(t0)\n" + PRINTS + DATA, "SUM is clear: `sw"),
    "a kernel in a user's page": (
        BEGIN + TABLES + " ori t1, s3, 0xdf\n sw t1, 0(s2)\n" + PAGED + " jr zero\n" + SPINS
        + DATA, "U bit set: S cannot execute"),
    "a time that has passed": (
        BEGIN + TIMER + "\n .balign 4\nhandler: rdtime a0\n li a1, 0\n li a7, 0\n ecall\n sret\n"
        + DATA, "timer storm: "),
    "STIP cleared in sip": (
        BEGIN + TIMER + "\n .balign 4\nhandler: li t0, 32\n csrc sip, t0\n sret\n" + DATA,
        "does not rearm the timer"),
    "a software interrupt": (
        BEGIN + " csrsi sie, 2\n csrsi sip, 2\n csrsi sstatus, 2\n1: j 1b\n" + RETURNS + DATA,
        "clear SSIP in sip"),
    "an ebreak again and again": (
        BEGIN + " ebreak\n" + RETURNS + DATA, "sepc is not advanced; add 4"),
    "a page fault that nobody mends": (
        BEGIN + TABLES + PAGED + " li t0, 0x1000\n lw t0, 0(t0)\n" + RETURNS + DATA,
        "which traps again; mend what it traps for"),
    "SBI from U": (
        BEGIN + USER + "user: li a0, 'u'\n li a7, 1\n ecall\n j .\n" + SPINS + DATA,
        "ecall from the wrong level: "),
    "SBI from U, no handler": (
        "_start:" + USER + "user: li a7, 8\n ecall\n", "ecall from the wrong level: "),
    "a system call from S": (
        BEGIN + " li a7, 64\n ecall\n j .\n" + SPINS + DATA, "a system call is made in U"),
    "scause less 9": (
        BEGIN + USER + "user: ecall\n\n .balign 4\nhandler: csrr s0, scause\n addi s0, s0, -9\n"
        " bnez s0, bad\n" + END + "bad: j bad\n" + DATA, "looks for 9"),
    "a table between pages": (
        BEGIN + TABLES.replace("la s0, root", "la s0, root2") + PAGED + SPINS
        + DATA.replace("page:", " .space 16\nroot2: .space 4096\n .balign 4096\npage:"),
        "begins at 0x80003010 (root2), which is no multiple of 4096"),
    "another table": (
        BEGIN + TABLES + PAGED.replace("srli t0, s0, 12", "la t0, page\n srli t0, t0, 12") + SPINS
        + DATA, "(page), which holds no valid entry"),
    "no mode in satp": (
        BEGIN + TABLES + " srli t0, s0, 12\n csrw satp, t0\n li t0, 0x1000\n lw t0, 0(t0)\n"
        + SPINS + DATA, "paging is off: satp is 0x00080001"),
    "an address in the root table": (
        BEGIN + TABLES.replace(" srli t1, t1, 2\n", "") + PAGED + " li t0, 0x1000\n lw t0, 0(t0)\n"
        + SPINS + DATA, "holds the address 0x80002000 itself"),
    "the kernel is not mapped": (
        BEGIN + TABLES.replace("2048", "2052") + PAGED + SPINS + DATA,
        "do not map the code that runs"),
    "a guard page": (
        BEGIN + TABLES + " ori t1, s3, 0xc7\n sw t1, 8(s2)\n" + PAGED + " li sp, 0x3000\n call f\n"
        + RECURSION + SPINS + DATA, "stack overflow: "),
    "a recursion that has far to go": (
        BEGIN.replace("la sp, stack_top", "li sp, 0x81000000") + " call f\n" + RECURSION + SPINS
        + DATA, "none of the calls returns"),
    "a stack below the code": (
        " .text\n .space 65536\n" + BEGIN.replace("la sp, stack_top", "li sp, 0x80002000")
        + " call f\n" + RECURSION + SPINS + DATA, "fallen below RAM"),
    "a handler and six bytes": (
        BEGIN.replace("csrw stvec", "addi t0, t0, 6\n csrw stvec") + " ebreak\n"
        "\n .balign 4\nhandler: csrr t0, sepc\n addi t0, t0, 4\n csrw sepc, t0\n sret\n" + DATA,
        "stvec misaligned: the handler is at "),
    "a label before the alignment": (
        BEGIN.replace("la t0, handler", "la t0, vec\n lw t0, 0(t0)") + " ebreak\n .half 0\n"
        "handler:\n .balign 4\n csrr t0, sepc\n sret\n" + DATA + " .data\nvec: .word handler\n",
        "stvec misaligned: the handler is at "),
    "asleep, interrupts off": (
        BEGIN + " li t0, 32\n csrw sie, t0\n rdtime t0\n csrw stimecmp, t0\n csrw stimecmph, zero\n"
        "1: wfi\n j 1b\n" + SPINS + DATA, "the timer interrupt is pending and enabled in sie"),
    "asleep, none enabled": (BEGIN + " wfi\n" + SPINS + DATA, "and sie is 0"),
    "a fence, then a loop": (
        BEGIN + TABLES + " ori t1, s3, 0xcf\n sw t1, 20(s2)\n" + PAGED + " li s1, 0x5000\n"
        " lw a0, 0(s1)\n la t1, root\n srli t1, t1, 2\n ori t1, t1, 0xcf\n sw t1, 20(s2)\n"
        " lw a0, 0(s1)\n1: beqz a0, 1b\n" + SPINS + DATA, "missing sfence.vma: `lw a0,0(s1)`"),
}  # fmt: skip


def said(*arguments):
    """What a command says on stderr, and how it ends."""
    err = StringIO()
    with redirect_stdout(TextIOWrapper(BytesIO())), redirect_stderr(err):
        status = invoke([*arguments, "--input", os.devnull])
    return [line for line in err.getvalue().splitlines() if "hint: " in line], status


@pytest.mark.parametrize("name", VARIANTS)
def test_the_sentence_is_said(name, tmp_path):
    source, part = VARIANTS[name]
    (tmp_path / "k.S").write_text(source)
    lines, status = said("run", str(tmp_path / "k.S"), "--max-insns", "100000")
    assert status in (Status.FAILED, Status.LIMIT)
    assert any(part in line for line in lines), lines


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["hello", "ticks", "pages", "toyix", "nano/protfault"])
def test_nothing_is_said_of_a_correct_kernel_that_is_stopped(name):
    for cut in (1, 137, 1500, 22222, 150000):
        lines, status = said("run", name, "--max-insns", str(cut))
        assert not lines, (cut, lines)
        if status == Status.PASSED:
            break


def test_a_fault_that_the_kernel_handled_is_not_named(tmp_path):
    """The guest fails later, for another reason."""
    source = BEGIN + """ la t0, page
        lw a0, 1(t0)
        ebreak
        li a7, 0x53525354
        li a6, 0
        li a0, 0
        li a1, 1
        ecall
        .balign 4
handler: csrr t0, sepc
        addi t0, t0, 4
        csrw sepc, t0
        sret
""" + DATA
    (tmp_path / "k.S").write_text(source)
    assert said("run", str(tmp_path / "k.S")) == ([], Status.FAILED)


def test_a_recursion_whose_calls_return_is_not_called_endless(tmp_path):
    source = BEGIN.replace("la sp, stack_top", "li sp, 0x80f00000") + """ li s0, 2000
        call f
""" + END + """
f:      addi sp, sp, -16
        sw ra, 0(sp)
        call leaf
        addi s0, s0, -1
        beqz s0, 1f
        call f
1:      lw ra, 0(sp)
        addi sp, sp, 16
        ret
leaf:   ret
        .balign 4
handler: j handler
""" + DATA
    (tmp_path / "k.S").write_text(source)
    assert said("run", str(tmp_path / "k.S"))[1] == Status.PASSED
    assert said("run", str(tmp_path / "k.S"), "--max-insns", "1000") == ([], Status.LIMIT)


def test_the_examples_are_those_of_the_catalogue():
    assert {"hello", "ticks", "pages", "toyix", "nano/protfault"} <= {*guests.catalogue()}
