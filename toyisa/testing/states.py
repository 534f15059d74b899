"""Answers for random states of a whole machine: RAM with tables, registers, CSRs.

A state is data; it will run random privileged code.  Must not know what runs it. It need not
end, and may do anything; kernels that boot and end are in `kernels.py`.

    physical                       virtual
    0x8000_0000 handler, body      0x8000_0000 all of it, for S, by a superpage
    0x8000_1000 root of space A    0x0040_0000 the first page, for U
    0x8000_2000 root of space B    0x0040_1000 .. +5 pages: random entries
    0x8000_3000 leaf tables A, B   0x0080_0000 a superpage, random
    0x8000_8000 four data pages    0x00c0_0000 an entry of random bits

Each space has an ASID of its own, and code cannot write the tables.  So a TLB does not hold
what the tables do not have: a machine with a TLB and the model without one must agree without
any fence, as long as the state is `within_rules`.
"""

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from toyisa.core.tlb import flush, recontext, reserve
from toyisa.tables.bits import PTE_A, PTE_D, PTE_G, SATP_ASID_SHIFT, SATP_MODE_SV32
from toyisa.tables.csrs import CSRS
from toyisa.tables.fields import csr_of, lower, upper
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.tables.insns import INSNS, Cost, Sens, find
from toyisa.tables.levels import Level
from toyisa.testing import shown
from toyisa.testing.programs import instructions, raw_words, sequences, u32

if TYPE_CHECKING:
    from toyisa.machine import Machine

RAM_BASE = 0x80000000
RAM_SIZE = 1 << 20
BODY = 0x200
ROOTS = (0x1000, 0x2000)
LEAVES = (0x3000, 0x4000)
DATA = 0x8000
USER = 0x00400000
WINDOW_PAGES = 5
SUPERPAGE = 0x00800000
SATP = next(row.number for row in CSRS if row.name == "satp")
LEAF_S = 0xCF  # D A X W R V


def within_rules(before: bytes, now: bytes, satp: int) -> bool:
    """Whether no TLB can be stale: only A and D differ in the tables of two RAMs, and satp names
    one of the two spaces.

    A state breaks these rules if it stores to tables, or to its own code, which then writes
    another root table to satp without a fence.  From there on correct machines may differ.
    """
    if satp not in spaces():
        return False
    tables = slice(ROOTS[0], LEAVES[-1] + 0x1000)
    old, new = before[tables], now[tables]
    if old == new:
        return True
    changed = np.frombuffer(old, "<u4") ^ np.frombuffer(new, "<u4")
    return not (changed & ~np.uint32(PTE_A | PTE_D)).any()


def e(name: str, *operands: int) -> int:
    return ROWS[name].encode(*operands)


def csr_number(name: str) -> int:
    return next(row.number for row in CSRS if row.name == name)


T0, SCRATCH, EPC, CAUSE = 5, csr_number("sscratch"), csr_number("sepc"), csr_number("scause")


def handler() -> list[int]:
    """Skip what trapped; put off the timer; restart the body after a wild jump.

    It uses one register, t0, and keeps its value in sscratch meanwhile.
    """
    put_off = [
        e("addi", T0, 0, -1),
        e("csrrw", 0, csr_number("stimecmph"), T0),
        e("csrrci", 0, csr_number("sip"), 2),
    ]
    skip = [
        e("csrrs", T0, EPC, 0),
        e("addi", T0, T0, 4),
        e("csrrw", 0, EPC, T0),
    ]
    leave = [e("csrrw", T0, SCRATCH, T0), e("sret")]
    restart = [  # in U, from the start of the body
        e("lui", T0, USER >> 12),
        e("addi", T0, T0, BODY),
        e("csrrw", 0, EPC, T0),
        e("addi", T0, 0, 0x100),
        e("csrrc", 0, csr_number("sstatus"), T0),
    ]
    return [
        e("csrrw", T0, SCRATCH, T0),
        e("csrrs", T0, CAUSE, 0),
        e("bge", T0, 0, 24),                 # not an interrupt: over put_off
        *put_off,
        e("jal", 0, 4 * (1 + 3 + 3 + 1 + 5)),  # to leave
        e("addi", T0, T0, -12),
        e("beq", T0, 0, 4 * (1 + 3 + 1)),    # a fetch page fault: restart
        e("addi", 0, 0, 0),
        *skip,
        e("jal", 0, 4 * (1 + 5)),            # to leave
        *restart,
        *leave,
    ]  # fmt: skip


@dataclass(repr=False)
class MachineState(shown.Readable):
    """RAM as {offset: bytes}, the registers, the CSRs, and who may do what."""

    ram: dict[int, bytes]
    x: list[int]
    pc: int
    priv: int
    csr: dict[str, int]
    body: list[int]

    def ram_bytes(self) -> bytes:
        """The whole of RAM."""
        ram = bytearray(RAM_SIZE)
        for at, data in self.ram.items():
            ram[at : at + len(data)] = data
        return bytes(ram)

    def put(self, machine: "Machine") -> None:
        """Put it into a machine with RAM_SIZE bytes of RAM or more, new or used before."""
        hart = machine.hart
        machine.poke(RAM_BASE, self.ram_bytes())
        hart.x[:32] = self.x
        hart.pc, hart.priv = self.pc, self.priv
        for name, value in self.csr.items():
            hart.csr[name] = value
        flush(hart, -1, -1)
        reserve(hart, -1)
        recontext(hart)

    def __repr__(self) -> str:
        """What a person needs to see: the body, what it reads, the tables, what is not 0."""
        csrs = " ".join(f"{name}={value:#x}" for name, value in self.csr.items() if value)
        tables = {at: self.ram[at] for at in (*ROOTS, *LEAVES) if at in self.ram}
        return "\n".join([
            f"MachineState: pc={self.pc:#x} priv={self.priv}",
            *shown.listing(self.body, self.pc),
            f"registers {shown.registers(self.x, self.body)}",
            f"csrs      {csrs}",
            f"tables    {PageTables(tables)!r}",
            f"data      {shown.filled(self.ram.get(DATA, b''))}",
        ])  # fmt: skip


class PageTables(shown.Readable, dict):
    """{offset in RAM: bytes}; it is printed as physical addresses and words that are not 0."""

    def __repr__(self) -> str:
        return " ".join(shown.nonzero(data, RAM_BASE + at) for at, data in self.items())


frames = st.one_of(
    st.integers(0, 3).map(lambda n: (RAM_BASE + DATA >> 12) + n),
    st.just(RAM_BASE >> 12),                      # the code, for who may write it
    st.sampled_from([0, (RAM_BASE + RAM_SIZE) >> 12, 0x3FFFFF]),  # nothing is there
)  # fmt: skip
# Flags that tend to map something; never G, since the two spaces differ.
flags = st.one_of(
    st.sampled_from([0x01, 0x03, 0x07, 0x0F, 0x17, 0x1F, 0x1B, 0x09, 0x13, 0xDF]),
    st.integers(0, 0xFF).map(lambda bits: bits & ~PTE_G),
)
entries = st.builds(lambda frame, bits: frame << 10 | bits, frames, flags)
big_entries = st.builds(
    lambda wild, bits: (RAM_BASE >> 12) + wild << 10 | bits,
    st.sampled_from([0, 0, 0, 1, 0x200]),  # if it is not 0, it is misaligned
    flags,
)
places = st.one_of(
    st.builds(lambda page, at: USER + page * 4096 + at,
              st.integers(0, WINDOW_PAGES + 1), st.sampled_from([0, 4, 8, 0x7FC, 0xFFC])),
    st.builds(lambda page, at: RAM_BASE + DATA + page * 4096 + at,
              st.integers(0, 3), st.sampled_from([0, 4, 0xFFC])),
    st.sampled_from([SUPERPAGE + DATA, SUPERPAGE, 0x00C00000, USER + BODY, RAM_BASE + BODY]),
    u32,
)  # fmt: skip


def spaces() -> list[int]:
    """The values of satp that a kernel may use: bare, space A, space B."""
    sv32 = SATP_MODE_SV32
    return [0] + [
        sv32 | asid << SATP_ASID_SHIFT | (RAM_BASE + root) >> 12
        for asid, root in enumerate(ROOTS, 1)
    ]


@st.composite
def page_tables(draw: st.DrawFn) -> dict[int, bytes]:
    """The tables of both spaces: the kernel's superpage, the window, random entries."""
    ram = PageTables()
    for root, leaf in zip(ROOTS, LEAVES, strict=True):
        top = [0] * 1024
        top[RAM_BASE >> 22] = RAM_BASE >> 2 | LEAF_S & draw(st.sampled_from([0xFF, 0x3F, 0x7F]))
        top[USER >> 22] = (RAM_BASE + leaf) >> 2 | 1
        top[SUPERPAGE >> 22] = draw(big_entries)
        top[3] = draw(st.one_of(st.just(0), u32)) & ~PTE_G
        if top[3] & 0xF == 1 and top[3] >> 10 << 12 >= RAM_BASE:
            top[3] = 0  # a pointer into RAM would make a table of memory that code can write
        window = [RAM_BASE >> 2 | 0x1B] + [draw(entries) for _ in range(WINDOW_PAGES)]
        ram[root] = struct.pack("<1024I", *top)
        ram[leaf] = struct.pack(f"<{len(window)}I", *window)
    return ram


def _no_satp(word: int) -> bool:
    """Only `switches` may write satp: nothing guards the table that a random value names."""
    row = find(word)
    return row is None or row.cost is not Cost.CSR or csr_of(word) != SATP


CSR_ROWS = tuple(row for row in INSNS if row.cost is Cost.CSR)
MEMORY_ROWS = tuple(row for row in INSNS if row.cost in {Cost.LOAD, Cost.STORE, Cost.ATOMIC})
PRIVILEGED = tuple(row for row in INSNS if row.sens in {Sens.CONTROL, Sens.BEHAVIOUR})
csr_words = st.builds(
    lambda row, rd, number, source: row.encode(rd, number, source),
    st.sampled_from(CSR_ROWS), st.integers(0, 31),
    st.sampled_from([row.number for row in CSRS if row.name not in {"satp", "stvec"}]),
    st.integers(0, 31),
)  # fmt: skip


@st.composite
def switches(draw: st.DrawFn) -> list[int]:
    """Load a register with a legal satp and write it."""
    value = draw(st.sampled_from(spaces()))
    return [
        e("lui", 6, upper(value)),
        e("addi", 6, 6, lower(value)),
        e("csrrw", draw(st.sampled_from([0, 7])), SATP, 6),
    ]


def _near(word: int) -> int:
    """A memory word with a small offset, so that the access hits what `places` chose."""
    row = next((r for r in MEMORY_ROWS if word & r.mask == r.match), None)
    if row is None or row.cost is Cost.ATOMIC:
        return word
    values = list(row.operand_values(word))
    at = next(n for n, f in enumerate(row.fields) if f.name.endswith("imm12"))
    values[at] = values[at] % 5 * 2
    return row.encode(*values)


items = st.one_of(
    instructions().map(lambda word: [word]),
    instructions(MEMORY_ROWS).map(lambda word: [_near(word)]),
    instructions(MEMORY_ROWS).map(lambda word: [_near(word)]),
    instructions(PRIVILEGED).map(lambda word: [word]),
    csr_words.map(lambda word: [word]),
    raw_words.map(lambda word: [word]),
    switches(),
)


@st.composite
def machine_states(draw: st.DrawFn, max_size: int = 40) -> MachineState:
    """A random state, ready to run its body in S or in U."""
    drawn = draw(sequences(items, max_size))
    body = [word for item in drawn for word in item if len(item) > 1 or _no_satp(word)]
    code = handler()
    ram = dict(draw(page_tables()))
    ram[0] = struct.pack(f"<{len(code)}I", *code)
    ram[BODY] = struct.pack(f"<{len(body) + 1}I", *body, e("jal", 0, -4 * len(body)))
    ram[DATA] = draw(st.binary(min_size=16, max_size=16)) * (4 * 4096 // 16)
    priv = draw(st.sampled_from([Level.U, Level.S]))
    csr = {row.name: draw(u32) & row.writable for row in CSRS if not row.read_only}
    csr |= {
        "satp": draw(st.sampled_from(spaces()[1:] if priv == Level.U else spaces())),
        "stvec": RAM_BASE,
        "stimecmp": draw(st.integers(0, 3)),
        "stimecmph": draw(st.sampled_from([0, 0xFFFFFFFF])),
    }
    # Few places, so that accesses hit the same ones
    few = draw(st.lists(places, min_size=4, max_size=8))
    x = [0] + [few[n * 5 % len(few)] for n in range(31)]
    pc = (USER if priv == Level.U else RAM_BASE) + BODY
    return MachineState(ram, x, pc, int(priv), csr, body)
