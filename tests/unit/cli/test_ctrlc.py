"""Ctrl-C ends the command while Python cannot call a handler, as during compilation."""

import os
import signal
import subprocess
import sys
import time

import pytest

# Some minutes of work in C, without the lock that Python's other threads need.
LONG = (
    "import hashlib; print('begun', flush=True);"
    "hashlib.pbkdf2_hmac('sha256', b'', b'', (1 << 31) - 1)"
)


def interrupted(script):
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert child.stdout.readline() == b"begun\n"
    time.sleep(0.5)  # for it to be where it says that it is
    os.kill(child.pid, signal.SIGINT)
    try:
        _, told = child.communicate(timeout=60)
    finally:
        child.kill()
    return child.returncode, told


@pytest.mark.parametrize(
    "script",
    [
        f"from vmm.cli import watchdog; watchdog.watch(); {LONG}",
        # This drops an exception, as a destructor does.
        "from vmm.cli import watchdog\nimport time\nwatchdog.watch()\ntry:\n"
        " print('begun', flush=True)\n time.sleep(100)\nexcept BaseException:\n pass\n"
        "time.sleep(100)",
    ],
    ids=["in C", "dropped"],
)
def test_it_ends_the_process(script):
    assert interrupted(script) == (130, b"")


def test_whoever_answers_it_goes_on():
    code, _ = interrupted(
        "from vmm.cli import watchdog\nimport time\nwatchdog.watch()\nwatchdog.answered()\n"
        "try:\n print('begun', flush=True)\n time.sleep(100)\nexcept KeyboardInterrupt:\n"
        " time.sleep(1)\n raise SystemExit(7)"
    )
    assert code == 7


def test_it_ends_an_import():
    code, told = interrupted(
        "import sys, time, types\n"
        "class Slow:\n"
        " def find_spec(self, name, *_):\n"
        "  if name == 'vmm.cli.main':\n"
        "   print('begun', flush=True)\n"
        "   time.sleep(100)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from vmm.cli.entry import main\n"
        "main()"
    )
    assert (code, told) == (130, b"")
