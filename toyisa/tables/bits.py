"""Answers for the fields of CSRs and of page-table entries: where their bits lie.

The names are the manual's, the register first.  Which CSRs there are is in `csrs.py`.

  sstatus    31       19  18       8     5     1
            +--------+---+---+---+---+--+----+--+---+--+
            |        |MXR|SUM|   |SPP|  |SPIE|  |SIE|  |
            +--------+---+---+---+---+--+----+--+---+--+
  satp       31   30      22 21                     0
            +----+----------+------------------------+
            |mode|   asid   |          ppn           |
            +----+----------+------------------------+
  pte        31                  10 9   8 7 6 5 4 3 2 1 0
            +----------------------+-----+-+-+-+-+-+-+-+-+
            |         ppn          | rsw |D|A|G|U|X|W|R|V|
            +----------------------+-----+-+-+-+-+-+-+-+-+
"""

from toyisa.tables.causes import Irq

SSTATUS_SIE = 1 << 1
SSTATUS_SPIE = 1 << 5
SSTATUS_SPP = 1 << 8
SSTATUS_SUM = 1 << 18
SSTATUS_MXR = 1 << 19
SIE_SSIE = 1 << Irq.SOFTWARE
SIE_STIE = 1 << Irq.TIMER
SIE_SEIE = 1 << Irq.EXTERNAL
SIP_SSIP = 1 << Irq.SOFTWARE
SIP_STIP = 1 << Irq.TIMER
SIP_SEIP = 1 << Irq.EXTERNAL
STVEC_VECTORED = 1
SCOUNTEREN_CY = 1
SCOUNTEREN_TM = 2
SCOUNTEREN_IR = 4
SATP_MODE_SV32 = 1 << 31
SATP_ASID_SHIFT = 22
SATP_ASID_MASK = 0x1FF << 22
SATP_PPN_MASK = 0x3FFFFF
PTE_V = 1
PTE_R = 2
PTE_W = 4
PTE_X = 8
PTE_U = 16
PTE_G = 32
PTE_A = 64
PTE_D = 128
PTE_PPN_SHIFT = 10

# By name, for the guests' `riscv.inc` and the reference; the constants after them are for our own
# code.
BITS: dict[str, int] = {name: value for name, value in globals().items() if name.isupper()}

ASID = SATP_ASID_MASK >> SATP_ASID_SHIFT  # the mask of an address-space identifier
FLAGS = 0xFF         # the flags of an entry: D to V
PPN = SATP_PPN_MASK  # the mask of a frame's number
PAGE_SHIFT = 12      # the bits of an address below this are the place in its page
VPN = 0x3FF          # the mask of one level's index
VPN_WIDTH = 10
