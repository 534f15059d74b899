"""Answers for the fixed parts of a generated kernel: boot, trap handler, end.

Whatever its body does, a kernel ends.  The timer comes LEFT times more and then never. The
console is silenced when it interrupts.  A page fault is fixed once, and after that the
instruction is skipped.  User code that is lost goes back to the kernel.  Must not know the
body.
"""

from toyisa.core.memory import PLIC_BASE, UART, UART_SOURCE
from toyisa.core.plic import CLAIM, ENABLED, PRIORITY
from toyisa.tables.bits import SIE_STIE, SIP_SSIP, SSTATUS_SIE, SSTATUS_SPP
from toyisa.tables.sbi import SRST
from toyisa.testing import layout as at
from toyisa.testing.code import Code

S1, S2, S3 = at.S1, at.S2, at.S3
KEPT = {5: 0, 6: 4, 7: 8, 28: 12, 29: 16}  # register -> its word at SAVE; x31's is 20
SPP, SIE, STIE, SSIP = SSTATUS_SPP, SSTATUS_SIE, SIE_STIE, SIP_SSIP
TIMER, EXTERNAL = 5, 9
ECALL_U, FETCH_ACCESS, FETCH_PAGE = 8, 1, 12


def _add(code: Code, word: int, amount: int = 1) -> None:
    """Add to a word at SAVE, by means of x28."""
    code.e("lw", 28, word, 31).e("addi", 28, 28, amount).e("sw", 28, word, 31)


def vectors(code: Code) -> None:
    """Where stvec points, vectored or not: sixteen jumps to the handler."""
    code.label("vectors")
    for _ in range(16):
        code.to("handler")


def handler(code: Code, *, by_address: bool) -> None:
    """Add the trap to the digest, then handle it; sscratch always points to SAVE.

    `by_address`: after changing a PTE, fence that address only.
    """
    code.label("handler").e("csrrw", 31, "sscratch", 31)
    for reg, word in KEPT.items():
        code.e("sw", reg, word, 31)
    code.e("csrrs", 5, "sscratch", 0).e("sw", 5, 20, 31).e("csrrw", 0, "sscratch", 31)
    code.e("csrrs", 5, "scause", 0).e("csrrs", 6, "sepc", 0).e("csrrs", 7, "stval", 0)
    code.e("lw", 28, at.DIGEST, 31)
    fold(code, 28, 29)
    for reg in (5, 6, 7):
        code.e("xor", 28, 28, reg)
    code.e("csrrs", 29, "sstatus", 0).e("xor", 28, 28, 29).e("sw", 28, at.DIGEST, 31)
    code.to("exception", "bge", 5, 0)
    _interrupt(code)
    _exception(code, by_address=by_address)
    code.label("leave")
    for reg, word in KEPT.items():
        code.e("lw", reg, word, 31)
    code.e("lw", 31, 20, 31).e("sret")


def fold(code: Code, digest: int, scratch: int) -> None:
    """Rotate a digest by five bits, so that the order matters."""
    code.e("slli", scratch, digest, 5).e("srli", digest, digest, 27)
    code.e("or", digest, digest, scratch)


def _interrupt(code: Code) -> None:
    code.e("andi", 5, 5, 15).e("addi", 29, 0, TIMER).to("timer", "beq", 5, 29)
    code.e("addi", 29, 0, EXTERNAL).to("external", "beq", 5, 29)
    code.e("csrrci", 0, "sip", SSIP)
    _add(code, at.IPIS)
    code.to("leave")
    code.label("external").li(5, UART).e("sb", 0, 1, 5)
    code.li(6, PLIC_BASE + CLAIM).e("lw", 7, 0, 6)
    code.e("lw", 28, at.CLAIMS, 31).e("add", 28, 28, 7).e("sw", 28, at.CLAIMS, 31)
    code.e("sw", 7, 0, 6).to("leave")
    code.label("timer")
    _add(code, at.TICKS)
    code.e("lw", 29, at.LEFT, 31).to("disarm", "beq", 29, 0)
    code.e("addi", 29, 29, -1).e("sw", 29, at.LEFT, 31)
    code.e("csrrs", 5, "time", 0).e("lw", 6, at.PERIOD, 31).e("add", 5, 5, 6)
    code.e("csrrw", 0, "stimecmp", 5).to("leave")
    code.label("disarm").e("addi", 5, 0, -1).e("csrrw", 0, "stimecmph", 5).to("leave")


def _exception(code: Code, *, by_address: bool) -> None:
    code.label("exception")
    code.e("addi", 29, 0, ECALL_U).to("to_kernel", "beq", 5, 29)
    code.e("addi", 29, 0, FETCH_ACCESS).to("to_kernel", "beq", 5, 29)
    code.e("addi", 29, 0, FETCH_PAGE).to("skip", "blt", 5, 29)
    # In the window?  Then its PTE becomes what FIX says, unless it is that already.
    code.e("lui", 29, at.USER >> 12).e("sub", 28, 7, 29).e("srli", 28, 28, 12)
    code.e("sltiu", 29, 28, at.WINDOW).to("lost", "beq", 29, 0)
    code.e("slli", 28, 28, 2).e("add", 29, 31, 28).e("lw", 6, at.FIX, 29)
    code.e("csrrs", 29, "satp", 0).e("slli", 29, 29, 12).e("add", 29, 29, 28)
    code.e("lui", 28, 1).e("add", 29, 29, 28)
    code.e("lw", 28, 0, 29).e("xor", 28, 28, 6).e("andi", 28, 28, ~(at.A | at.D))
    code.to("lost", "beq", 28, 0)
    code.e("sw", 6, 0, 29).e("sfence.vma", 7 if by_address else 0, 0)
    _add(code, at.FIXES)
    code.to("leave")
    code.label("lost").e("addi", 29, 0, FETCH_PAGE).to("to_kernel", "beq", 5, 29)
    code.label("skip").e("csrrs", 6, "sepc", 0).e("addi", 6, 6, 4).e("csrrw", 0, "sepc", 6)
    code.to("leave")
    code.label("to_kernel").e("lw", 6, at.RESUME, 31).e("csrrw", 0, "sepc", 6)
    code.e("addi", 29, 0, SPP).e("csrrs", 0, "sstatus", 29).to("leave")


def boot(code: Code, csrs: dict[str, int], regs: list[int], *, external: bool) -> None:
    """From firmware to the body: let the console interrupt; set CSRs, in order; set the
    registers.
    """
    code.label("_start").e("csrrci", 0, "sstatus", SIE)
    if external:
        code.li(S1, PLIC_BASE + PRIORITY + 4 * UART_SOURCE).e("addi", S2, 0, 1)
        code.e("sw", S2, 0, S1)
        code.li(S1, PLIC_BASE + ENABLED).e("addi", S2, 0, 1 << UART_SOURCE).e("sw", S2, 0, S1)
    for name, value in csrs.items():
        code.li(S1, value)
        if name == "satp":
            code.e("sfence.vma", 0, 0)
        code.e("csrrw", 0, name, S1)
    code.e("sfence.vma", 0, 0)
    for number, value in enumerate(regs, 1):
        code.li(number, value)
    code.e("csrrsi", 0, "sstatus", SIE)


def finish(code: Code, satp: int, *, timer: bool) -> None:
    """Take a last interrupt, add everything to the digest, print it, turn the machine off."""
    code.label("finish").e("csrrci", 0, "sstatus", SIE)
    code.li(S1, satp).e("csrrw", 0, "satp", S1).e("sfence.vma", 0, 0).li(S1, at.SAVE)
    # One of the two: if a software interrupt ends a `wfi`, there is none when the timer comes.
    code.e("addi", S2, 0, STIE if timer else SSIP).e("csrrw", 0, "sie", S2)
    if timer:
        code.e("csrrs", S2, "time", 0).e("addi", S2, S2, 1)
        code.e("csrrw", 0, "stimecmp", S2).e("csrrwi", 0, "stimecmph", 0).e("wfi")
    else:
        code.e("csrrsi", 0, "sip", SSIP)
    code.e("csrrsi", 0, "sstatus", SIE).e("addi", 0, 0, 0).e("csrrci", 0, "sstatus", SIE)
    code.label("digest").li(S1, at.SAVE).e("lw", S2, at.DIGEST, S1)
    for reg in range(1, at.FREE + 1):
        fold(code, S2, S3)
        code.e("xor", S2, S2, reg)
    for name in ("sstatus", "sie", "scounteren", "satp", "scause", "sepc", "stval"):
        fold(code, S2, S3)
        code.e("csrrs", S3, name, 0).e("xor", S2, S2, S3)
    for root in (at.ROOT_A, at.ROOT_B):
        code.li(S1, at.leaf_of(root, 0))
        for page in range(at.WINDOW):
            fold(code, S2, S3)
            code.e("lw", S3, 4 * page, S1).e("xor", S2, S2, S3)
    code.li(S1, at.SAVE).e("sw", S2, at.DIGEST, S1)
    code.e("addi", 8, 0, 28).e("addi", 17, 0, 1)
    code.label("print").e("srl", 10, S2, 8).e("andi", 10, 10, 15).e("addi", 10, 10, 48)
    code.e("addi", 11, 0, 58).to("digit", "blt", 10, 11).e("addi", 10, 10, 39)
    code.label("digit").e("ecall").e("addi", 8, 8, -4).to("print", "bge", 8, 0)
    code.e("addi", 10, 0, 10).e("ecall")
    code.e("addi", 10, 0, 0).e("addi", 11, 0, 0).e("addi", 16, 0, 0).li(17, SRST)
    code.e("ecall").label("end").to("end")
