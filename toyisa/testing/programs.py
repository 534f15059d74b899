"""Answers for random instruction words and user programs, as Hypothesis strategies.

They use the instruction and CSR tables, so a new row is covered automatically. Must not know
what an instruction does.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from toyisa.core.memory import RAM_BASE
from toyisa.tables.csrs import CSRS
from toyisa.tables.fields import Field, Kind
from toyisa.tables.insns import BY_NAME, INSNS, Cost, Insn, Sens
from toyisa.testing import shown
from toyisa.testing.code import Code

if TYPE_CHECKING:
    from toyisa.machine import Machine

CORNERS = (
    0, 1, 2, 3, 4, 31, 32, 33, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF,
    0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xAAAAAAAA, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip

u32 = st.one_of(st.sampled_from(CORNERS), st.integers(0, 0xFFFFFFFF))

# Registers that programs keep: where they may load and store, and how they get there.
SCRATCH_REG, ADDRESS_REG, TARGET_REG = 31, 30, 29
SCRATCH_SIZE = 4096
SCRATCH = RAM_BASE + 0x10000  # unless another place is given
SHUTDOWN = Code().e("addi", 17, 0, 8).e("ecall").words()  # legacy SBI call 8
free_regs = st.integers(0, 28)


# Seven of eight are in the table; an access to any other CSR only traps.
csr_numbers = st.integers(0, 7).flatmap(
    lambda n: st.sampled_from([row.number for row in CSRS]) if n < 7 else st.integers(0, 0xFFF)
)


def values(operand: Field) -> st.SearchStrategy[int]:
    """Any value that `operand` can hold, often one of its ends; of CSRs usually the table's."""
    if operand.kind is Kind.CSR:
        return csr_numbers
    step = 1 << operand.align
    spread = st.integers(operand.low // step, operand.high // step).map(lambda n: n * step)
    if operand.kind is Kind.REG:
        return spread
    return st.one_of(st.sampled_from((operand.low, 0, step, operand.high // step * step)), spread)


def named(rows: Sequence[Insn | str]) -> list[Insn]:
    """Rows of the table, each given as a row or by its name; ValueError if there are none."""
    if unknown := [row for row in rows if isinstance(row, str) and row not in BY_NAME]:
        raise ValueError(f"there is no instruction {', '.join(map(repr, unknown))}")
    if not rows:
        raise ValueError("no row of the instruction table to draw from")
    return [BY_NAME[row] if isinstance(row, str) else row for row in rows]


@st.composite
def instructions(draw: st.DrawFn, rows: Sequence[Insn | str] = INSNS) -> int:
    """A legal word of one of `rows`, or of their names, with any operands, any aq and rl."""
    row = draw(st.sampled_from(named(rows)))
    operands = [draw(values(operand)) for operand in row.fields]
    order = {"aq": draw(st.integers(0, 1)), "rl": draw(st.integers(0, 1))} if row.ordered else {}
    return row.encode(*operands, **order) | draw(st.integers(0, 0xFFFFFFFF)) & row.ignored


raw_words = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    # near misses: a legal word with one bit inverted
    st.builds(lambda word, bit: word ^ 1 << bit, instructions(), st.integers(0, 31)),
)

# Instructions that run in U, do not trap, and do not show the level.
USER_ROWS = tuple(
    row for row in INSNS if row.sens is Sens.INNOCUOUS and row.cost is not Cost.SYSTEM
)
MEMORY = {Cost.LOAD, Cost.STORE, Cost.ATOMIC}
TRANSFER = {Cost.BRANCH, Cost.JUMP}


@dataclass(repr=False)
class Program(shown.Readable):
    """A user-mode program that runs to its end, whatever its branches do.

    `words` in order; `regs` are the 32 registers at the start.  Before it runs, SCRATCH_REG
    must be pointed to the middle of `memory`: `put` does that for a Machine.
    """

    words: list[int]
    regs: list[int]
    memory: bytes

    def put(self, machine: "Machine", code: int = RAM_BASE, memory: int = SCRATCH) -> int:
        """Put it into a new machine, ready to run in S; return where it ends.  Addresses are
        physical.

        SCRATCH_REG is set to the middle of `memory`.  What comes after the end turns the
        machine off.
        """
        words, end = [*self.words, *SHUTDOWN], code + 4 * len(self.words)
        machine.poke(code, struct.pack(f"<{len(words)}I", *words))
        machine.poke(memory, self.memory)
        machine.hart.x[:32] = self.regs
        machine.hart.x[SCRATCH_REG] = memory + len(self.memory) // 2
        machine.hart.pc = code
        return end

    def __repr__(self) -> str:
        """Its words from 0, the registers that they read, and the memory."""
        lines = ["Program:", *shown.listing(self.words)]
        lines.append(f"registers {shown.registers(self.regs[:SCRATCH_REG], self.words)}")
        return "\n".join([*lines, f"memory    {shown.filled(self.memory)}"])


def _access_size(row: Insn) -> int:
    """Bytes that a memory row moves, by the letters b and h of the mnemonic."""
    return {"b": 1, "h": 2}.get(row.name[1:2], 4) if row.cost is not Cost.ATOMIC else 4


@dataclass
class Item:
    """Words that stay together, then the row that ends them if it is a transfer of control."""

    words: list[int]
    transfer: Insn | None = None
    chosen: dict[str, int] = field(default_factory=dict)
    ahead: int = 1  # how many parts ahead a transfer goes

    def __len__(self) -> int:
        """Length in words; a transfer by register first needs its target computed."""
        if self.transfer is None:
            return len(self.words)
        return len(self.words) + (1 if self.transfer.fields[-1].kind is Kind.TARGET else 2)


@st.composite
def items(
    draw: st.DrawFn, rows: tuple[Insn, ...], regs: st.SearchStrategy[int] = free_regs
) -> Item:
    """One of `rows`; memory is accessed through SCRATCH_REG, a transfer goes where `link` says."""
    row = draw(st.sampled_from(rows))
    chosen = {
        operand.name: draw(regs if operand.kind is Kind.REG else values(operand))
        for operand in row.fields
    }
    if row.cost in TRANSFER:
        return Item([], row, chosen, draw(st.integers(1, 6)))
    before = []
    if row.cost in MEMORY:
        size = _access_size(row)
        # few places, so that stores, loads and reservations hit the same ones
        offset = draw(st.one_of(st.sampled_from((0, 1)), st.integers(-500, 500))) * size
        name = next((o.name for o in row.fields if o.name.endswith("imm12")), None)
        if name is None:
            before = [BY_NAME["addi"].encode(ADDRESS_REG, SCRATCH_REG, offset)]
            chosen["rs1"] = ADDRESS_REG
        else:
            chosen |= {"rs1": SCRATCH_REG, name: offset}
    return Item([*before, row.encode(*chosen.values())])


def link(parts: list[Item]) -> list[int]:
    """The words of all parts; every transfer goes to the start of a later part, or the end."""
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + 4 * len(part))
    out: list[int] = []
    for n, part in enumerate(parts):
        out += part.words
        if part.transfer is None:
            continue
        chosen, row = dict(part.chosen), part.transfer
        distance = starts[min(n + part.ahead, len(parts))] - 4 * len(out)
        if len(part) > len(part.words) + 1:
            out.append(BY_NAME["auipc"].encode(TARGET_REG, 0))
            chosen |= {"rs1": TARGET_REG, "imm12": distance}
        else:
            chosen["branch" if "branch" in chosen else "jump"] = distance
        out.append(row.encode(*chosen.values()))
    return out


def sequences(
    elements: st.SearchStrategy, max_size: int, min_size: int = 1
) -> st.SearchStrategy[list]:
    """Lists of `min_size`, none or one, to `max_size` elements; on average half as many.

    One of several lists is chosen, since a single list is usually short, however long it may
    be. The least of them is still the shortest.
    """
    some = [
        st.lists(elements, min_size=0 if start else min_size, max_size=min(10, max_size - start))
        for start in range(0, max_size, 10)
    ]
    return st.tuples(*some).map(lambda lists: [one for part in lists for one in part])


@st.composite
def programs(
    draw: st.DrawFn, rows: Sequence[Insn | str] = USER_ROWS, max_size: int = 40
) -> Program:
    """A program of `rows` that always ends: every transfer of control goes forward."""
    parts = draw(sequences(items(tuple(named(rows))), max_size))
    out = link(parts)
    regs = [0, *(draw(u32) for _ in range(31))]
    memory = draw(st.binary(min_size=64, max_size=64)) * (SCRATCH_SIZE // 64)
    return Program(out, regs, memory)
