"""Answers for random kernels that boot, as a Hypothesis strategy.

A kernel is the content of an ELF.  It boots as firmware leaves it, in S with paging off. It
sets up traps, two address spaces and a timer, runs a random body in S and U, prints a digest
of what it saw, and turns the machine off.  Every kernel ends, and takes a page fault, a remap
and an interrupt.  Must not know what runs it.
"""

import struct
from dataclasses import dataclass

from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.tables.csrs import BY_NAME
from toyisa.testing import layout as at
from toyisa.testing import runtime
from toyisa.testing.acts import World, acts, entries, u32_regs
from toyisa.testing.code import Code, text
from toyisa.testing.images import write_elf
from toyisa.testing.programs import link, sequences
from toyisa.testing.shown import Readable


@dataclass(repr=False)
class Kernel(Readable):
    """Code at the start of RAM, data as {physical address: bytes}, labels' addresses."""

    words: list[int]
    data: dict[int, bytes]
    symbols: dict[str, int]

    @property
    def entry(self) -> int:
        return self.symbols["_start"]

    def elf(self) -> bytes:
        """The file for `Machine.load`."""
        code = struct.pack(f"<{len(self.words)}I", *self.words)
        return write_elf({RAM_BASE: code, **self.data}, self.entry, self.symbols)

    def listing(self, first: str = "vectors", last: str = "end") -> str:
        """The code from one label to another, and every word of data that is not zero."""
        names = {address: name for name, address in self.symbols.items()}
        lines = []
        for pc in range(self.symbols[first], self.symbols[last] + 4, 4):
            word = self.words[(pc - RAM_BASE) // 4]
            lines += [f"{names[pc]}:"] if pc in names else []
            lines.append(f"  {pc:08x}: {word:08x}  {text(word, pc)}")
        user = self.data[at.USER_CODE]
        for n, (word,) in enumerate(struct.iter_unpack("<I", user)):
            lines.append(f"  {at.USER + 4 * n:08x}: {word:08x}  {text(word, at.USER + 4 * n)}")
        for address, data in self.data.items():
            if at.USER_CODE < address < at.KERNEL_LEAVES:
                for n, (word,) in enumerate(struct.iter_unpack("<I", data)):
                    if word:
                        lines.append(f"  {address + 4 * n:08x}: {word:08x}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """What differs from kernel to kernel."""
        return self.listing("_start", "finish")


def _words(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _tables(draw: st.DrawFn) -> dict[int, bytes]:
    """Both spaces; the window's first page is user code, and its second is absent in A."""
    tables = {}
    common = draw(st.sampled_from([0, at.G]))
    fine = draw(st.booleans())  # the kernel is mapped by pages
    for root in (at.ROOT_A, at.ROOT_B):
        top = [0] * 1024
        top[RAM_BASE >> 22] = (
            at.pte(at.KERNEL_LEAVES, at.V) if fine else at.pte(RAM_BASE, at.RWXAD | common)
        )
        top[at.USER >> 22] = at.pte(root + PAGE, at.V)
        top[at.ALIAS >> 22] = at.pte(RAM_BASE, at.V | at.R | at.W | at.A | at.D)
        top[at.TOP >> 22] = at.pte(at.TOP_LEAVES, at.V)
        for index, value in at.devices().items():
            top[index] = value
        window = [at.pte(at.USER_CODE, at.V | at.X | at.U)]
        window += [draw(entries) for _ in range(at.WINDOW - 1)]
        if root == at.ROOT_A:
            window[1] = 0
        tables[root], tables[root + PAGE] = _words(top), _words(window)
    tables[at.KERNEL_LEAVES] = _words(
        [at.pte(RAM_BASE + n * PAGE, at.RWXAD | common) for n in range(256)]
    )
    last = at.pte(at.END - PAGE, at.V | at.R | at.W | at.A | at.D)
    tables[at.TOP_LEAVES] = bytes(PAGE - 4) + _words([last])
    return tables


def _save(draw: st.DrawFn) -> bytes:
    """The handler's words: how often and when the timer comes again, the repaired PTEs."""
    words = [0] * 64
    words[at.LEFT // 4] = draw(st.integers(0, 4))
    words[at.PERIOD // 4] = draw(st.integers(1, 3))
    words[at.FIX // 4] = at.pte(at.USER_CODE, at.V | at.R | at.X | at.U)
    for page in range(1, at.WINDOW):
        frame = at.DATA + PAGE * draw(st.integers(0, at.DATA_PAGES - 1))
        words[at.FIX // 4 + page] = at.pte(
            frame, at.V | at.R | at.W | draw(st.sampled_from([0, at.U, at.U | at.X]))
        )
    return _words(words)


@st.composite
def kernels(
    draw: st.DrawFn, max_size: int = 30, *, standard: bool = False, reach_top: bool = True
) -> Kernel:
    """A kernel with a body of up to `max_size` acts.

    `standard` kernels do only what every RISC-V hart does alike, step by step: no timer, no
    counters, no instruction of our own.  Without `reach_top` the last page of the address
    space is not accessed.
    """
    asids = draw(st.sampled_from([(1, 2), (1, 2), (0, 0), (0, 511)]))
    world = World(standard, asids, swaps=draw(st.booleans()))
    body = draw(sequences(acts(world, reach_top=reach_top), max_size, min_size=0))
    code = Code()
    runtime.vectors(code)
    runtime.handler(code, by_address=draw(st.booleans()))
    csrs = {
        "stvec": RAM_BASE | draw(st.integers(0, 1)),
        "sscratch": at.SAVE,
        "scounteren": draw(st.integers(0, 7)),
        "satp": world.satps[0],
        "sie": BY_NAME["sie"].writable,
        "stimecmp": draw(st.integers(0, 3)),
        "stimecmph": 0,
    }
    if standard:
        csrs |= {"scounteren": 0, "sie": 2, "stimecmp": 0xFFFFFFFF, "stimecmph": 0xFFFFFFFF}
    runtime.boot(code, csrs, draw(u32_regs), external=not standard)
    # A page fault and a remap, before anything random.
    code.label("body").li(at.S1, at.USER + PAGE).e("lw", 1, 0, at.S1)
    code.li(at.S1, at.leaf_of(at.ROOT_A, 1)).li(at.S2, at.pte(at.DATA, at.V | at.R | at.W))
    code.e("sw", at.S2, 0, at.S1).li(at.S1, at.USER + PAGE).e("sfence.vma", at.S1, 0)
    code.e("sw", at.S1, 4, at.S1)
    code.put(link(body))
    runtime.finish(code, world.satps[draw(st.integers(0, 1))], timer=not standard)
    words = code.words()
    if RAM_BASE + 4 * len(words) > at.BODY_END:
        raise ValueError(f"a body of {len(body)} acts is too long for its place")
    data = {at.USER_CODE: _words(world.user) or bytes(4), at.SAVE: _save(draw), **_tables(draw)}
    for n in range(at.DATA_PAGES):
        data[at.DATA + n * PAGE] = draw(st.binary(min_size=16, max_size=16)) * (PAGE // 16)
    symbols = {name: RAM_BASE + place for name, place in code.labels.items()}
    return Kernel(words, data, symbols)
