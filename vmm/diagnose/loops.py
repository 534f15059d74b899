"""Answers for a guest that loops or sleeps, and whether anything can end that."""

from __future__ import annotations

from itertools import pairwise

from asm.disasm import disassemble
from toyisa.core.trap import SIE
from toyisa.look import inspect
from toyisa.look.refusal import is_device
from toyisa.tables import sbi
from toyisa.tables.causes import Irq
from toyisa.tables.csrs import CSRS
from toyisa.tables.fields import REG_NAMES, csr_of, rd_of, rs1_of, rs2_of
from toyisa.tables.insns import Cost, find
from toyisa.tables.levels import Level
from vmm.diagnose.facts import ACCESSES, Facts, offset
from vmm.diagnose.window import Step

ROUNDS = 3
DEEP = 48  # calls without a return
RA, SP = 1, 2
END = "to end a run call SBI shutdown: `li a7, 8`, `ecall`"
COUNTERS = {row.number for row in CSRS if row.group == "counter"}


def explain(facts: Facts) -> str | None:
    """A sentence on a loop or a sleep that nothing can end; None if something can."""
    if facts.exit == "idle":
        return _asleep(facts)
    waits = _held_back(facts) or recursion(facts)
    if waits:
        return waits
    steps = endless(facts)
    if not steps:
        return None
    first = min(steps, key=lambda step: step.pc)
    last = max(steps, key=lambda step: step.pc)
    off = "interrupts are off, so nothing can end it" if not _takes(facts) else (
        "no interrupt is enabled in sie, so nothing can end it"
    )
    if first.pc == last.pc:
        return (
            f"endless loop: {facts.insn(first.pc)} jumps to itself; {off}; if the guest was to end "
            f"here: {END}"
        )
    count = len({step.pc for step in steps})
    why = _unchanging(steps)
    return (
        f"endless loop: {count} instructions from {facts.place(first.pc)} to "
        f"{facts.place(last.pc)} repeat for ever; {why}; {off}"
    )


def endless(facts: Facts) -> list[Step]:
    """The instructions of a loop that no interrupt and no device can end; otherwise none."""
    steps = facts.window.steps
    if facts.window.ended is not None or not steps or _can_be_interrupted(facts):
        return []
    round_ = _same_again(steps) or _same_branches(steps)
    if not round_ or any(step.trap is not None or _reaches_out(facts, step) for step in round_):
        return []
    return round_


def _can_be_interrupted(facts: Facts) -> bool:
    """Whether an interrupt may still come: one is enabled, and would be taken."""
    return bool(facts.csr("sie")) and _takes(facts)


def _takes(facts: Facts) -> bool:
    return int(facts.machine.hart.priv) == Level.U or bool(facts.csr("sstatus") & SIE)


def _same_again(steps: list[Step]) -> list[Step] | None:
    """The last round, if the registers are the same after each of ROUNDS rounds."""
    last = steps[-1]
    places = [n for n, step in enumerate(steps) if (step.pc, step.x, step.csr) == (
        last.pc, last.x, last.csr)][-ROUNDS - 1 :]  # fmt: skip
    if len(places) <= ROUNDS:
        return None
    rounds = [steps[a + 1 : b + 1] for a, b in pairwise(places)]
    shape = [(step.pc, step.x) for step in rounds[-1]]
    if any([(step.pc, step.x) for step in r] != shape for r in rounds):
        return None
    return rounds[-1]


def _same_branches(steps: list[Step]) -> list[Step] | None:
    """A loop in which all branches depend on registers that it never writes."""
    half = steps[len(steps) // 2 :]
    pcs = {step.pc: step for step in half}
    if len(steps) < 256 or len(pcs) > len(half) // 8:
        return None
    rows = [(step.word, find(step.word)) for step in pcs.values() if step.word is not None]
    written, read = set(), set()
    for word, row in rows:
        if row is None or row.cost in (Cost.SRET, Cost.FENCE, Cost.CSR):
            return None
        if row.name == "ecall":
            written |= {10, 11}  # the registers in which the firmware answers
        elif row.cost is Cost.SYSTEM:
            return None
        if "rd" in row.operands:
            written.add(rd_of(word))
        if row.cost is Cost.BRANCH:
            read |= {rs1_of(word), rs2_of(word)}
    if not read or (read - {0}) & written or not _one_way(half):
        return None
    return list(pcs.values())


def _one_way(steps: list[Step]) -> bool:
    """Whether each jump through a register goes to places where the loop has been before."""
    known = {step.pc for step in steps[: len(steps) // 2]}
    return all(step.pc in known for step in steps[len(steps) // 2 :])


def recursion(facts: Facts) -> str | None:
    """A sentence if a function calls itself again and again, and no call returns."""
    steps = facts.window.steps
    if len(steps) < 512:
        return None
    calls: dict[int, list[int]] = {}
    for step in steps:
        row = None if step.word is None else find(step.word)
        if row is None or row.cost is not Cost.JUMP:
            continue
        if row.name == "jalr" and rd_of(step.word) == 0 and rs1_of(step.word) == RA:
            return None  # a call has returned
        if rd_of(step.word) == RA:
            calls.setdefault(step.pc, []).append(step.x[SP])
    for pc, stack in calls.items():
        if len(stack) >= DEEP and all(b < a for a, b in pairwise(stack)):
            return (
                f"stack overflow ahead: {facts.insn(pc)} calls again and again, and none of the "
                f"calls returns: sp fell by {stack[0] - stack[-1]:,} bytes in {len(steps):,} "
                "steps; look for the end of the recursion"
            )
    return None


def _reaches_out(facts: Facts, step: Step) -> bool:
    """Whether the step asks for something from outside: a device, the firmware, the clock."""
    if step.word is None:
        return True
    row = find(step.word)
    if row is None:
        return True
    if row.cost in ACCESSES:
        va = step.x[rs1_of(step.word)] + offset(row, step.word) & inspect.M
        pa = inspect.walk(facts.machine, va).pa
        return pa is None or is_device(pa)
    if row.name == "ecall":
        return step.x[17] not in (sbi.PUTCHAR, sbi.DBCN) or step.level != Level.S
    if row.cost is Cost.CSR:
        return csr_of(step.word) in COUNTERS
    return row.cost is Cost.SYSTEM and row.name != "wfi"


def _unchanging(steps: list[Step]) -> str:
    """What decides whether the loop goes on, if one branch does."""
    branches = {step.pc: step for step in steps if find(step.word).cost is Cost.BRANCH}
    if len(branches) != 1:
        return "no register or memory changes in a round" if not branches else (
            "nothing that its branches depend on changes"
        )
    (step,) = branches.values()
    names = [REG_NAMES[n] for n in (rs1_of(step.word), rs2_of(step.word)) if n]
    return f"`{disassemble(step.word, step.pc)}` depends on {' and '.join(names) or 'nothing'}, " \
        "which does not change"  # fmt: skip


def _held_back(facts: Facts) -> str | None:
    """An interrupt that is pending and enabled, but never taken, while the guest waits."""
    steps = facts.window.steps
    slept = {step.pc for step in steps if step.word is not None and _is(step.word, "wfi")}
    if not slept or _takes(facts) or any(step.trap is not None for step in steps):
        return None
    held = inspect.csr(facts.machine, "sip") & facts.csr("sie")
    if not held or len({step.pc for step in steps}) > 64:
        return None
    names = " and ".join(irq.name.lower() for irq in Irq if held >> irq & 1)
    return (
        f"waits with interrupts off: the {names} interrupt is pending and enabled in sie, but SIE "
        f"in sstatus is clear, so `wfi` at {facts.place(min(slept))} returns at once and the trap "
        "is never taken; set SIE (csrsi sstatus, 2)"
    )


def _asleep(facts: Facts) -> str | None:
    """Why nothing can wake the guest, which sleeps in `wfi`."""
    pc = int(facts.machine.hart.pc)
    if not any(_is(facts.word(at) or 0, "wfi") for at in (pc, pc - 4)):
        return None
    sie = facts.csr("sie")
    if not sie:
        return (
            f"waits with interrupts off: `wfi` at {facts.place(pc)}, and sie is 0: enable the "
            "interrupt that is to wake it (STIE is bit 5, SEIE bit 9), then SIE in sstatus"
        )
    names = " and ".join(irq.name.lower() for irq in Irq if sie >> irq & 1)
    causes = []
    if sie >> Irq.TIMER & 1:
        causes.append("no timer is set (write stimecmp, or call SBI set_timer)")
    if sie >> Irq.EXTERNAL & 1:
        causes.append("no device that is enabled at the PLIC has anything to tell")
    if sie >> Irq.SOFTWARE & 1:
        causes.append("nobody is left to send a software interrupt")
    return f"`wfi` at {facts.place(pc)} waits for a {names} interrupt: {'; '.join(causes)}"


def _is(word: int, name: str) -> bool:
    row = find(word)
    return row is not None and row.name == name
