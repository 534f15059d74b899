"""Answers for whether the stack went wrong: there is none, or it has overflowed."""

from __future__ import annotations

from asm.disasm import disassemble
from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.look.refusal import Access, Refusal, Why, refusal
from toyisa.tables.levels import Level
from vmm.diagnose.facts import MAX_CODE, Facts
from vmm.diagnose.traps import Taken

SP = 2
SMALL = 1 << 16  # if sp is within this of 0, it was not set; a stack may leave RAM by this much
SET = "set it before it is used, as by `la sp, stack_top`"


def explain(facts: Facts, trap: Taken, sp: int, found: Refusal) -> str | None:
    """A sentence on an access by `sp` that was refused; None if the page itself is wrong."""
    at = f"{facts.insn(trap.pc)} uses sp, which holds {sp:#x}"
    left = (Why.INVALID, Why.NOT_WRITABLE, Why.NOT_USER, Why.NO_SUM)
    if found.why in left and _was_above(facts, trap):
        return f"stack overflow: {at}: it has left its pages ({found}); {LARGER}"
    if sp < SMALL or sp > 0xFFFF_FFFF - SMALL:
        return f"no stack: {at}: it seems that nobody has set it; {SET}"
    if found.why is Why.OUTSIDE and found.level < 0:
        if RAM_BASE - SMALL <= sp < RAM_BASE or RAM_BASE - SMALL <= trap.first_tval < RAM_BASE:
            return f"stack overflow: {at}: it has fallen below RAM ({facts.range}); {LARGER}"
        return f"no stack: {at}, where there is no RAM ({facts.range}); {SET}"
    if found.why is Why.INVALID:
        return f"no stack: {at}, and nothing is mapped there ({found}); {SET}, in a mapped page"
    return None


LARGER = "make the stack larger, or look for a call that does not end"


def _was_above(facts: Facts, trap: Taken) -> bool:
    """Whether the page above the refused one could be the stack's: it may be stored to."""
    above = (trap.first_tval | PAGE - 1) + 1
    if above > 0xFFFF_FFFF:
        return False
    return refusal(facts.machine, above, Access.STORE, trap.level) is None


def overwritten(facts: Facts, pc: int) -> str | None:
    """A sentence if the instruction at `pc` is not the one that was loaded."""
    was, now = facts.code.word(pc), facts.word(pc)
    if was is None or now is None or was == now:
        return None
    head = (
        f"the code at {facts.place(pc)} was overwritten: it was `{disassemble(was, pc)}` and is "
        f"{now:#010x} now"
    )
    return f"stack overflow: {head}, and {_inside(facts)}; {LARGER}" if in_code(facts) else head


def in_code(facts: Facts) -> bool:
    """Whether sp points into code that was overwritten, or just below it."""
    sp = int(facts.machine.hart.x[SP])
    for start, data in facts.code.pieces:
        if start - PAGE <= sp < start + len(data) and len(data) <= MAX_CODE:
            return _changed(facts, start, data)
    return False


def _changed(facts: Facts, start: int, data: bytes) -> bool:
    from toyisa.look.inspect import read

    return read(facts.machine, start, len(data)) != data


def _inside(facts: Facts) -> str:
    return f"sp has come down into the code ({facts.named(int(facts.machine.hart.x[SP]))})"


def fallen(facts: Facts) -> str | None:
    """A sentence if the stack has grown down into the code, whatever happened then."""
    if int(facts.machine.hart.priv) != Level.S or not in_code(facts):
        return None
    return f"stack overflow: {_inside(facts)} and overwritten it; {LARGER}"
