"""Answers for a run as `run` and `boot` show it: the console, and the report afterwards.

Must not know how the machine was made.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmm.cli import console, refused, report, watching
from vmm.cli.expect import Panic
from vmm.cli.files import Refusal, discard, need_stdout, outputs, tell, write
from vmm.cli.session import Extras, Limits, Outcome, Session
from vmm.cli.status import Status

if TYPE_CHECKING:
    from vmm.cli.guest import Guest

Stepper = Callable[[], contextlib.AbstractContextManager]


@dataclass
class Run:
    """A guest in its machine, and how it is to be shown.

    `given` are the command's options.  The JSON has the `settings`, and what `more` returns
    in the end.  `hint` may say what people can do about an outcome.
    """

    guest: Guest
    machine: Any
    given: dict[str, Any]
    settings: dict[str, Any]
    schema: str = report.SCHEMA
    name: str = ""
    extras: Extras = field(default_factory=Extras)
    stepper: Stepper = contextlib.nullcontext
    more: Callable[[], dict[str, Any]] = dict
    hint: Callable[[Outcome], str | None] = lambda _outcome: None

    def conduct(self) -> Outcome | None:
        """Run the guest to its end and report it; None if nobody reads the console."""
        transcript = report.Transcript()
        outcome = self._watch(transcript)
        if outcome is not None:
            self._refuse_missed(outcome, transcript)
            outcome = self._judged(outcome, transcript)
            self._tell(outcome, transcript)
        return outcome

    def _judged(self, outcome: Outcome, transcript: report.Transcript) -> Outcome:
        """The outcome, changed if the console is not what the user expects."""
        expected = self.given["expect"]
        if expected is None or outcome.status is Status.INTERRUPTED:
            return outcome
        why = expected.failure(bytes(transcript.kept), transcript.truncated)
        if why is None:
            return outcome
        line = why if outcome.status is Status.PASSED else f"{outcome.line}; {why}"
        return replace(outcome, status=Status.FAILED, line=line)

    def _watch(self, transcript: report.Transcript) -> Outcome | None:
        silent = self.given["as_json"]
        panic = Panic() if self.given["fail_on_panic"] else None
        readers = [transcript, *(r for r in (panic, self.given["expect"]) if r)]

        def show(data: bytes) -> None:
            for reader in readers:
                reader.add(data)
            if data and not silent:
                print_bytes(data)

        limits = Limits(
            self.given["max_insns"], self.given["timeout"], self.given["max_cycles"]
        )
        try:
            with (
                console.opened(self.guest.script, keyboard=not silent) as keys,
                self.stepper() as stepper,
            ):
                extras = replace(
                    self.extras, stepper=stepper,
                    **({"failure": panic.failure} if panic else {}),
                )  # fmt: skip
                return Session(self.machine, keys, show, limits, extras).run()
        except BrokenPipeError:
            discard(1)
            return None

    def _refuse_missed(self, outcome: Outcome, transcript: report.Transcript) -> None:
        """Refusal if the guest ended before its snapshot was due, unless Ctrl-C ended it."""
        checkpoint = self.extras.checkpoint
        if outcome.status is Status.INTERRUPTED:
            return
        if checkpoint and (line := checkpoint.missed(self.machine)):
            if transcript.inside_line and not self.given["as_json"]:
                tell("")
            raise Refusal(line)

    def _tell(self, outcome: Outcome, transcript: report.Transcript) -> None:
        """Report the run: first the figures, since a diagnosis may let the machine go on."""
        given, name = self.given, self.name or self.guest.name
        hot, why, said = [], None, []
        if outcome.status is not Status.PASSED:
            from vmm.cli.why import counted

            hot = counted(self.machine, outcome)
        content = {}
        if given["as_json"] or given["json_file"]:
            ended = report.Ended(self.guest.name, self.machine, outcome, transcript)
            content = report.document(ended, self.schema, {**self.settings, **self.more()})
        summary = report.summary(name, self.machine, outcome)
        if outcome.exit == "fatal":
            from vmm.watch.crash import report as crash

            for line in crash(self.machine, self.extras.steps, self.guest.what.source_line):
                tell(f"toyvmm: {line}")
        if outcome.status is not Status.PASSED and not (
            outcome.exit == "halted" and self.machine.code == 0  # the guest did nothing wrong
        ):
            from vmm.cli.why import look

            why = look(self.guest, self.machine, outcome, hot, self.extras.steps)
            said = [line for line in (*why.sentences, self.hint(outcome)) if line]
        if content:
            self._write(report.diagnosed(content, said, why.document() if why else None))
        if not given["quiet"]:
            if transcript.inside_line and not given["as_json"]:  # the summary must begin a new line
                tell("")
            tell(summary)
            for line in dict.fromkeys(said):
                tell(f"toyvmm: hint: {line}")
            for line in why.lines() if why else ():
                tell(f"toyvmm: {line}")

    def _write(self, content: dict[str, Any]) -> None:
        text = report.text(content)
        if self.given["json_file"]:
            write(self.given["json_file"], text.encode())
        if self.given["as_json"]:
            refused.printed.append(text)
            click.echo(text, nl=False)


def settle_outputs(
    context: click.Context, given: dict[str, Any], inputs: Iterable[Path], *names: str
) -> None:
    """Refusal, before anything runs, if an output cannot be written.

    `names` are the command's options that name files to write, beside those of tracing. No
    file appears without `files.commit`.
    """
    if given["as_json"]:
        need_stdout()
    watching.refuse_idle(given)
    wanted = [*names, "log", "trace_file"]
    pairs = [(f"--{name.replace('_', '-')}", given[name]) for name in wanted]
    more = (getattr(given["expect"], "path", None), given["cost"].partition(":")[0])
    context.with_resource(outputs(pairs, [*inputs, *filter(None, more)]))


def settle_garbage() -> None:
    """Let Python look for garbage again, which `main` turned off, but not in what a start loads.

    All of that stays in use to the end.
    """
    gc.freeze()
    gc.enable()


def print_bytes(data: bytes) -> None:
    """Write the guest's bytes to stdout at once, unchanged."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refusal(f"cannot write to stdout: {error.strerror}") from None
