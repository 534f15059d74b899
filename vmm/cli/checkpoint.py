"""Answers for `run --save` and `run --restore`: when to save, and what to continue from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toyisa.files.writing import Unwritable
from vmm.cli.files import Refusal
from vmm.cli.guest import prices


@dataclass
class Checkpoint:
    """A snapshot, to be written when `at` instructions are retired; at the end if `at` is None."""

    path: Path
    at: int | None
    done: bool = False

    def bound(self, machine: Any, budget: int) -> int:
        """`budget`, or less if the snapshot is due earlier."""
        if self.done or self.at is None:
            return budget
        return max(min(budget, self.at - machine.instret), 0)

    def passed(self, machine: Any, *, ended: bool) -> None:
        """Save if it is time: call this whenever the machine has stopped."""
        due = ended if self.at is None else machine.instret >= self.at
        if due and not self.done:
            self.save(machine)

    def save(self, machine: Any) -> None:
        """Save now; Refusal if the file cannot be written."""
        self.done = True
        try:
            machine.save(self.path)
        except Unwritable as error:
            raise Refusal(str(error)) from None
        except (OSError, ValueError) as error:  # of a disk whose digest the snapshot has
            raise Refusal(f"cannot write {self.path}: {error}") from None

    def missed(self, machine: Any) -> str | None:
        """A line for people, if the run ended before the snapshot was due."""
        if self.done:
            return None
        return (
            f"cannot write {self.path}: the guest ended after {machine.instret:,} "
            f"instructions, before --at {self.at:,}; leave --at out to save at the end"
        )


def refuse_other_program(path: Path, machine: Any, target: Any) -> None:
    """Refusal if the snapshot in `path`, in which `machine` was saved, is not one of `target`."""
    from toyisa.load.image import digest

    if machine.program != digest(target.elf):
        raise Refusal(
            f"{path}: is not a snapshot of {target.name} as it is now; "
            "leave TARGET out to continue with what was saved"
        )


def restored(path: Path, asked: dict[str, Any], disks: list[Any]) -> tuple[Any, tuple]:
    """The machine in a snapshot, and its mem, profile, cost, clock and svade as `run` names
    them.

    Refusal if a setting is not as in `asked`, which has those that the user named; or if its
    disks are not these.
    """
    from toyisa.machine import Machine
    from toyisa.snapshots.snapshot import config_of, refuse_mismatch
    from toyisa.tables.levels import Profile

    wanted = dict(asked)
    try:
        if "profile" in asked:
            wanted["profile"] = int(Profile[asked["profile"].upper().replace("-", "_")])
        if "cost" in asked:
            wanted["cost"] = asdict(prices(asked["cost"]))
        machine = Machine.restore(path, disks)
    except ValueError as error:  # a SnapshotError, which names the file, or a CostError
        raise Refusal(str(error)) from None
    try:
        refuse_mismatch(config_of(machine), wanted)
    except ValueError as error:
        raise Refusal(f"{path}: {error}") from None
    level = Profile(int(machine.hart.root.profile)).name.lower().replace("_", "-")
    svade = bool(machine.hart.root.svade)
    return machine, (machine.ram.size, level, machine.cost.name, machine.clock, svade)
