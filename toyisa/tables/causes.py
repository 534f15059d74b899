"""Answers for why a trap is taken: the codes of `scause` and their names.

Source: RISC-V privileged manual, table "Supervisor cause register values after
trap".  Must not know what happens on a trap (`trap.py`).
"""

from enum import IntEnum

INTERRUPT = 1 << 31  # the top bit of scause

# Codes of exceptions, and as many of interrupts.  Whatever is indexed by code has a place for each,
# also for codes that no machine here has yet.  The number is a power of two, so that a code can be
# masked, and it is the number of bits of a delegation mask.
CODES = 32
CODE_MASK = CODES - 1


class Exc(IntEnum):
    """Synchronous exceptions, the value of `scause`."""

    INSN_MISALIGNED = 0
    INSN_ACCESS = 1
    ILLEGAL = 2
    BREAKPOINT = 3
    LOAD_MISALIGNED = 4
    LOAD_ACCESS = 5
    STORE_MISALIGNED = 6
    STORE_ACCESS = 7
    ECALL_U = 8
    ECALL_S = 9
    FETCH_PAGE = 12
    LOAD_PAGE = 13
    STORE_PAGE = 15


class Irq(IntEnum):
    """Interrupts, the value of `scause` without its top bit; also the bit of sip."""

    SOFTWARE = 1
    TIMER = 5
    EXTERNAL = 9


# "Multiple simultaneous interrupts ... are handled in the following decreasing
# priority order: SEI, SSI, STI."
PRIORITY: tuple[Irq, ...] = (Irq.EXTERNAL, Irq.SOFTWARE, Irq.TIMER)

MEANING: dict[int, str] = {
    Exc.INSN_MISALIGNED: "instruction address misaligned",
    Exc.INSN_ACCESS: "instruction access fault",
    Exc.ILLEGAL: "illegal instruction",
    Exc.BREAKPOINT: "breakpoint",
    Exc.LOAD_MISALIGNED: "load address misaligned",
    Exc.LOAD_ACCESS: "load access fault",
    Exc.STORE_MISALIGNED: "store address misaligned",
    Exc.STORE_ACCESS: "store access fault",
    Exc.ECALL_U: "environment call from U",
    Exc.ECALL_S: "environment call from S",
    Exc.FETCH_PAGE: "instruction page fault",
    Exc.LOAD_PAGE: "load page fault",
    Exc.STORE_PAGE: "store page fault",
    INTERRUPT | Irq.SOFTWARE: "supervisor software interrupt",
    INTERRUPT | Irq.TIMER: "supervisor timer interrupt",
    INTERRUPT | Irq.EXTERNAL: "supervisor external interrupt",
}


_EXC_NAMES = {exc.value: exc.name.lower() for exc in Exc}
_IRQ_NAMES = {irq.value: f"irq_{irq.name.lower()}" for irq in Irq}


def name(scause: int) -> str:
    """The name of a cause, `illegal` or `irq_timer`; `cause_N` if there is none."""
    if scause & INTERRUPT:
        code = scause & ~INTERRUPT
        return _IRQ_NAMES.get(code, f"irq_{code}")
    return _EXC_NAMES.get(scause, f"cause_{scause}")
