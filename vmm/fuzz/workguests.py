"""Answers for guests that make much work with few instructions, as Hypothesis strategies.

Each repeats a few random acts.  An act is a loop around something for which root, a device or
the monitor has much to do.  Must not know what runs them.
"""

from hypothesis import strategies as st

from asm.assembler import assemble_text
from vmm.abi import genhyp
from vmm.abi.hypercalls import Call, Level

NAME = "work.S"

# Frames of RAM, from its base: code, lists, the rings, root tables and tables, pages of code.
UNPATCHED = """
    .equ RAM, 0x80000000
    .equ TABLES, RAM + 0x10000
    .equ LEAVES, RAM + 0x12000
    .equ RINGS, RAM + 0x20000
    .equ CODE, RAM + 0x30000
    .equ UNITS, 16
    .globl _start
_start:
    la t0, handler
    csrw stvec, t0
    # 1. Two roots: all but the top of the address space by eight tables, and the devices.
    li t0, TABLES
    li t1, 2048
1:  andi t2, t1, 7
    slli t2, t2, 10
    li t3, (LEAVES >> 12 << 10) | 1
    add t2, t2, t3
    sw t2, 0(t0)
    addi t0, t0, 4
    addi t1, t1, -1
    bnez t1, 1b
    li t0, TABLES
    li t1, 0x10000000 >> 22 << 20 | 0xC7
    sw t1, 0x100(t0)
    li t2, (LEAVES >> 12 << 10) | 1
    li t3, TABLES + 0x800
    sw t2, 0(t3)
    li t0, TABLES + 0x1000
    sw t1, 0x100(t0)
    li t3, TABLES + 0x1800
    sw t2, 0(t3)
    # 2. Each table maps the same 256 frames, four times.
    li t0, LEAVES
    li t1, 8192
    li t3, RAM >> 12 << 10 | 0xCF
2:  slli t2, t1, 10
    sub t2, zero, t2
    li t4, 0x3FC00
    and t2, t2, t4
    add t2, t2, t3
    sw t2, 0(t0)
    addi t0, t0, 4
    addi t1, t1, -1
    bnez t1, 2b
    # 3. A page of code is jumps back; a disk's queue has one chain, made available often.
    li t0, CODE
    li t1, 0x400 * UNITS    # words
    li t2, 0x00008067
3:  sw t2, 0(t0)
    addi t0, t0, 4
    addi t1, t1, -1
    bnez t1, 3b
    li s0, 0x10001000
    li t0, 1
    sw t0, 0x24(s0)
    sw t0, 0x20(s0)
    li t0, 11
    sw t0, 0x70(s0)
    li t0, 128
    sw t0, 0x38(s0)
    li t0, RINGS
    sw t0, 0x80(s0)
    li t1, RINGS + 0x1000
    sw t1, 0x90(s0)
    li t2, RINGS + 0x2000
    sw t2, 0xa0(s0)
    li t3, 1
    sw t3, 0x44(s0)
    li t3, 15
    sw t3, 0x70(s0)
    li t3, RINGS + 0x3000
    sw t3, 0(t0)
    li t4, 16
    sw t4, 8(t0)
    li t4, 0x00010001
    sw t4, 12(t0)
    li t3, RAM + 0x80000
    sw t3, 16(t0)
    li t4, BUFFER
    sw t4, 24(t0)
    li t4, 0x00020003
    sw t4, 28(t0)
    li t3, RINGS + 0x4000
    sw t3, 32(t0)
    li t4, 1
    sw t4, 40(t0)
    li t4, 2
    sw t4, 44(t0)
    li s1, 0                # made available so far
    li s2, 1 << 31 | TABLES >> 12
    li s3, 1 << 31 | 1 << 22 | (TABLES + 0x1000) >> 12
    li t0, PAGED
    beqz t0, round
    csrw satp, s2
round:
    {acts}
    j round

handler:                    # step over what trapped
    csrw sscratch, t0
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    csrr t0, sscratch
    sret
"""

ACTS = {
    "fence": "sfence.vma",
    "switch": "csrw satp, s2\n csrw satp, s3",
    "alias": """
    slli t0, s4, {shift}
    li t1, 0xFFFFF000
    and t0, t0, t1
    {access} t1, 0(t0)""",
    "table": """
    slli t0, s4, {shift}
    li t1, 0x7FFC
    and t0, t0, t1
    li t1, LEAVES
    add t0, t0, t1
    lw t1, 0(t0)
    sw t1, 0(t0)""",
    "root": """
    li t0, TABLES + 4 * {shift}
    lw t1, 0(t0)
    sw t1, 0(t0)""",
    "units": """
    slli t0, s4, {shift}
    li t1, 0x0FFFC
    and t0, t0, t1
    li t1, CODE
    add t0, t0, t1
    jalr t0""",
    "rewrite": """
    slli t0, s4, {shift}
    li t1, 0x0FFFC
    and t0, t0, t1
    li t1, CODE
    add t0, t0, t1
    li t1, 0x00008067
    sw t1, 0(t0)
    jalr t0""",
    "illegal": ".word 0",
    "syscall": "li a7, 5\n ecall",
    "print": """
    li a7, 0x4442434E
    li a6, 0
    li a0, 4096             # now and then
    andi t0, s4, 63
    beqz t0, 5f
    li a0, 1
5:  li a1, RAM
    li a2, 0
    ecall""",
    "read": """
    li a7, 0x4442434E
    li a6, 1
    li a0, 0x100000
    li a1, RAM
    li a2, 0
    ecall""",
    "device": "lw t0, 0x70(s0)",
    "notify": """
    andi t0, s4, 127        # now and then
    bnez t0, 5f
    addi s1, s1, {chains}
    li t0, RINGS + 0x1000
    sh s1, 2(t0)
    sw zero, 0x50(s0)
5:""",
}

# A list of 512 pairs and one of 512 calls, and 112 pages that can become tables.
PATCHED = """
    .equ RAM, 0x80000000
    .equ PAIRS, RAM + 0x20000
    .equ CALLS, RAM + 0x24000
    .equ ROOT, RAM + 0x30000
    .equ FREE, RAM + 0x40000
    .globl _start, toyvmm_pv_abi
toyvmm_pv_abi:
_start:
    srli s0, a1, 12         # below the device tree lies the root, below that the leaves
    slli s0, s0, 12
    li t0, 0x1000
    sub s1, s0, t0
    sub s2, s1, t0
    # 1. A root of one's own, of 112 tables and the kernel's.
    li t0, ROOT
    li t1, P2M + 4 * 0x40
    li t2, 112
1:  lw t3, 0(t1)
    ori t3, t3, 1
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t1, t1, 4
    addi t2, t2, -1
    bnez t2, 1b
    li t0, RAM
    sub t0, s2, t0
    srli t0, t0, 10
    li t1, P2M
    add t0, t0, t1
    lw t1, 0(t0)
    ori t1, t1, 1
    li t0, ROOT + 0x800
    sw t1, 0(t0)
    # 2. What is to become a table must not be written.
    li s4, 0x40
2:  jal protect
    addi s4, s4, 1
    li t0, 0xB0
    bne s4, t0, 2b
    li s4, 0x30
    jal protect
    # 3. Pairs by turns: an entry of the base points to a table, and to none.
    li t0, PAIRS
    addi t1, s1, 20
    ori t1, t1, 1
    li t2, P2M + 4 * 0x40
    lw t2, 0(t2)
    ori t2, t2, 1
    li t3, 256
3:  sw t1, 0(t0)
    sw t2, 4(t0)
    sw t1, 8(t0)
    sw zero, 12(t0)
    addi t0, t0, 16
    addi t3, t3, -1
    bnez t3, 3b
    li s5, 1 << 31 | ROOT >> 12
    srli s6, s1, 12
    li t0, 1 << 31
    or s6, s6, t0
round:
    {acts}
    j round

protect:                    # the page of frame s4 is read-only from now on
    slli t0, s4, 2
    add a0, s2, t0
    li t1, P2M
    add t0, t0, t1
    lw a1, 0(t0)
    ori a1, a1, 0xC3
    li a7, HYP_SET_PTE
    ecall
    ret
"""

MULTICALL = """
    li t0, CALLS            # calls by turns
    li t1, {count}
7:  {one}
    {two}
    addi t1, t1, -1
    bnez t1, 7b
    li a7, HYP_MULTICALL
    li a0, CALLS
    li a1, 2 * {count}
    ecall"""
CALLED = {
    "batch": (Call.UPDATE_PTES, "PAIRS", "{pairs}"),
    "pin": (Call.PIN_TABLE, "FREE + 0x3000", "{level}"),
    "unpin": (Call.UNPIN_TABLE, "FREE + 0x3000", "0"),
    "pin_root": (Call.PIN_TABLE, "ROOT", str(Level.ROOT.value)),
    "unpin_root": (Call.UNPIN_TABLE, "ROOT", "0"),
    "base": (Call.NEW_BASE, "1 << 31 | ROOT >> 12", "0"),
    "flush": (Call.FLUSH, "0", "0"),
    "page": (Call.FLUSH_PAGE, "FREE", "0"),
    "print": (Call.CONSOLE_WRITE, "65", "0"),
    "trap": (Call.SET_TRAP, "0", "RAM"),
    "timer": (Call.SET_TIMER, "0", "-1"),
}


def _call(call: Call, first: str, second: str) -> str:
    return f"""
    li t2, HYP_{call.name}
    sw t2, 0(t0)
    li t2, {first}
    sw t2, 4(t0)
    li t2, {second}
    sw t2, 8(t0)
    addi t0, t0, 20"""


@st.composite
def unpatched(draw: st.DrawFn) -> tuple[bytes, str]:
    """A kernel for the bare machine, with a disk in slot 0, and its acts as text."""
    acts = []
    for _ in range(draw(st.integers(1, 4))):
        body = ACTS[draw(st.sampled_from(sorted(ACTS)))].format(
            shift=draw(st.integers(2, 24)), access=draw(st.sampled_from(["lw", "sw"])),
            chains=draw(st.integers(1, 32)),
        )  # fmt: skip
        acts.append(f"li s4, {draw(st.integers(1, 2000))}\n6:\n{body}\n"
                    f"addi s4, s4, -1\nbnez s4, 6b")  # fmt: skip
    text = "\n".join(acts)
    head = f".equ PAGED, {int(draw(st.booleans()))}\n.equ BUFFER, {draw(st.integers(1, 512)) << 9}"
    return assemble_text(head + UNPATCHED.format(acts=text), NAME).elf(), text


@st.composite
def patched(draw: st.DrawFn) -> tuple[bytes, str]:
    """A kernel patched for `pv`, and its acts as text."""
    acts = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 3)) == 0:
            acts += [f"li a7, HYP_NEW_BASE\nmv a0, {base}\necall" for base in ("s5", "s6")]
            continue
        pairs, level = draw(st.integers(1, 64)), draw(st.integers(0, 2))
        calls = [draw(st.sampled_from(sorted(CALLED))) for _ in range(2)]
        one, two = (
            _call(call, first, second.format(pairs=pairs, level=level))
            for call, first, second in (CALLED[name] for name in calls)
        )
        acts.append(MULTICALL.format(count=draw(st.integers(1, 50)), one=one, two=two))
    text = "\n".join(acts)
    return assemble_text(genhyp.include() + PATCHED.format(acts=text), NAME).elf(), text
