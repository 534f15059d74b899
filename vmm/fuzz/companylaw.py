"""Answers for the law of company: with time of its own, a domain runs among others as alone.

The others keep no rules.  Must not know how a guest is made (`lawguests.py`).
"""

import base64
import zlib
from typing import Any

from hypothesis import strategies as st

from toyisa.core.state import NEVER
from toyisa.machine import Exit, Machine
from vmm import engines
from vmm.fuzz.case import Case, Violation, must_equal
from vmm.fuzz.corpusfile import unpacked
from vmm.fuzz.lawguests import MEM, guests, hostile, machine, put, typed_profile
from vmm.fuzz.seen import Seen
from vmm.hosting.domain import Domain, State
from vmm.hosting.host import Host

HOST_MEM = 96 << 20
NEIGHBOUR_BUDGET = 3_000
STRETCHES = 20  # of virtual time, after which a case is given up
ENDS = {
    State.ENDED: "HALTED", State.PAUSED: "BUDGET", State.CRASHED: "FATAL", State.ASLEEP: "WAITS",
}  # fmt: skip


def _packed(image: bytes) -> str:
    return base64.b64encode(zlib.compress(image, 9)).decode()


@st.composite
def cases(draw: st.DrawFn, engine: str) -> Case:
    """A guest, its neighbours, and how they share the harts."""
    case = draw(guests(engine))
    case.settings["budget"] = min(case.settings["budget"], 60_000)
    others = []
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(engines.names()))
        other = draw(hostile(name))
        keys = ("scatter", "shadow", "profile", "options")
        settings = {key: other.settings[key] for key in keys if key in other.settings}
        others.append({
            **settings, "engine": name, "image": _packed(other.image), "start": other.start,
            "clock": draw(st.sampled_from(["cycles", "icount"])), "late": draw(st.booleans()),
        })  # fmt: skip
    case.settings["others"] = others
    case.settings["harts"] = draw(st.integers(1, 3))
    case.settings["scheduler"] = draw(st.sampled_from(["rr", "bvt", "credit"]))
    case.settings["quantum"] = draw(st.sampled_from([4_000, 20_000]))
    if case.settings["scheduler"] == "rr":
        case.settings["slice_us"] = draw(st.sampled_from([2, 7, 50, 5000]))
    return case


def _alone(case: Case, seen: Seen) -> dict[str, Any]:
    """What becomes of the guest on a machine of its own, which lets time pass while it sleeps."""
    made = machine(case, seen, "icount")
    root, clock = made.hart.root, made.hart.clock
    root.waits = 1
    while (end := made.run(max(case.settings["budget"] - made.instret, 0))) is Exit.WAITS:
        if root.wake >= NEVER:
            break
        clock.idle += max(int(root.wake) - int(clock.instret) - int(clock.idle), 0)
    seen.note(made)
    return {"end": end.name, **_figures(made)}


def _figures(made: Machine) -> dict[str, Any]:
    return {
        "code": made.code, "console": made.output().decode("latin-1"), "instret": made.instret,
        "idle": int(made.hart.clock.idle), "trail": int(made.hart.trail),
        "traps": made.traps_by_cause(), "pc": f"{int(made.hart.pc):#x}",
        "guest_digest": made.guest_digest(),
    }  # fmt: skip


def _host(case: Case) -> Host:
    chosen = case.settings
    options = {"slice_us": chosen["slice_us"]} if "slice_us" in chosen else {}
    return Host(HOST_MEM, chosen["harts"], chosen["scheduler"], chosen["cost"],
                quantum=chosen["quantum"], options=options)  # fmt: skip


def _domain(host: Host, name: str, what: dict[str, Any], image: bytes, budget: int) -> Domain:
    given = {key: what[key] for key in ("scatter", "shadow") if key in what}
    made = host.domain(
        name, image, engine=what["engine"], mem=MEM, clock=what["clock"],
        engine_options=what.get("options"), profile=typed_profile(what), **given,
    )  # fmt: skip
    if what.get("start"):
        put(made, what["start"])
    made.budget = budget
    return made


def _begin_others(host: Host, others: list[dict[str, Any]], late: bool, seen: Seen) -> None:
    """Make the neighbours that are there from the beginning, or those that come later."""
    for n, other in enumerate(others):
        if other.get("late", False) == late:
            image = unpacked(base64.b64decode(other["image"], validate=True))
            seen.watch(_domain(host, f"other-{n}", other, image, NEIGHBOUR_BUDGET))


def _conserved(host: Host) -> None:
    """Frames by owner sum to the machine's, and cycles by domain and root to its harts'."""
    owned = int((host.platform.frames["owner"] > 0).sum())
    if owned + host.platform.allocator.free != len(host.platform.frames):
        raise Violation("each frame free or owned", f"{owned} owned")
    ran = sum(domain.ran for domain in host.domains.values())
    busy = sum(seat.busy for seat in host.seats)
    if ran + host.root_cycles != busy:
        raise Violation(f"{busy} cycles", f"{ran} of domains, {host.root_cycles} of root")
    for seat in host.seats:
        if seat.time < host.now:
            raise Violation("no hart behind the host", seat.time)


def check(case: Case, seen: Seen) -> None:
    """The guest ends in company as it ends alone; nothing is lost."""
    alone = _alone(case, seen)
    host = _host(case)
    chosen = case.settings
    made = _domain(host, "checked", {**chosen, "clock": "icount", "start": case.start},
                   case.image, chosen["budget"])  # fmt: skip
    for stretch in range(STRETCHES):
        if stretch < 2:
            _begin_others(host, chosen["others"], bool(stretch), seen)
        how = host.run(until=host.now + host.ms(0.1 if stretch == 0 else 2))
        if made.state in ENDS and (made.state is not State.ASLEEP or how == "over"):
            break
    else:
        return  # it sleeps for very long
    _conserved(host)
    must_equal(alone, {"end": ENDS[made.state], **_figures(made)})
