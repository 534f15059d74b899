"""What a virtual address means: Sv32, walked again on every access.

Raises `Trap`; must not know which instruction asks.  Source: RISC-V privileged manual,
"Virtual Address Translation Process".
"""

from enum import Enum
from typing import Protocol

from toyisa.tables.bits import BITS, SATP_MODE_SV32, SATP_PPN_MASK, SSTATUS_MXR, SSTATUS_SUM
from toyisa.tables.causes import Exc
from toyisa.tables.levels import Level
from toyisa.testing.model.bus import Bus
from toyisa.testing.model.trap import Trap

V, R, W, X = (BITS[f"PTE_{bit}"] for bit in "VRWX")
U, A, D = (BITS[f"PTE_{bit}"] for bit in "UAD")
SUM, MXR = SSTATUS_SUM, SSTATUS_MXR


class Access(Enum):
    """What an access is for; its page-fault and access-fault causes."""

    FETCH = (Exc.FETCH_PAGE, Exc.INSN_ACCESS)
    LOAD = (Exc.LOAD_PAGE, Exc.LOAD_ACCESS)
    STORE = (Exc.STORE_PAGE, Exc.STORE_ACCESS)


def _permitted(pte: int, access: Access, priv: int, sstatus: int) -> bool:
    if priv == Level.U and not pte & U:
        return False
    # "When SUM=0, S-mode memory accesses to pages that are accessible by U-mode
    # will fault. ... S-mode can never execute instructions from user pages."
    if priv == Level.S and pte & U and (access is Access.FETCH or not sstatus & SUM):
        return False
    if access is Access.FETCH:
        return bool(pte & X)
    if access is Access.STORE:
        return bool(pte & W)
    return bool(pte & R or (sstatus & MXR and pte & X))


class Asking(Protocol):
    """What a walk depends on: fields of the hart."""

    bus: Bus
    csr: dict[str, int]
    priv: int
    svade: int


def translate(hart: Asking, va: int, access: Access, *, mark: bool = True) -> int:
    """The physical address of `va`; sets A (and D on a store) if `mark`.

    If A or D is clear and the hart is Svade, that is a page fault instead. Raises Trap with
    the page fault, or the access fault when a table lies outside RAM; the caller checks
    whether anything is at the answer.
    """
    bus, satp, sstatus, priv = hart.bus, hart.csr["satp"], hart.csr["sstatus"], hart.priv
    if not satp & SATP_MODE_SV32:
        return va
    page_fault = Trap(access.value[0], va)
    table = (satp & SATP_PPN_MASK) << 12
    for level in (1, 0):
        at = table + ((va >> (12 + 10 * level)) & 0x3FF) * 4
        if not bus.is_ram(at, 4):
            raise Trap(access.value[1], va)
        pte = bus.load(at, 4)
        if not pte & V or (pte & W and not pte & R):
            raise page_fault
        if pte & (R | X):
            break
        # "For non-leaf PTEs, the D, A, and U bits are reserved", and reserved traps.
        if pte & (D | A | U):
            raise page_fault
        table = pte >> 10 << 12
    else:
        raise page_fault
    ppn = pte >> 10
    if level == 1 and ppn & 0x3FF:
        raise page_fault  # a misaligned superpage
    if not _permitted(pte, access, priv, sstatus):
        raise page_fault
    marked = pte | A | (D if access is Access.STORE else 0)
    if marked != pte and hart.svade:
        raise page_fault
    if mark and marked != pte:
        bus.store(at, 4, marked)
    offset = va & (0x3FFFFF if level else 0xFFF)
    return (ppn << 12) + offset
