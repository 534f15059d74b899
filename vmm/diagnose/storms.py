"""Answers for traps that repeat: the handler traps itself, or does not remove the cause."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from toyisa.core.clock import ticks
from toyisa.tables.causes import INTERRUPT, Exc, Irq
from toyisa.tables.csrs import BY_NAME
from toyisa.tables.fields import REG_NUMBERS, csr_of, rs1_of
from toyisa.tables.insns import find
from vmm.diagnose import faults
from vmm.diagnose.facts import MAX_CODE, Facts
from vmm.diagnose.traps import CALLS, FETCH_FAULTS, PLURAL, Taken, often
from vmm.diagnose.window import Step

STVEC, SSCRATCH = BY_NAME["stvec"].number, BY_NAME["sscratch"].number
SP = REG_NUMBERS["sp"]
MANY = 8        # more traps in a row inside its handler than any correct kernel takes
TIMER = INTERRUPT | Irq.TIMER
ADVANCED = {Exc.ECALL_U, Exc.BREAKPOINT}  # after these a kernel continues behind the instruction


def explain(facts: Facts) -> str | None:
    """A sentence on a storm of traps that is still going on, or None."""
    trap = facts.traps[-1] if facts.traps else None
    if trap is None or (not facts.stopped_itself and not _goes_on(facts, trap)):
        return None
    if not trap.interrupt and not trap.returned and trap.times >= MANY:
        return _in_the_handler(facts, trap)
    alternate = _alternating(facts)
    if alternate:
        return alternate
    return (
        _timer(facts) or _interrupts(facts) or _not_advanced(facts) or _by_sp(facts)
        or _astray(facts)
    )  # fmt: skip


def _goes_on(facts: Facts, trap: Taken) -> bool:
    """Whether the window has the trap too, or has no steps that could show it."""
    return not facts.window.steps or any(step.trap is not None for step in facts.window.steps)


def _in_the_handler(facts: Facts, trap: Taken) -> str:
    text = f"{often(trap)} at {facts.place(trap.pc)}"
    if trap.cause in FETCH_FAULTS:
        return f"{text}: {vector(facts)}"
    why = faults.explain(facts, trap)
    return f"{text}: the trap handler itself faults" + (f"; {why}" if why else "")


def vector(facts: Facts) -> str:
    """What is wrong with stvec, if nothing can be fetched at its address."""
    stvec = facts.csr("stvec")
    if stvec & ~3 == 0:
        writer = _writer(facts)
        wrote = f" ({facts.insn(writer)} wrote it: is it the register that you meant?)" if (
            writer is not None) else ""  # fmt: skip
        return f"stvec is 0: no trap handler was set{wrote}; `la t0, handler`, `csrw stvec, t0` " \
            "does it"  # fmt: skip
    return (
        f"stvec is {stvec:#010x}, where no code can be fetched: set it to the handler's address "
        "(a virtual one once paging is on), before anything can trap"
    )


def _swaps(word: int, number: int) -> bool:
    """Whether a word is `csrrw` of that CSR."""
    row = find(word)
    return row is not None and row.name == "csrrw" and csr_of(word) == number


def _writer(facts: Facts) -> int | None:
    """The instruction in the code that writes stvec from a register, if there is exactly one."""
    found = []
    for start, data in facts.code.pieces:
        for at in range(0, min(len(data), MAX_CODE) - 3, 4):
            word = int.from_bytes(data[at : at + 4], "little")
            if _swaps(word, STVEC) and rs1_of(word):
                found.append(start + at)
    return found[0] if len(found) == 1 else None


def _alternating(facts: Facts) -> str | None:
    """A handler that faults at several places in turn and never returns."""
    if len(facts.chain) < MANY:
        return None
    counts = Counter((trap.cause, trap.pc) for trap in facts.chain if not trap.interrupt)
    (most, count), *_ = counts.most_common(1) or [((0, 0), 0)]
    if count < MANY // 2:
        return None
    trap = next(trap for trap in reversed(facts.chain) if (trap.cause, trap.pc) == most)
    why = faults.explain(facts, trap)
    kind = PLURAL.get(trap.cause, f"{trap.meaning}s")
    return (
        f"{kind} at {facts.place(trap.pc)}, again and again: the trap handler itself faults"
        + (f"; {why}" if why else "")
    )


def _taken(facts: Facts, cause: int) -> list[int]:
    """Where in the window a trap of this cause was taken."""
    return [n for n, step in enumerate(facts.window.steps) if step.trap == cause]


def _timer(facts: Facts) -> str | None:
    """A timer interrupt that is pending again as soon as its handler returns."""
    places = _taken(facts, TIMER)
    steps = facts.window.steps
    if len(places) < 3:
        return None
    count = facts.counts.get("irq_timer", 0)
    head = f"timer storm: {count:,} timer interrupts, each taken as soon as the handler returns"
    if len({steps[n].deadline for n in places}) == 1 and not _rearmed(steps, places):
        return (
            f"{head}: it does not rearm the timer; write stimecmp, or call SBI set_timer, with a "
            "time to come"
        )
    between = [_outside(steps, a, b) for a, b in pairwise(places)]
    if max(between) <= 1:
        now = int(ticks(facts.machine.hart))
        return (
            f"{head}: the time that it sets ({steps[-1].deadline:,}) has passed already at "
            f"{now:,}, or passes before it returns; set the present time plus an interval"
        )
    return None


def _rearmed(steps: list[Step], places: list[int]) -> bool:
    """Whether the deadline was written between the first and the last of these traps."""
    return len({step.deadline for step in steps[places[0] : places[-1] + 1]}) > 1


def _outside(steps: list[Step], first: int, last: int) -> int:
    """Instructions retired from the handler's `sret` to the next trap."""
    for n in range(last - 1, first, -1):
        row = find(steps[n].word) if steps[n].word is not None else None
        if row is not None and row.name == "sret":
            return last - n - 1
    return last - first


def _interrupts(facts: Facts) -> str | None:
    """Another interrupt that stays pending."""
    steps = facts.window.steps
    for irq, cure in (
        (Irq.SOFTWARE, "clear SSIP in sip (csrci sip, 2)"),
        (Irq.EXTERNAL, "claim it at the PLIC, silence the device, and complete it"),
    ):
        places = _taken(facts, INTERRUPT | irq)
        if len(places) < 3 or max(_outside(steps, a, b) for a, b in pairwise(places)) > 1:
            continue
        return (
            f"interrupt storm: a {irq.name.lower()} interrupt is taken again as soon as its "
            f"handler returns, as it is still pending; {cure}"
        )
    return None


def _not_advanced(facts: Facts) -> str | None:
    """An exception that is taken again straight after `sret`, by the same instruction."""
    steps = facts.window.steps
    again: Counter[tuple[int, int]] = Counter()
    for n, step in enumerate(steps[:-1]):
        after, row = steps[n + 1], find(step.word) if step.word is not None else None
        exception = after.trap is not None and not after.trap & INTERRUPT
        if row is not None and row.name == "sret" and step.retired and exception:
            again[(after.trap, after.pc)] += 1
    (key, count), *_ = again.most_common(1) or [((0, 0), 0)]
    if count < 3 or _comes_by_itself(steps, key):
        return None
    trap = next((t for t in reversed(facts.traps) if (t.cause, t.pc) == key), None)
    if trap is None:
        return None
    text = f"{often(trap)} at {facts.place(trap.pc)}"
    if trap.cause in CALLS or trap.cause == Exc.BREAKPOINT:
        return (
            f"{text}: the handler returns to the same instruction: sepc is not advanced; add 4 to "
            f"sepc before `sret`, as {'an `ecall`' if trap.cause in CALLS else 'an `ebreak`'} has "
            "been dealt with"
        )
    why = faults.explain(facts, trap)
    return (
        f"{text}: the handler returns to the same instruction, which traps again; mend what it "
        "traps for, or add 4 to sepc to skip it" + (f"; {why}" if why else "")
    )


def _comes_by_itself(steps: list[Step], key: tuple[int, int]) -> bool:
    """Whether that trap also came from an instruction before it: a loop of calls."""
    places = [n for n, step in enumerate(steps) if (step.trap, step.pc) == key and n]
    before = [steps[n - 1] for n in places]
    return any(
        step.trap is None and (row := find(step.word or 0)) is not None and row.name != "sret"
        for step in before
    )


def _by_sp(facts: Facts) -> str | None:
    """Accesses by sp that fault again and again, whatever the handler does."""
    count = Counter(step.pc for step in facts.window.steps if step.trap in faults.LOADS
                    or step.trap in faults.STORES)  # fmt: skip
    for trap in reversed(facts.traps):
        base = facts.base(trap) if count[trap.pc] >= MANY else None
        if base is None or base[0] != "sp" or not (text := faults.explain(facts, trap)):
            continue
        return f"{text}{_swapped(facts)}"
    return None


def _swapped(facts: Facts) -> str:
    """Whether the handler takes its stack pointer from sscratch."""
    word = facts.word(facts.csr("stvec") & ~3)
    if word is None or not _swaps(word, SSCRATCH) or rs1_of(word) != SP:
        return ""
    return "; the handler takes sp from sscratch: was that set?"


def _astray(facts: Facts) -> str | None:
    """A guest that runs through memory without code, while its handler skips word after word."""
    steps = facts.window.steps
    places = {step.pc for step in steps if step.trap == Exc.ILLEGAL and step.word == 0}
    if len(places) < MANY:
        return None
    return (
        f"the guest runs on through memory that holds no code, now at {facts.place(max(places))}: "
        "each word is an illegal instruction, which the handler skips; a handler that skips ends "
        "the run if scause or sepc is not what it expects"
    )
