"""Answers for RAM between pages that nobody may touch: an access beyond it ends the process.

For the processes of campaigns only.  Must not know what a machine does with its RAM.
"""

import ctypes
import mmap

import numpy as np

from toyisa.core import memory

_PROTECT_NONE = 0


def new_ram(size: int, _large: bool | None = None) -> np.ndarray:
    """`size` zeroed bytes as words, directly before a guard page; OSError."""
    guard = mmap.PAGESIZE
    body = -(-size // guard) * guard
    area = mmap.mmap(-1, body + 2 * guard, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ram = np.frombuffer(area, np.uint32, size // 4, guard + body - size)
    start = ram.ctypes.data - (guard + body - size)
    libc = ctypes.CDLL(None, use_errno=True)
    for place in (start, start + guard + body):
        if libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(guard), _PROTECT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect")
    return ram


def install() -> None:
    """From now on every machine made in this process has its RAM between guards."""
    memory.new_ram = new_ram
