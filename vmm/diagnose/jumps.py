"""Answers for how the hart came to fetch from a place where nothing can be fetched."""

from __future__ import annotations

from toyisa.look.refusal import Access, Why, refusal
from toyisa.tables.causes import Exc
from toyisa.tables.extensions import LETTERS
from toyisa.tables.fields import REG_NAMES, rd_of, rs1_of
from toyisa.tables.levels import Level
from vmm.diagnose import tables
from vmm.diagnose.cures import FIX, TAG
from vmm.diagnose.facts import Facts
from vmm.diagnose.traps import Taken

RA = 1
RETURN = "a call sets it, and a function that calls another must save it"


def explain(facts: Facts, trap: Taken) -> str | None:
    """A sentence on a fetch at `trap.pc` that was refused."""
    if trap.cause == Exc.INSN_MISALIGNED:
        return (
            f"{facts.insn(trap.pc)} jumps to {trap.first_tval:#010x}, which is no multiple of 4: "
            "instructions lie at multiples of 4 here, and none is compressed (.balign 4, or build "
            f"with -march={LETTERS})"
        )
    pc = trap.first_tval
    root = tables.explain_root(facts, pc)
    if root:
        return root
    found = refusal(facts.machine, pc, Access.FETCH, trap.level)
    if found is None:
        return None
    no_code = found.why is Why.OUTSIDE and found.level < 0
    if no_code or (found.why is Why.INVALID and _astray(facts, pc)):
        return _jumped(facts, trap, pc)
    who = "U" if trap.level == Level.U else "S"
    text = f"{who} cannot execute at {facts.place(pc)}: {found}; {FIX[found.why]}"
    return TAG.get(found.why, "") + text


def _astray(facts: Facts, pc: int) -> bool:
    """Whether nothing was ever loaded at `pc`: then the jump is wrong, not the tables."""
    return bool(facts.code.pieces) and not facts.code.holds(pc) and pc < 0x1000


def _jumped(facts: Facts, trap: Taken, pc: int) -> str:
    """What may have jumped to `pc`: the instruction before it, or registers that hold it."""
    text = f"the guest jumped to {pc:#x}, where no code is ({facts.range} is RAM)"
    x = facts.machine.hart.x[:32].tolist()
    by = _by(facts, pc) or _last_call(facts, x, pc)
    if by:
        return f"{text}, by {by}"
    holders = [REG_NAMES[n] for n in range(1, 32) if x[n] == pc and pc]
    if holders:
        return f"{text}; {' and '.join(f'`{name}`' for name in holders)} holds it"
    if trap.level == Level.U:
        return f"{text}, in U: was sepc set before the `sret`?"
    if pc == 0 and x[RA] == 0:
        return f"{text}; by a register that nobody has set? ra holds 0 as well: {RETURN}"
    return f"{text}; was the register that it jumped by set?"


def _by(facts: Facts, pc: int) -> str | None:
    """The instruction before the fault, if a second run has shown it."""
    came = facts.came_from
    word, row = (None, None) if came is None else (facts.word(came), facts.row(came))
    if word is None or row is None:
        return None
    if row.name == "sret":
        return f"{facts.insn(came)}, as sepc held it: set sepc before"
    if row.name != "jalr":
        return f"running on from {facts.insn(came)}" if came + 4 == pc else facts.insn(came)
    name = REG_NAMES[rs1_of(word)]
    if name == "ra" and not rd_of(word):
        return f"{facts.insn(came)}, as ra held it; {RETURN}"
    return f"{facts.insn(came)}, as {name} held it: is it the register that you meant? Was it set?"


def _last_call(facts: Facts, x: list[int], pc: int) -> str | None:
    """The last known call, if it went through a register that holds `pc`."""
    ra = x[RA]
    word, row = facts.word(ra - 4), facts.row(ra - 4)
    if ra == pc or ra < 4 or row is None or row.name != "jalr":
        return None
    register = rs1_of(word)
    if rd_of(word) != RA or register == RA or x[register] != pc:
        return None
    held = f"{REG_NAMES[register]} holds {pc:#x}"
    return f"{facts.insn(ra - 4)}, and {held}: is it the register that you meant, and was it set?"
