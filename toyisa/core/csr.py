"""Answers for what reading and writing a CSR gives, and who may.

The table (`csrs.py`) says which exist and which bits a write changes.  Here is everything
that is more than storage.  Must not know the instructions that access them.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import cycles_counter, instret_counter, ticks
from toyisa.core.interrupts import pending_bits
from toyisa.core.tlb import forget_spaces, recontext
from toyisa.tables.csrs import ACCESS_AT, BY_NAME, CSRS, LEVEL_AT, READ_ONLY
from toyisa.tables.levels import Level, Profile, STraps

# The outcome of an attempt to access a CSR.
ALLOWED, ILLEGAL, TO_ROOT, LEAK, DROP = range(5)

_GROUPS = {
    "csr": STraps.CSR, "trapcsr": STraps.TRAPCSR,
    "satp": STraps.SATP, "counter": STraps.COUNTER,
}  # fmt: skip

# By CSR number: 1 if it exists, its s_traps bit, its writable bits, its holes.
_EXISTS = np.zeros(4096, np.uint8)
_GROUP = np.zeros(4096, np.int64)
_WRITABLE = np.zeros(4096, np.int64)
_LEAKS = np.zeros(4096, np.uint8)
_DROPS = np.zeros(4096, np.uint8)
for _row in CSRS:
    _EXISTS[_row.number] = 1
    _GROUP[_row.number] = _GROUPS[_row.group]
    _WRITABLE[_row.number] = _row.writable
    _LEAKS[_row.number] = _row.leaks_reads
    _DROPS[_row.number] = _row.drops_writes

SSTATUS, SIE, STVEC, SCOUNTEREN = (
    BY_NAME[name].number for name in ("sstatus", "sie", "stvec", "scounteren")
)
SSCRATCH, SEPC, SCAUSE, STVAL, SIP, STIMECMP, STIMECMPH, SATP = (
    BY_NAME[name].number
    for name in ("sscratch", "sepc", "scause", "stval", "sip", "stimecmp", "stimecmph", "satp")
)
CYCLE, TIME, INSTRET, CYCLEH, TIMEH, INSTRETH = (
    BY_NAME[name].number for name in ("cycle", "time", "instret", "cycleh", "timeh", "instreth")
)
UPPER = CYCLE ^ CYCLEH  # of a counter's number: its upper half


@njit
def access(hart, number, reads, writes):
    """Whether the hart may access CSR `number`; one of ALLOWED .. DROP.

    LEAK and DROP are for the leaky profile: a read returns the real register, a write is
    silently ignored, and nothing traps.
    """
    if not _EXISTS[number] or (writes and number >> ACCESS_AT == READ_ONLY):
        return ILLEGAL
    profile = hart.root.profile
    if hart.priv == Level.U:
        if number >> LEVEL_AT & 3 == Level.U:
            enabled = np.int64(hart.csr.scounteren) >> (number & 31) & 1
            return ALLOWED if enabled else ILLEGAL
        leaky = profile == Profile.LEAKY_USER
        denied = ILLEGAL
    else:
        if not hart.root.s_traps & _GROUP[number]:
            return ALLOWED
        leaky = profile != Profile.STRICT
        denied = TO_ROOT
    if leaky and (not writes or _DROPS[number]) and (not reads or _LEAKS[number]):
        return DROP if writes else LEAK
    return denied


@njit
def is_trap_csr(number):
    """Whether it is one of sepc, scause, stval, sscratch: values that the trap itself handles.

    x86's trap pushes them and `iret` pops them, so they cost only as much as a word of
    memory.
    """
    return _GROUP[number] == STraps.TRAPCSR


@njit
def read(hart, number):
    """The value of CSR `number`, which exists."""
    csr = hart.csr
    if number == SSTATUS:
        return np.int64(csr.sstatus)
    if number == SIE:
        return np.int64(csr.sie)
    if number == STVEC:
        return np.int64(csr.stvec)
    if number == SCOUNTEREN:
        return np.int64(csr.scounteren)
    if number == SSCRATCH:
        return np.int64(csr.sscratch)
    if number == SEPC:
        return np.int64(csr.sepc)
    if number == SCAUSE:
        return np.int64(csr.scause)
    if number == STVAL:
        return np.int64(csr.stval)
    if number == SIP:
        return pending_bits(hart)
    if number == STIMECMP:
        return np.int64(csr.stimecmp)
    if number == STIMECMPH:
        return np.int64(csr.stimecmph)
    if number == SATP:
        return np.int64(csr.satp)
    return _read_counter(hart, number)


@njit
def _read_counter(hart, number):
    low = number & ~UPPER
    if low == CYCLE:
        value = cycles_counter(hart)
    elif low == TIME:
        value = ticks(hart)
    else:
        value = instret_counter(hart)
    return (value >> 32 if number & UPPER else value) & 0xFFFFFFFF


@njit
def stored(hart, number):
    """The stored value of CSR `number`, whose bits stay where a write does not change them.

    It is the value that is read, except for `sip`, whose timer bit is not stored.
    """
    return np.int64(hart.csr.sip) if number == SIP else read(hart, number)


@njit
def write(hart, number, value):
    """Write CSR `number`, which exists and is writable; only writable bits change."""
    writable = _WRITABLE[number]
    value = (stored(hart, number) & ~writable | value & writable) & 0xFFFFFFFF
    csr = hart.csr
    if number == SSTATUS:
        csr.sstatus = value
        recontext(hart)
    elif number == SIE:
        csr.sie = value
    elif number == STVEC:
        csr.stvec = value
    elif number == SCOUNTEREN:
        csr.scounteren = value
    elif number == SSCRATCH:
        csr.sscratch = value
    elif number == SEPC:
        csr.sepc = value
    elif number == SCAUSE:
        csr.scause = value
    elif number == STVAL:
        csr.stval = value
    elif number == SIP:
        csr.sip = value
    elif number == STIMECMP:
        csr.stimecmp = value
    elif number == STIMECMPH:
        csr.stimecmph = value
    elif number == SATP:
        _write_satp(hart, value)


@njit
def _write_satp(hart, value):
    """Set the root table and the ASID; they take effect at the next instruction, without a
    fence.

    An untagged TLB cannot distinguish address spaces: it forgets everything except global
    translations, as x86's TLB did when cr3 was loaded.
    """
    if not hart.tlb.tagged and value != hart.csr.satp:
        forget_spaces(hart)
    hart.csr.satp = value
    recontext(hart)
