"""Answers for why a guest left its hart, in the words of the monitor.

The hart reports a `toyisa.tables.exits.Reason` and a cause.  What the exit was *for* is known
when it has been handled, and these kinds are counted.  A caller gets `toyisa.machine.Exit`,
the same as for a bare machine.
"""

from enum import IntEnum


class Kind(IntEnum):
    """What an exit was for; the rows of `toyvmm stat`."""

    CSR = 0        # a CSR is read or written for the guest
    SATP = 1       # satp is written: a new root table
    FENCE = 2      # sfence.vma
    SRET = 3
    WFI = 4
    COUNTER = 5    # cycle, time or instret read
    PROBE = 6      # probe.r, probe.w
    SBI = 7        # a call of the firmware, which is virtual
    HYPERCALL = 8  # a call of the monitor
    SYSCALL = 9    # ecall from U, forwarded to the guest's kernel
    EXCEPTION = 10  # a fault that is not the MMU's, forwarded
    TRUE_FAULT = 11  # a page fault that the guest's own tables call for, forwarded
    HIDDEN_FAULT = 12  # a page fault because a shadow entry is missing, which the guest never sees
    TRACE = 13     # a store to a traced frame: a page table of the guest
    MMIO = 14      # a load or store of a device register
    TIMER = 15     # a virtual interrupt or an input is due
    CALLOUT = 16   # translated code calls root for what it does not do itself
    ESCAPE = 17    # a jump to code that is not translated yet
    OTHER = 18     # budget, console output: not caused by the guest


class ShadowEvent(IntEnum):
    """What a log of exits says of shadow tables; the numbers differ from those of Kind."""

    FILL = 32    # an entry made: address, what the guest's leaf says
    FOLLOW = 33  # an entry follows a traced store: its place in the guest's table, its new value
    DROP = 34    # an entry is invalid after a traced store: the same
    TABLE = 35   # a shadow frame taken: its role, the guest's frame (for a SPLIT, the superpage)
    EVICT = 36   # a shadow frame evicted because another was needed: its number
    STRAY = 37   # a shadow frame given back: the guest's frame is not a table any more
    FLUSH = 38   # the real TLB flushed
