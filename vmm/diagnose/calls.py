"""Answers for an `ecall` from the wrong level, or with its numbers in the wrong registers."""

from __future__ import annotations

from toyisa.tables.causes import Exc
from toyisa.tables.fields import FIELDS, rd_of, rs1_of, rs2_of
from toyisa.tables.insns import BY_NAME, Cost, Insn
from toyisa.tables.sbi import BASE, DBCN, HSM, IPI, RFENCE, SHUTDOWN, SRST, TIME
from vmm.diagnose.facts import Facts, target
from vmm.diagnose.traps import Taken

KNOWN = {BASE, DBCN, HSM, IPI, RFENCE, SRST, TIME, *range(SHUTDOWN + 1)}
HANDLER = 96  # instructions of a handler that are searched
BEFORE = 4  # instructions
ECALL = BY_NAME["ecall"].match
A0, A6, A7 = 10, 16, 17


def explain(facts: Facts, trap: Taken | None) -> str | None:
    """A sentence on the call that ended the guest, if a call did; else None."""
    if trap is not None and trap.cause == Exc.ECALL_U:
        return _from_u(facts, trap)
    return _unknown(facts)


def _from_u(facts: Facts, trap: Taken) -> str | None:
    """U made a call, and nothing handled it."""
    stvec = facts.csr("stvec") & ~3
    if facts.word(stvec) is None or any(t.pc == stvec for t in facts.chain):
        return (
            f"ecall from the wrong level: {facts.insn(trap.pc)} was made in U and goes to the "
            "kernel's own handler, and there is none that can be fetched; only S can call the "
            "firmware (SBI)"
        )
    numbers = _compared(facts, stvec)
    if Exc.ECALL_S in numbers and Exc.ECALL_U not in numbers:
        return (
            f"ecall from the wrong level: {facts.insn(trap.pc)} was made in U, which is scause 8; "
            f"the handler at {facts.place(stvec)} looks for 9, an `ecall` from S, which never "
            "comes to it"
        )
    if facts.machine.hart.x[A7] in KNOWN and Exc.ECALL_U not in numbers:
        return (
            f"ecall from the wrong level: {facts.insn(trap.pc)} was made in U and came to the "
            f"kernel's own handler at {facts.place(stvec)}, which does not deal with scause 8; "
            "only S can call the firmware (SBI)"
        )
    return None


def _compared(facts: Facts, start: int) -> set[int]:
    """Small numbers with which the handler at `start` compares, as far as its jumps are known."""
    found: set[int] = set()
    seen: set[int] = set()
    ahead = [start]
    while ahead and len(seen) < HANDLER:
        pc = ahead.pop()
        # Registers that hold a number, or the difference of something and a number
        numbers: dict[int, int] = {}
        while pc not in seen and len(seen) < HANDLER:
            seen.add(pc)
            word, row = facts.word(pc), facts.row(pc)
            if word is None or row is None:
                break
            _number(word, row, numbers)
            if row.cost is Cost.BRANCH:
                found |= {numbers[n] for n in (rs1_of(word), rs2_of(word)) if n in numbers}
            to = target(pc, word)
            ahead += [] if to is None else [to]
            if row.name in ("sret", "jalr") or (row.name == "jal" and not rd_of(word)):
                break
            pc += 4
    return found


def _number(word: int, row: Insn, numbers: dict[int, int]) -> None:
    """Follow what an instruction does to registers that hold small numbers."""
    rd, rs1 = rd_of(word), rs1_of(word)
    if row.name == "addi" and rd:
        value = FIELDS["imm12"].extract(word)
        if not rs1 and 0 <= value < 16:
            numbers[rd] = value
            return
        if rs1 == rd and -16 < value < 0:  # a difference, which will be compared with 0
            numbers[rd] = -value
            return
    if "rd" in row.operands:
        numbers.pop(rd, None)


def _unknown(facts: Facts) -> str | None:
    """S made a firmware call that does not exist, and went on."""
    refused = facts.machine.hart.refused
    if not refused.times:
        return _swapped(facts)
    extension, function = int(refused.extension), int(refused.function)
    text = (
        f"{facts.insn(int(refused.pc))}, made in S, asks the firmware (SBI) for extension "
        f"{extension:#x} (a7), function {function} (a6), which it does not know: it answers -2"
    )
    if (function in KNOWN and function > SHUTDOWN) or extension < 16 < function:
        return f"wrong register: {text}; the extension goes into a7, the function into a6"
    a0 = int(facts.machine.hart.x[A0])
    if 0x20 <= extension < 0x7F and a0 in (0, 1, 0xFFFF_FFFE):
        return (
            f"wrong register, or ecall from the wrong level: {text}; the number of a call goes "
            "into a7 and its argument into a0 (putchar is a7 = 1); a system call is made in U"
        )
    return f"wrong register, or ecall from the wrong level: {text}; a system call is made in U"


def _swapped(facts: Facts) -> str | None:
    """S made a legacy call, with the number of an extension in a6."""
    x, pc = facts.machine.hart.x, int(facts.machine.hart.pc)
    if x[A7] > SHUTDOWN or x[A6] not in KNOWN or x[A6] <= SHUTDOWN:
        return None
    at = next((pc - 4 * n for n in range(1, BEFORE) if facts.word(pc - 4 * n) == ECALL), None)
    if at is None:
        return None
    return (
        f"wrong register: {facts.insn(at)} was made with {int(x[A7])} in a7 and {int(x[A6]):#x} in "
        "a6; the extension's number goes into a7, the function's into a6"
    )
