"""What single hypercalls do and refuse, and what a domain can access in its window."""

import numpy as np
import pytest

from tests.pvdomain import BASE_PPN, FRAMES, gva
from toyisa.core.firmware import DBCN
from toyisa.core.memory import PAGE, RAM_BASE, WORDS
from vmm.abi.hypercalls import (
    AS_ROOT,
    FIRST,
    MAX_BATCH,
    MAX_CALLS,
    Call,
    Error,
    Level,
)  # fmt: skip
from vmm.domain.frametypes import LEAVES, NONE, OPEN, ROOT, WRITABLE

V, R, W, X = 1, 2, 4, 8
LEAF = 0xC7
PAGE_A, PAGE_B, PAGE_C = 100, 101, 102
ALIAS = RAM_BASE + FRAMES * PAGE  # nothing is mapped there


def pte(domain, gfn: int, flags: int = LEAF) -> int:
    return BASE_PPN + int(domain.machine.pages["mfn"][gfn]) << 10 | flags


def kind(domain, gfn: int) -> tuple[int, int]:
    mfn = int(domain.machine.pages["mfn"][gfn])
    frame = domain.machine.host.frames[mfn]
    return int(frame["kind"]), int(frame["uses"])


def refused(answer: int, error: Error) -> bool:
    return answer == error & 0xFFFFFFFF


def new_root(domain, gfn: int = PAGE_A) -> None:
    """A root table with the kernel's part, pinned."""
    assert domain.call(Call.PIN_TABLE, gva(gfn), Level.OPEN, 0) == 0
    table = int(domain.words[int(domain.machine.vm.direct.root) * WORDS + 512])
    assert domain.call(Call.SET_PGD, gva(gfn) + 4 * 512, table, 0) == 0


def test_a_domain_begins_on_tables_that_nothing_pins(domain):
    domain.check()
    assert kind(domain, FRAMES - 1) == (ROOT, 1)
    assert kind(domain, FRAMES - 2) == (LEAVES, 1)
    assert kind(domain, 0) == (WRITABLE, 1)


def test_a_pinned_page_cannot_be_written_and_one_given_back_can(domain):
    assert domain.access(gva(PAGE_A), 0)
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0) == 0
    assert kind(domain, PAGE_A) == (OPEN, 1)
    assert not domain.access(gva(PAGE_A), 0)  # though the TLB knew better
    assert domain.access(gva(PAGE_A), None)
    assert domain.call(Call.UNPIN_TABLE, gva(PAGE_A), 0, 0) == 0
    assert kind(domain, PAGE_A) == (WRITABLE, 1)
    assert domain.access(gva(PAGE_A), 5)


def test_the_first_tables_go_with_the_first_base(domain):
    new_root(domain)
    satp = 1 << 31 | 5 << 22 | BASE_PPN + PAGE_A
    assert domain.call(Call.NEW_BASE, satp, 0, 0) == 0
    assert kind(domain, PAGE_A) == (ROOT, 2)
    assert kind(domain, FRAMES - 1) == (NONE, 0)
    assert kind(domain, FRAMES - 2) == (LEAVES, 1)  # the new root has it, too
    domain.access(gva(0), None)
    assert int(domain.machine.host.hart.csr.satp) >> 22 & 0x1FF == 5


@pytest.mark.parametrize(("flags", "error"), [
    (V, Error.INVALID), (V | W, Error.INVALID), (V | W | X, Error.INVALID),
    (V | R | W, None), (V | X, None), (0, None), (0x3FE, None),
])  # fmt: skip
def test_what_may_stand_in_a_second_level_table(domain, flags, error):
    answer = domain.call(Call.SET_PTE, domain.entry_of(ALIAS), pte(domain, PAGE_A, flags), 0)
    assert answer == 0 if error is None else refused(answer, error)


@pytest.mark.parametrize("flags", [V | R, V | R | W | X, V | X, V | 16, V | 64, V | 128])
def test_no_superpage_and_nothing_reserved_in_a_root(domain, flags):
    new_root(domain)
    for entry in (gva(PAGE_A), gva(FRAMES - 1)):
        answer = domain.call(Call.SET_PGD, entry, pte(domain, PAGE_B, flags), 0)
        assert refused(answer, Error.INVALID)


def test_foreign_frames_cannot_be_mapped(domain):
    entry = domain.entry_of(ALIAS)
    own = {BASE_PPN + m for m in domain.own}
    for ppn in (0, 0x10000, BASE_PPN, BASE_PPN + 510, BASE_PPN + 600, 0x3FFFFF, *range(
            BASE_PPN + 1020, BASE_PPN + 1300)):  # fmt: skip
        answer = domain.call(Call.SET_PTE, entry, ppn << 10 | V | R, 0)
        assert (answer == 0) == (ppn in own), hex(ppn)


def test_a_table_cannot_be_mapped_writable(domain):
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0) == 0
    entry = domain.entry_of(ALIAS)
    for gfn in (PAGE_A, FRAMES - 1, FRAMES - 2):
        assert refused(domain.call(Call.SET_PTE, entry, pte(domain, gfn), 0), Error.DENIED)
        assert domain.call(Call.SET_PTE, entry, pte(domain, gfn, V | R), 0) == 0
        assert not domain.access(ALIAS, 0)


def test_a_page_that_is_mapped_twice_cannot_become_a_table(domain):
    entry = domain.entry_of(ALIAS)
    assert domain.call(Call.SET_PTE, entry, pte(domain, PAGE_A), 0) == 0
    assert refused(domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0), Error.BUSY)
    assert domain.access(ALIAS, 0)
    assert domain.call(Call.SET_PTE, entry, 0, 0) == 0
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0) == 0
    assert domain.machine.vm.direct.flushes >= 1  # for the alias that the TLB remembers
    assert not domain.access(ALIAS, 7)


def test_a_mapping_seen_at_two_addresses_is_taken_from_both(domain):
    """The only leaf with W is in a table to which two entries of the root table point."""
    root = int(domain.machine.vm.direct.root)
    table = int(domain.words[root * WORDS + 512])
    assert domain.call(Call.SET_PGD, gva(FRAMES - 1), table, 0) == 0
    assert domain.access(PAGE_A * PAGE, 0)
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0) == 0
    assert not domain.access(PAGE_A * PAGE, 7)


def test_the_windows_entry_is_the_monitors(domain):
    new_root(domain)
    entry = gva(PAGE_A) + 4 * 1023
    for value in (0, pte(domain, PAGE_B, V)):
        assert refused(domain.call(Call.SET_PGD, entry, value, 0), Error.DENIED)
    domain.put(PAGE_B, 1023, pte(domain, PAGE_C, V))
    answer = domain.call(Call.PIN_TABLE, gva(PAGE_B), Level.ROOT, 0)
    assert refused(answer, Error.DENIED)
    assert kind(domain, PAGE_B) == (WRITABLE, 1)


def test_a_table_of_tables_is_not_a_table_of_pages(domain):
    new_root(domain)
    answer = domain.call(Call.SET_PTE, gva(PAGE_A), pte(domain, PAGE_B, V | R), 0)
    assert refused(answer, Error.DENIED)
    answer = domain.call(Call.SET_PGD, gva(PAGE_A), pte(domain, PAGE_A, V), 0)
    assert refused(answer, Error.DENIED)  # not even its own


def test_a_full_table_is_validated_when_it_is_pinned(domain):
    for n in range(1024):
        domain.put(PAGE_A, n, pte(domain, PAGE_B))
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.LEAVES, 0) == 0
    assert kind(domain, PAGE_B) == (WRITABLE, 1025)
    assert refused(domain.call(Call.PIN_TABLE, gva(PAGE_B), Level.OPEN, 0), Error.BUSY)
    assert domain.call(Call.UNPIN_TABLE, gva(PAGE_A), 0, 0) == 0
    assert kind(domain, PAGE_B) == (WRITABLE, 1)
    domain.put(PAGE_A, 1023, BASE_PPN << 10 | V | R | W)  # a foreign frame in the last entry
    assert refused(domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.LEAVES, 0), Error.DENIED)
    assert kind(domain, PAGE_B) == (WRITABLE, 1)
    assert domain.access(gva(PAGE_A), 0)


def test_a_full_root_is_validated_when_it_is_pinned(domain):
    assert domain.call(Call.PIN_TABLE, gva(PAGE_B), Level.OPEN, 0) == 0
    for n in (0, 1, 700):
        domain.put(PAGE_A, n, pte(domain, PAGE_B, V))
    domain.put(PAGE_A, 900, pte(domain, PAGE_C, V | R))
    assert refused(domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.ROOT, 0), Error.INVALID)
    assert kind(domain, PAGE_A) == (WRITABLE, 1)
    assert kind(domain, PAGE_B) == (LEAVES, 1)
    domain.put(PAGE_A, 900, 0)
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.ROOT, 0) == 0
    assert kind(domain, PAGE_B) == (LEAVES, 4)
    assert domain.call(Call.UNPIN_TABLE, gva(PAGE_A), 0, 0) == 0
    assert kind(domain, PAGE_B) == (LEAVES, 1)


def test_a_table_in_use_stays_one(domain):
    new_root(domain)
    assert domain.call(Call.PIN_TABLE, gva(PAGE_B), Level.OPEN, 0) == 0
    assert domain.call(Call.SET_PGD, gva(PAGE_A), pte(domain, PAGE_B, V), 0) == 0
    assert refused(domain.call(Call.UNPIN_TABLE, gva(PAGE_B), 0, 0), Error.BUSY)
    assert domain.call(Call.NEW_BASE, 1 << 31 | BASE_PPN + PAGE_A, 0, 0) == 0
    assert refused(domain.call(Call.UNPIN_TABLE, gva(PAGE_A), 0, 0), Error.BUSY)
    assert refused(domain.call(Call.UNPIN_TABLE, gva(PAGE_C), 0, 0), Error.INVALID)


def batch(domain, *updates):
    for n, (entry, value) in enumerate(updates):
        domain.put(PAGE_C, 2 * n, entry)
        domain.put(PAGE_C, 2 * n + 1, value)
    answer = domain.call(Call.UPDATE_PTES, gva(PAGE_C), len(updates), 0)
    return answer, int(domain.machine.host.hart.x[11])


def test_a_batch_stops_at_the_first_refusal_and_says_where(domain):
    new_root(domain)
    entry = domain.entry_of(ALIAS)
    good = (entry, pte(domain, PAGE_B))
    bad = (entry + 4, BASE_PPN << 10 | V | R)
    assert batch(domain, good, (entry + 8, pte(domain, PAGE_B)), bad, good) == (
        Error.DENIED & 0xFFFFFFFF, 2,
    )  # fmt: skip
    assert kind(domain, PAGE_B) == (WRITABLE, 3)
    table = int(domain.words[int(domain.machine.vm.direct.root) * WORDS + 512])
    assert batch(domain, (gva(PAGE_A) + 4 * 100 | AS_ROOT, table)) == (0, 1)


@pytest.mark.parametrize(("where", "count", "error"), [
    (gva(PAGE_C), MAX_BATCH + 1, Error.INVALID), (gva(PAGE_C) + 2, 1, Error.INVALID),
    (0, 1, Error.ADDRESS), (0xFFFFFFF8, 2, Error.ADDRESS), (gva(FRAMES) - 8, 2, Error.ADDRESS),
    (gva(PAGE_C), 0xFFFFFFFF, Error.INVALID),
])  # fmt: skip
def test_a_batch_that_is_not_there_is_refused(domain, where, count, error):
    assert refused(domain.call(Call.UPDATE_PTES, where, count, 0), error)


UNANSWERED = 76  # and no valid entry, should the list become a table


def calls(domain, *rows):
    for n, row in enumerate(rows):
        for m, word in enumerate((*row, UNANSWERED)):
            domain.put(PAGE_C, 5 * n + m, word)
    answer = domain.call(Call.MULTICALL, gva(PAGE_C), len(rows), 0)
    mfn = int(domain.machine.pages["mfn"][PAGE_C])
    answers = domain.words[mfn * WORDS : mfn * WORDS + 5 * len(rows)].reshape(-1, 5)[:, 4]
    return answer, int(domain.machine.host.hart.x[11]), answers.tolist()


def test_a_multicall_goes_on_behind_a_refusal(domain):
    flush = (FIRST + Call.FLUSH, 0, 0, 0)
    pin = (FIRST + Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0)
    no = Error.NOT_SUPPORTED & 0xFFFFFFFF
    others = [(FIRST + call, 0, 0, 0) for call in (Call.IRET, Call.BLOCK, Call.MULTICALL)]
    found = calls(domain, flush, pin, pin, *others, (5, 0, 0, 0), flush)
    assert found == (0, 8, [0, 0, Error.BUSY & 0xFFFFFFFF, no, no, no, no, 0])


def test_a_multicall_may_not_answer_into_a_table(domain):
    pin = (FIRST + Call.PIN_TABLE, gva(PAGE_C), Level.LEAVES, 0)  # the list's own page
    answer, _, answers = calls(domain, pin)
    assert answers == [UNANSWERED]
    assert answer == 0
    assert kind(domain, PAGE_C) == (LEAVES, 1)
    assert refused(domain.call(Call.MULTICALL, gva(PAGE_C), 1, 0), Error.DENIED)


@pytest.mark.parametrize(("where", "count"), [(0, 1), (gva(FRAMES) - 16, 1), (2, 1), (0x80000000,
                         MAX_CALLS + 1), (0xFFFFFFF0, 2)])  # fmt: skip
def test_a_multicall_that_is_not_there_is_refused(domain, where, count):
    assert domain.call(Call.MULTICALL, where, count, 0) >> 31


@pytest.mark.parametrize("forget", ["set_pte_flush", "flush_page", "flush"])
def test_a_page_that_moves_is_forgotten_when_it_is_asked(domain, forget):
    """By its address or with all; what was not asked for may stay."""
    entry, words = domain.entry_of(ALIAS), domain.words.reshape(-1, WORDS)
    first, then = (words[int(domain.machine.pages["mfn"][gfn])] for gfn in (PAGE_A, PAGE_B))
    assert domain.call(Call.SET_PTE, entry, pte(domain, PAGE_A), 0) == 0
    assert domain.access(ALIAS, 1)
    if forget == "set_pte_flush":
        assert domain.call(Call.SET_PTE_FLUSH, entry, pte(domain, PAGE_B), ALIAS) == 0
    else:
        assert domain.call(Call.SET_PTE, entry, pte(domain, PAGE_B), 0) == 0
        assert domain.call(Call[forget.upper()], ALIAS, 0, 0) == 0
    assert domain.access(ALIAS, 2)
    assert (first[0], then[0]) == (1, 2)


def test_an_open_table_has_no_word(domain):
    for n in (0, 1, 1023):
        domain.put(PAGE_A, n, 0x100)  # not even one that maps nothing
        assert refused(domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0), Error.INVALID)
        assert kind(domain, PAGE_A) == (WRITABLE, 1)
        domain.put(PAGE_A, n, 0)
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0) == 0


def test_a_base_is_validated_like_any_root(domain):
    """A page that nothing can write becomes a root table when it is named; a bad one does not."""
    entry = domain.entry_of(gva(PAGE_A))
    satp = 1 << 31 | BASE_PPN + PAGE_A
    domain.put(PAGE_A, 512, int(domain.words[int(domain.machine.vm.direct.root) * WORDS + 512]))
    domain.put(PAGE_A, 700, BASE_PPN << 10 | V)  # somebody's page as a table
    assert domain.call(Call.SET_PTE, entry, pte(domain, PAGE_A, V | R), 0) == 0
    assert refused(domain.call(Call.NEW_BASE, satp, 0, 0), Error.DENIED)
    assert kind(domain, PAGE_A) == (NONE, 0)
    assert kind(domain, FRAMES - 1) == (ROOT, 1)
    assert refused(domain.call(Call.NEW_BASE, 1 << 31 | BASE_PPN + FRAMES - 2, 0, 0), Error.DENIED)
    assert domain.call(Call.SET_PTE, entry, pte(domain, PAGE_A), 0) == 0
    domain.put(PAGE_A, 700, 0)
    assert domain.call(Call.SET_PTE, entry, pte(domain, PAGE_A, V | R), 0) == 0
    for _ in range(3):
        assert domain.call(Call.NEW_BASE, satp, 0, 0) == 0
        assert kind(domain, PAGE_A) == (ROOT, 1)
    assert kind(domain, FRAMES - 1) == (NONE, 0)


def test_set_trap_is_all_or_nothing(domain):
    csr = domain.machine.vm.vcpu.hart.csr
    for gate, ranges in ((2, gva(0)), (gva(0), 2), (gva(0), 0), (gva(0), gva(FRAMES) - 8)):
        assert domain.call(Call.SET_TRAP, gate, ranges, 0) >> 31
        assert csr.stvec == 0
    assert domain.call(Call.SET_TRAP, gva(0), gva(FRAMES) - 16, 0) == 0
    assert csr.stvec == RAM_BASE


def test_neither_firmware_nor_devices_write_into_tables(domain):
    machine = domain.machine
    assert domain.call(Call.PIN_TABLE, gva(PAGE_A), Level.OPEN, 0) == 0
    hart, console = machine.host.hart, machine.vm.platform.console
    console.rx[0], console.rx_head, console.rx_tail, console.next_at = 1, 0, 1, 0
    hart.x[16] = 1  # DBCN read
    domain.call(DBCN - FIRST, 1, gva(PAGE_A), 0)
    assert int(hart.x[10]) >> 31
    with pytest.raises(ValueError, match="page table"):
        machine.poke(gva(PAGE_A) + 8, b"x")
    with pytest.raises(ValueError, match="page table"):
        machine.poke(gva(PAGE_A) - 2, b"xyz")
    mfn = int(machine.pages["mfn"][PAGE_A])
    assert not np.any(domain.words[mfn * WORDS : (mfn + 1) * WORDS])


def test_what_is_looked_at_from_outside_has_the_guests_frames(domain):
    from toyisa.look import inspect

    walk = inspect.walk(domain.machine, gva(PAGE_A) + 12)
    assert walk.pa == gva(PAGE_A) + 12
