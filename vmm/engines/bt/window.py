"""Answers for the monitor's window: the 4 MiB that translated code sees.

    at the top   at the bottom
    0xFFC0_1000  0x0000_1000   blocks of translated code, execute only
    0xFFCE_9000  0x000E_9000   buckets: the hash table of indirect jumps, execute only: it is code
    0xFFFF_F800  0x0000_0000   the words: in reach of `imm(x0)`, so they need no register

It is at the top until the guest's kernel uses that end (`move.py`).  One table maps it at
either end: its first and its last entry both map the page of words.

Root writes the guest's virtual state to the words before it enters, and takes it back at
every exit.  They are the guest's own state and nothing else: root trusts none of them. Must
not know instructions.
"""

from enum import IntEnum

SIZE = 1 << 22
CODE = 0x1000  # from the window's start
GROUPS = 3  # of address spaces that share code: coherence.py
GROUP_PAGES = 8  # of buckets, for each group
# 1 MiB: a jump reaches from one end to the other
CODE_PAGES, BUCKET_PAGES = 232, GROUPS * GROUP_PAGES
FRAMES = CODE_PAGES + BUCKET_PAGES + 2  # and the page of words, and the table that maps everything
CODE_WORDS = CODE_PAGES * 1024
BUCKETS = CODE_PAGES * 4096  # from the code's start
BUCKET_WORDS = 8
TOP, BOTTOM = 1023, 0  # the entry of the root table
FIRST_AT_TOP = -2048  # the offset from x0 of slot 0; at the bottom it is 0


class Slot(IntEnum):
    """The words, by their number."""

    VIF = 0       # sstatus.SIE, in its place in sstatus: the virtual interrupt flag
    SSTATUS = 1   # sstatus without it
    SIE = 2
    SIP = 3       # pending interrupts
    PENDING = 4   # those that are also enabled: if not 0, SIE must not be set inline
    SSCRATCH = 5
    SEPC = 6
    SCAUSE = 7
    STVAL = 8
    STVEC = 9
    SCOUNTEREN = 10
    SATP = 11
    STIMECMP = 12
    STIMECMPH = 13
    SPILL0 = 14   # registers that a sequence uses
    SPILL1 = 15
    SPILL2 = 16
    TARGET = 17   # where an indirect jump goes
    COUNT = 18    # icount: instructions until root must look, after the current block
    OFFSET = 19   # virtual time minus real time, 64 bits
    OFFSETH = 20


SLOTS = len(Slot)
