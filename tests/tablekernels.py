"""Hypothesis strategy: kernels that edit tables, and use them, in every order.

Tables, data and code are the same few frames; each may be root table, leaf table, page or
several at once.  A kernel that is `fenced` executes a fence after each store: then no TLB
holds what the tables do not have, and the kernel must not notice where it runs.  A wild
kernel keeps no rule at all.  Must not know what runs it.

    0x8000_0000  handler and body, 4 KiB each piece; a superpage in every frame below
    0x8001_0000  FRAMES frames, each all things
"""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import strategies as st

import asm
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.testing.programs import raw_words, u32

RAM_BASE, RAM_SIZE, BODY, POOL, FRAMES = 0x80000000, 1 << 20, 0x200, 0x10000, 6
KERNEL_ENTRY = 512  # of a root: the kernel's superpage
A0, A1, T0, T1 = 10, 11, 5, 6
SATP, STVEC, SSTATUS = 0x180, 0x105, 0x100

HANDLER = """
_start:                             # what traps is skipped; a fetch goes back to ra
    csrw    sscratch, t0
    csrr    t0, scause
    bltz    t0, 2f
    addi    t0, t0, -12
    beqz    t0, 1f
    addi    t0, t0, 11
    beqz    t0, 1f
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    j       3f
1:  csrw    sepc, ra
    j       3f
2:  li      t0, -1
    csrw    stimecmph, t0
    csrci   sip, 2
3:  addi    s2, s2, 1
    csrr    t0, sscratch
    sret
"""
END = "    li a7, 8\n    ecall\n"
_handler = asm.assemble_text(HANDLER).sections[0].data
_end = asm.assemble_text("_start:\n" + END).sections[0].data


def e(name: str, *operands: int) -> int:
    return ROWS[name].encode(*operands)


def load_constant(register: int, value: int) -> list[int]:
    low = (value & 0xFFF ^ 0x800) - 0x800
    return [
        e("lui", register, (value - low >> 12) & 0xFFFFF),
        e("addi", register, register, low),
    ]


fence = e("sfence.vma", 0, 0)
pool_frames = st.integers(0, FRAMES - 1).map(lambda n: (RAM_BASE + POOL >> 12) + n)
wild_frames = st.one_of(
    pool_frames,
    st.sampled_from([0, 0x10000, 0x80000, 0x80001, 0x800FF, 0x80100, 0x801FF, 0x80200, 0x3FFFFF]),
    st.integers(0, 0x3FFFFF),
)
flags = st.one_of(
    st.just(0x01), st.just(0x01),
    st.sampled_from([0x00, 0x03, 0x07, 0x0F, 0x0B, 0x09, 0x17, 0x1F, 0x43, 0xC7, 0xCF, 0xDF]),
    st.integers(0, 0xFF),
)  # fmt: skip
supers = st.builds(lambda bits: RAM_BASE >> 2 | bits, flags)


def entries(fenced: bool) -> st.SearchStrategy[int]:
    """Page-table entries; global ones only if stale entries are allowed."""
    frames = pool_frames if fenced else wild_frames
    keep = 0xFFFFFFDF if fenced else 0xFFFFFFFF
    made = st.one_of(
        st.builds(lambda frame, bits: (frame << 10 | bits) & keep, frames, flags),
        supers.map(lambda pte: pte & keep),
    )
    return made if fenced else st.one_of(made, u32)


few = st.integers(0, 3)
# An address through the window's two levels, through the pool itself, or through a superpage over
# it.
addresses = st.one_of(
    st.builds(lambda i, j, n: i << 22 | j << 12 | 4 * n, few, few, few),
    st.builds(lambda frame, n: (frame << 12) + 4 * n, pool_frames, few),
    st.builds(lambda i, n, at: i << 22 | POOL + (n << 12) + 4 * at, few, st.integers(0, 5), few),
)


def _stores(fenced: bool) -> st.SearchStrategy[list[int]]:
    after = [fence] if fenced else []
    kinds = st.sampled_from(["sw", "sw", "sw", "sb", "sh", "amoswap.w", "amoor.w", "sc.w"])

    def build(kind: str, at: int, value: int) -> list[int]:
        words = load_constant(T0, at) + load_constant(T1, value)
        if kind == "sc.w":
            words += [e("lr.w", A1, T0), e(kind, A1, T1, T0)]
        elif kind.startswith("amo"):
            words += [e(kind, A1, T1, T0)]
        else:
            words += [e(kind, T1, 0, T0)]
        return words + after

    return st.builds(build, kinds, addresses, entries(fenced))


def _load(name: str, at: int) -> list[int]:
    return [*load_constant(T0, at), e(name, A0, 0, T0), e("add", 8, 8, A0)]


def items(fenced: bool) -> st.SearchStrategy[list[int]]:
    """A few instructions that belong together."""
    roots = pool_frames if fenced else wild_frames
    spaces = st.builds(
        lambda asid, frame: [
            *load_constant(T0, 0x80000000 | asid << 22 | frame),
            e("csrrw", 0, SATP, T0),
            *([fence] if fenced else []),
        ],
        few, roots,
    )  # fmt: skip
    jumps = st.builds(lambda at: [*load_constant(T0, at & ~3), e("jalr", 1, 0, T0)], addresses)
    bits = st.sampled_from([1 << 18, 1 << 19, 2])
    status = st.builds(
        lambda op, value: [*load_constant(T0, value), e(op, 0, SSTATUS, T0)],
        st.sampled_from(["csrrs", "csrrc"]), bits,
    )  # fmt: skip
    fences = st.builds(
        lambda at, asid, a, b: [
            *load_constant(T0, at), *load_constant(T1, asid),
            e("sfence.vma", T0 if a else 0, T1 if b else 0),
        ],
        addresses, few, st.booleans(), st.booleans(),
    )  # fmt: skip
    loads = st.builds(_load, st.sampled_from(["lw", "lbu", "lh"]), addresses)
    choices = [_stores(fenced), _stores(fenced), loads, spaces, status, fences, jumps]
    if not fenced:
        choices += [
            raw_words.map(lambda word: [word]),
            st.builds(
                lambda value, number: [*load_constant(T0, value), e("csrrw", 0, number, T0)],
                u32, st.sampled_from([SATP, STVEC, SSTATUS, 0x104, 0x141, 0x14D, 0x15D]),
            ),
            st.just([e("sret")]), st.just([e("ecall")]), st.just([e("wfi")]),
        ]  # fmt: skip
    return st.one_of(choices)


class TableKernel:
    """RAM as {offset: bytes} and where it starts; `put` puts it into a machine."""

    def __init__(self, ram: dict[int, bytes], satp: int, words: list[int]):
        self.ram, self.satp, self.words = ram, satp, words

    def __repr__(self) -> str:
        from asm.disasm import disassemble

        start = RAM_BASE + BODY
        body = [
            f"{start + 4 * n:x}: {word:08x} {disassemble(word, start + 4 * n)}"
            for n, word in enumerate(self.words)
        ]
        tables = [
            f"{RAM_BASE + at + 4 * n:x}: {word:08x}"
            for at, data in self.ram.items() if at >= POOL
            for n, (word,) in enumerate(struct.iter_unpack("<I", data)) if word
        ]  # fmt: skip
        return "\n".join(["", *body, *tables, f"satp {self.satp:x}"])

    def put(self, machine: Any) -> None:
        """Put it into a machine that has stopped, in S at the body."""
        from toyisa.core.tlb import recontext

        for at, data in self.ram.items():
            machine.poke(RAM_BASE + at, data)
        machine.boot(RAM_BASE + BODY, 0)
        hart = machine.hart
        hart.clock.per_tick = 16
        hart.csr.stvec, hart.csr.satp = RAM_BASE, self.satp
        hart.csr.stimecmph = 0xFFFFFFFF
        recontext(hart)
        machine.end_input()


@st.composite
def table_kernels(draw: st.DrawFn, fenced: bool, size: int = 30) -> TableKernel:
    """Kernels in S, whose body runs once, then again; the tables have something in them."""
    chosen = draw(st.lists(items(fenced), min_size=3, max_size=size))
    words = [word for item in chosen for word in item]
    again = [e("addi", 9, 9, 1), e("slti", 7, 9, 3), e("beq", 7, 0, 8)]
    back = -4 * (len(words) + len(again))
    body = words + again + [e("jal", 0, back)]
    ram = {0: _handler, BODY: struct.pack(f"<{len(body)}I", *body) + _end}
    pte = entries(fenced)
    for n in range(FRAMES):
        frame = [0] * 1024
        frame[:4] = draw(st.lists(pte, min_size=4, max_size=4))
        frame[KERNEL_ENTRY] = RAM_BASE >> 2 | 0xCF
        ram[POOL + (n << 12)] = struct.pack("<1024I", *frame)
    satp = draw(st.one_of(st.just(0), pool_frames.map(lambda frame: 0x80400000 | frame)))
    return TableKernel(ram, satp, words)
