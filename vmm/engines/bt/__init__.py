"""Binary translation: guest kernel code is translated when it is to be executed.

The translations are real machine code, which the hart executes in deprivileged S from pages
in the monitor's window; user code runs directly.  So no sensitive instruction of the guest is
ever executed, and it does not matter whether it would have trapped.  docs/engines/bt.md.
"""

from typing import TYPE_CHECKING

import numpy as np

from toyisa.compiled.njit import entry, njit, view
from toyisa.core.memory import WORDS, sparse
from toyisa.core.sv32 import A, D, R, V, W, X
from toyisa.tables.levels import STraps
from vmm.domain.requests import EngineRequest, Trait
from vmm.engines import Engine
from vmm.engines.bt.cache import STEP_AT, flush_cache
from vmm.engines.bt.dump import counters
from vmm.engines.bt.enter import enter
from vmm.engines.bt.handlers import handle
from vmm.engines.bt.indirect import WIDTH
from vmm.engines.bt.leave import leave
from vmm.engines.bt.move import PATIENCE
from vmm.engines.bt.record import BT, MAX_UNIT_WORDS, Aside, Force
from vmm.engines.bt.window import (
    BOTTOM,
    BUCKET_PAGES,
    CODE,
    CODE_PAGES,
    FIRST_AT_TOP,
    FRAMES,
    SIZE,
    TOP,
)  # fmt: skip
from vmm.paging.shadow.link import BASE_PPN

if TYPE_CHECKING:
    from vmm.machine import VirtualMachine


def install(machine: "VirtualMachine") -> None:
    """Lay out the window, and deprive S of all but reading the counters."""
    hart, vm = machine.host.hart, machine.vm
    machine.private = record = sparse(1, BT)
    bt = record[0]
    vm.private = record.ctypes.data
    bt.start = vm.own
    bt.icount = int(hart.clock.icount)
    bt.adapts = int(machine.options.get("adapt", True))
    bt.capacity = _capacity(machine.options)
    bt.force = Force[machine.options.get("force", "inline").upper()]
    bt.at = bt.link = -1
    bt.verified[:] = -1
    hart.root.s_traps = STraps.ALL if bt.force == Force.TRAP else STraps.ALL & ~STraps.COUNTER
    slot = BOTTOM if machine.options.get("window") == "bottom" else TOP
    bt.base, bt.first = (slot << 22) + CODE, FIRST_AT_TOP if slot else 0
    bt.width = _width(machine.options)
    bt.patience = int(machine.options.get("patience", PATIENCE))
    hart.root.s_limit, hart.root.s_base = slot << 22, 0 if slot else SIZE
    hart.root.deleg_exc = hart.root.deleg_int = 0
    hart.csr.scounteren = 0
    code = CODE_PAGES + BUCKET_PAGES
    bt.aside[CODE_PAGES * WORDS :] = Aside.APART
    if not bt.icount:
        aside = machine.host.memory.aside
        aside.marks, aside.first, aside.frames = bt.aside.ctypes.data, vm.own, code
    table = np.zeros(WORDS, np.uint32)
    frames = BASE_PPN + int(vm.own) + np.arange(code + 1)
    table[1 : code + 1] = frames[:code] << 10 | V | X | A | D
    table[0] = table[-1] = frames[code] << 10 | V | R | W | A | D
    vm.shadow.slot = slot
    vm.shadow.region = int(vm.own) + code + 1
    at = int(vm.shadow.region) * WORDS
    machine.host.ram.view(np.uint32)[at : at + WORDS] = table


def _capacity(options: dict) -> int:
    """How many words of code the cache holds; ValueError if not even one block fits."""
    words = int(options.get("cache_words", STEP_AT))
    if not MAX_UNIT_WORDS <= words <= STEP_AT:
        raise ValueError(f"the translation cache holds {MAX_UNIT_WORDS} to {STEP_AT} words")
    return words


def _width(options: dict) -> int:
    """How many targets a fan compares with; ValueError if that is none, or too many."""
    width = int(options.get("width", WIDTH))
    if not 1 <= width <= WIDTH:
        raise ValueError(f"an indirect jump compares its target with 1 to {WIDTH} further ones")
    return width


@njit
def _private(vm):
    return view(vm.private, 1, BT)[0]


@entry
def serve_bt(hart, mem, vm, request, first):
    """The engine's unit: an EngineRequest."""
    bt = _private(vm)
    if request == EngineRequest.ENTER:
        if bt.ready == 0:
            bt.ready = 1
            flush_cache(vm, hart, mem, bt)
        return enter(vm, hart, mem, bt)
    if request == EngineRequest.LEAVE:
        return leave(vm, hart, mem, bt, first)
    return handle(vm, hart, mem, bt)


ENGINE = Engine(
    "bt", "binary translation: the kernel's code is translated as it runs", serve_bt, install,
    frames=FRAMES, counters=counters,
    traits=Trait.CALLOUTS | Trait.MASKS | Trait.TRANSLATES,
    options=("force", "adapt", "window", "patience", "cache_words", "width"),
)  # fmt: skip
