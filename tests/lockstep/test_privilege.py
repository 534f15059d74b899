"""Every CSR access and system instruction from every state of privilege, and interrupts."""

import itertools

import pytest

from tests.lockstep.harts import Root
from tests.lockstep.pair import Pair
from toyisa.tables.bits import BITS
from toyisa.tables.causes import Irq
from toyisa.tables.csrs import BY_NUMBER, CSRS
from toyisa.tables.insns import BY_NAME, INSNS, Cost
from toyisa.tables.levels import Profile, STraps
from toyisa.testing.states import RAM_BASE

TRAPS = (0, 63, *(1 << bit for bit in range(6)))
DELEGATIONS = (0xFFFFFDFF, 0xB1FB)  # all but SBI calls; no illegal instructions either
HANDLER = RAM_BASE + 0x800
GROUPS = {
    "csr": STraps.CSR, "trapcsr": STraps.TRAPCSR, "counter": STraps.COUNTER, "satp": STraps.SATP,
}  # fmt: skip
ABSENT = (0x000, 0x101, 0x300, 0x7C0, 0xC03, 0xF14)
NUMBERS = (*(row.number for row in CSRS), *ABSENT)
VALUES = {
    "sstatus": 0x000C0122, "sie": 0x222, "stvec": HANDLER, "sscratch": 0x1234, "sepc": 0x8888,
    "scause": 5, "stval": 0x77, "sip": 2, "satp": 0x00400123,
}  # fmt: skip
SYSTEM = [row for row in INSNS if row.cost in {Cost.SYSTEM, Cost.SRET}]


@pytest.fixture(scope="module")
def pair():
    return Pair()


def roots(s_traps, deleg_exc):
    """Every root record with these, under each profile."""
    for traps, profile, exc in itertools.product(s_traps, Profile, deleg_exc):
        yield Root(s_traps=traps, profile=profile, deleg_exc=exc)


@pytest.mark.parametrize(
    "row", [row for row in INSNS if row.cost is Cost.CSR], ids=lambda r: r.name
)
def test_every_csr_access(pair, row):
    quiet = VALUES | {"sie": 0}
    for number, rd, source in itertools.product(NUMBERS, (0, 2), (0, 1)):
        pair.word(RAM_BASE, row.encode(rd, number, source))
        counter = number >> 10 == 3
        mine = GROUPS[BY_NUMBER[number].group] if number in BY_NUMBER else 1
        traps = (0, 63, mine, 63 ^ mine)
        for enable in (0, 2, 7) if counter else (0,):
            csr = quiet | {"scounteren": enable}
            for root, priv in itertools.product(roots(traps, [0xFFFFFDFF]), (0, 1)):
                pair.place(RAM_BASE, priv, csr, {1: 0xA5A5FFFF}, root)
                pair.step()


@pytest.mark.parametrize("row", SYSTEM, ids=lambda row: row.name)
def test_every_system_instruction(pair, row):
    pair.word(RAM_BASE, row.encode(*(0 if f.name == "rd" else 1 for f in row.fields)))
    for root, priv, status in itertools.product(roots(TRAPS, DELEGATIONS), (0, 1), range(8)):
        bits = [BITS[f"SSTATUS_{name}"] for name in ("SIE", "SPIE", "SPP")]
        csr = VALUES | {
            "sstatus": sum(bit for n, bit in enumerate(bits) if status >> n & 1),
            "sip": 0, "sie": 0, "satp": 0,
        }  # fmt: skip
        pair.place(RAM_BASE, priv, csr, {1: RAM_BASE}, root)
        pair.step()


@pytest.mark.parametrize("stvec", [HANDLER, HANDLER | 1])
def test_every_interrupt(pair, stvec):
    pair.word(RAM_BASE, 0x13)  # nop
    taken = set()
    masks = [sum(1 << irq for n, irq in enumerate(Irq) if want >> n & 1) for want in range(8)]
    for enabled, delegated in itertools.product(masks, masks):
        waiting = (0, 1 << Irq.SOFTWARE, 1 << Irq.EXTERNAL, 1 << Irq.SOFTWARE | 1 << Irq.EXTERNAL)
        for pending, due, sie, priv in itertools.product(waiting, (0, 1), (0, 2), (0, 1)):
            csr = {"sie": enabled, "sip": pending, "sstatus": sie, "stvec": stvec}
            if due:
                csr |= {"stimecmp": 0, "stimecmph": 0}
            pair.place(RAM_BASE, priv, csr, {}, Root(deleg_int=delegated))
            taken.add(pair.step().trap)
    assert len(taken) == 4  # external, software, timer, none


def test_wfi_goes_on_with_anything_that_is_enabled_pending(pair):
    pair.word(RAM_BASE, BY_NAME["wfi"].encode())
    for irq in Irq:
        due = {"stimecmp": 0, "stimecmph": 0} if irq is Irq.TIMER else {"sip": 1 << irq}
        pair.place(RAM_BASE, 1, {"sie": 1 << irq, **due}, {})
        assert not pair.step().idle
        assert pair.hart.pc == RAM_BASE + 4


@pytest.mark.parametrize("name", ["lw", "sw", "lb", "sb"])
def test_s_limit_is_where_the_forbidden_begins(pair, name):
    """With a register as the base it is reached only below the limit, with x0 everywhere."""
    limit, exits = RAM_BASE + 0x3000, []
    for priv, at in itertools.product((0, 1), (limit - 4, limit, limit + 4)):
        operands = (2, 0, 1)
        pair.word(RAM_BASE, BY_NAME[name].encode(*operands))
        csr, root = VALUES | {"satp": 0, "sie": 0}, Root(s_traps=63, s_limit=limit)
        pair.place(RAM_BASE, priv, csr, {1: at}, root)
        exits.append(pair.step().exit is not None)
    assert exits == [False, False, False, False, True, True]
    pair.word(RAM_BASE, BY_NAME[name].encode(2, -4, 0))
    pair.place(RAM_BASE, 1, VALUES | {"satp": 0, "sie": 0}, {}, Root(s_traps=63, s_limit=limit))
    assert pair.step().exit is None  # nothing is there: S gets the fault


@pytest.mark.parametrize("name", ["lw", "sw", "lb", "sb"])
def test_s_base_is_where_the_allowed_begins(pair, name):
    """Below it S reaches memory only with x0; both limits hold together."""
    base, exits = RAM_BASE + 0x3000, []
    insn = BY_NAME[name]
    for limit, at in itertools.product((0, base + 0x1000), (base - 4, base, base + 0x1000)):
        pair.word(RAM_BASE, insn.encode(2, 0, 1))
        root = Root(s_traps=63, s_base=base, s_limit=limit)
        pair.place(RAM_BASE, 1, VALUES | {"satp": 0, "sie": 0}, {1: at}, root)
        exits.append(pair.step().exit is not None)
    assert exits == [True, False, False, True, False, True]
    for immediate in (4, -4):
        pair.word(RAM_BASE, insn.encode(2, immediate, 0))
        root = Root(s_traps=63, s_base=base, s_limit=base + 0x1000)
        pair.place(RAM_BASE, 1, VALUES | {"satp": 0, "sie": 0}, {}, root)
        assert pair.step().exit is None
