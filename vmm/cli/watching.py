"""Answers for the options that watch a run step by step: `--trace` and `--log`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from vmm.cli.files import Refusal, opened
from vmm.cli.options import group
from vmm.cli.params import Count

if TYPE_CHECKING:
    from vmm.watch.stepping import Watcher

KINDS = ("insn", "mem", "trap", "csr", "mmu")
# Not the tables: a guest's tables are walked by its monitor
GUEST_KINDS = ("insn", "mem", "trap", "csr")
EXIT_KINDS = ("exit", "shadow")


class Kinds(click.ParamType):
    """`insn,mem`: some of the kinds that a command can trace, or `all`."""

    name = "kinds"

    def __init__(self, known: tuple[str, ...]):
        self.known = known

    def convert(self, value, param, ctx) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        chosen = self.known if value == "all" else tuple(value.split(","))
        for kind in chosen:
            if kind not in self.known:
                there = ", ".join(self.known)
                self.fail(f"{kind!r} cannot be traced; there are {there}", param, ctx)
        return chosen


def options(kinds: tuple[str, ...]) -> Callable[[Callable], Callable]:
    """Add the options to a command, which gets them as keywords."""
    return group(
        click.option("--trace", type=Kinds(kinds), metavar="KIND,...",
                     help=f"Print each step on stderr: {', '.join(kinds)} or all. Slow."),
        click.option("--trace-file", type=click.Path(path_type=Path), metavar="FILE",
                     help="Print the trace to FILE instead."),
        click.option("--log", type=click.Path(path_type=Path), metavar="FILE",
                     help="Log each retired instruction to FILE, in the format of Spike's "
                          "--log-commits. Slow."),
        click.option("--log-from", type=Count(), default=0, metavar="N",
                     help="Trace and log only from instruction N on."),
        click.option("--log-until", type=Count(), metavar="N",
                     help="Trace and log only up to instruction N."),
    )  # fmt: skip


def refuse_idle(chosen: dict[str, Any]) -> None:
    """Refusal if an option says where or when to watch, and nothing is watched."""
    trace, file = chosen["trace"], chosen["trace_file"]
    if file and not trace:
        raise Refusal("--trace-file says where the trace goes; say what to trace with --trace")
    if trace or chosen["log"] or chosen.get("timeline"):
        return
    for name in ("log_from", "log_until"):
        if chosen[name]:
            option = f"--{name.replace('_', '-')}"
            raise Refusal(f"{option} says when to watch; say what to watch with --trace or --log")


@contextlib.contextmanager
def stepper(
    machine: Any, chosen: dict[str, Any], name: str = "", fences: Watcher | None = None
) -> Iterator[Any]:
    """What runs `machine` as the options say, or None if nothing watches it; Refusal.

    `name` is the guest's, for a timeline; `fences` sees each step that may use a stale
    translation.
    """
    from vmm.watch.stepping import NEVER, Logged, Stepper

    with contextlib.ExitStack() as files:
        trace = _trace_file(chosen, files)
        first, last = chosen["log_from"], chosen["log_until"]
        last = NEVER if last is None else last
        found: Any = None
        if watchers := [*_watchers(machine, chosen, trace, files)]:
            found = Stepper(machine, [*watchers, *([fences] if fences else [])], first, last)
        elif fences:
            from vmm.watch.fencerun import FenceRun

            found = FenceRun(machine, fences)
        if takers := list(_takers(machine, chosen, trace, name, files)):

            def take(log: Any) -> None:
                for each in takers:
                    each(log)

            found = Logged(machine, take, found, first, last)
        yield found


def _trace_file(chosen: dict[str, Any], files: contextlib.ExitStack) -> TextIO:
    if chosen["trace"] and chosen["trace_file"]:
        return _open(chosen["trace_file"], files)
    return sys.stderr


def _watchers(
    machine: Any, chosen: dict[str, Any], trace: TextIO, files: contextlib.ExitStack
) -> Iterator[Watcher]:
    """The watchers that want to see each step."""
    if kinds := set(chosen["trace"] or ()) - set(EXIT_KINDS):
        from vmm.watch.trace import Trace

        yield Trace(machine, kinds, trace)
    if chosen["log"]:
        from vmm.watch.commitlog import CommitLog

        yield CommitLog(_open(chosen["log"], files))


def _takers(
    machine: Any, chosen: dict[str, Any], trace: TextIO, name: str, files: contextlib.ExitStack
) -> Iterator[Callable[[Any], None]]:
    """The functions that want the log of a virtual machine."""
    if kinds := set(chosen["trace"] or ()) & set(EXIT_KINDS):
        from vmm.watch.exitlog import ExitLines

        yield ExitLines(machine, kinds, trace)
    if chosen.get("timeline"):
        from vmm.watch.perfetto import Timeline

        timeline = Timeline(machine, name, _open(chosen["timeline"], files))
        files.callback(timeline.close)
        yield timeline


def _open(path: Path, files: contextlib.ExitStack) -> TextIO:
    return files.enter_context(opened(path))
