"""Answers for how the hart came to fetch where nothing can be fetched."""

from __future__ import annotations

from toyisa.causes import Exc
from toyisa.fields import REG_NAMES
from toyisa.insns import Cost
from toyisa.levels import Level
from toyisa.refusal import Access, Why, refusal
from vmm.diagnose import tables
from vmm.diagnose.cures import FIX, TAG
from vmm.diagnose.facts import Facts
from vmm.diagnose.traps import Taken

RA = 1
RETURN = "0 is what `ra` holds until a call sets it; a function that calls another saves it"


def explain(facts: Facts, trap: Taken) -> str | None:
    """A sentence on a fetch that was refused at `trap.pc`."""
    if trap.cause == Exc.INSN_MISALIGNED:
        return (
            f"{facts.insn(trap.pc)} jumps to {trap.first_tval:#010x}, which is no multiple of 4: "
            "instructions lie at multiples of 4 here, and none is compressed (.balign 4, or build "
            "with -march=rv32ima)"
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
    """Whether nothing was ever loaded at `pc`: not the map is wrong, but the jump."""
    return bool(facts.code.pieces) and not facts.code.holds(pc) and pc < 0x1000


def _jumped(facts: Facts, trap: Taken, pc: int) -> str:
    """Who may have jumped to `pc`, by the registers that hold it."""
    text = f"the guest jumped to {pc:#x}, where no code is ({facts.range} is RAM)"
    x = facts.machine.hart.x[:32].tolist()
    by = _last_jump(facts, x, pc)
    if by:
        return f"{text}, by {by}"
    if x[RA] == pc:
        return f"{text}, and ra holds the same; {RETURN}" if pc == 0 else f"{text}, as ra holds"
    holders = [REG_NAMES[n] for n in range(2, 32) if x[n] == pc and pc]
    if holders:
        return f"{text}; {' and '.join(f'`{name}`' for name in holders)} holds it"
    if trap.level == Level.U:
        return f"{text}, in U: was sepc set before the `sret`?"
    return f"{text}; was the register that it jumped by set?"


def _last_jump(facts: Facts, x: list[int], pc: int) -> str | None:
    """The jump by a register that holds `pc`, just behind the latest call that is known."""
    ra = x[RA]
    word, row = facts.word(ra - 4), facts.row(ra - 4)
    if ra == pc or ra < 4 or row is None or row.cost is not Cost.JUMP or row.name != "jalr":
        return None
    register = word >> 15 & 31
    if word >> 7 & 31 != RA or (register != RA and x[register] != pc):
        return None
    held = f", and {REG_NAMES[register]} holds {pc:#x}" if register != RA else ""
    return f"{facts.insn(ra - 4)}{held}: is it the register that you meant, and was it set?"
