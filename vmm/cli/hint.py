"""Answers for what may be wrong with a guest that did not pass, in a line for people."""

from typing import Any

from toyisa.causes import Exc
from toyisa.lacking import explain


def lack(machine: Any) -> str | None:
    """What the guest needed and the machine lacks, if it looks like that.

    Of a guest that traps for ever the first of these traps is looked at, of any
    other the last trap of all, which a guest that gave up has not outlived.
    """
    pending, csr = machine.hart.pending, machine.hart.csr
    first = (int(pending.first_cause), int(pending.first_pc), int(pending.first_tval))
    last = (int(csr.scause), int(csr.sepc), int(csr.stval))
    stuck = bool(pending.barren) and pending.barren_at == machine.instret
    cause, pc, word = first if stuck else last
    if cause != Exc.ILLEGAL:
        return None
    why = explain(word)
    if why is None:
        return None
    return f"illegal instruction {word:#010x} at {machine.symbolize(pc)}: {why}"
