"""Paravirtualization: a kernel that is patched to call the monitor, on tables of its own.

After Xen: the kernel runs in deprivileged S, and does privileged acts by a hypercall or by a
word in a shared page.  System calls enter it through a gate without an exit.
docs/engines/pv.md.
"""

from typing import TYPE_CHECKING

import numpy as np

from toyisa.compiled.njit import entry, njit, view
from toyisa.core.memory import PAGE, RAM_BASE, WORDS
from toyisa.core.sv32 import A, D, R, V, W
from toyisa.load.image import ImageError
from toyisa.tables.causes import Exc
from toyisa.tables.exits import Reason
from toyisa.tables.levels import STraps
from vmm.abi.hypercalls import (
    CALLS_END,
    FIRST,
    FIRST_WORD,
    M2P_PAGES,
    M2P_TOP,
    MAX_MEM,
    P2M,
    P2M_PAGES,
    WORDS_PAGE,
    Word,
)  # fmt: skip
from vmm.domain.exits import Kind
from vmm.domain.requests import EngineRequest, Trait
from vmm.engines import Engine
from vmm.engines.pv.call import A7, hypercall
from vmm.engines.pv.record import PV
from vmm.engines.pv.state import put_state, take_state
from vmm.exit.handlers import handle_sbi
from vmm.exit.inject import forward_exception
from vmm.paging.direct.build import build_tables, tables_of
from vmm.paging.shadow.link import BASE_PPN

if TYPE_CHECKING:
    from vmm.machine import VirtualMachine

MARK = "toyvmm_pv_abi"  # the symbol that a patched kernel has
FRAMES = P2M_PAGES + M2P_PAGES + 2  # and the page of words, and the table that maps them


def install(machine: "VirtualMachine") -> None:
    """Lay out the window, and leave S the trap registers, sret and the counters."""
    hart, vm = machine.host.hart, machine.vm
    frames = int(vm.frames)
    if frames * PAGE > MAX_MEM:
        raise ValueError(f"under pv memory must be at most {MAX_MEM >> 20} MiB")
    machine.private = record = np.zeros(1, PV)
    vm.private = record.ctypes.data
    hart.root.s_traps = STraps.ALL & ~(STraps.TRAPCSR | STraps.SRET | STraps.COUNTER)
    hart.root.s_limit = WORDS_PAGE
    hart.root.deleg_exc = 1 << Exc.ECALL_U
    hart.root.deleg_int = 0
    hart.csr.scounteren = 0
    hart.root.svade = machine.hart.root.svade  # the machine walks the guest's own tables
    p2m, own = machine.pages["mfn"].astype(np.int64), int(vm.own)
    if p2m.max() >= M2P_PAGES * WORDS:
        raise ValueError(f"under pv a host has at most {M2P_PAGES * WORDS * PAGE >> 20} MiB")
    words = machine.host.ram.view(np.uint32)
    words[own * WORDS :][:frames] = (BASE_PPN + p2m) << 10
    # The word of machine frame 0 begins the last page of M2P; the others are below it.
    last = (own + P2M_PAGES + M2P_PAGES - 1) * WORDS
    words[last - p2m] = (BASE_PPN + np.arange(frames)) << 10
    page = own + P2M_PAGES + M2P_PAGES
    record[0].words = (page + 1) * WORDS + FIRST_WORD // 4
    words[record[0].words + Word.FRAMES] = 4 * frames
    vm.direct.region = page + 1
    table = words[(page + 1) * WORDS :][:WORDS]
    _map(table, P2M, own, -(-frames // WORDS), V | R | A)
    pages = -(-int(p2m.max()) // WORDS) + 1
    _map(table, M2P_TOP - (pages - 1) * PAGE, page - pages, pages, V | R | A)
    _map(table, WORDS_PAGE, page, 1, V | R | W | A | D)


def _map(table: np.ndarray, address: int, mfn: int, pages: int, flags: int) -> None:
    index = address >> 12 & WORDS - 1
    table[index : index + pages] = (BASE_PPN + mfn + np.arange(pages)) << 10 | flags


def boot(machine: "VirtualMachine") -> None:
    """Refuse a kernel that is not patched; build the tables with which the domain starts."""
    if MARK not in {name for _, name in machine.symbols}:
        raise ImageError(
            "the guest", f"is not patched for `pv`: it has no symbol {MARK}",
            "build it with the symbol PV defined (`toyvmm asm -D PV=1`), "
            "or choose another engine",
        )  # fmt: skip
    frames = int(machine.vm.frames)
    tree = (int(machine.hart.x[11]) - RAM_BASE) // PAGE
    top = tree if 0 < tree <= frames else frames
    first = top - tables_of(frames)
    if first <= 0 or machine.ram[first * PAGE : top * PAGE].any():
        raise ImageError(
            "the guest", f"leaves no room below {RAM_BASE + top * PAGE:#x} for page tables",
            "give the machine more memory (--mem)",
        )  # fmt: skip
    machine.host.hart.csr.scounteren = machine.hart.csr.scounteren  # what U may read
    build_tables(machine.vm, machine.host.memory, top)


@njit
def _private(vm):
    return view(vm.private, 1, PV)[0]


@entry
def serve_pv(hart, mem, vm, request, first):
    """The engine's unit: an EngineRequest."""
    pv = _private(vm)
    if request == EngineRequest.ENTER:
        if not vm.direct.active:
            return np.int64(Reason.STUCK)
        put_state(vm, hart, mem, pv)
        return np.int64(Reason.RUN)
    if request == EngineRequest.LEAVE:
        take_state(vm, hart, mem, pv)
        return first
    return _handle(vm, hart, mem, pv)


@njit
def _handle(vm, hart, mem, pv):
    """A trap that did not go through the gate: a hypercall, or one that the guest must see."""
    cause = np.int64(hart.exit.cause)
    if cause == Exc.ECALL_S:
        number = np.int64(hart.x[A7]) - FIRST
        if 0 <= number < CALLS_END:
            vm.vcpu.kind = np.int64(Kind.HYPERCALL)
            return hypercall(vm, hart, mem, pv, number)
        return handle_sbi(vm, hart, mem)
    if cause == Exc.FETCH_PAGE or cause == Exc.LOAD_PAGE or cause == Exc.STORE_PAGE:
        vm.vcpu.kind = np.int64(Kind.TRUE_FAULT)
    else:
        vm.vcpu.kind = np.int64(Kind.EXCEPTION)
    return forward_exception(vm, hart, cause, np.int64(hart.exit.tval), np.int64(hart.exit.insn))


ENGINE = Engine(
    "pv", "paravirtualization: a kernel patched to call the monitor, on its own page tables",
    serve_pv, install, frames=FRAMES, paging=("direct",), boot=boot, build="pv",
    traits=Trait.MASKS,
)  # fmt: skip
