"""Answers for the fixed parts of a hostile patched guest: its boot, and its trap entry.

The trap entry saves registers in the window, so that it works whatever the tables map, as
long as they map its code.  Must not know what the guest does in between.
"""

from toyisa.core.memory import RAM_BASE
from toyisa.tables.bits import SIE_STIE, SSTATUS_SPIE, SSTATUS_SPP
from toyisa.tables.causes import Exc, Irq
from toyisa.testing.code import Code
from vmm.abi.hypercalls import FIRST, Call, Word
from vmm.fuzz.pvoperands import LIST, RESUME, SAVED, TREE, word_at

T0, T1, A0, A1, A7 = 5, 6, 10, 11, 17
KEPT = {T0: SAVED, T1: SAVED + 4, A0: SAVED + 8, A1: SAVED + 12, A7: SAVED + 16}
IN_S = SSTATUS_SPP | SSTATUS_SPIE
STIE = SIE_STIE
PERIOD = 7  # units of virtual time until the timer comes again
SOMETIMES = 1 << 4  # of instret


def hypercall(code: Code, number: int) -> None:
    code.li(A7, FIRST + number).e("ecall")


def handler(code: Code) -> None:
    """Skip the instruction that trapped; code that is lost, and some other, continues at RESUME."""
    code.label("handler")
    for reg, word in KEPT.items():
        code.e("sw", reg, word, 0)
    code.e("sw", 0, word_at(Word.VIF), 0)
    code.e("csrrs", T0, "scause", 0).to("exception", "bge", T0, 0)
    code.e("andi", T0, T0, 15).e("addi", T1, 0, int(Irq.TIMER)).to("timer", "beq", T0, T1)
    code.e("addi", A0, 0, 0).e("addi", A1, 0, 1).e("sll", A1, A1, T0)  # once is enough
    hypercall(code, Call.IRQ_MASK)
    code.label("timer").e("csrrs", A0, "time", 0).e("addi", A0, A0, PERIOD).li(A1, 0)
    hypercall(code, Call.SET_TIMER)
    code.e("csrrs", T0, "instret", 0).e("andi", T0, T0, SOMETIMES)
    code.to("leave", "beq", T0, 0).to("resume")
    code.label("exception")
    for cause in (Exc.FETCH_PAGE, Exc.INSN_ACCESS, Exc.INSN_MISALIGNED):
        code.e("addi", T1, 0, int(cause)).to("resume", "beq", T0, T1)
    code.e("csrrs", T1, "stval", 0).e("addi", T0, T0, -int(Exc.ILLEGAL))
    code.to("known", "bne", T0, 0).to("resume", "beq", T1, 0)  # zeros, and more zeros behind them
    code.label("known").e("addi", T0, T0, int(Exc.ILLEGAL - Exc.ECALL_U))
    code.to("skip", "bne", T0, 0)
    code.e("csrrs", T0, "instret", 0).e("andi", T0, T0, SOMETIMES).to("resume", "beq", T0, 0)
    _skip(code)  # a system call, and back without an exit
    _restore(code)
    code.e("sret")
    code.label("resume").e("lw", T1, RESUME, 0).e("csrrw", 0, "sepc", T1)
    code.li(T1, IN_S).e("sw", T1, word_at(Word.STATUS), 0).to("leave")
    code.label("skip")
    _skip(code)
    code.label("leave")
    _restore(code)
    code.e("sw", A7, word_at(Word.SPILL), 0)
    hypercall(code, Call.IRET)


def _skip(code: Code) -> None:
    code.e("csrrs", T1, "sepc", 0).e("addi", T1, T1, 4).e("csrrw", 0, "sepc", T1)


def _restore(code: Code) -> None:
    for reg, word in KEPT.items():
        code.e("lw", reg, word, 0)


def boot(code: Code) -> None:
    """Find the device tree, and so the first tables; turn traps and a timer on."""
    code.label("boot").e("sw", A1, TREE, 0)
    code.li(A0, RAM_BASE).li(A1, LIST)
    hypercall(code, Call.SET_TRAP)
    code.li(A0, STIE).li(A1, 0)
    hypercall(code, Call.IRQ_MASK)
    code.e("csrrs", A0, "time", 0).e("addi", A0, A0, PERIOD).li(A1, 0)
    hypercall(code, Call.SET_TIMER)
    code.e("addi", T0, 0, 1).e("sw", T0, word_at(Word.VIF), 0)
