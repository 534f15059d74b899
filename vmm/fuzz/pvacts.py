"""Answers for what a hostile patched guest may do, one act at a time, as Hypothesis strategies.

Hypercalls, with operands that mean something or are arbitrary; accesses through whatever is
mapped; words of any kind; a way to U.  Hypercalls come from the table, so that a new row is
covered automatically.  Must not know the kernel around an act.
"""

from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.tables import sbi
from toyisa.tables.bits import SSTATUS_SPIE, SSTATUS_SPP
from toyisa.tables.csrs import BY_NAME as CSRS
from toyisa.tables.insns import INSNS, Sens
from toyisa.testing.code import Code
from toyisa.testing.programs import instructions, raw_words
from vmm.abi.hypercalls import BY_NUMBER, CALL_WORDS, CALLS_END, FIRST, Call, Word
from vmm.fuzz import pvoperands as op
from vmm.fuzz.pvoperands import T0, T1, Operand, word_at
from vmm.fuzz.pvruntime import hypercall

A0, A1, A2, A6, A7 = 10, 11, 12, 16, 17
SPP, SPIE = SSTATUS_SPP, SSTATUS_SPIE
SENSITIVE = tuple(row for row in INSNS if row.sens is not Sens.INNOCUOUS)
SBI = (sbi.SET_TIMER, sbi.PUTCHAR, sbi.GETCHAR, sbi.SHUTDOWN, *sbi.EXTENSIONS)
V, WRITABLE, USER_RWX = 0x01, 0xC7, 0xDF
PLAIN = {"lw": 8, "lb": 8, "lhu": 8, "sw": T1, "sb": T1, "sh": T1}  # and the register that is moved
ATOMIC = ("lr.w", "sc.w", "amoadd.w", "amoswap.w")

words = st.one_of(raw_words, instructions(), instructions(), instructions(SENSITIVE))
numbers = st.sampled_from(sorted(BY_NUMBER))
tables = st.integers(0, op.FEW_PAGES - 1).map(lambda n: op.const(op.FEW + n * PAGE))


def _call(code: Code, number: int, operands: list[Operand]) -> None:
    for reg, operand in zip((A0, A1, A2), operands):
        operand(code, reg)
    hypercall(code, number)


@st.composite
def _hypercalls(draw: st.DrawFn, code: Code) -> None:
    number = draw(numbers)
    if number == Call.IRET and draw(st.booleans()):  # to the place behind it
        _put_status(code, SPP | SPIE)
        code.e("auipc", T0, 0).e("addi", T0, T0, 24).e("csrrw", 0, "sepc", T0)
        hypercall(code, number)
        return
    _call(code, number, draw(op.arguments(BY_NUMBER[number])))


@st.composite
def _no_hypercall(draw: st.DrawFn, code: Code) -> None:
    """Calls that are not in the table, and those of the SBI."""
    few = st.sampled_from([0, 0, 1, 2]).map(op.const)
    for reg in (A0, A1, A2, A6):
        draw(st.one_of(few, op.addresses))(code, reg)
    above = st.sampled_from([CALLS_END, 0xFFFF, 0xFFFFFF]).map(lambda n: FIRST + n)
    code.li(A7, draw(st.one_of(st.sampled_from(SBI), above))).e("ecall")


@st.composite
def _multicalls(draw: st.DrawFn, code: Code) -> None:
    """A list of calls, in a page that may not be writable any more."""
    place, calls = draw(st.one_of(st.just(op.const(op.LIST + 64)), op.pages)), 0
    place(code, A0)
    for n in range(draw(st.integers(1, 4))):
        number = draw(numbers)
        operands = [op.const(FIRST + number), *draw(op.arguments(BY_NUMBER[number]))]
        for m, operand in enumerate(operands):
            operand(code, T1)
            code.e("sw", T1, 4 * (CALL_WORDS * n + m), A0)
        calls += 1
    code.li(A1, calls)
    hypercall(code, Call.MULTICALL)


@st.composite
def _batches(draw: st.DrawFn, code: Code) -> None:
    """A list of updates, also in such a page."""
    place, count = draw(st.one_of(st.just(op.const(op.LIST + 64)), op.pages)), 0
    place(code, A0)
    for n in range(draw(st.integers(1, 5))):
        at, pte = draw(op.entries), draw(op.ptes)
        for m, operand in enumerate((op.of_root(at) if draw(st.booleans()) else at, pte)):
            operand(code, T1)
            code.e("sw", T1, 8 * n + 4 * m, A0)
        count += 1
    code.li(A1, count)
    hypercall(code, Call.UPDATE_PTES)


@st.composite
def _accesses(draw: st.DrawFn, code: Code) -> None:
    """Loads and stores, often of entries: a page that will become a table."""
    draw(op.addresses)(code, 7)
    draw(st.one_of(op.ptes, op.constants))(code, T1)
    for name in draw(st.lists(st.sampled_from([*PLAIN, *ATOMIC]), min_size=1, max_size=3)):
        if name in ATOMIC:
            code.e(name, 8, 7) if name == "lr.w" else code.e(name, 8, T1, 7)
        else:
            code.e(name, PLAIN[name], draw(st.sampled_from([0, 4, 8, 1])), 7)


@st.composite
def _jumps(draw: st.DrawFn, code: Code) -> None:
    """Jumps to anywhere: code is fetched through whatever maps it."""
    draw(op.addresses)(code, 7)
    code.e("jalr", 1, 0, 7)


@st.composite
def _window(draw: st.DrawFn, code: Code) -> None:
    """Any of the window's words, in the only possible way."""
    draw(st.one_of(st.sampled_from([0, 1, SPP, SPIE, SPP | SPIE]).map(op.const), op.constants,
                   op.addresses))(code, T1)  # fmt: skip
    code.e("sw", T1, word_at(draw(st.sampled_from(list(Word)))), 0)


@st.composite
def _interrupts(draw: st.DrawFn, code: Code) -> None:
    """An interrupt that comes soon, with the flag on."""
    _call(code, Call.IRQ_MASK, [op.const(CSRS["sie"].writable), op.const(0)])
    if draw(st.booleans()):
        code.li(A0, 1).li(A1, 0).li(A6, 0).li(A7, sbi.IPI).e("ecall")
    else:
        _call(code, Call.SET_TIMER, [op.soon(draw(st.integers(0, 5))), op.const(0)])
    code.e("addi", T1, 0, 1).e("sw", T1, word_at(Word.VIF), 0)


@st.composite
def _users(draw: st.DrawFn, code: Code) -> None:
    """To U, where a page is first mapped for it, by the hart's sret or a hypercall."""
    slot = draw(st.integers(0, 3))
    match draw(st.sampled_from(["alias", "alias", "low", "low", "any"])):
        case "alias":
            entry = op.below_tree(2, 4 * (op.FRAMES + slot))
            _call(code, Call.SET_PTE, [entry, op.entry(op.const(op.USER), USER_RWX)])
            where = op.const(op.ALIAS + slot * PAGE)
        case "low":
            where = op.const(op.LOW + slot * PAGE)
        case _:
            where = draw(op.addresses)
    where(code, T1)
    code.e("csrrw", 0, "sepc", T1)
    _put_status(code, draw(st.sampled_from([0, 0, 0, SPIE, SPP])))
    code.e("sret") if draw(st.booleans()) else hypercall(code, Call.IRET)


@st.composite
def _spaces(draw: st.DrawFn, code: Code) -> None:
    """An address space of its own, made as a kernel makes one, of random pages."""
    root, leaves, index = draw(tables), draw(tables), draw(st.integers(0, 3))
    level, page, flags = op.const(2), op.const(op.USER), USER_RWX
    if draw(st.booleans()):
        level = op.const(draw(st.sampled_from([2, 0, 1])))
        page, flags = draw(st.one_of(tables, op.pages)), draw(op.flags)
    if draw(st.booleans()):  # of the last round
        for table in (leaves, root):
            _call(code, Call.UNPIN_TABLE, [table])
    for table in (root, leaves):
        _call(code, Call.PIN_TABLE, [table, level])
    shared = op.entry(op.below_tree(2), V)  # the kernel's own mapping
    _call(code, Call.SET_PTE, [_behind(leaves, 4 * index), op.entry(page, flags)])
    _call(code, Call.SET_PGD, [_behind(root, 4 * (RAM_BASE >> 22)), shared])
    _call(code, Call.SET_PGD, [_behind(root, 4 * (op.LOW >> 22)), op.entry(leaves, V)])
    _call(code, Call.NEW_BASE, [op.base(root, draw(st.integers(0, 2)))])


@st.composite
def _probes(draw: st.DrawFn, code: Code) -> None:
    """A mapping of what is not the guest's, of a page or a table, and an access through it."""
    pte = draw(op.foreign_ptes)
    if draw(st.booleans()):
        slot = draw(st.integers(0, 3))
        entry, where = op.below_tree(2, 4 * (op.FRAMES + slot)), op.ALIAS + slot * PAGE
        call = draw(st.sampled_from([Call.SET_PTE, Call.SET_PTE_FLUSH]))
    else:
        entry, where = op.below_tree(1, 4 * (op.LOW >> 22)), op.LOW
        pte, call = draw(st.one_of(st.just(pte), st.just(_pointer(pte)))), Call.SET_PGD
    _call(code, call, [entry, pte, op.const(where)])
    code.li(7, where).e("lw", 8, 0, 7).e("sw", 7, 4, 7)


@st.composite
def _remembered(draw: st.DrawFn, code: Code) -> None:
    """A page is written through a second mapping, which is removed, and the page becomes a
    table.
    """
    page, slot = draw(tables), 4 * (op.FRAMES + draw(st.integers(0, 3)))
    entry, alias = op.below_tree(2, slot), op.const(RAM_BASE + slot * (PAGE // 4))
    _call(code, Call.SET_PTE, [entry, op.entry(page, WRITABLE)])
    alias(code, 7)
    code.e("sw", 0, 0, 7)
    if draw(st.booleans()):
        _call(code, Call.SET_PTE, [entry, op.const(draw(st.sampled_from([0, 0, 2])))])
    _call(code, Call.PIN_TABLE, [page, op.const(draw(st.integers(0, 2)))])
    alias(code, 7)
    draw(op.ptes)(code, T1)
    code.e("sw", T1, 4 * draw(st.integers(0, 3)), 7)


def _behind(operand: Operand, offset: int) -> Operand:
    def load(code: Code, reg: int) -> None:
        operand(code, reg)
        code.li(T0, offset).e("add", reg, reg, T0)

    return load


def _pointer(pte: Operand) -> Operand:
    """The same frame as an entry of a root table."""

    def load(code: Code, reg: int) -> None:
        pte(code, reg)
        code.e("srli", reg, reg, 10).e("slli", reg, reg, 10).e("ori", reg, reg, V)

    return load


def _put_status(code: Code, status: int) -> None:
    code.li(T1, status).e("sw", T1, word_at(Word.STATUS), 0)


@st.composite
def _words(draw: st.DrawFn, code: Code) -> None:
    code.put(draw(st.lists(words, min_size=1, max_size=5)))


KINDS = (
    _hypercalls, _hypercalls, _hypercalls, _hypercalls, _multicalls, _batches, _accesses,
    _accesses, _words, _jumps, _users, _users, _spaces, _spaces, _remembered, _probes,
    _probes, _window, _interrupts, _no_hypercall,
)  # fmt: skip


@st.composite
def acts(draw: st.DrawFn) -> list[int]:
    """The words of one act; first it sets where to continue if it gets lost: behind it."""
    code = Code()
    draw(draw(st.sampled_from(KINDS))(code))
    behind = 4 * (len(code) + 3)
    head = Code().e("auipc", T0, 0).e("addi", T0, T0, behind).e("sw", T0, op.RESUME, 0)
    return [*head.words(), *code.words()]
