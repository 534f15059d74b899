"""Who may read or write a CSR, and what then happens.

Must not know instruction words.  The table says which CSRs exist, their level, group and
writable bits, and the holes of the `leaky` profiles.
"""

from toyisa.tables.bits import SCOUNTEREN_CY, SCOUNTEREN_IR, SCOUNTEREN_TM
from toyisa.tables.causes import Exc
from toyisa.tables.csrs import BY_NUMBER, Csr
from toyisa.tables.levels import Level, Profile, STraps
from toyisa.testing.model.state import State
from toyisa.testing.model.trap import Trap

GROUPS = {
    "csr": STraps.CSR,
    "trapcsr": STraps.TRAPCSR,
    "counter": STraps.COUNTER,
    "satp": STraps.SATP,
}
# The bit of scounteren that opens a counter to U.
ENABLE = {"cycle": SCOUNTEREN_CY, "time": SCOUNTEREN_TM, "instret": SCOUNTEREN_IR}


def _holed(hart: State) -> bool:
    """Whether this level has the holes of x86 where it lacks privilege."""
    if hart.priv == Level.U:
        return hart.profile == Profile.LEAKY_USER
    return hart.profile != Profile.STRICT


def _lacks(hart: State, row: Csr, word: int) -> Trap | None:
    """The trap that an access to `row` from this level causes on `strict`."""
    if hart.priv < row.level:
        return Trap(Exc.ILLEGAL, word)
    enable = ENABLE.get(row.name.removesuffix("h"), 0)
    if hart.priv == Level.U and not hart.csr["scounteren"] & enable:
        return Trap(Exc.ILLEGAL, word)
    if hart.priv == Level.S and hart.s_traps & GROUPS[row.group]:
        return Trap(Exc.ILLEGAL, word, root=True)
    return None


def access(hart: State, number: int, word: int, *, read: bool, write: bool) -> tuple[Csr, bool]:
    """Check an access; return the row, and whether the write is to be dropped.

    Raises the Trap of the access.
    """
    row = BY_NUMBER.get(number)
    if row is None or (write and row.read_only):
        raise Trap(Exc.ILLEGAL, word)
    trap = _lacks(hart, row, word)
    if trap is None:
        return row, False
    escapes = (not read or row.leaks_reads) and (not write or row.drops_writes)
    if escapes and _holed(hart) and row.leaky != "-":
        return row, True
    raise trap


def load(hart: State, row: Csr) -> int:
    """The value that a read of `row` returns."""
    if row.name == "sip":
        return hart.sip()
    if row.read_only:
        value = getattr(hart, row.name.removesuffix("h"))
        return (value >> 32 if row.name.endswith("h") else value) & 0xFFFFFFFF
    return hart.csr[row.name]


def store(hart: State, row: Csr, value: int) -> None:
    """Write the writable bits of `row`."""
    old = hart.csr[row.name]
    hart.csr[row.name] = old & ~row.writable & 0xFFFFFFFF | value & row.writable
