"""Answers for what hostile patched guests pass to the monitor, load, store and jump to.

An operand is a function that adds code to load it into a register, since much of what a guest
of `pv` needs is known only when it runs (the P2M map, where its tables are, the time). Must
not know what is done with it.
"""

from collections.abc import Callable

from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.tables.bits import SIE_SEIE, SIE_STIE
from toyisa.tables.csrs import BY_NAME as CSRS
from toyisa.testing.code import Code
from toyisa.testing.programs import u32
from vmm.abi.hypercalls import (
    FIRST_WORD,
    M2P_PAGES,
    MAX_BATCH,
    MAX_CALLS,
    P2M,
    P2M_PAGES,
    WORDS_PAGE,
    Row,
    Word,
)  # fmt: skip
from vmm.fuzz.places import devices, edges

Operand = Callable[[Code, int], object]

FRAMES = 256
MONITORS = P2M_PAGES + M2P_PAGES  # frames of the monitor, at least
# First code, then what it reads as data; the few pages that are tables, or will be.
USER, LIST, FEW = RAM_BASE + 0x8000, RAM_BASE + 0x9000, RAM_BASE + 0x10000
FEW_PAGES = 8
LOW = 0x0040_0000              # where address spaces of the guest map something of their own
ALIAS = RAM_BASE + FRAMES * PAGE  # behind RAM, in the table that maps it
# Words of the guest's own in the window, behind those that are shared.
SAVED, RESUME, TREE = FIRST_WORD + 1024, FIRST_WORD + 1060, FIRST_WORD + 1064
T0, T1 = 5, 6


def const(value: int) -> Operand:
    return lambda code, reg: code.li(reg, value & 0xFFFFFFFF)


def below_tree(pages: int, offset: int = 0) -> Operand:
    """An address that many pages below the device tree, where the first tables are."""

    def load(code: Code, reg: int) -> None:
        code.e("lw", reg, TREE, 0).li(T0, offset - pages * PAGE).e("add", reg, reg, T0)

    return load


def entry(page: Operand, flags: int, beside: int = 0) -> Operand:
    """A PTE of the machine frame of the page at a gpa, or of the frame `beside` that one."""

    def load(code: Code, reg: int) -> None:
        page(code, reg)
        code.e("lui", T0, RAM_BASE >> 12).e("sub", reg, reg, T0).e("srli", reg, reg, 12)
        code.e("slli", reg, reg, 2).e("lui", T0, P2M >> 12).e("add", reg, reg, T0)
        code.e("lw", reg, 0, reg).e("addi", reg, reg, beside << 10).e("ori", reg, reg, flags)

    return load


def base(page: Operand, asid: int, mode: int = 1) -> Operand:
    """A satp that names the page at a gpa."""

    def load(code: Code, reg: int) -> None:
        page(code, reg)
        code.e("srli", reg, reg, 12).li(T0, mode << 31 | asid << 22).e("or", reg, reg, T0)

    return load


def soon(ticks: int) -> Operand:
    return lambda code, reg: code.e("csrrs", reg, "time", 0).e("addi", reg, reg, ticks)


def of_root(operand: Operand) -> Operand:
    """The address of an entry, marked as a batch marks an entry of a root table."""

    def load(code: Code, reg: int) -> None:
        operand(code, reg)
        code.e("ori", reg, reg, 1)

    return load


@st.composite
def _page(draw: st.DrawFn, offset: int = 0) -> Operand:
    """A gpa in a page: usually one of the few, or of the first tables, or any."""
    match draw(st.sampled_from(["few", "few", "few", "first", "first", "first", "own", "any"])):
        case "few":
            return const(FEW + PAGE * draw(st.integers(0, FEW_PAGES - 1)) + offset)
        case "first":
            return below_tree(draw(st.integers(0, 2)), offset)
        case "own":
            return const(draw(st.sampled_from([RAM_BASE, USER, LIST])) + offset)
    return const(RAM_BASE + PAGE * draw(st.integers(0, FRAMES)) + offset)


# In the first tables, the few pages and what is behind RAM, and in the guest's own tables; rarely
# in the kernel's code, which begins with page 0.
indices = st.one_of(
    st.sampled_from([1, 2, 16, 17, 256, 257, 258, 259, 512, 1023]), st.integers(0, 1023)
)
leaf_flags = st.sampled_from([0xCF, 0xC3, 0xC7, 0xC9, 0xCF, 0xD7, 0xDF, 0xDF, 0x0F, 0x1F])
flags = st.one_of(leaf_flags, st.just(1), st.integers(0, 0x3FF))
constants = u32.map(const)
pages = _page()
entries = indices.flatmap(lambda index: _page(4 * index))
# Not the guest's: next to its own frames; those at the start, which are the monitor's however few
# shadow tables there are; devices.
foreign_ptes = st.one_of(
    st.builds(entry, st.sampled_from([const(RAM_BASE), const(ALIAS - PAGE)]), leaf_flags,
              st.sampled_from([-1, 1])),
    st.builds(lambda mfn, bits: const((RAM_BASE >> 12) + mfn << 10 | bits),
              st.integers(0, MONITORS - 1), leaf_flags),
    st.builds(lambda at, bits: const(at >> 12 << 10 | bits), devices, leaf_flags),
)  # fmt: skip
ptes = st.one_of(
    st.builds(entry, pages, flags), st.builds(entry, pages, flags), st.just(const(0)),
    foreign_ptes, constants,
)  # fmt: skip
addresses = st.one_of(
    pages, pages, entries,
    st.builds(lambda n, at: const(ALIAS + n * PAGE + at), st.integers(0, 3), indices),
    st.builds(lambda n, at: const(LOW + n * PAGE + at), st.integers(0, 3), indices),
    st.builds(lambda at: const(at), devices), edges.map(const), constants,
    st.sampled_from([P2M, P2M - PAGE, WORDS_PAGE, WORDS_PAGE + 0x800, 0xFFC00000]).map(const),
)  # fmt: skip


_satps = st.builds(base, pages, st.integers(0, 3), st.sampled_from([1, 1, 1, 0]))
ALL = CSRS["sie"].writable
_masks = st.sampled_from([0, SIE_STIE, ALL, SIE_SEIE]).map(const)
_counts = st.one_of(
    st.integers(0, 4), st.sampled_from([MAX_CALLS, MAX_CALLS + 1, MAX_BATCH, MAX_BATCH + 1])
).map(const)

# By the names that arguments have in the table; other arguments are arbitrary.
_ARGUMENTS = {
    "entry": entries, "pte": ptes, "gva": st.one_of(pages, addresses), "satp": _satps,
    "low": st.integers(0, 40).map(soon), "high": st.sampled_from([0, 0, 0, 1]).map(const),
    "set": _masks, "clear": _masks, "level": st.integers(0, 3).map(const),
    "ranges": st.just(const(LIST)), "list": st.one_of(st.just(const(LIST)), pages),
    "count": _counts, "byte": constants, "gpa": st.one_of(devices.map(const), addresses),
}  # fmt: skip
_TRAP = {"entry": st.just(const(RAM_BASE))}  # another entry point would end the run
_WILD = st.one_of(constants, addresses)


@st.composite
def arguments(draw: st.DrawFn, row: Row) -> list[Operand]:
    """a0, a1, a2 of a call; sometimes one is arbitrary."""
    names = row.arguments.replace("-", "").replace(",", " ").split()
    meant = _ARGUMENTS | (_TRAP if "ranges" in names else {})
    drawn = [meant.get(name, _WILD) for name in (*names, "", "", "")[:3]]
    if draw(st.integers(0, 9)) == 9:
        drawn[draw(st.integers(0, 2))] = _WILD
    return [draw(strategy) for strategy in drawn]


def word_at(word: Word) -> int:
    """The offset from x0 of a word of the window."""
    return FIRST_WORD + 4 * word
