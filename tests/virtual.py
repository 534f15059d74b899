"""One guest on the bare machine and under every engine: the results, to be compared.

Under `clock="icount"` a guest must not notice where it runs: this is law 4.  Every registered
engine that runs unmodified kernels is included.  Must not know guests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests import shadowcheck
from vmm import engines

NATIVE = engines.NATIVE
# Ways to lay out the machine under a guest: the default; the guest's frames in no order; and so few
# shadow tables that they are evicted again and again.
LAYOUTS: dict[str, dict[str, int]] = {
    "plain": {}, "scattered": {"scatter": 1}, "tiny": {"scatter": 2, "shadow": 5},
}  # fmt: skip
each_engine = pytest.mark.parametrize("engine", engines.names())
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


class Differs(AssertionError):
    """A guest did something else under an engine than on the bare machine."""


@dataclass
class Outcome:
    """What a guest can see of its run, and what people see of it."""

    end: str
    code: int
    console: bytes
    digest: str
    trail: int
    instret: int
    traps: dict[str, int]
    state: dict[str, Any]  # so that a difference names what differs


def machine(engine: str = NATIVE, **options: Any) -> Any:
    """A machine of that kind with time in instructions; `shadow`, `scatter` are not for native."""
    options = {"clock": "icount", **options}
    from vmm.machine import new_machine

    if engine != NATIVE and not engines.find(engine).unmodified:
        pytest.skip(f"{engine} runs kernels that were written for it")
    return new_machine(engine, **options)


def outcome(machine: Any, budget: int) -> Outcome:
    """Run the guest to its end or its budget; then the monitor's tables must be right."""
    end = machine.run(budget)
    if machine.virtual:
        found = shadowcheck.faults(machine)
        assert not found, found
    hart = machine.hart
    return Outcome(
        end=end.name, code=machine.code, console=machine.output(),
        digest=machine.guest_digest(), trail=int(hart.trail), instret=machine.instret,
        traps=machine.traps_by_cause(),
        state={
            "pc": f"{int(hart.pc):#x}", "priv": int(hart.priv), "reason": machine.reason,
            "x": [f"{n:#x}" for n in hart.x[:32].tolist()],
            "csr": {name: f"{int(hart.csr[name]):#x}" for name in hart.csr.dtype.names},
        },
    )  # fmt: skip


def compare(prepare: Callable[[Any], object], budget: int, engine: str, **options: Any) -> Outcome:
    """The outcome on the bare machine, after asserting that the engine's is the same."""
    layout = LAYOUTS[options.pop("layout", "plain")]
    runs = []
    for name, more in ((NATIVE, {}), (engine, layout)):
        made = machine(name, **options, **more)
        prepare(made)
        runs.append(outcome(made, budget))
    bare, virtual = runs
    if virtual != bare:
        raise Differs(differences(bare, virtual))
    return bare


def differences(bare: Outcome, virtual: Outcome) -> str:
    """Where the two differ, one difference on each line."""
    lines = []
    for name, was in {**vars(bare), **bare.state, **bare.state["csr"]}.items():
        now = {**vars(virtual), **virtual.state, **virtual.state["csr"]}[name]
        if now != was and name not in ("state", "csr"):
            lines.append(f"{name}: {now} instead of {was}")
    return "\n".join(lines)
