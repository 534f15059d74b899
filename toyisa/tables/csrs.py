"""The CSR table: the only place that says which CSRs exist.

Numbers, names and fields are those of the RISC-V privileged manual.  Bits 9:8 of a number are
the lowest level that may access it, bits 11:10 = 3 mean read-only.  `bits.py` says where
fields lie; `csr.py` says what reading or writing one *does* beyond storing bits.

Columns
  number   the 12-bit CSR number
  name     the manual's name; also the field of the `csr` state record
  writable the bits that a write changes; the others keep their value
  ext      the extension it belongs to (`extensions.py`); S: the privileged manual
  group    the `s_traps` bit under which deprivileged S traps on it (`levels.py`)
  sens     C control sensitive: writing it changes a resource; B behaviour sensitive:
           reading it shows a resource, of which a guest should see its own copy; both: CB
  leaky    what the `leaky` profile does in deprivileged S instead of trapping:
           `drop` writes, `leak` reads of the real register, both, or -
  meaning  one line
"""

from dataclasses import dataclass
from functools import cached_property

LEVEL_AT, ACCESS_AT, READ_ONLY = 8, 10, 3  # of a number: "CSR Address Mapping Conventions"

TABLE = """
# num   name       writable   ext    group    sens leaky     meaning
0x100   sstatus    0x000c0122 S      csr      CB   drop+leak interrupt enable SIE, its stack SPIE and SPP, SUM, MXR
0x104   sie        0x00000222 S      csr      CB   -         which interrupts are enabled: SSIE, STIE, SEIE
0x105   stvec      0xfffffffd S      csr      CB   leak      trap vector: base, and 1 in bit 0 for vectored interrupts
0x106   scounteren 0x00000007 S      csr      CB   -         which counters U may read: CY, TM, IR
0x140   sscratch   0xffffffff S      trapcsr  CB   -         a word for the trap handler
0x141   sepc       0xfffffffc S      trapcsr  CB   -         pc that a trap to S saved
0x142   scause     0xffffffff S      trapcsr  CB   -         why the last trap to S came
0x143   stval      0xffffffff S      trapcsr  CB   -         address or instruction word of the last trap to S
0x144   sip        0x00000002 S      csr      CB   -         which interrupts are pending; software writes SSIP only
0x14d   stimecmp   0xffffffff Sstc   csr      CB   -         the timer interrupt is pending while time >= stimecmp (Sstc)
0x15d   stimecmph  0xffffffff Sstc   csr      CB   -         upper half of stimecmp
0x180   satp       0xffffffff S      satp     CB   leak      paging: mode, address-space identifier, root table's frame
0xc00   cycle      0x00000000 Zicntr counter  B    -         cycles since reset
0xc01   time       0x00000000 Zicntr counter  B    -         ticks of the real-time clock
0xc02   instret    0x00000000 Zicntr counter  B    -         instructions retired
0xc80   cycleh     0x00000000 Zicntr counter  B    -         upper half of cycle
0xc81   timeh      0x00000000 Zicntr counter  B    -         upper half of time
0xc82   instreth   0x00000000 Zicntr counter  B    -         upper half of instret
"""


@dataclass(frozen=True)
class Csr:
    """One row of the table."""

    number: int
    name: str
    writable: int
    ext: str
    group: str
    sens: str
    leaky: str
    meaning: str

    @property
    def level(self) -> int:
        """The lowest level that may access it: 0 for U, 1 for S."""
        return self.number >> LEVEL_AT & 3

    @property
    def read_only(self) -> bool:
        return self.number >> ACCESS_AT == READ_ONLY

    @cached_property
    def drops_writes(self) -> bool:
        return "drop" in self.leaky

    @cached_property
    def leaks_reads(self) -> bool:
        return "leak" in self.leaky


def _parse(line: str) -> Csr:
    number, name, writable, ext, group, sens, leaky, meaning = line.split(None, 7)
    return Csr(int(number, 16), name, int(writable, 16), ext, group, sens, leaky, meaning)


CSRS: tuple[Csr, ...] = tuple(
    _parse(line) for line in TABLE.splitlines() if line and not line.startswith("#")
)
BY_NAME: dict[str, Csr] = {row.name: row for row in CSRS}
BY_NUMBER: dict[int, Csr] = {row.number: row for row in CSRS}

if len(BY_NUMBER) != len(CSRS) or len(BY_NAME) != len(CSRS):
    raise ValueError("two CSRs share a number or a name")
