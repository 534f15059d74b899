"""Answers for which directories may hold code that will be executed.

Compiled code is kept as pickles.  Whoever can write them, or replace a directory above them,
can run programs as us.  So the directory must be ours and writable only by us, and on the way
there only we and root may be able to replace a directory.  Must not know what is kept there
(`jitcache.py`).
"""

import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

LINKS = 40  # as many as the system follows
OWN = "choose a directory of your own (TOYVMM_CACHE_DIR)"


class Untrusted(Exception):
    """Others could place code in a directory; the text says which, why and the fix."""

    def __init__(self, path: Path, reason: str, fix: str):
        super().__init__(f"{path} {reason}; {fix}")


def require(directory: Path, private: bool = False) -> Path:
    """Make `directory`, for us alone, unless it exists; return its real path.  Untrusted,
    OSError.

    If it is `private`, others may not even list it; then directories that are made in it
    under any umask are safe.  Only root or we can change the answer between this check and
    the use.
    """
    path = _real(directory.absolute())
    status = os.lstat(path)
    if status.st_uid != os.geteuid():
        owner = _user(status.st_uid)
        raise Untrusted(path, f"belongs to {owner}, and its code would be run as you", OWN)
    if status.st_mode & (0o077 if private else 0o022):
        raise Untrusted(path, "can be written by others, and its code would be run as you",
                        "delete it if it holds only compiled code, or choose another "
                        "(TOYVMM_CACHE_DIR)")  # fmt: skip
    return path


def _real(path: Path) -> Path:
    """The path without links, with each step of it checked; what is missing is made."""
    done, rest, links = Path(path.anchor), list(path.parts[1:]), 0
    while rest:
        name = rest.pop(0)
        if name == "..":
            done = done.parent
            continue
        step = done / name
        try:
            status = os.lstat(step)
        except FileNotFoundError:
            _check(done, os.lstat(done))
            with suppress(FileExistsError):  # made meanwhile by a process that starts as we do
                os.mkdir(step, 0o700)
            status = os.lstat(step)
        _check(done, os.lstat(done))
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if status.st_uid not in (0, os.geteuid()):
                raise Untrusted(step, f"is a link that {_user(status.st_uid)} has made", OWN)
            if links > LINKS:
                raise OSError(f"{path}: too many links")
            target = Path(os.readlink(step))
            rest = [*target.parts[target.is_absolute() :], *rest]
            done = Path(target.anchor) if target.is_absolute() else done
        elif stat.S_ISDIR(status.st_mode):
            done = step
        else:
            raise NotADirectoryError(20, os.strerror(20), str(step))
    return done


def _check(parent: Path, status: os.stat_result) -> None:
    """Untrusted if others could replace what is in `parent` by another directory."""
    if status.st_uid not in (0, os.geteuid()):
        owner = _user(status.st_uid)
        raise Untrusted(parent, f"belongs to {owner}, who could replace what is in it", OWN)
    mode = status.st_mode
    if mode & stat.S_ISVTX:  # like /tmp: others cannot replace what is ours
        return
    if mode & 0o002 or (mode & 0o020 and not _ours_alone(status.st_gid)):
        raise Untrusted(parent, "can be written by others, who could replace what is in it",
                        "chmod go-w it, or choose another (TOYVMM_CACHE_DIR)")  # fmt: skip


def _ours_alone(group: int) -> bool:
    """Whether it is the group with our own name and nobody else in it, which many systems have."""
    with suppress(KeyError):
        us, them = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
        alone = set(them.gr_mem) <= {us.pw_name}
        return group == us.pw_gid and them.gr_name == us.pw_name and alone
    return False


def _user(number: int) -> str:
    with suppress(KeyError):
        return f"the user {pwd.getpwuid(number).pw_name}"
    return f"user {number}"
