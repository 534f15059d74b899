"""Law 8 under a monitor, and that its figures depend on the guest alone."""

import numpy as np
import pytest

import asm
import guests
from tests.guests.build import assembled
from tests.smallkernels import PRELUDE, RAM, kernel
from tests.virtual import NATIVE, compare, each_engine, each_layout, machine, outcome
from toyisa.tables.cost import EVENTS
from vmm.domain.exits import ShadowEvent

GUESTS = guests.catalogue()
ROOT_EVENTS = [event for event in EVENTS if event.startswith("root_")]

# Bytes in every way: through the UART, the legacy call, the debug console.
READS = """
    li      s0, UART
    li      s1, 3
again:
    lbu     a0, 5(s0)
    andi    a0, a0, 1
    beqz    a0, again
    lbu     a0, 0(s0)
    add     s2, s2, a0
1:  li      a7, 2
    ecall
    bltz    a0, 1b
    add     s2, s2, a0
2:  li      a7, 0x4442434e
    li      a6, 1
    li      a0, 1
    li      a1, DATA
    li      a2, 0
    ecall
    beqz    a1, 2b
    li      t0, DATA
    lbu     a0, 0(t0)
    add     s2, s2, a0
    addi    s1, s1, -1
    bnez    s1, again
"""


def figures(made):
    """Everything that a monitor counts."""
    exits = made.exits()
    exits.pop("other", None)  # the budget's and the host's
    stats = made.vm.stats
    counted = {name: int(stats[name]) for name in ("fills", "eager", "injected", "evicted")}
    return made.cycles, made.digest(), exits, counted, made.cycles_by_class()


@each_engine
@pytest.mark.parametrize("clock", ["icount", "cycles"])
def test_input_that_comes_late_changes_nothing(engine, clock):
    """An exit that waits for input is one exit, with one price."""
    seen = []
    for late in (False, True):
        made = machine(engine, clock=clock, mem=RAM)
        kernel(READS, live=True)(made)
        data = b"abcdefghi"
        if late:
            for n in range(len(data)):
                while made.run().name != "INPUT":
                    pass
                made.run()  # the host looks, and there is none yet
                made.feed(data[n : n + 1])
            made.end_input()
        else:
            made.feed(data)
            made.end_input()
        assert made.run().name == "HALTED"
        seen.append(figures(made))
    assert seen[0] == seen[1]
    assert seen[0][2]["sbi"]["count"] > 6


PLIC_KERNEL = """
    li      s0, 0x0c000000
    li      t0, 3
    sw      t0, 40(s0)                      # priorities, and what is pending
    li      s1, 20
1:  lw      a0, 40(s0)
    li      t1, 0x0c001000
    lw      a1, 0(t1)
    add     s2, s2, a0
    addi    s1, s1, -1
    bnez    s1, 1b
    page    0, DATA, RWAD
    space   ROOT, 1
    load    WINDOW
"""


def check_conservation(made):
    by_class = made.cycles_by_class()
    idle = by_class.pop("idle")
    assert sum(by_class.values()) + idle == made.cycles
    assert sum(by_class.values()) == int(made.hart.clock.cycles)
    root = sum(by_class[event] for event in ROOT_EVENTS)
    stats = made.vm.stats
    assert int(stats.cycles.sum()) == root if made.engine.name == "trap" else root > 0
    for kind, row in made.exits().items():
        if kind != "other":  # has what belongs to no exit
            assert row["min"] * row["count"] <= row["cycles"] <= row["max"] * row["count"], kind
    return root


@each_engine
@pytest.mark.parametrize("clock", ["icount", "cycles"])
@pytest.mark.parametrize("cost", ["p4", "modern"])
@pytest.mark.parametrize("name", ["toyix", "pages", "ticks"])
def test_cycles_by_class_and_by_kind_sum_up(engine, clock, cost, name):
    guest = GUESTS[name]
    made = machine(engine, clock=clock, cost=cost)
    made.load(assembled(guest).elf())
    made.feed(guest.input.read_bytes() if guest.input else b"")
    made.end_input()
    for _ in range(20):
        made.run(50_021)
    check_conservation(made)
    while made.run(1 << 30).name == "BUDGET":
        pass
    assert 0 < check_conservation(made) < made.cycles


@each_engine
def test_devices_in_python_and_pokes_are_conserved(engine):
    """What Python does for the guest between two runs is charged and counted, too."""
    made = machine(engine, clock="cycles", mem=RAM)
    kernel(PLIC_KERNEL)(made)
    assert made.run().name == "HALTED"
    check_conservation(made)
    made.poke(0x80022004, bytes(4))  # the leaf table: shadows are forgotten
    check_conservation(made)


@each_engine
def test_the_timeline_has_every_exit(engine):
    made = machine(engine, clock="cycles", mem=RAM)
    kernel(PLIC_KERNEL)(made)
    pieces = []
    made.log(lambda piece: pieces.append(piece.copy()))
    made.run()
    stats = made.vm.stats
    log = np.concatenate(pieces)
    log = log[log["kind"] < ShadowEvent.FILL]
    assert len(log) == sum(row["count"] for row in made.exits().values())
    at = log["at"].tolist()
    assert at == sorted(at)
    for kind, row in enumerate(stats.count.tolist()[:-1]):  # not what belongs to no exit
        chosen = log["spent"][log["kind"] == kind]
        assert (len(chosen), int(chosen.sum())) == (row, int(stats.cycles[kind]))
        if row:
            assert (int(chosen.min()), int(chosen.max())) == (stats.least[kind], stats.most[kind])


@each_engine
def test_memory_that_changes_while_an_exit_waits_for_input(engine):
    """A debugger rewrites a table meanwhile: the monitor must begin the exit again."""
    body = """
        entry   ROOT + 4 * (UART >> 22), UART, RWAD
        space   ROOT, 1
        li      s0, UART
        lbu     a0, 5(s0)
        lbu     a1, 0(s0)
    """
    runs = []
    for name in (NATIVE, engine):
        made = machine(name, mem=RAM)
        kernel(body, live=True)(made)
        assert made.run().name == "INPUT"
        # The page of the UART becomes RAM's at 0x8000_0000.
        entry = 0x80000000 >> 2 | 0xC7
        made.poke(0x80020000 + 4 * (0x10000000 >> 22), entry.to_bytes(4, "little"))
        made.feed(b"x")
        made.end_input()
        runs.append(outcome(made, 10_000))
    assert runs[1].end == runs[0].end == "HALTED"


WAITS = """
    li      s0, UART
    li      t0, 1
    sb      t0, 1(s0)                       # interrupts on arrival
1:  lbu     a0, 5(s0)
    andi    a0, a0, 1
    beqz    a0, 1b
    lbu     a0, 0(s0)                       # the next one comes later
    sb      zero, 1(s0)                     # and is to interrupt no more
    li      t0, 0x20
    csrw    sie, t0
    rdtime  t0
    li      t1, 1000000
    add     t0, t0, t1
    csrw    stimecmp, t0
    csrw    stimecmph, zero
    wfi
    rdtime  s2
"""


@each_engine
def test_wfi_wakes_for_what_can_still_come(engine):
    """A byte that was to interrupt, and may not any more, wakes nobody."""

    def prepare(made):
        kernel(WAITS, live=True)(made)
        made.feed(b"ab")
        made.end_input()

    bare = compare(prepare, 1_000_000, engine, mem=RAM)
    assert bare.end == "HALTED"
    assert int(bare.state["x"][18], 16) >= 1_000_000


TOHOST = """
    la      s0, tohost
    li      t0, 'j'
    sw      t0, 0(s0)
    li      t1, 0x01010000
    sw      t1, 4(s0)
    lw      a0, 0(s0)
    lw      a1, 4(s0)
    space   ROOT, 1
    sh      t0, 2(s0)
    sw      a0, 8(s0)
    li      t0, 85
    amoor.w a2, t0, (s0)
    nop
"""


@each_engine
def test_a_guest_that_ends_by_tohost(engine):
    def prepare(made):
        tail = "    .align 12\n    .globl tohost\ntohost: .space 16\n"
        made.load(asm.assemble_text(PRELUDE + TOHOST + tail).elf())

    bare = compare(prepare, 10_000, engine, mem=RAM)
    assert (bare.end, bare.console, bare.code & 0xFF) == ("HALTED", b"j", 42)


SUSPENDS = """
    li      a7, 0x48534d
    li      a6, 3
    li      t0, 32                  # the timer's, which is to wake it
    csrw    sie, t0
    rdtime  t0
    addi    t0, t0, 100
    csrw    stimecmp, t0
    csrw    stimecmph, zero
    li      a0, 0
    ecall                           # the default type: sleeps until then
    mv      s0, a0
    rdtime  s1
    li      a0, 1
    ecall                           # a reserved one
    mv      s2, a0
    li      s3, UART                # a byte to itself
    li      t0, 0x10
    sb      t0, 4(s3)
    li      t0, 'x'
    sb      t0, 0(s3)
    lbu     s4, 5(s3)
    lbu     s5, 0(s3)
    lbu     s6, 6(s3)
    li      a0, 0
"""


@each_engine
def test_a_hart_that_suspends_and_a_uart_in_loopback(engine):
    bare = compare(kernel(SUSPENDS), 1_000_000, engine, mem=RAM)
    x = [int(value, 16) for value in bare.state["x"]]
    assert (bare.end, x[8], x[18]) == ("HALTED", 0, 0xFFFF_FFFD)
    assert x[9] >= 100, "it has slept"
    assert (x[20], x[21], x[22]) == (0x61, ord("x"), 0)


@each_engine
@each_layout
@pytest.mark.parametrize("function", [0, 1])
def test_console_calls_that_name_memory(engine, function, layout):
    """The debug console at the edges of RAM: nothing beyond it, everything within it."""
    lines = [f"li a7, 0x4442434e\nli a6, {function}\nli s3, 31"]
    end = 0x80000000 + RAM
    for count in (0, 1, 2, 4095, 4096, 4097, 8191, 0x7FFFFFFF, 0xFFFFFFFF):
        for at in (
            0, 0x7FFFFFFF, 0x80030001, end - 4097, end - 4096, end - 1, end, end + 4096,
            0x1_80030000, (1 << 63) - 4097, (1 << 63) + 0x7FFFFFFF, (1 << 64) - 1,
        ):  # fmt: skip
            lines.append(
                f"li a0, {count}\nli a1, {at & 0xFFFFFFFF}\nli a2, {at >> 32}\necall\n"
                "mul s2, s2, s3\nadd s2, s2, a0\nmul s2, s2, s3\nadd s2, s2, a1\n"
            )

    def prepare(made):
        kernel("\n".join(lines), live=True)(made)
        made.feed(b"typed " * 100)
        made.end_input()
        page = bytes(range(97, 123)) * 158  # what is written must differ by the page
        made.poke(0x80030000, page[:4096])
        made.poke(end - 8192, page[1:4097] + page[2:4098])

    bare = compare(prepare, 100_000, engine, layout=layout, mem=RAM)
    assert bare.end == "HALTED"
