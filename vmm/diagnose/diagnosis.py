"""Answers for the whole of a diagnosis: which sentences are said of a guest, in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from vmm.diagnose import calls, faults, fences, loops, stack, storms, vector
from vmm.diagnose.facts import Facts
from vmm.diagnose.hot import Hot
from vmm.diagnose.traps import Taken
from vmm.diagnose.window import Step

LAST = 12  # steps that are shown


@dataclass(frozen=True)
class Diagnosis:
    """What a guest was doing; `sentences` say what is wrong, the most certain first."""

    sentences: tuple[str, ...]
    hot: tuple[Hot, ...]
    traps: tuple[Taken, ...]
    steps: tuple[Step, ...]


def diagnose(facts: Facts, hot: list[Hot], stale: fences.Stale | None = None) -> Diagnosis:
    """The diagnosis of a guest that did not pass; `stale` is a use that a check has seen."""
    return Diagnosis(
        tuple(_sentences(facts, stale)),
        tuple(hot or _sampled(facts.window.steps)),
        tuple(facts.traps[-4:]),
        tuple(facts.window.steps[-LAST:]),
    )


def _sentences(facts: Facts, stale: fences.Stale | None) -> list[str]:
    """What happened first is said first."""
    storm, loop = storms.explain(facts), loops.explain(facts)
    wrong = bool(facts.stopped_itself or storm or loops.endless(facts))
    said = [fences.sentence(stale, facts)] if stale else []
    if wrong:
        said += _of_traps(facts, storm)
    if storm and not any(sentence.startswith("the table") for sentence in said):
        known = any(_tag(sentence) and _tag(sentence) in storm for sentence in said)
        told = storm.split("; ")[0] if known else storm
        # If the kind of mistake has a name, that is the cause
        said = [told, *said] if _tag(told) else [*said, told]
    if loop and not (facts.fault and said):
        said.append(loop)
    return list(dict.fromkeys(said))


def _tag(sentence: str) -> str:
    """The kind of mistake with which a sentence begins, such as `stack overflow: `."""
    head, colon, _ = sentence.partition(": ")
    return head + colon if colon and len(head) < 24 and "`" not in head else ""


def _of_traps(facts: Facts, storm: str | None) -> list[str]:
    """What can be said of the traps from which the guest never returned."""
    beside = vector.explain(facts)
    said = [beside] if beside else []
    fault = facts.fault
    call = calls.explain(facts, fault)
    text = faults.explain(facts, fault) if fault else None
    if text and not (storm and text in storm):
        said.append(text)
    if call:
        said.append(call)
    fallen = stack.fallen(facts)
    if fallen and not any("stack overflow" in sentence for sentence in (*said, storm or "")):
        said.append(fallen)
    return said


def _sampled(steps: list[Step]) -> list[Hot]:
    """The hottest instructions of the window, if the pool's counts do not show any."""
    counts = Counter(step.pc for step in steps if step.retired)
    total = sum(counts.values())
    return [Hot(pc, 1, times, times / total) for pc, times in counts.most_common(5)]
