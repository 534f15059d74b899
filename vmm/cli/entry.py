"""Answers for the first moments of the process: Ctrl-C also ends it during imports."""

import os
import signal


def main() -> None:
    """The entry point of the console script."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from vmm.cli.main import main as command

    command()
