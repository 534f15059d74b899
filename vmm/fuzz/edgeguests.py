"""Answers for guests that try the edges: rows of numbers, and a kernel that does them.

The kernel is always the same: for each row it loads the argument registers, does the row's
act, and records what came back, and each trap that it took.  So a case is its rows, and can
be shrunk to the few that matter.  Must not know what is required of a run.
"""

import struct
from dataclasses import dataclass

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.tables.bits import SATP_MODE_SV32, SSTATUS_SPP
from toyisa.testing.code import Code
from toyisa.testing.images import write_elf
from vmm.engines.pv import MARK
from vmm.fuzz import pvruntime
from vmm.fuzz.edges import LEAF, ROOT, WINDOW
from vmm.fuzz.pvoperands import RESUME

ROWS, RESULTS = RAM_BASE + 0x50000, RAM_BASE + 0x80000
ROW_WORDS, SLOT_WORDS = 8, 4
RA, T0, T1, S0, A0, A1, A2, A3, A6, A7 = 1, 5, 6, 8, 10, 11, 12, 13, 16, 17
ROW, LAST, RESULT, KIND, PLACE, X, Y = 18, 19, 20, 28, 29, 30, 31
ARGUMENTS = (A0, A1, A2, A3, A6, A7)
SPP = SSTATUS_SPP

# What a row can do, with its address in a0 and its value in a1: at most three instructions.
_ACTS: dict[str, list[tuple]] = {
    "ecall": [("ecall",)],
    **{name: [(name, A1, 0, A0)] for name in ("lb", "lbu", "lh", "lhu", "lw", "sb", "sh", "sw")},
    "entry": [("sw", A1, 0, A0), ("sfence.vma", 0, 0)],
    "lw+2047": [("lw", A1, 2047, A0)], "lw-2048": [("lw", A1, -2048, A0)],
    "sw+2047": [("sw", A1, 2047, A0)], "sw-2048": [("sw", A1, -2048, A0)],
    "lw-4(x0)": [("lw", A1, -4, 0)], "sw-4(x0)": [("sw", A1, -4, 0)],
    "lw2044(x0)": [("lw", A1, 2044, 0)], "sw-2048(x0)": [("sw", A1, -2048, 0)],
    "lr.w": [("lr.w", A1, A0), ("sc.w", A2, A1, A0)],
    "amoadd.w": [("amoadd.w", A1, A1, A0)], "sc.w": [("sc.w", A1, A1, A0)],
    "jalr": [("jalr", RA, 0, A0)],
    "satp": [("csrrw", 0, "satp", A0)], "fence": [("sfence.vma", A0, A1)],
    "timer": [("csrrw", 0, "stimecmp", A0), ("csrrw", 0, "stimecmph", A1)],
    "probe.r": [("probe.r", A1, A0)], "probe.w": [("probe.w", A1, A0)],
    "stvec": [("csrrw", 0, "stvec", A0)], "sie": [("csrrw", 0, "sie", A0)],
    "user": [("csrrw", 0, "sepc", A0), ("csrrc", 0, "sstatus", S0), ("sret",)],
    "wfi": [("wfi",)],
}  # fmt: skip
ACTS = tuple(_ACTS)


@dataclass(frozen=True)
class Row:
    """One act, and the contents of the argument registers: a0 to a3, a6, a7."""

    act: str
    args: tuple[int, ...] = ()

    def words(self) -> list[int]:
        numbers = [*self.args, *[0] * (len(ARGUMENTS) - len(self.args))]
        return [ACTS.index(self.act), *numbers, 0]

    def __str__(self) -> str:
        return " ".join([self.act, *(f"{n:#x}" for n in self.args)])


def kernel(rows: list[Row], patched: bool, paged: bool, pages: dict[int, bytes]) -> bytes:
    """The ELF of a guest that does the rows; `pages` are further pages of its memory."""
    code = Code()
    if patched:
        pvruntime.handler(code)
        pvruntime.boot(code)
    else:
        _handler(code)
        _boot(code, paged)
    code.li(S0, SPP).li(ROW, ROWS).li(LAST, ROWS + 4 * ROW_WORDS * len(rows)).li(RESULT, RESULTS)
    _round(code, patched)
    image, places = code.words(), code.labels
    words = {
        RAM_BASE: image, ROWS: [word for row in rows for word in row.words()],
    }  # fmt: skip
    packed = {at: struct.pack(f"<{len(some)}I", *some) for at, some in words.items() if some}
    packed |= {ROOT: _root(), LEAF: bytes(PAGE)} if not patched else {}
    symbols = {name: RAM_BASE + at for name, at in places.items()}
    if patched:
        ranges = ("handler", "leave", "leave", "boot")
        packed[pvruntime.LIST] = struct.pack("<4I", *(symbols[name] for name in ranges))
        symbols[MARK] = pvruntime.LIST
    return write_elf(packed | pages, symbols["boot"], symbols)


def _root() -> bytes:
    """A root table that maps everything to itself by superpages, and the window's table."""
    entries = [0] * 1024
    for place in (0, 0x0C00_0000, 0x0C20_0000, 0x1000_0000, RAM_BASE, RAM_BASE + (1 << 22)):
        entries[place >> 22] = place >> 22 << 20 | 0xCF
    entries[WINDOW >> 22] = LEAF >> 12 << 10 | 1
    return struct.pack("<1024I", *entries)


def _handler(code: Code) -> None:
    """Record the trap; skip the instruction if it was in here, and come back from elsewhere."""
    code.label("handler").e("csrrs", X, "scause", 0)
    code.e("sw", X, 0, RESULT).e("csrrs", Y, "stval", 0).e("sw", Y, 4, RESULT)
    code.e("addi", RESULT, RESULT, 8).to("exception", "bge", X, 0)
    code.e("csrrw", 0, "sie", 0).e("sret")
    code.label("exception").e("csrrs", Y, "sepc", 0).e("auipc", X, 0)
    code.e("sub", X, Y, X).e("srli", X, X, 11).to("back", "bne", X, 0)
    code.e("addi", Y, Y, 4).to("leave")
    code.label("back").e("addi", Y, RA, 0)
    code.label("leave").e("csrrw", 0, "sepc", Y).e("csrrs", 0, "sstatus", S0).e("sret")


def _boot(code: Code, paged: bool) -> None:
    code.label("boot").li(T0, RAM_BASE).e("csrrw", 0, "stvec", T0).e("addi", T0, 0, -1)
    code.e("csrrw", 0, "stimecmph", T0)
    if paged:
        code.li(T0, SATP_MODE_SV32 | ROOT >> 12).e("csrrw", 0, "satp", T0).e("sfence.vma", 0, 0)


def _round(code: Code, patched: bool) -> None:
    """Do one row after the other; a row that gets lost continues behind its act."""
    code.label("next").to("more", "bltu", ROW, LAST)
    code.e("addi", A7, 0, 8).e("ecall").to("next")
    code.label("more").to("known", "jal", RA).to("join")
    code.label("known")
    if patched:
        code.e("sw", RA, RESUME, 0)
    code.e("lw", KIND, 0, ROW)
    for n, register in enumerate(ARGUMENTS):
        code.e("lw", register, 4 + 4 * n, ROW)
    code.e("addi", ROW, ROW, 4 * ROW_WORDS).e("slli", KIND, KIND, 4)
    code.e("auipc", PLACE, 0).e("add", PLACE, PLACE, KIND).e("jalr", 0, 12, PLACE)
    for act in _ACTS.values():
        for insn in act:
            code.e(*insn)
        code.to("join")
        for _ in range(SLOT_WORDS - 1 - len(act)):
            code.e("addi", 0, 0, 0)
    code.label("join").e("sw", A0, 0, RESULT).e("sw", A1, 4, RESULT).e("addi", RESULT, RESULT, 8)
    if not patched:
        code.e("sfence.vma", 0, 0)
    code.to("next")
