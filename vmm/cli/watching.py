"""Answers for the options that watch a run step by step: `--trace` and `--log`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from vmm.cli.files import Refusal
from vmm.cli.options import group
from vmm.cli.params import Count

if TYPE_CHECKING:
    from vmm.stepping import Stepper, Watcher

KINDS = ("insn", "mem", "trap", "csr", "mmu")


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
                     help=f"Tell each step on stderr: {', '.join(kinds)} or all. Slow."),
        click.option("--trace-file", type=click.Path(path_type=Path), metavar="FILE",
                     help="The trace to FILE instead."),
        click.option("--log", type=click.Path(path_type=Path), metavar="FILE",
                     help="Log each retired instruction to FILE, as Spike's --log-commits. Slow."),
        click.option("--log-from", type=Count(), default=0, metavar="N",
                     help="Trace and log from instruction N on."),
        click.option("--log-until", type=Count(), metavar="N",
                     help="Trace and log up to instruction N."),
    )  # fmt: skip


@contextlib.contextmanager
def stepper(machine: Any, chosen: dict[str, Any]) -> Iterator[Stepper | None]:
    """What runs `machine` as the options say, or None if nothing watches; Refusal."""
    from vmm.stepping import NEVER, Stepper

    with contextlib.ExitStack() as files:
        watchers = list(_watchers(machine, chosen, files))
        last = chosen["log_until"]
        if watchers:
            yield Stepper(machine, watchers, chosen["log_from"], NEVER if last is None else last)
        else:
            yield None


def _watchers(
    machine: Any, chosen: dict[str, Any], files: contextlib.ExitStack
) -> Iterator[Watcher]:
    if chosen["trace"]:
        from vmm.trace import Trace

        path = chosen["trace_file"]
        yield Trace(machine, chosen["trace"], _open(path, files) if path else sys.stderr)
    if chosen["log"]:
        from vmm.commitlog import CommitLog

        yield CommitLog(_open(chosen["log"], files))


def _open(path: Path, files: contextlib.ExitStack) -> TextIO:
    try:
        return files.enter_context(path.open("w", encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None
