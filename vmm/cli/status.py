"""Answers for the exit codes of the command; `toyvmm --help` prints them."""

from enum import IntEnum


class Status(IntEnum):
    """The exit code of the process."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    LIMIT = 3
    INTERNAL = 4
    INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
    CLOSED = 141       # 128 + SIGPIPE: nobody reads our output any more


MEANING = {
    Status.PASSED: "success; of `run`: the guest passed",
    Status.FAILED: "the guest failed",
    Status.USAGE: "wrong usage, or a file that cannot be used",
    Status.LIMIT: "the guest did not end: a limit, or asleep with nothing to wake it",
    Status.INTERNAL: "an error of toyvmm itself",
    Status.INTERRUPTED: "interrupted by Ctrl-C",
}
