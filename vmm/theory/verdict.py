"""Answers for a classification (`classify.py`) as a table for people, and as JSON.

Must not measure anything.
"""

from collections.abc import Iterator

from asm.disasm import disassemble
from vmm.text import wrap
from vmm.theory.classify import Classification, Counterexample, Result
from vmm.theory.paired import CODE, Outcome, State

SCHEMA = "toyvmm.classify/1"
KINDS = {
    "drop": "silent drop: in the second state it changes nothing, and nothing traps",
    "leak": "leak of real state: it answers with what root keeps, and nothing traps",
    "real": "behaviour by the real level or tables: the program sees them, and nothing traps",
    "change": "it changes real state, and nothing traps",
}
THEOREM1 = "theorem 1 (a trap-and-emulate monitor: sensitive instructions are privileged)"
THEOREM3 = "theorem 3 (a hybrid monitor: what is sensitive in U is privileged)"


def as_json(found: Classification) -> dict:
    """Everything, with each form of access to each CSR as an element of its own."""
    return {
        "schema": SCHEMA,
        "profile": found.profile.name.lower().replace("_", "-"),
        "instructions": [_row(result) for result in found.results],
        "theorem1": _theorem(found.theorem1),
        "theorem3": _theorem(found.theorem3),
    }


def _row(result: Result) -> dict:
    return {
        "name": result.subject.name,
        "declared": result.subject.declared,
        "measured": result.measured,
        "depends_on": sorted(result.depends_on),
        "privileged": result.privileged,
        "counterexample": _example(result.violation),
        "user_counterexample": _example(result.user_violation),
    }


def _theorem(violations: list[Result]) -> dict:
    return {"holds": not violations, "violations": [r.subject.name for r in violations]}


def _example(found: Counterexample | None) -> dict | None:
    if found is None:
        return None
    return {
        "kind": found.kind,
        "instruction": disassemble(found.word, CODE + 4),
        "word": f"{found.word:#010x}",
        "states": [_state(state) for state in found.states],
        "outcomes": [
            {"trap": o.trap, "visible": o.visible, "resources": o.resources} for o in found.outcomes
        ],
    }


def _state(state: State) -> str:
    """`deprivileged S, sie = 0x220`: the context, and what was changed in it."""
    text = state.context.name
    if state.moved:
        text += ", everything in other frames"
    if state.change and " " not in state.change and state.change != "clock":
        text += f", {state.change} = {state.csr(state.change):#x}"
    elif state.change:
        text += f", another {state.change}" if state.change == "clock" else f", {state.change}"
    return text


def lines(found: Classification) -> Iterator[str]:
    """The table, the verdicts, a counterexample for each violation."""
    yield f"profile {found.profile.name.lower().replace('_', '-')}: measured on the machine"
    yield ""
    columns = f"{'declared':9} {'measured':8} {'privileged':10} {'hole':5} depends on"
    yield f"{'instruction (forms)':25} {columns}"
    for name, result in _grouped(found.results):
        wrong = "" if result.agrees else "   the tables are wrong"
        hole = (result.violation or result.user_violation)
        yield (
            f"{name:25} {result.subject.declared:9} {result.measured:8} "
            f"{'yes' if result.privileged else 'no':10} {hole.kind if hole else '-':5} "
            f"{', '.join(sorted(result.depends_on)) or '-'}{wrong}"
        ).rstrip()
    yield ""
    yield from _verdict(THEOREM1, [(r, r.violation) for r in found.theorem1])
    yield ""
    yield from _verdict(THEOREM3, [(r, r.user_violation) for r in found.theorem3])


def _grouped(results: list[Result]) -> Iterator[tuple[str, Result]]:
    """Instructions one by one; a CSR's forms together if the mnemonic makes no difference."""
    seen: dict[tuple, list[Result]] = {}
    for r in results:
        subject = r.subject
        if not subject.csr:
            yield subject.name, r
            continue
        holes = [v and v.kind for v in (r.violation, r.user_violation)]
        key = (subject.csr, subject.form, r.agrees, r.measured, r.privileged, r.depends_on, *holes)
        seen.setdefault(key, []).append(r)
    for (csr, form, *_), group in sorted(seen.items(), key=lambda item: item[0][0]):
        yield f"{csr} {form} ({len(group)})", group[0]


def _verdict(theorem: str, violations: list[tuple[Result, Counterexample]]) -> Iterator[str]:
    if not violations:
        yield f"{theorem}: holds"
        return
    yield from wrap([f"{theorem}: does not hold, {len(violations)} violations"])
    shown = set()
    for result, example in violations:
        yield f"  {result.subject.name}: {example.kind}"
        if example.kind in shown:  # show one of each kind in full
            continue
        shown.add(example.kind)
        yield f"    {KINDS[example.kind]}"
        yield f"    instruction  {example.word:#010x}  {disassemble(example.word, CODE + 4)}"
        for n, (state, outcome) in enumerate(zip(example.states, example.outcomes), 1):
            yield f"    state {n}      {_state(state)}"
            yield f"    outcome {n}    {_outcome(outcome)}"


def _outcome(outcome: Outcome) -> str:
    if outcome.trap:
        return f"trap: {outcome.trap}"
    shown = {**outcome.visible, **outcome.resources}
    texts = (f"{k} = {v:#x}" if isinstance(v, int) else f"{k}: {v}" for k, v in shown.items())
    return ", ".join(texts)
