"""Answers for files that are there whole or not at all.

Must not know what is in them.
"""

import contextlib
import os
from pathlib import Path


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file whole or not at all; OSError, or ValueError on a null in the name.

    The bytes go to a file beside it which then takes its name, with the rights that
    the umask leaves.  A link stays a link; what is not a regular file, such as
    /dev/null, is written in place.
    """
    import tempfile  # costs more time to import than a small program takes

    path = Path(path)
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:200]}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(partial, 0o666 & ~_umask())
        os.replace(partial, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
