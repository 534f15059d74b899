"""Answers for the laws by name: what each requires of a case.

A check raises `Violation`, or returns.  Must not know what makes the cases, nor what becomes
of a failure.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import currently_in_test_context, target
from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.work import MOST
from toyisa.machine import Exit, Machine
from toyisa.tables.cost import Event
from toyisa.testing import Modelled, lockstep, shrink_report, state_of
from toyisa.testing.modelled import BARREN, rules_kept
from toyisa.testing.states import within_rules
from vmm.domain.exits import Kind
from vmm.domain.record import FREE
from vmm.fuzz import companylaw, edgecases, edgegdb, framecheck, lawtext, snaplaw
from vmm.fuzz.case import Case, Violation, must_equal
from vmm.fuzz.lawguests import (
    NATIVE,
    booting,
    foreign_frames,
    guests,
    hostile,
    is_patched,
    laborious,
    machine,
    monitor_maps,
    run,
    running,
)
from vmm.fuzz.seen import Seen
from vmm.watch.fencerun import watch

STEPS = 5000  # steps of a failing case in which its first difference is looked for
POISONS = (0xA5, 0x5A)
CROSS, CALLOUT = Event.ROOT_CROSS, Event.ROOT_CALLOUT


@dataclass(frozen=True)
class Law:
    """What must hold for every case that `cases(engine)` gives."""

    name: str
    summary: str
    cases: Callable[[str], st.SearchStrategy[Case]]
    check: Callable[[Case, Seen], None]
    runs: bool = True     # it runs on an engine, which can be chosen
    compiled: bool = True  # needs the machine's compiled code
    native: bool = True   # also on the bare machine
    checked: bool = False  # in campaigns with bounds checks, and RAM between guards
    patched: bool = False  # also on kernels built for an engine
    unpatched: str = ""    # otherwise the reason why not
    where: Callable[[Case], str] = lambda _case: ""  # where two runs of it first differ


def _figures(made: Any) -> dict[str, Any]:
    """What the owner of a machine can see beyond its guest: time, and where it went."""
    return {
        "digest": made.digest(), "cycles": made.cycles, "classes": made.cycles_by_class(),
        "exits": made.exits(),
    }  # fmt: skip


def _sliced(case: Case, seen: Seen) -> None:
    """A run in one piece, and one that stops every few instructions."""
    whole, sliced = (machine(case, seen, "cycles") for _ in range(2))
    expected = run(whole, case, seen) | _figures(whole)
    console, left = "", case.settings["budget"]
    while True:
        actual = run(sliced, case, seen, min(case.settings["slice"], left))
        console += actual["console"]
        left = case.settings["budget"] - sliced.instret
        if actual["end"] != "BUDGET" or left <= 0:
            break
    actual |= _figures(sliced) | {"console": console}
    for figures in (expected, actual):
        # Stops, and what it takes to continue after one, are counted as `other`.
        exits = figures.pop("exits", {})
        figures["exits"] = {kind: exits[kind]["count"] for kind in exits if kind != "other"}
    must_equal(expected, actual)


@st.composite
def _slices(draw: st.DrawFn, engine: str) -> Case:
    case = draw(booting(engine, max_size=12))
    case.settings["slice"] = draw(st.sampled_from([1, 2, 3, 7, 101]))
    case.settings["budget"] = 3000
    return case


def _semantics(case: Case, seen: Seen) -> None:
    """The core in slices, and beside it the model in plain Python, one instruction at a time."""
    made = machine(case, seen, "icount", NATIVE)
    model, begun = Modelled(made), made.ram.tobytes()
    end, spent = "BUDGET", 0
    while end == "BUDGET" and spent < case.settings["budget"]:
        spent += case.settings["slice"]
        barren = 0  # traps in a row: after some number the core says that it is stuck
        while model.hart.retired < spent and not model.ended:
            fx = model.step()
            barren = barren + 1 if fx.trap else 0
            if fx.idle or model.beyond or barren > BARREN:
                return
            if case.start and not within_rules(begun, model.hart.bus.ram, model.hart.csr["satp"]):
                return
        end = made.run(spent - made.instret).name
        seen.note(made)
        taken = made.traps_by_cause()
        taken.pop("ecall_s", None)
        must_equal(
            {"ended": model.ended, "traps": dict(model.traps), "instret": model.hart.retired,
             **model.state()},
            {"ended": end == "HALTED", "traps": taken, "instret": made.instret, **state_of(made)},
        )  # fmt: skip
        theirs = np.frombuffer(model.hart.bus.ram, np.uint8)
        if not np.array_equal(theirs, made.ram):  # quicker than hashing both
            must_equal({"ram": _digest(theirs)}, {"ram": _digest(made.ram)})
    console = made.output()
    must_equal({"console": bytes(model.hart.bus.console)}, {"console": console})


def _where(case: Case) -> str:
    """The first step at which the machine that the law tries differs from the one beside it."""
    bare = machine(case, Seen(), "icount", NATIVE)
    native = case.settings["engine"] == NATIVE
    tried = Modelled(machine(case, Seen(), "icount", NATIVE)) if native else (
        machine(case, Seen(), "icount"))  # fmt: skip
    found = lockstep(bare, tried, STEPS)
    names = ("core", "model") if native else (NATIVE, case.settings["engine"])
    return shrink_report(found, names) if found else f"not in the first {STEPS} single steps"


def _digest(ram: np.ndarray) -> str:
    return hashlib.sha256(ram.tobytes()).hexdigest()


@st.composite
def _modelled(draw: st.DrawFn, _engine: str) -> Case:
    case = draw(st.one_of(booting(NATIVE), running(NATIVE)))
    case.settings["slice"] = draw(st.sampled_from([1, 7, 101, 1009, case.settings["budget"]]))
    return case


def _equivalence(case: Case, seen: Seen) -> None:
    """The same guest bare and on the engine, with the clock in instructions."""
    engines, budget = (NATIVE, case.settings["engine"]), case.settings["budget"]
    bare, virtual = (run(machine(case, seen, "icount", name), case, seen) for name in engines)
    # Most keep the rules, and to repeat a run is slow
    if bare != virtual:
        again = [machine(case, Seen(), "icount", name) for name in engines]
        if case.start:
            kept = rules_kept(again[0], budget)
        else:
            kept = min(_until_stale(made, budget) for made in again)
        if kept < budget:
            bare, virtual = (
                run(machine(case, Seen(), "icount", name), case, Seen(), kept) for name in engines
            )
    must_equal(bare, virtual)


def _until_stale(made: Machine, budget: int) -> int:
    """For how many instructions, at most `budget`, the TLB that is used says what the tables say.

    Behind a store to a table without a fence, correct machines may differ.
    """
    watch(made).on = 1
    return made.instret if made.run(budget) is Exit.STALE else budget


def _containment(case: Case, seen: Seen) -> None:
    """Foreign frames do not change, and nothing that the guest does depends on them."""
    outcomes = []
    for poison in POISONS:
        made = machine(case, seen, "cycles")
        frames = foreign_frames(made)
        for frame in frames:
            frame[:] = poison
        maps = monitor_maps(made).copy()
        outcomes.append(run(made, case, seen) | _figures(made))
        if not all((frame == poison).all() for frame in frames):
            raise Violation("foreign frames untouched", "a store to one")
        if not np.array_equal(monitor_maps(made), maps):
            raise Violation("the window's maps untouched", "a store to one")
        limit = case.settings["budget"]
        if made.instret > limit:
            raise Violation(f"at most {limit} instructions", made.instret)
        if made.vm.direct.active:  # a table that the guest can write is a way out
            framecheck.check(made)
        stray = framecheck.strays(made) if made.vm.direct.active else _strays(made)
        if stray:
            raise Violation("entries to the guest's frames only", stray)
    must_equal(*outcomes)


def _strays(made: Any) -> list[str]:
    """Valid entries of shadow tables in use that lead neither to the guest nor to a table."""
    vm = made.vm
    count = int(vm.shadow["frames"])
    entries = made.host.ram[: count * PAGE].view(np.uint32).reshape(count, -1)
    entries = np.where((vm.shadow.role[:count] != FREE)[:, None] & (entries & 1 != 0), entries, 0)
    mfn = (entries >> 10).astype(np.int64) - RAM_BASE // PAGE
    inside = (mfn >= 0) & (mfn < len(made.host.ram) // PAGE)
    guest = inside & (made.host.frames["gfn"][np.where(inside, mfn, 0)] >= 0)
    tables = inside & ((mfn < count) | (mfn == int(vm.shadow.region)))
    right = np.where(entries & 0xE != 0, guest, tables) | (entries == 0)
    return [f"{frame}[{n}] = {entries[frame, n]:#x}" for frame, n in np.argwhere(~right)[:4]]


def _determinism(case: Case, seen: Seen) -> None:
    """Two runs with the clock in cycles."""
    first, second = (machine(case, seen, "cycles") for _ in range(2))
    must_equal(*(run(made, case, seen) | _figures(made) for made in (first, second)))


def _conservation(case: Case, seen: Seen) -> None:
    """Cycles by class sum to the total, and those of exits to what root was charged."""
    made = machine(case, seen, "cycles")
    run(made, case, seen)
    classes = made.cycles_by_class()
    if sum(classes.values()) != made.cycles:
        raise Violation(made.cycles, classes)
    if not made.virtual:
        counted = int(made.hart.counts.op.sum()) + made.traps_by_cause().get("ecall_s", 0)
        if counted != made.instret:
            raise Violation({"retired": made.instret}, {"retired": counted})
        return
    events = made.host.hart.counts.event
    crossings = int(events[CROSS] + events[CALLOUT])
    stats = made.vm.stats
    counted = int(stats.count.sum() - stats.count[Kind.OTHER])
    if counted > crossings:
        raise Violation(f"at most {crossings} exits", made.exits())
    spent = sum(row["cycles"] for row in made.exits().values())
    charged = sum(cycles for name, cycles in classes.items() if name.startswith("root_"))
    if not charged <= spent <= made.cycles:
        raise Violation(f"{charged} to {made.cycles} cycles of root's", made.exits())
    frames = int(made.vm.frames)
    if sorted(made.host.frames["gfn"][made.pages["mfn"][:frames]].tolist()) != list(range(frames)):
        raise Violation("every frame of the guest's once", "not so")
    if made.vm.direct.active:
        framecheck.check(made)


def _told(made: Any, case: Case, seen: Seen) -> dict[str, Any]:
    """What can be seen of a run to the end or the budget, however much it prints."""
    console = hashlib.sha256()
    while True:
        outcome = run(made, case, seen, max(case.settings["budget"] - made.instret, 0))
        console.update(outcome["console"].encode())
        if outcome["end"] != "OUTPUT":
            return outcome | _figures(made) | {"console": console.hexdigest()}


def _looked(case: Case, seen: Seen) -> None:
    """A run with few looks, and one with many; little is done between two, and they change
    nothing.
    """
    few, many = (machine(case, seen, case.settings["clock"]) for _ in range(2))
    many.work = case.settings["look"]
    outcomes = [_told(made, case, seen) for made in (few, many)]
    uncut = max(made.most_work - made.work for made in (few, many))
    if currently_in_test_context():
        target(float(uncut))
    if uncut > MOST:
        raise Violation(f"at most {MOST} units of work more than between two looks", uncut)
    must_equal(*outcomes)


@st.composite
def _looks(draw: st.DrawFn, engine: str) -> Case:
    case = draw(laborious(engine))
    sizes = [1009, 3001, 10_007, 100_003]
    if not is_patched(engine):  # a call of pv's is cut very often
        sizes += [64, 101]
    case.settings["look"] = draw(st.sampled_from(sizes))
    case.settings["clock"] = draw(st.sampled_from(["cycles", "icount"]))
    return case


def _edges(case: Case, seen: Seen) -> None:
    """Numbers around every power of two and every wrap: answered as on the bare machine, or as
    by the model; nothing beyond the guest's own is touched, and a debugger gets its answers
    too.
    """
    engine, asked = case.settings["engine"], case.settings["gdb"]
    if engine == NATIVE or asked:
        made = machine(case, seen, "cycles")
        run(made, case, seen)
        edgegdb.ask(made, asked)
    if engine == NATIVE:
        # The model has no disk
        _semantics(replace(case, settings={**case.settings, "input": ""}), seen)
        return
    _containment(case, seen)
    if not is_patched(engine):
        _equivalence(case, seen)


LAWS: dict[str, Law] = {law.name: law for law in (
    Law("semantics", "the core does what the plain-Python model does",
        _modelled, _semantics, runs=False, where=_where),
    Law("slices", "a run in one piece ends as one in slices, to the cycle",
        _slices, _sliced),
    Law("looks", "little is done between two looks at limits, and a look changes nothing",
        _looks, _looked, patched=True),
    Law("roundtrip", "disassembled words assemble to themselves",
        lawtext.cases, lawtext.check, runs=False, compiled=False),
    Law("equivalence", "a guest does the same on the engine as on the bare machine",
        guests, _equivalence, native=False,
        unpatched="a patched kernel is another program than the bare machine's",
        where=_where),
    Law("containment", "a hostile guest neither reads nor writes what is not its own",
        hostile, _containment, native=False, patched=True),
    Law("determinism", "two runs of one guest are the same, to the cycle",
        guests, _determinism, patched=True),
    Law("company", "with time of its own, a guest does among hostile ones what it does alone",
        companylaw.cases, companylaw.check, native=False,
        unpatched="a patched kernel sees the numbers of its machine's frames"),
    Law("conservation", "cycles by class sum to the total, exits to what root was charged",
        guests, _conservation, patched=True),
    Law("snapshots", "a snapshot file is refused, or is a machine that stays within its RAM",
        snaplaw.cases, snaplaw.check, runs=False),
    Law("edges", "addresses and sizes at every power of two and wrap do no harm",
        edgecases.cases, _edges, patched=True, checked=True,
        where=lambda case: "" if is_patched(case.settings["engine"]) else _where(case)),
)}  # fmt: skip
