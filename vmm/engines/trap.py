"""Trap and emulate: the unmodified kernel in deprivileged S, shadow page tables.

Virtual S runs in real S and virtual U in real U, so the guest's U bits, SUM and MXR mean what
they say.  Whatever the kernel may not do itself traps.  So the guest runs right on a machine
where every sensitive instruction traps, and wrong on another (`--profile leaky`).
"""

from typing import TYPE_CHECKING

import numpy as np

from toyisa.compiled.njit import entry
from toyisa.core.sv32 import MXR, SUM
from toyisa.core.tlb import recontext
from toyisa.tables.exits import Reason
from toyisa.tables.levels import STraps
from vmm.domain.requests import EngineRequest
from vmm.engines import Engine
from vmm.exit.handlers import handle_trap
from vmm.paging.shadow.frames import DIRECT
from vmm.paging.shadow.satp import select_root

if TYPE_CHECKING:
    from vmm.machine import VirtualMachine


def install(machine: "VirtualMachine") -> None:
    """Set the root record of the real hart: S may do nothing privileged."""
    hart = machine.host.hart
    hart.root.s_traps = STraps.ALL
    hart.root.deleg_exc = hart.root.deleg_int = 0
    hart.csr.scounteren = 0


@entry
def serve_trap(hart, mem, vm, request, first):
    """The engine's unit: an EngineRequest."""
    virtual = vm.vcpu.hart
    if request == EngineRequest.EXIT:
        return handle_trap(vm, hart, mem)
    if request == EngineRequest.LEAVE:
        virtual.pc = hart.pc
        return first
    hart.pc, hart.priv = virtual.pc, virtual.priv
    hart.csr.sstatus = np.int64(virtual.csr.sstatus) & (SUM | MXR)
    select_root(vm, hart, mem, np.int64(DIRECT))
    recontext(hart)
    return np.int64(Reason.RUN)


ENGINE = Engine(
    "trap", "trap and emulate: each privileged instruction exits", serve_trap, install, leaks=True
)
