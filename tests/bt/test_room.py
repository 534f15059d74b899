"""The translation of twelve instructions fits its buffer, whatever the instructions are.

`emit` drops what does not fit, and `predict` relies on finding an edge.  So the longest
sequence of all is measured here, and twelve of it must leave room.
"""

from collections import Counter

from tests.smallkernels import kernel
from tests.virtual import machine
from toyisa.tables.csrs import CSRS
from vmm.engines.bt.dump import units
from vmm.engines.bt.record import MAX_STUBS, MAX_UNIT_WORDS, STEP_WORDS, UNIT_INSNS
from vmm.machine import VirtualMachine

# Words at most, besides those of the instructions: a countdown, and the edges of a block
AROUND = 10
OTHERS = """
    la   t0, 1f
    jalr t0, 0(t0)
1:  la   t1, 2f
    jalr t1, 0(t1)
2:  la   a1, 3f
    jalr ra, 0(a1)
3:  la   t0, 4f - 8
    jalr a0, 8(t0)
4:  beq  x0, x0, 5f
5:  bne  x0, x0, 6f
6:  jal  t0, 7f
7:  lw   a0, -4(x0)
    wfi
    sfence.vma
    probe.r a0, a1
"""


def bodies():
    """Every CSR in every form, with the registers that sequences use as scratch; and other
    instructions.

    What is written is what was read, or nothing is set and nothing is cleared.
    """
    lines = []
    for row in CSRS:
        for rd in ("x0", "t0", "a0"):
            if not row.read_only:
                lines.append(f"csrr t1, {row.name}\n csrrw {rd}, {row.name}, t1\n li t1, 0")
            for form in ("csrrs", "csrrc"):
                lines += [f"{form} {rd}, {row.name}, {rs}" for rs in ("x0", *(
                    () if row.read_only else ("t1", "t2")))]  # fmt: skip
            if not row.read_only:
                lines += [f"{form} {rd}, {row.name}, 0" for form in ("csrrsi", "csrrci")]
                if row.name in ("sscratch", "sepc", "scause", "stval", "sstatus", "sie"):
                    lines += [f"{form} {rd}, {row.name}, 31" for form in ("csrrci",)]
    return "\n".join(["li t1, 0", "li t2, 0", *lines, OTHERS])


def longest(made):
    """The words of the longest sequence that the translator has made of one instruction."""
    words = Counter((unit.gpc, word.gpc) for unit in units(made) for word in unit.words)
    return max(words.values())


def test_twelve_of_the_longest_sequence_leave_room():
    found = []
    for clock in ("icount", "cycles"):
        for force in ("inline", "callout"):
            made = VirtualMachine(mem=4 << 20, engine="bt", clock=clock, options={"force": force})
            kernel(bodies())(made)
            made.run(20_000)
            assert {unit.insns for unit in units(made)} >= {UNIT_INSNS}
            found.append(longest(made))
    assert max(found) > 20  # it includes sequences, and stubs too
    assert UNIT_INSNS * max(found) + AROUND <= MAX_UNIT_WORDS
    assert max(found) + AROUND <= STEP_WORDS


def test_a_unit_full_of_stubs():
    """Each instruction has two stubs: the block ends while there is room for those of another
    instruction.
    """
    body = "    csrr a0, sstatus\n    li a1, 0\n" + "    csrrs a0, sstatus, a1\n" * 12
    made = machine("bt", mem=4 << 20)
    kernel(body)(made)
    made.run(2000)
    lengths = [Counter(word.gpc for word in unit.words).values() for unit in units(made)]
    assert max(sum(n > 20 for n in unit) for unit in lengths) == MAX_STUBS // 2
