"""Answers for a diagnosis as text and as JSON (docs/json.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asm.disasm import disassemble
from toyisa.tables import causes
from vmm.diagnose.diagnosis import Diagnosis
from vmm.diagnose.facts import Facts
from vmm.diagnose.hot import Hot
from vmm.diagnose.traps import Taken
from vmm.diagnose.window import Step


def lines(facts: Facts, found: Diagnosis) -> Iterator[str]:
    """What the guest was doing, for people: hot code, traps, what it would do next."""
    if found.hot:
        yield "hottest:"
        for row in found.hot:
            word = facts.word(row.pc)
            text = "" if word is None else disassemble(word, row.pc)
            more = f" and {row.count - 1} more" if row.count > 1 else ""
            yield f"  {100 * row.share:5.1f} %  {_where(facts, row):<24} {text}{more}"
    if facts.counts:
        most = sorted(facts.counts.items(), key=lambda item: -item[1])
        yield "traps: " + ", ".join(f"{name} {times:,}" for name, times in most[:6])
    if found.traps and found.traps[-1].times > 1:
        yield f"last trap: {_trap(facts, found.traps[-1])}"
    if found.steps:
        steps = _round(found.steps)
        yield "where it goes on" + (", again and again:" if len(steps) < len(found.steps) else ":")
        for step in steps:
            yield f"  {_step(facts, step)}"


def _round(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """One round of a loop, if the steps are only that; otherwise all of them."""
    pcs = [step.pc for step in steps]
    for size in range(1, len(pcs) // 2 + 1):
        if all(pc == pcs[n + size] for n, pc in enumerate(pcs[:-size])):
            return steps[-size:]
    return steps


def document(facts: Facts, found: Diagnosis) -> dict[str, Any]:
    """The value of `diagnosis` in the JSON."""
    return {
        "sentences": list(found.sentences),
        "hot": [
            {"pc": row.pc, "symbol": facts.machine.symbolize(row.pc), "line": facts.line(row.pc),
             "instructions": row.count, "times": row.times, "share": round(row.share, 4)}
            for row in found.hot
        ],
        "traps": [
            {"cause": trap.name, "pc": trap.pc, "symbol": facts.machine.symbolize(trap.pc),
             "line": facts.line(trap.pc), "level": trap.level.name, "stval": trap.tval,
             "times": trap.times, "returned": trap.returned}
            for trap in found.traps
        ],
        "goes_on": [
            {"pc": step.pc, "symbol": facts.machine.symbolize(step.pc),
             "line": facts.line(step.pc), "level": "US"[step.level & 1],
             "insn": None if step.word is None else disassemble(step.word, step.pc),
             "trap": None if step.trap is None else causes.name(step.trap)}
            for step in found.steps
        ],
    }  # fmt: skip


def _where(facts: Facts, row: Hot) -> str:
    return ("physical " if row.physical else "") + facts.place(row.pc)


def _trap(facts: Facts, trap: Taken) -> str:
    return f"{trap.name} at {facts.place(trap.pc)}, {trap.times:,} times in a row"


def _step(facts: Facts, step: Step) -> str:
    text = "cannot be fetched" if step.word is None else disassemble(step.word, step.pc)
    line = f"{step.pc:08x} {facts.machine.symbolize(step.pc):<20} {text:<26}"
    if step.trap is not None:
        line += f" trap: {causes.name(step.trap)}"
    source = facts.line(step.pc)
    return f"{line} {source}" if source else line.rstrip()
