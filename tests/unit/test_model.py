"""The model's privileged half, on cases from the manual."""

import struct

import pytest

from toyisa.tables.bits import (
    PTE_A,
    PTE_D,
    SATP_MODE_SV32,
    SSTATUS_MXR,
    SSTATUS_SIE,
    SSTATUS_SPIE,
    SSTATUS_SPP,
    SSTATUS_SUM,
)
from toyisa.tables.causes import INTERRUPT, Exc, Irq
from toyisa.tables.csrs import BY_NAME
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.tables.levels import Level, Profile, STraps
from toyisa.testing.model import Bus, Hart

BASE = 0x80000000
ROOT_TABLE, LEAF_TABLE, PAGE = 0x80001000, 0x80002000, 0x80003000
RWX, ALL = 0xF, 0x1F  # V R W X, and U
SV32 = SATP_MODE_SV32


def enc(name, *operands):
    return ROWS[name].encode(*operands)


def hart(*words):
    h = Hart(Bus(1 << 16), BASE)
    h.bus.ram[: 4 * len(words)] = struct.pack(f"<{len(words)}I", *words)
    return h


def poke(h, pa, value):
    h.bus.store(pa, 4, value)


def paged(*words, pte=RWX, va_index=1):
    """A hart whose code is mapped by a superpage, and PAGE at 4 KiB * va_index by `pte`."""
    h = hart(*words)
    poke(h, ROOT_TABLE + 4 * (BASE >> 22), BASE >> 2 | RWX)
    poke(h, ROOT_TABLE, LEAF_TABLE >> 2 | 1)
    poke(h, LEAF_TABLE + 4 * va_index, PAGE >> 2 | pte)
    h.csr["satp"] = SV32 | ROOT_TABLE >> 12
    h.x[1] = va_index << 12
    return h


def test_trap_and_sret_nest_the_interrupt_flag():
    h = hart(enc("ebreak"))
    h.csr.update(stvec=BASE + 0x100, sstatus=SSTATUS_SIE)
    poke(h, BASE + 0x100, enc("sret"))
    fx = h.step()
    assert fx.trap == (Exc.BREAKPOINT, BASE)
    assert h.csr["sstatus"] == SSTATUS_SPIE | SSTATUS_SPP
    h.step()
    assert (h.pc, h.priv) == (BASE, Level.S)
    assert h.csr["sstatus"] == SSTATUS_SIE | SSTATUS_SPIE


def test_ecall_from_s_goes_to_root_and_changes_nothing():
    h = hart(enc("ecall"))
    assert h.step().exit == (Exc.ECALL_S, 0)
    assert (h.pc, h.csr["scause"], h.retired) == (BASE, 0, 0)


@pytest.mark.parametrize(
    ("pte", "name", "sstatus", "cause"),
    [
        (0x1, "lw", 0, Exc.LOAD_PAGE),                          # a pointer at the last level
        (0x5, "lw", 0, Exc.LOAD_PAGE),                          # W without R
        (0xD, "lw", 0, Exc.LOAD_PAGE),                          # W and X without R
        (0x3, "sw", 0, Exc.STORE_PAGE),                         # read only
        (0x9, "lw", 0, Exc.LOAD_PAGE),                          # execute only
        (0x9, "lw", SSTATUS_MXR, None),                 # readable by MXR
        (0x17, "lw", 0, Exc.LOAD_PAGE),                         # a user page
        (0x17, "lw", SSTATUS_SUM, None),                # opened by SUM
    ],
)  # fmt: skip
def test_page_permissions(pte, name, sstatus, cause):
    h = paged(enc(name, 2, 0, 1), pte=pte)
    h.csr["sstatus"] = sstatus
    fx = h.step()
    assert fx.trap == (None if cause is None else (cause, 0x1000))


def test_hardware_sets_accessed_and_dirty():
    h = paged(enc("lw", 2, 0, 1), enc("sw", 2, 0, 1))
    h.step()
    assert h.bus.load(LEAF_TABLE + 4, 4) & 0xFF == RWX | PTE_A
    h.step()
    assert h.bus.load(LEAF_TABLE + 4, 4) & 0xFF == RWX | PTE_A | PTE_D


def test_amo_asks_for_store_permission_first():
    h = paged(enc("amoadd.w", 1, 1, 1), pte=0x3)
    assert h.step().trap == (Exc.STORE_PAGE, 0x1000)


def test_a_trap_clears_the_reservation():
    h = hart(enc("lr.w", 2, 1), enc("ebreak"))
    h.x[1] = PAGE
    h.csr["stvec"] = BASE + 0x100
    poke(h, BASE + 0x100, enc("sc.w", 3, 2, 1))
    for _ in range(3):
        h.step()
    assert h.x[3] == 1


def test_interrupts_come_in_the_manual_order():
    h = hart()
    h.external, h.retired = True, 5
    h.csr.update(stimecmp=5, stimecmph=0, sip=1 << Irq.SOFTWARE, sie=0x222, stvec=BASE | 1)
    seen = []
    for _ in range(3):
        h.priv = Level.U
        cause = h.step().trap[0]
        assert h.pc == BASE + 4 * (cause & ~INTERRUPT)
        seen.append(cause & ~INTERRUPT)
        h.csr["sie"] &= ~(1 << seen[-1])
    assert seen == [Irq.EXTERNAL, Irq.SOFTWARE, Irq.TIMER]


def test_deprivileged_s_exits_on_strict_and_leaks_on_leaky():
    read = enc("csrrs", 2, BY_NAME["sstatus"].number, 0)
    write = enc("csrrw", 0, BY_NAME["sstatus"].number, 1)
    h = hart(read, write)
    h.s_traps = STraps.ALL
    h.csr["sstatus"] = SSTATUS_SUM
    assert h.step().exit == (Exc.ILLEGAL, read)
    h.profile = Profile.LEAKY
    h.step()
    assert h.x[2] == SSTATUS_SUM
    h.step()
    assert h.csr["sstatus"] == SSTATUS_SUM


def test_s_limit_lets_only_x0_through():
    h = hart(enc("lw", 2, 4, 1), enc("lw", 2, 4, 0))
    h.x[1], h.s_traps, h.s_limit = 0x1000, STraps.ALL, 0x1000
    assert h.step().exit == (Exc.LOAD_ACCESS, 0x1004)
    h.s_limit, h.pc = 4, BASE + 4
    assert h.step().trap == (Exc.LOAD_ACCESS, 4)  # past the guard, and nothing is there


@pytest.mark.parametrize(("name", "operands", "passes"), [
    ("lw", (5, 0, 0), True), ("sw", (5, 0, 0), True), ("amoadd.w", (5, 6, 0), False),
    ("lr.w", (5, 0), False), ("sc.w", (5, 6, 0), False),
])  # fmt: skip
def test_only_a_plain_access_by_x0_passes_the_limits(name, operands, passes):
    h = hart(enc(name, *operands))
    h.s_traps, h.s_base = int(STraps.SATP), BASE  # address 0 lies below
    fx = h.step()
    access = Exc.LOAD_ACCESS if name in ("lw", "lr.w") else Exc.STORE_ACCESS
    assert (fx.exit is None) == passes
    assert (fx.trap or fx.exit) == (access, 0)  # with nothing there, either way
