"""How a trap enters S and how `sret` leaves it.

Must not know why a trap is raised.  Source: RISC-V privileged manual,
"Supervisor Status Register" and "Supervisor Trap Vector Base Address Register".
"""

from toyisa.tables.bits import BITS, STVEC_VECTORED
from toyisa.tables.causes import CODE_MASK, INTERRUPT, PRIORITY
from toyisa.tables.levels import Level
from toyisa.testing.model.state import State

SIE, SPIE, SPP = (BITS[f"SSTATUS_{field}"] for field in ("SIE", "SPIE", "SPP"))
M32 = 0xFFFFFFFF


class Trap(Exception):
    """An instruction cannot go on: cause and `stval`; `root` if S may never see it."""

    def __init__(self, cause: int, tval: int, *, root: bool = False) -> None:
        super().__init__(cause, tval)
        self.cause = int(cause)
        self.tval = tval & M32
        self.root = root


def delegated(hart: State, cause: int) -> bool:
    """Whether root lets S take this cause."""
    mask = hart.deleg_int if cause & INTERRUPT else hart.deleg_exc
    return bool(mask >> (cause & CODE_MASK) & 1)


def pending(hart: State) -> int | None:
    """The interrupt cause to take before the next instruction, or None."""
    ready = hart.sip() & hart.csr["sie"] & hart.deleg_int
    for irq in PRIORITY:
        if not ready >> irq & 1:
            continue
        # "An interrupt i will trap to S-mode if ... the current privilege mode is S
        # and the SIE bit in the sstatus register is set, or the current privilege
        # mode has less privilege than S-mode".
        if hart.priv < Level.S or hart.csr["sstatus"] & SIE:
            return INTERRUPT | irq
    return None


def enter(hart: State, cause: int, tval: int) -> None:
    """Take the trap to S."""
    status = hart.csr["sstatus"] & ~(SPP | SPIE | SIE)
    if hart.priv == Level.S:
        status |= SPP
    if hart.csr["sstatus"] & SIE:
        status |= SPIE
    hart.csr.update(sstatus=status, sepc=hart.pc, scause=cause, stval=tval)
    hart.priv = Level.S
    hart.bus.reserved = None
    stvec = hart.csr["stvec"]
    base = stvec & ~3
    vectored = stvec & STVEC_VECTORED and cause & INTERRUPT
    hart.pc = (base + (4 * (cause & ~INTERRUPT) if vectored else 0)) & M32


def leave(hart: State) -> int:
    """`sret`; returns the pc at which to continue."""
    status = hart.csr["sstatus"]
    hart.priv = Level.S if status & SPP else Level.U
    hart.csr["sstatus"] = status & ~(SPP | SIE) | SPIE | (SIE if status & SPIE else 0)
    hart.bus.reserved = None
    return hart.csr["sepc"]
