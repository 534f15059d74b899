"""Answers for the numbers of the SBI: its extensions, in a7 of an `ecall` from S.

Source: RISC-V SBI specification 2.0.  What the firmware does with a call is in
`core/firmware.py`.
"""

# Legacy extensions: each is one call.
SET_TIMER, PUTCHAR, GETCHAR, CLEAR_IPI, SEND_IPI = 0, 1, 2, 3, 4
FENCE_I, FENCE, FENCE_ASID, SHUTDOWN = 5, 6, 7, 8
LEGACY = range(SHUTDOWN + 1)


def _named(name: str) -> int:
    """The number of an extension, which is its name in ASCII."""
    return int.from_bytes(name.encode(), "big")


BASE = 0x10
TIME = _named("TIME")
IPI = _named("sPI")
RFENCE = _named("RFNC")
HSM = _named("HSM")
SRST = _named("SRST")
DBCN = _named("DBCN")
EXTENSIONS = (BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN)
