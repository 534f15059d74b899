"""Answers for who may do what: levels, profiles, and what root denies S.

Names and bits only; `system.py` and `mmu.py` obey them.
"""

from enum import IntEnum


class Level(IntEnum):
    """Privilege of a hart.  Root has no instructions: it is the host side."""

    U = 0
    S = 1


class Profile(IntEnum):
    """What a sensitive instruction does when it lacks privilege.

    `STRICT`: it traps, so Popek and Goldberg's theorem holds.  `LEAKY`: it has
    x86's holes in deprivileged S.  `LEAKY_USER`: in U as well.
    """

    STRICT = 0
    LEAKY = 1
    LEAKY_USER = 2


class STraps(IntEnum):
    """The root record's `s_traps`: what S may not do without a trap to root.

    Bits to be or-ed, after RISC-V's TVM, TW and TSR; all set is *deprivileged S*.
    """

    CSR = 1        # sstatus sie stvec scounteren sip stimecmp[h]
    TRAPCSR = 2    # sepc scause stval sscratch
    COUNTER = 4    # cycle time instret and their upper halves
    SRET = 8       # sret                                       (TSR)
    SATP = 16      # satp, sfence.vma                           (TVM)
    WFI = 32       # wfi                                        (TW)
    ALL = 63
