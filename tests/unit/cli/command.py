"""Runs the command as a user does, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

NOTICE = re.compile(rb"^toyvmm: (compil|waiting for another process).*\n", re.MULTILINE)


def environment(**changes: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)} | changes


def heed_ctrl_c() -> None:
    """A child calls this first, to be like a process in a terminal's foreground: what a shell
    starts in the background ignores Ctrl-C, and so do its children.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def argv(*arguments) -> list[str]:
    return [sys.executable, "-P", "-m", "vmm.cli", *map(str, arguments)]


def told(stderr: bytes) -> bytes:
    """What stderr says, without the lines on compiling or waiting for another test that
    compiles.
    """
    return NOTICE.sub(b"", stderr)


def toyvmm(*arguments, cwd=None, stdin=b"", **env: str) -> subprocess.CompletedProcess:
    """Run `toyvmm` with arguments; bytes of stdout, what is `told`, and the exit code."""
    done = subprocess.run(
        argv(*arguments), cwd=cwd, input=stdin, capture_output=True, timeout=300,
        env=environment(**env), check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    done.stderr = told(done.stderr)
    return done
