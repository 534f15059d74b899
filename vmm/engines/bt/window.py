"""Answers for the monitor's window: what lies in 4 MiB that translated code sees.

    at the top   at the bottom
    0xFFC0_1000  0x0000_1000   units of translated code, execute only
    0xFFCE_9000  0x000E_9000   buckets: the hash of indirect jumps, execute only: it is code
    0xFFFF_F800  0x0000_0000   the words: in reach of `imm(x0)`, and so they need no register

It is at the top until the guest's kernel is found to use that end (`move.py`).  One table
maps it at either end: its first and its last entry are both the page of words.

Root writes the guest's virtual state to the words before it enters, and takes it back at
every exit.  They are the guest's own state and no more: root trusts none of them.
Must not know instructions.
"""

from enum import IntEnum

SIZE = 1 << 22
CODE = 0x1000  # from the window's start
GROUPS = 3  # of address spaces that have code in common: coherence.py
GROUP_PAGES = 8  # of buckets, for each group
CODE_PAGES, BUCKET_PAGES = 232, GROUPS * GROUP_PAGES  # 1 MiB: a jump reaches from end to end
FRAMES = CODE_PAGES + BUCKET_PAGES + 2  # with the page of words, and the table that maps it all
CODE_WORDS = CODE_PAGES * 1024
BUCKETS = CODE_PAGES * 4096  # from the code's start
BUCKET_WORDS = 8
TOP, BOTTOM = 1023, 0  # the root entry
FIRST_AT_TOP = -2048  # what x0 needs for slot 0; at the bottom it is 0


class Slot(IntEnum):
    """The words, by their number."""

    VIF = 0       # sstatus.SIE, in its place: the virtual interrupt flag
    SSTATUS = 1   # sstatus without it
    SIE = 2
    SIP = 3       # pending interrupts
    PENDING = 4   # those that are enabled, too: not 0 means that SIE must not be set inline
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
    COUNT = 18    # icount: instructions until root must look, beyond the current unit
    OFFSET = 19   # virtual time less real time, 64 bits
    OFFSETH = 20


SLOTS = len(Slot)
