"""Answers for everything that the interpreter's loop does not do itself, as one unit.

The loop calls it by its address (`njit.call_unit`), so that the two are compiled separately:
at the same time on a cold start, and once for all loops.
"""

import numpy as np

from toyisa.compiled.njit import entry
from toyisa.core.access import access_at, access_memory
from toyisa.core.decodepool import settle
from toyisa.core.firmware import answer_sbi
from toyisa.core.run import execute_or_raise, handle, prepare
from toyisa.core.trap import raise_pending
from toyisa.tables.requests import Request


@entry
def serve(hart, mem, request, first, second):
    """Do what `request` (requests.Request) says; `first` and `second` are its arguments."""
    if request == Request.PREPARE:
        return prepare(hart, mem)
    if request == Request.ACCESS:
        return np.int64(access_memory(hart, mem, first, False))
    if request == Request.SETTLE:
        settle(hart, mem)
        return np.int64(0)
    if request == Request.SBI:
        return answer_sbi(hart, mem)
    if request == Request.SYSTEM:
        return execute_or_raise(hart, mem, first, second)
    if request == Request.ACCESS_AT:
        return np.int64(access_at(hart, mem, first, second, True))
    if request == Request.RAISE:
        return raise_pending(hart, first)
    return handle(hart, mem, request - Request.HANDLE, first, second)
