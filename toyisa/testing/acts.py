"""Answers for what the body of a generated kernel does: an act is a few words.

Wherever an act is, and whatever came before it, it continues behind itself; therefore every
kernel ends.  Each act keeps the rules by which all correct machines agree: a fence after an
edit of tables, `fence.i` after a store to code.  Must not know the order of acts.
"""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from toyisa.core.memory import PAGE, PLIC_BASE, UART
from toyisa.core.plic import THRESHOLD
from toyisa.tables import sbi
from toyisa.tables.bits import BITS, SSTATUS_MXR, SSTATUS_SUM
from toyisa.tables.csrs import CSRS
from toyisa.tables.fields import OPCODES
from toyisa.tables.insns import INSNS, Cost, Sens, find
from toyisa.testing import layout as at
from toyisa.testing.code import Code
from toyisa.testing.programs import (
    USER_ROWS,
    Item,
    instructions,
    items,
    link,
    u32,
)

S1, S2, S3 = at.S1, at.S2, at.S3
SIE, SPIE, SPP = (BITS[f"SSTATUS_{name}"] for name in ("SIE", "SPIE", "SPP"))
SUM_MXR = SSTATUS_SUM | SSTATUS_MXR
regs = st.integers(0, at.FREE)

# These have acts of their own below, or belong to the runtime; all other rows are used at random.
OWN_ROWS = {"sret", "wfi", "ecall", "ebreak"}
OWN_CSRS = {"satp", "stvec", "sscratch", "stimecmp", "stimecmph"}
NOT_RISCV = tuple(row for row in INSNS if row.opcode == OPCODES["CUSTOM_0"])
CSR_ROWS = tuple(row for row in INSNS if row.cost is Cost.CSR)
ALU_ROWS = tuple(row for row in USER_ROWS if row.cost in {Cost.ALU, Cost.MUL, Cost.DIV})
SYSTEM_ROWS = tuple(
    row for row in INSNS
    if row.cost in {Cost.SYSTEM, Cost.SRET, Cost.FENCE} and row.name not in OWN_ROWS
)  # fmt: skip


@dataclass
class World:
    """What acts must know of the kernel for which they are made.

    `standard`: only what every RISC-V hart does alike, instruction by instruction: no timer,
    no counters, no instruction of our own.
    """

    standard: bool
    asids: tuple[int, int]
    swaps: bool = False  # spaces may share leaves: a fence by ASID is not enough
    user: list[int] = field(default_factory=list)  # the words of the user code page

    @property
    def satps(self) -> tuple[int, int]:
        return at.satp(at.ROOT_A, self.asids[0]), at.satp(at.ROOT_B, self.asids[1])


frames = st.one_of(
    st.integers(0, at.DATA_PAGES - 1).map(lambda n: at.DATA + n * PAGE),
    st.integers(0, at.DATA_PAGES - 1).map(lambda n: at.DATA + n * PAGE),
    st.sampled_from([0x70000000, 0x90000000, 0xFFFFF000]),  # nothing is there
)
_PERMITS = [f | at.V for f in (at.R, at.R | at.W, at.R | at.X, at.X, at.R | at.W | at.X)]
flags = st.builds(
    lambda permit, user, dirty: permit | user | dirty,
    st.sampled_from([*_PERMITS, *_PERMITS, 0, at.V, at.V | at.W]), st.sampled_from([0, at.U, at.U]),
    st.sampled_from([0, at.A, at.A | at.D]),
)  # fmt: skip
# A page of the window; a table may be visible there, but not writable: nobody would fence.
entries = st.one_of(
    st.builds(at.pte, frames, flags),
    st.builds(at.pte, frames, flags),
    st.builds(
        at.pte, st.sampled_from([at.ROOT_A, at.ROOT_A + PAGE, at.ROOT_B + PAGE]),
        st.sampled_from([at.V | at.R, at.V | at.R | at.U, at.V | at.R | at.A]),
    ),
)  # fmt: skip
pages = st.integers(1, at.WINDOW - 1)
# An entry for the user code's page; it must map nothing else, since random words may loop.
code_entries = st.sampled_from([0, at.V | at.X, at.V | at.R | at.U, at.V | at.X | at.U]).map(
    lambda permit: at.pte(at.USER_CODE, permit) if permit else 0
)
places = st.one_of(
    pages.map(lambda n: at.USER + n * PAGE),
    pages.map(lambda n: at.USER + n * PAGE),
    st.integers(0, at.DATA_PAGES - 1).map(lambda n: at.DATA + n * PAGE),
    st.integers(0, at.DATA_PAGES - 1).map(lambda n: at.ALIAS + at.DATA % (1 << 22) + n * PAGE),
)


def _middle(place: int, code: Code) -> Code:
    return code.li(31, place + PAGE // 2)


def nothing(world: World) -> st.SearchStrategy[Item]:
    """The act to which others shrink; it has so few choices that Hypothesis can remove it."""
    return st.builds(lambda: Item(Code().e("addi", 0, 0, 0).words()))


@st.composite
def plain(draw: st.DrawFn, world: World) -> Item:
    """A user instruction; if it accesses memory, on some page, mapped or not."""
    item = draw(items(USER_ROWS, regs))
    if item.transfer is None:
        row = find(item.words[-1])
        if row is not None and row.cost in {Cost.LOAD, Cost.STORE, Cost.ATOMIC}:
            item.words = [*_middle(draw(places), Code()).words(), *item.words]
    return item


@st.composite
def system(draw: st.DrawFn, world: World) -> Item:
    """A sensitive instruction that continues behind itself, with any operands."""
    rows = tuple(r for r in SYSTEM_ROWS if not (world.standard and r in NOT_RISCV))
    row = draw(st.sampled_from(rows))
    chosen = [
        draw(regs if f.name == "rd" else st.integers(f.low, f.high)) for f in row.fields
    ]
    code = Code()
    if draw(st.booleans()):  # an address that means something
        code.li(S1, draw(places))
        chosen = [S1 if f.name == "rs1" else c for f, c in zip(row.fields, chosen)]
    return Item([*code.words(), row.encode(*chosen)])


@st.composite
def csr(draw: st.DrawFn, world: World) -> Item:
    """Any access to any CSR, except those that keep the kernel going."""
    rows = [
        r for r in CSRS
        if r.name not in OWN_CSRS and not (world.standard and r.group == "counter")
    ]  # fmt: skip
    row, target = draw(st.sampled_from(CSR_ROWS)), draw(st.sampled_from(rows))
    code, source = Code(), draw(st.integers(0, at.FREE))
    if world.standard and not row.name.endswith("i"):  # others may have more bits than we have
        code.li(S1, draw(u32) & target.writable)
        source = S1
    return Item([*code.words(), row.encode(draw(regs), target.number, source)])


@st.composite
def status(draw: st.DrawFn, world: World) -> Item:
    """SUM and MXR, interrupts on and off, a software interrupt from itself."""
    code = Code()
    match draw(st.integers(0, 3)):
        case 0:
            code.li(S1, draw(st.integers(0, 3)) << 18 & SUM_MXR)
            code.e(draw(st.sampled_from(["csrrs", "csrrc"])), draw(regs), "sstatus", S1)
        case 1:
            code.e(draw(st.sampled_from(["csrrsi", "csrrci"])), draw(regs), "sstatus", SIE)
        case 2:
            code.e("csrrsi", draw(regs), "sip", 2)
        case _:
            code.li(S1, draw(st.integers(0, 0x3FF)))
            code.e(draw(st.sampled_from(["csrrw", "csrrs", "csrrc"])), draw(regs), "sie", S1)
    return Item(code.words())


@st.composite
def switch(draw: st.DrawFn, world: World) -> Item:
    """Another address space; with a fence, unless ASIDs keep the spaces apart."""
    value = draw(st.sampled_from([*world.satps, *world.satps, 0]))
    code = Code().li(S1, value).e("csrrw", draw(regs), "satp", S1)
    if world.asids[0] == world.asids[1] or draw(st.booleans()):
        code.e("sfence.vma", 0, 0)
    return Item(code.words())


@st.composite
def remap(draw: st.DrawFn, world: World) -> Item:
    """Edit an entry of the tables in one of the ways that kernels do, and fence."""
    space, page = draw(st.integers(0, 1)), draw(st.one_of(pages, pages, st.just(0)))
    code = Code()
    code.li(S1, at.leaf_of((at.ROOT_A, at.ROOT_B)[space], page))
    code.li(S2, draw(entries if page else code_entries))
    how = draw(st.sampled_from(["sw", "sw", "amoswap.w", "sb", "amoand.w", "root"]))
    if how == "root":  # remove the whole window, put it back, or swap it
        code.li(S1, (at.ROOT_A, at.ROOT_B)[space] + 4 * (at.USER >> 22))
        roots = (at.ROOT_A, at.ROOT_B) if world.swaps else ((at.ROOT_A, at.ROOT_B)[space],)
        leaves = draw(st.sampled_from([*roots, None]))
        code.li(S2, 0 if leaves is None else at.pte(leaves + PAGE, at.V)).e("sw", S2, 0, S1)
    elif how == "sb":  # only the permissions
        code.li(S2, draw(flags)).e("sb", S2, 0, S1)
    elif how == "amoand.w":  # as when an entry is aged or write-protected
        code.li(S2, ~draw(st.sampled_from([at.A, at.D, at.A | at.D, at.W, at.V])) & 0xFFFFFFFF)
        code.e(how, draw(regs), S2, S1)
    elif how == "sw":
        code.e(how, S2, 0, S1)
    else:
        code.e(how, draw(regs), S2, S1)
    code.li(S1, at.USER + page * PAGE).e("addi", S2, 0, world.asids[space])
    fences = [(0, 0), (S1, 0)] + ([] if world.swaps else [(S1, S2), (0, S2)])
    code.e("sfence.vma", *((0, 0) if how == "root" else draw(st.sampled_from(fences))))
    if draw(st.booleans()):
        code.e("lw", draw(regs), draw(st.sampled_from([0, 4, 2044])), S1)
    return Item(code.words())


@st.composite
def inspect(draw: st.DrawFn, world: World) -> Item:
    """Read an entry of the tables: A and D must be right."""
    root = draw(st.sampled_from([at.ROOT_A, at.ROOT_B]))
    return Item(Code().li(S1, at.leaf_of(root, draw(pages))).e("lw", draw(regs), 0, S1).words())


@st.composite
def patch(draw: st.DrawFn, world: World) -> Item:
    """Store a new instruction a few words ahead, fence, run it."""
    old, new = (draw(items(ALU_ROWS, regs)).words[-1] for _ in range(2))
    code = Code().e("auipc", S1, 0).li(S2, new).e("sw", S2, 20, S1).e("fence.i").put([old])
    return Item(code.words())


@st.composite
def return_here(draw: st.DrawFn, world: World) -> Item:
    """`sret` from S to S: to the next instruction."""
    code = Code().e("csrrci", 0, "sstatus", SIE).e("auipc", S1, 0).e("addi", S1, S1, 24)
    code.e("csrrw", 0, "sepc", S1).e("addi", S1, 0, SPP | draw(st.sampled_from([0, SPIE])))
    return Item(code.e("csrrs", 0, "sstatus", S1).e("sret").words())


@st.composite
def loop(draw: st.DrawFn, world: World) -> Item:
    """Pass time: arithmetic, and a few loads and stores, up to 100 times."""
    parts = draw(st.lists(items(ALU_ROWS, regs), min_size=1, max_size=4))
    code = _middle(draw(places), Code()).e("addi", at.COUNTER, 0, draw(st.integers(1, 100)))
    code.label("again").put([word for part in parts for word in part.words])
    if draw(st.booleans()):
        code.e("lw", draw(regs), 4, 31).e("sw", draw(regs), 4, 31)
    code.e("addi", at.COUNTER, at.COUNTER, -1).to("again", "bne", at.COUNTER, 0)
    return Item(code.words())


@st.composite
def trap(draw: st.DrawFn, world: World) -> Item:
    """An instruction that traps, to S or to the firmware."""
    code = Code()
    match draw(st.integers(0, 4)):
        case 0:
            code.e("ebreak")
        case 1:
            code.put([draw(st.sampled_from([0, 0xFFFFFFFF, 0x30200073, 0x00000057]))])
        case 2:
            _middle(draw(places), code).e("lw", draw(regs), draw(st.integers(1, 3)), 31)
        case 3:
            _middle(draw(places), code).e("sh", draw(regs), 1, 31)
        case _:  # there is no such SBI extension
            code.li(17, 0x0BADC0DE).e("ecall")
    return Item(code.words())


@st.composite
def print_char(draw: st.DrawFn, world: World) -> Item:
    """Print a character, through the firmware or the device."""
    char = draw(st.integers(ord("A"), ord("Z")))
    code = Code()
    match draw(st.integers(0, 2)):
        case 0:
            code.li(10, char).e("addi", 17, 0, 1).e("ecall")
        case 1:
            code.li(10, char).e("addi", 16, 0, 2).li(17, sbi.DBCN).e("ecall")
        case _:
            code.li(S1, UART).li(S2, char).e("lbu", draw(regs), 5, S1).e("sb", S2, 0, S1)
    return Item(code.words())


@st.composite
def arm(draw: st.DrawFn, world: World) -> Item:
    """Set the timer a few ticks ahead, itself or through the firmware; or wait for it."""
    ahead, how = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    code = Code().li(S1, at.SAVE).li(S2, draw(st.integers(0, 2))).e("sw", S2, at.LEFT, S1)
    code.e("csrrs", S2, "time", 0).e("addi", S2, S2, ahead)
    if how == 0:
        code.e("addi", 10, S2, 0).e("addi", 11, 0, 0).e("addi", 17, 0, 0).e("ecall")
        return Item(code.words())
    if how == 1:
        code.e("addi", 10, S2, 0).e("addi", 11, 0, 0).e("addi", 16, 0, 0).li(17, sbi.TIME)
        return Item(code.e("ecall").words())
    if how == 2:  # a sleep before which nothing can come
        code.e("csrrci", 0, "sstatus", SIE).e("addi", S3, 0, 1 << 5).e("csrrs", 0, "sie", S3)
    code.e("csrrw", 0, "stimecmp", S2).e("csrrwi", 0, "stimecmph", 0)
    if how == 2:
        code.e("wfi").e("csrrsi", draw(regs), "sstatus", SIE)
    return Item(code.words())


@st.composite
def external(draw: st.DrawFn, world: World) -> Item:
    """The console says that it is empty; the controller passes that on, or keeps it for later."""
    code = Code().li(S1, PLIC_BASE + THRESHOLD).e("addi", S2, 0, draw(st.integers(0, 1)))
    code.e("sw", S2, 0, S1).li(S1, UART).e("addi", S2, 0, 2)
    code.e("sb", 0, 1, S1).e("sb", S2, 1, S1)
    if draw(st.booleans()):  # reading the source clears it
        code.e("lbu", draw(regs), 2, S1)
    return Item(code.words())


@st.composite
def top(draw: st.DrawFn, world: World) -> Item:
    """Load and store at the very top of the address space, with x0 and with another base."""
    offset = -4 * draw(st.integers(1, 512))
    code = Code().e("sw", draw(regs), offset, 0).e("lw", draw(regs), offset, 0)
    if draw(st.booleans()):
        code.li(S1, at.TOP + PAGE // 2).e("lw", draw(regs), 4 * draw(st.integers(-500, 500)), S1)
    return Item(code.words())


def _user_words(draw: st.DrawFn, world: World) -> list[int]:
    """User code: plain instructions, some that U may not execute, and a system call to return."""
    parts = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            rows = tuple(r for r in INSNS if r.sens in {Sens.CONTROL, Sens.BEHAVIOUR})
            rows = tuple(r for r in rows if not (world.standard and r in NOT_RISCV))
            parts.append(Item([draw(instructions(rows))]))
        elif kind == 1:
            parts.append(draw(csr(world)))
        else:
            parts.append(draw(plain(world)))
    return [*link(parts), *Code().e("ecall").words()]


@st.composite
def go_user(draw: st.DrawFn, world: World) -> Item:
    """Enter U at a program of its own, and come back here whatever the program did."""
    words = _user_words(draw, world)
    entry = len(world.user)
    if entry + len(words) > PAGE // 4:
        return Item(Code().e("addi", 0, 0, 0).words())
    world.user += words
    code = Code()
    if draw(st.booleans()):  # its first word is written anew
        code.li(S1, at.USER_CODE + 4 * entry).li(S2, draw(items(ALU_ROWS, regs)).words[-1])
        code.e("sw", S2, 0, S1).e("fence.i")
    code.e("csrrci", 0, "sstatus", SIE).li(S1, at.SAVE)
    rest = Code().e("sw", S2, at.RESUME, S1).li(S1, at.USER + 4 * entry).e("csrrw", 0, "sepc", S1)
    rest.e("addi", S1, 0, SPP | draw(st.sampled_from([0, SPIE])))
    rest.e("csrrc", 0, "sstatus", S1).e("sret")
    code.e("auipc", S2, 0).e("addi", S2, S2, 4 * (len(rest) + 2))
    return Item(code.put(rest.words()).words())


def acts(world: World, *, reach_top: bool) -> st.SearchStrategy[Item]:
    """Any act; the frequent ones are chosen often."""
    chosen = [nothing, plain, plain, plain, csr, system, status, switch, remap, remap, inspect]
    chosen += [patch, return_here, loop, trap, print_char, go_user, go_user]
    chosen += [] if world.standard else [arm, arm, external]
    chosen += [top] if reach_top else []
    return st.sampled_from(chosen).flatmap(lambda act: act(world))


u32_regs = st.lists(u32, min_size=at.FREE, max_size=at.FREE)


def rows() -> set[str]:
    """The instructions that kernels use: at random, in an act of their own, or in the runtime."""
    drawn = (*USER_ROWS, *SYSTEM_ROWS, *CSR_ROWS)
    return {row.name for row in drawn} | OWN_ROWS
