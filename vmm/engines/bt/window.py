"""Answers for the monitor's window: what lies in the top 4 MiB that translated code sees.

    0xFFC0_0000  CODE      units of translated code, execute only
    0xFFCF_0000  BUCKETS   the hash of indirect jumps, execute only: it is code
    0xFFFF_F000  the words: its upper half is in reach of `imm(x0)`, and so needs no register

Root writes the guest's virtual state to the words before it enters, and takes it back at
every exit.  They are the guest's own state and no more: root trusts none of them.
Must not know instructions.
"""

from enum import IntEnum

WINDOW = 0xFFC0_0000
CODE_PAGES, BUCKET_PAGES = 240, 8
FRAMES = CODE_PAGES + BUCKET_PAGES + 2  # with the page of words, and the table that maps it all
CODE_WORDS = CODE_PAGES * 1024
BUCKETS = WINDOW + CODE_PAGES * 4096
BUCKET_WORDS = 8
REGION = 1023  # the root entry


class Slot(IntEnum):
    """The words, by their number from -2048 on."""

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
FIRST = -2048  # the offset of slot 0
