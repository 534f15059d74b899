"""Two harts on one memory, one after the other: what one does to decoded code, both see.

No machine has two harts yet: here a second record runs on the first one's memory.
"""

import pytest

from asm import assemble_text
from toyisa.core import state
from toyisa.core.decodepool import BECAME_DATA, fold_all
from toyisa.core.execute import execute
from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.tlb import recontext
from toyisa.machine import Machine
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from toyisa.tables.ops import ROW_OF_OP
from toyisa.tables.requests import Writer

A0, A1, A2, S1 = 10, 11, 12, 9
SEVEN = 0x00700513  # addi a0, zero, 7
CODE = """
    .globl _start
_start:
store:
    sw      a1, 0(a2)
    j       .
    .balign 4096
many:
    li      t0, COUNT
1:  sw      a1, 0(a2)
    addi    t0, t0, -1
    bnez    t0, 1b
    j       .
    .balign 4096
jump:
    jalr    s1
    j       .
    .balign 4096
five:
    li      a0, 5
    ret
    .balign 4096
nine:
    li      a0, 9
    ret
    .balign 4096
"""
STORE, MANY, JUMP, FIVE, NINE = (RAM_BASE + n * PAGE for n in range(5))


@pytest.fixture
def machine():
    made = Machine(mem=1 << 20)
    made.load(assemble_text(CODE.replace("COUNT", str(BECAME_DATA + 2))).elf())
    return made


@pytest.fixture
def harts(machine):
    other = state.new_hart()
    machine._set_prices(other)
    other.root = machine.hart.root
    other.clock.per_tick = machine.hart.clock.per_tick
    recontext(other)
    return machine.hart, other


def run(machine, hart, pc, count, **registers):
    """Run `count` instructions from `pc`."""
    for name, value in registers.items():
        hart.x[{"a1": A1, "a2": A2, "s1": S1}[name]] = value
    hart.pc = pc
    hart.root.budget = hart.clock.instret + count
    assert execute(hart, machine.memory, 0, 0, 0) == Reason.BUDGET


def slot_of(machine, pa):
    return int(machine.host.pool.slot[(pa - RAM_BASE) // PAGE])


def test_a_store_is_seen_by_the_other_hart(machine, harts):
    """The second hart's tag for the page is from before the first one fetched from it."""
    first, second = harts
    run(machine, second, STORE, 3, a1=0x00500513, a2=FIVE)
    run(machine, first, JUMP, 4, s1=FIVE)
    assert first.x[A0] == 5
    run(machine, second, STORE, 3, a1=SEVEN, a2=FIVE)
    run(machine, first, JUMP, 4, s1=FIVE)
    assert first.x[A0] == 7
    assert machine.host.pool.invalidated[Writer.HART] == 1


def test_a_page_that_became_data_is_fetched_again_by_the_other_hart(machine, harts):
    """Its place in the pool has another page by then, to which the first hart's tag led."""
    first, second = harts
    run(machine, first, JUMP, 4, s1=FIVE)
    slot = slot_of(machine, FIVE)
    run(machine, second, MANY, 3 * BECAME_DATA, a1=SEVEN, a2=FIVE)
    assert slot_of(machine, FIVE) == 0
    run(machine, second, JUMP, 4, s1=NINE)
    assert slot_of(machine, NINE) == slot
    run(machine, first, JUMP, 4, s1=FIVE)
    assert first.x[A0] == 7


def test_a_page_that_a_device_wrote_is_fetched_again_by_the_other_hart(machine, harts):
    first, second = harts
    run(machine, second, JUMP, 4, s1=FIVE)
    slot = slot_of(machine, FIVE)
    page = machine.ram[FIVE - RAM_BASE :][:PAGE].tobytes()
    machine._dma.write(FIVE, SEVEN.to_bytes(4, "little") + page[4:])
    assert slot_of(machine, FIVE) == 0
    run(machine, first, JUMP, 4, s1=NINE)
    assert slot_of(machine, NINE) == slot
    run(machine, second, JUMP, 4, s1=FIVE)
    assert second.x[A0] == 7


def test_each_hart_keeps_its_own_counts(machine, harts):
    """What one has run is folded into its counts before the other runs (law 8, by hart)."""
    for n in range(4):
        hart = harts[n % 2]
        run(machine, hart, (STORE, MANY, JUMP, JUMP)[n], 5 + n, a1=SEVEN, a2=FIVE, s1=NINE)
        fold_all(hart, machine.memory)
    for hart in harts:
        assert hart.counts.op.sum() == hart.clock.instret
        cycles = sum(int(hart.counts.op[op] * hart.price.op[op]) for op in ROW_OF_OP)
        cycles += sum(int(hart.counts.event[e] * hart.price.event[e]) for e in Event)
        assert cycles == hart.clock.cycles
    assert [int(hart.clock.instret) for hart in harts] == [12, 14]
