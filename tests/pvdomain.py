"""A small domain under `pv` whose hypercalls are made from Python, as a guest's ecalls arrive."""

import numpy as np

from toyisa.core.access import FAULT
from toyisa.core.decode import decode
from toyisa.core.memory import PAGE, RAM_BASE, WORDS
from toyisa.core.serve import serve
from toyisa.tables.causes import Exc
from toyisa.tables.exits import Reason
from toyisa.tables.requests import Request
from vmm.abi.hypercalls import FIRST, Word
from vmm.domain.frametypes import OPEN
from vmm.domain.requests import EngineRequest
from vmm.engines.pv import FRAMES as WINDOW_FRAMES
from vmm.engines.pv import MARK, serve_pv
from vmm.fuzz import framecheck
from vmm.machine import VirtualMachine
from vmm.paging.direct.build import build_tables

FRAMES = 256
BASE_PPN = RAM_BASE >> 12
POISON = 0xDEADBEEF
STORE, LOAD = 0x0062_A023, 0x0002_A303  # sw t1, 0(t0); lw t1, 0(t0)


def gva(gfn: int) -> int:
    """The address at which the kernel has a frame of its own mapped at first."""
    return RAM_BASE + gfn * PAGE


class Domain:
    """A domain of 256 frames between frames of poison, and a hart to try things with."""

    def __init__(self):
        self.machine = machine = VirtualMachine(engine="pv", mem=FRAMES * PAGE, scatter=7)
        machine.symbols = ((0, MARK),)
        self.words = machine.host.ram.view("<u4")
        self.own = set(machine.pages["mfn"].tolist())
        # Frames of the monitor that are not the window's are poison.
        self.foreign = sorted(set(range(machine.host.ram.size // PAGE)) - self.own)
        window = int(machine.vm.own)
        self.poisoned = [m for m in self.foreign if not window <= m < window + WINDOW_FRAMES]
        self.pages = self.words.reshape(-1, WORDS)
        self.pages[self.poisoned] = POISON
        self.keep = self.words[window * WORDS : (window + WINDOW_FRAMES) * WORDS].copy()
        self.window = window
        self.uops = [decode(np.int64(word), np.int64(0)) for word in (STORE, LOAD)]

    def fresh(self):
        """A domain in its first state."""
        vm, hart, mem = self.machine.vm, self.machine.host.hart, self.machine.host.memory
        self.pages[sorted(self.own)] = 0
        hart.tlb.dkey[:] = hart.tlb.ikey[:] = -1
        hart.tlb.rtag[:] = hart.tlb.wtag[:] = hart.tlb.xtag[:] = -1
        vm.vcpu.hart.csr.stvec = vm.vcpu.hart.csr.sie = 0
        vm.vcpu.hart.priv = 1
        vm.platform.console.ended = 1
        build_tables(vm, mem, FRAMES)

    def call(self, number, a0, a1, a2):
        """An `ecall`; a0 afterwards."""
        machine = self.machine
        vm, hart, mem = machine.vm, machine.host.hart, machine.host.memory
        hart.x[10:13] = a0, a1, a2
        hart.x[17] = (FIRST + number) & 0xFFFFFFFF
        hart.exit.cause = Exc.ECALL_S
        vm.vcpu.hart.csr.sepc = RAM_BASE
        vm.platform.console.tx_len = 0
        reason = serve_pv(hart, mem, vm, EngineRequest.EXIT, Reason.TRAP)
        assert reason in (Reason.RUN, Reason.IDLE)
        vm.vcpu.hart.priv = 1
        return int(hart.x[10])

    def access(self, gva, store):
        """A load or store by the guest's kernel; return whether it was done."""
        machine = self.machine
        vm, hart, mem = machine.vm, machine.host.hart, machine.host.memory
        serve_pv(hart, mem, vm, EngineRequest.ENTER, 0)
        hart.x[5], hart.x[6] = gva, store or 0
        uop = self.uops[0 if store is not None else 1]
        return serve(hart, mem, Request.ACCESS, uop, 0) != FAULT

    def entry_of(self, gva):
        """The guest-physical address of the second-level entry of `gva` in the current space."""
        vm = self.machine.vm
        pte = int(self.words[int(vm.direct.root) * WORDS + (gva >> 22)])
        gfn = int(self.machine.host.frames["gfn"][(pte >> 10) - BASE_PPN]) if pte & 1 else 0
        return RAM_BASE + gfn * PAGE + 4 * (gva >> 12 & 0x3FF)

    def put(self, gfn, index, value):
        """The guest writes a word of a frame that is not a table, through some mapping."""
        mfn = int(self.machine.pages["mfn"][gfn])
        if self.machine.host.frames["kind"][mfn] < OPEN:
            self.words[mfn * WORDS + index] = value

    def check(self):
        framecheck.check(self.machine)
        written = (self.pages[self.poisoned] != POISON).any(axis=1)
        assert not written.any(), f"foreign frames {np.array(self.poisoned)[written]}"
        now = self.words[self.window * WORDS : (self.window + WINDOW_FRAMES) * WORDS]
        changed = np.flatnonzero(now != self.keep)
        shared = int(self.machine.private[0].words) - self.window * WORDS
        assert set(changed.tolist()) <= set(range(shared, shared + len(Word)))
