"""User instructions: the model and the Machine against unicorn, which other people wrote."""

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.lockstep.subjects import CODE, Core, Model, Unicorn, model_hart
from toyisa.tables.fields import Kind
from toyisa.tables.insns import BY_NAME, Cost, find
from toyisa.testing.programs import CORNERS, USER_ROWS, Program, programs

pytest.importorskip("unicorn", reason="unicorn is not installed")

# Its QEMU is one of 2020, and knows these.
KNOWN = tuple(row for row in USER_ROWS if row.ext in {"I", "M", "A", "Zifencei"})
ARITHMETIC = [row for row in KNOWN if row.cost in {Cost.ALU, Cost.MUL, Cost.DIV}]
RESERVING = tuple(row for row in USER_ROWS if row.name in {"lr.w", "sc.w", "sw", "addi"})
BRANCHES = [row for row in USER_ROWS if row.cost is Cost.BRANCH]
FIRST_RESULT, RESULTS = 3, 26  # results go to x3..x28; operands are in x1 and x2


@pytest.fixture(scope="module")
def unicorn():
    return Unicorn()


@pytest.fixture(scope="module", params=[Model, Core], ids=["model", "core"])
def subject(request):
    return request.param()


def store_to_reserved_word(program: Program) -> bool:
    """Whether something other than `sc.w` stores to a reserved word.

    QEMU's sc.w compares the word's value, so it still succeeds after a store of the same
    value.  The manual allows that; on our machine such a store clears the reservation.
    """
    if not any(find(word) is BY_NAME["lr.w"] for word in program.words):
        return False
    hart = model_hart(program)
    while hart.pc != CODE + 4 * len(program.words):
        reserved = hart.bus.reserved
        fx = hart.step()
        if reserved is None or not fx.store or find(fx.insn) is BY_NAME["sc.w"]:
            continue
        if fx.store[0] & ~3 == reserved:
            return True
    return False


VARIANTS = 16


def variants(program: Program):
    """The program from several states: making one costs more than running it many times."""
    for n in range(VARIANTS):
        regs = [0, *(program.regs[1 + (k + 2 * n) % 31] for k in range(31))]
        memory = program.memory[4 * n :] + program.memory[: 4 * n]
        variant = Program(program.words, regs, memory)
        if not store_to_reserved_word(variant):
            yield variant


def run_both(unicorn, subject, program):
    want, got = unicorn.run_user(program), subject.run_user(program)
    assert got.regs == want.regs
    assert got.memory == want.memory


@settings(max_examples=300, deadline=None)
@given(program=programs(rows=KNOWN))
def test_random_programs(unicorn, subject, program):
    for variant in variants(program):
        run_both(unicorn, subject, variant)


@settings(max_examples=100, deadline=None)
@given(program=programs(rows=RESERVING, max_size=12))
def test_reservations(unicorn, subject, program):
    assume(not store_to_reserved_word(program))
    run_both(unicorn, subject, program)


def encodings(row):
    """Words of an arithmetic row on x1 and x2, an immediate's corners each."""
    choices = []
    for operand in row.fields:
        if operand.kind is Kind.IMM:
            ends = {operand.low, operand.high, 0, 1, 5, operand.high // 2, operand.high - 1}
            choices.append(sorted(ends | ({-1} if operand.low < 0 else set())))
        else:
            choices.append([{"rd": 0, "rs1": 1, "rs2": 2}[operand.name]])
    for operands in itertools.product(*choices):
        yield row, operands


def batches():
    """Programs of up to RESULTS words, each with a result register of its own."""
    todo = [pair for row in ARITHMETIC for pair in encodings(row)]
    for start in range(0, len(todo), RESULTS):
        chunk = todo[start : start + RESULTS]
        yield [
            row.encode(FIRST_RESULT + n, *operands[1:]) for n, (row, operands) in enumerate(chunk)
        ]


def corner_program(words, a, b):
    return Program(words, [0, a, b, *[0] * 29], bytes(4096))


@pytest.mark.parametrize("words", list(batches()), ids=lambda words: f"{words[0]:08x}")
def test_arithmetic_on_corner_operands(unicorn, subject, words):
    for a, b in itertools.product(CORNERS, CORNERS):
        run_both(unicorn, subject, corner_program(words, a, b))


def test_branches_on_corner_operands(unicorn, subject):
    words = []
    for n, row in enumerate(BRANCHES):
        words += [row.encode(1, 2, 8), BY_NAME["addi"].encode(FIRST_RESULT + n, 0, 1)]
    for a, b in itertools.product(CORNERS, CORNERS):
        run_both(unicorn, subject, corner_program(words, a, b))


@settings(max_examples=100, deadline=None)
@given(
    row=st.sampled_from([row for row in USER_ROWS if row.cost is Cost.ATOMIC]),
    old=st.sampled_from(CORNERS), operand=st.sampled_from(CORNERS),
)  # fmt: skip
def test_atomics_on_corner_operands(unicorn, subject, row, old, operand):
    address = {"rd": 3, "rs1": 31, "rs2": 2}
    word = row.encode(*(address[field.name] for field in row.fields))
    program = corner_program([word], 0, operand)
    program.memory = old.to_bytes(4, "little") * 1024
    run_both(unicorn, subject, program)
