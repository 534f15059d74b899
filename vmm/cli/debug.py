"""Answers for `--gdb`: the debugger's connection, and the guest's console beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from vmm.cli import watchdog
from vmm.cli.console import CHUNK, END_OF_INPUT
from vmm.cli.files import Refusal, tell
from vmm.cli.status import Status

if TYPE_CHECKING:
    from toyisa.machine import Machine
    from vmm.gdb.packets import Channel


def debug(
    machine: Machine, where: str, script: bytes | None, show: Callable[[bytes], None]
) -> int:
    """Let gdb drive `machine` until the guest ends or gdb leaves; return the exit code.

    `where` is a port or "stdio".  Input comes from the script, or from stdin unless gdb uses
    it.  After gdb detaches, the guest runs on to its end.
    """
    from vmm.gdb import server, timeline

    timeline.make_ready()
    watchdog.answered()  # Ctrl-C stops the guest
    if not machine.keeps_snapshots:
        _say("gdb can go forwards only, since there are no snapshots of virtual machines yet")
    try:
        if where == "stdio":
            with server.standard() as channel:
                return _talk(machine, channel, _input(script, None), None)
        with server.listening(_port(where), _say) as channel:
            return _talk(machine, channel, _input(script, sys.stdin), show)
    except OSError as error:
        raise Refusal(f"--gdb {where}: {error.strerror or error}") from None


def refuse_with(given: dict[str, Any], *names: str) -> None:
    """UsageError if the debugger's place makes no sense, or if an option cannot be used with it."""
    if given["debugger"] != "stdio":
        _port(given["debugger"])
    for name in names:
        if given[name]:
            option = "--json" if name == "as_json" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"--gdb excludes {option}")


def _talk(
    machine: Machine, channel: Channel, pieces: Iterator[bytes],
    show: Callable[[bytes], None] | None,
) -> int:  # fmt: skip
    from toyisa.machine import Exit
    from vmm.gdb.session import End, Session
    from vmm.gdb.timeline import Timeline

    def tell(data: bytes) -> None:
        if show:
            show(data)
        else:
            session.tell(data)

    timeline = Timeline(machine, lambda: next(pieces, None), tell)
    session = Session(channel, timeline)
    end = session.talk()
    if end is End.DETACHED:
        while (why := machine.run(1_000_000)) in (Exit.BUDGET, Exit.INPUT, Exit.OUTPUT):
            (show or _discard)(machine.output())
            if why is Exit.INPUT and not timeline.give():
                break
        (show or _discard)(machine.output())
    elif end is End.KILLED:
        return Status.PASSED
    return Status.PASSED if machine.how and machine.code == 0 else Status.FAILED


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 1 << 16):
        raise click.UsageError(f"--gdb needs a port or `stdio`, not {text!r}")
    return int(text)


def _input(script: bytes | None, stream) -> Iterator[bytes]:
    """Console input piece by piece, with Ctrl-D at its end, as without a debugger."""
    if script is not None:
        yield script
    elif stream is not None:
        while data := os.read(stream.fileno(), CHUNK):
            yield data
    yield END_OF_INPUT


def _say(line: str) -> None:
    tell(f"toyvmm: {line}")


def _discard(_data: bytes) -> None:
    pass
