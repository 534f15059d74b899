"""Answers for where things lie in a generated kernel, and which registers are whose.

    physical                            virtual, in both address spaces
    0x8000_0000 vectors, handler, code  the same, for S: a superpage, or 4 KiB pages
    0x8000_8000 user code               0x0040_0000 user code, then WINDOW - 1 pages
    0x8000_9000 the handler's words     0x0080_0000 RAM once more, for S, to read and write
    0x8000_a000 root and leaves of A    0x1000_0000 the devices, for S
    0x8000_c000 root and leaves of B    0x0c00_0000 the interrupt controller, for S
    0x8000_e000 leaves of the kernel    0xffff_f000 the last data page, for S
    0x8000_f000 leaves of the top
    0x8001_0000 eight data pages

Must not know what code does with it.
"""

from toyisa.core.memory import PAGE, PLIC_BASE, RAM_BASE, UART
from toyisa.tables.bits import BITS, SATP_ASID_SHIFT, SATP_MODE_SV32

BODY_END = RAM_BASE + 0x8000
USER_CODE = RAM_BASE + 0x8000
SAVE = RAM_BASE + 0x9000
ROOT_A, ROOT_B = RAM_BASE + 0xA000, RAM_BASE + 0xC000  # each space's leaves are on the next page
KERNEL_LEAVES, TOP_LEAVES = RAM_BASE + 0xE000, RAM_BASE + 0xF000
DATA, DATA_PAGES = RAM_BASE + 0x10000, 8
END = DATA + DATA_PAGES * PAGE

USER, WINDOW = 0x0040_0000, 7
ALIAS = 0x0080_0000
TOP = 0xFFFF_F000

V, R, W, X, U, G, A, D = (BITS[f"PTE_{bit}"] for bit in "VRWXUGAD")
RWXAD = V | R | W | X | A | D

# Words at SAVE: registers that the handler keeps, then what it counts and is told.
DIGEST, RESUME, TICKS, LEFT, PERIOD, FIXES, IPIS, CLAIMS = range(32, 64, 4)
FIX = 64  # a PTE for each page of the window: the handler writes it on a fault

# Registers: body and user code may change the first ones; an item's own come after them.
FREE = 26          # x0..x26
COUNTER = 28       # of a loop
S1, S2, S3 = 29, 30, 31  # within an item


def leaf_of(root: int, page: int) -> int:
    """The address of the PTE of a page of the window."""
    return root + PAGE + 4 * page


def pte(frame: int, flags: int) -> int:
    """The PTE of the frame at a physical address."""
    return frame >> 2 | flags


def satp(root: int, asid: int) -> int:
    return SATP_MODE_SV32 | asid << SATP_ASID_SHIFT | root >> 12


def devices() -> dict[int, int]:
    """The entries of the root table that map the devices for S."""
    return {base >> 22: pte(base, V | R | W | A | D) for base in (PLIC_BASE, UART)}
