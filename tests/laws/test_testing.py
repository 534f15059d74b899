"""The strategies of `toyisa.testing` give what they promise, and its reports show what differs."""

import random
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty

import asm
from toyisa.core.memory import RAM_BASE, UART
from toyisa.machine import Exit, Machine
from toyisa.tables.csrs import BY_NUMBER, CSRS
from toyisa.tables.fields import Kind
from toyisa.tables.insns import INSNS
from toyisa.tables.insns import find as find_row
from toyisa.testing import (
    SCRATCH_REG,
    Modelled,
    Program,
    acts,
    assert_same,
    elf_images,
    instructions,
    kernels,
    lockstep,
    machine_states,
    page_tables,
    programs,
    shrink_report,
    state_of,
    write_elf,
)
from toyisa.testing.code import Code, text

RAM_SIZE = 1 << 20
LONGEST = 200_000  # instructions; kernels take 2,000 on average


def least(strategy):
    """Its simplest value, which Hypothesis tries first: it cannot be shrunk."""
    quick = settings(phases=[Phase.generate], database=None)
    return find(strategy, lambda _: True, settings=quick)


def booted(kernel, **options):
    machine = Machine(mem=RAM_SIZE, clock="icount", **options)
    machine.load(kernel.elf())
    machine.end_input()
    return machine


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(kernel=kernels())
def test_every_kernel_ends_and_takes_a_timer_interrupt_a_page_fault_and_a_remap(kernel):
    machine = booted(kernel)
    assert machine.run(LONGEST) is Exit.HALTED, machine.reason
    traps = machine.traps_by_cause()
    assert traps["irq_timer"] >= 1
    assert traps["load_page"] >= 1
    assert machine.ram[0x9000 + 52] >= 1  # the handler mended an entry
    digest = f"{int.from_bytes(machine.ram[0x9020:0x9024].tobytes(), 'little'):08x}\n"
    assert machine.output().endswith(digest.encode())


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(kernel=kernels(standard=True))
def test_a_standard_kernel_has_no_timer_and_no_instruction_of_our_own(kernel):
    machine = booted(kernel)
    assert machine.run(LONGEST) is Exit.HALTED, machine.reason
    traps = machine.traps_by_cause()
    assert "irq_timer" not in traps
    assert traps["irq_software"] >= 1
    assert traps["load_page"] >= 1


def boots_as_the_firmware_leaves_it(model, kernel):
    """The model begins as the machine does, and as the kernel and the SBI expect."""
    ram = bytearray(RAM_SIZE)
    code = b"".join(word.to_bytes(4, "little") for word in kernel.words)
    for address, data in {RAM_BASE: code, **kernel.data}.items():
        ram[address - RAM_BASE : address - RAM_BASE + len(data)] = data
    tree = model.hart.x[11] - RAM_BASE  # at the end of RAM, which kernels do not use
    assert model.hart.bus.ram[:tree] == ram[:tree]
    assert (model.hart.pc, model.hart.priv, model.hart.x[10]) == (kernel.entry, 1, 0)
    csrs = {name: value for name, value in model.hart.csr.items() if value}
    assert csrs == {"scounteren": 2, "stimecmp": 0xFFFF_FFFF, "stimecmph": 0xFFFF_FFFF}
    assert model.hart.csr["scounteren"] == 2


def begun_on_both(text):
    """A machine ready to run it, and the model."""
    (section, *_) = asm.assemble_text(text).sections
    machine = Machine(mem=RAM_SIZE, clock="icount")
    machine.load(write_elf({RAM_BASE: bytes(section.data)}, RAM_BASE))
    return machine, Modelled(machine)


def test_what_a_device_answers_into_x0_is_told_by_neither():
    """The step is the same; a value that nobody kept is 0 on both sides."""
    text = "li t0, 0x10000000\nlbu zero, 5(t0)\nlbu a0, 5(t0)\n"
    machine, model = begun_on_both(text)
    machine.end_input()
    steps = [(machine.step(), model.step()) for _ in range(3)][1:]
    assert [(a.load, b.load) for a, b in steps] == [((UART + 5, n, 1),) * 2 for n in (0, 0x60)]


def test_the_first_register_that_an_answer_changes_is_told_by_both():
    """If a0 has the value already, the answer "no such call" changes only a1."""
    call = "li a0, -2\nli a1, 5\nli a7, 0x0badc0de\necall\n"
    assert_same(*begun_on_both(call), 5)


def test_what_the_model_has_no_part_for_is_no_difference():
    machine, model = begun_on_both("li a7, 3\necall\nli a0, 1\n")
    assert lockstep(machine, model, 5) is None
    assert model.beyond == "SBI call 0x3, 0"


def test_the_model_refuses_a_machine_whose_time_counts_cycles():
    with pytest.raises(ValueError, match='clock="icount"'):
        Modelled(Machine(mem=RAM_SIZE))


def test_rows_may_be_named():
    addi = find_row(least(instructions(["addi"])))
    assert addi.name == "addi"
    assert all(find_row(word) is addi for word in least(programs([addi])).words)
    for strategy in (instructions, programs):
        with pytest.raises(ValueError, match="there is no instruction 'adi', 'sbu'"):
            least(strategy(["adi", "add", "sbu"]))
        with pytest.raises(ValueError, match="no row"):
            least(strategy([]))


def same_on_the_model(kernel):
    machine = booted(kernel)
    model = Modelled(machine)
    boots_as_the_firmware_leaves_it(model, kernel)
    assert_same(machine, model, 10_000)
    assert not model.beyond
    assert machine.output() == bytes(model.hart.bus.console)
    taken = machine.traps_by_cause()
    taken.pop("ecall_s", None)
    assert dict(model.traps) == taken


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(kernel=kernels())
def test_kernels_do_the_same_on_the_model_and_on_the_machine(kernel):
    same_on_the_model(kernel)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(kernel=kernels())
def test_many_kernels_do_the_same_on_the_model_and_on_the_machine(kernel):
    same_on_the_model(kernel)


def test_kernels_cover_every_row_of_both_tables():
    """By the tables, not by chance: what acts use at random, and what they contain."""
    assert {row.name for row in INSNS} == acts.rows()
    names = {row.name for row in CSRS}
    assert names >= acts.OWN_CSRS


@pytest.mark.slow
def test_a_failing_kernel_shrinks_to_what_fails():
    """The smallest kernel that sets SUM has this act and no other."""
    def sums(kernel):
        machine = booted(kernel)
        machine.run(LONGEST)
        return bool(machine.hart.csr.sstatus >> 18 & 1)

    quick = settings(max_examples=500, phases=[Phase.generate, Phase.shrink], database=None,
                     deadline=None, suppress_health_check=list(HealthCheck))  # fmt: skip
    kernel = find(kernels(), sums, settings=quick, random=random.Random(1))
    body = kernel.symbols["finish"] - kernel.symbols["body"]
    assert body <= 4 * (12 + 8)  # what every body begins with, and one act


@settings(max_examples=50, deadline=None)
@given(data=elf_images())
def test_every_image_loads_and_runs_to_its_end(data):
    machine = Machine(mem=RAM_SIZE)
    machine.load(data)
    assert machine.run(10_000) is Exit.HALTED
    assert machine.symbolize(machine.symbols[0][0]) == machine.symbols[0][1]


@settings(max_examples=20, deadline=None)
@given(word=instructions(), state=machine_states(), tables=page_tables())
def test_the_other_strategies_draw_what_they_are_called(word, state, tables):
    assert find_row(word) is not None
    assert state.ram.keys() >= tables.keys()


CSR_ROWS = tuple(row for row in INSNS if any(f.kind is Kind.CSR for f in row.fields))


def test_words_that_name_a_csr_meet_every_csr_and_others():
    """A CSR that is added to the table is covered automatically."""
    met = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(word=instructions(CSR_ROWS))
    def draw(word):
        met[word >> 20] += 1

    draw()
    assert met.keys() >= BY_NUMBER.keys()
    assert met.keys() - BY_NUMBER.keys()
    assert sum(met[number] for number in BY_NUMBER) > met.total() / 2
    assert least(instructions(CSR_ROWS)) >> 20 in BY_NUMBER


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(kernel=kernels())
def test_a_report_names_the_first_instruction_that_differs(kernel):
    a, b = booted(kernel), booted(kernel)
    a.run(40)
    b.run(40)
    b.hart.x[17] ^= 1 << 7
    at = int(a.hart.pc)
    found = lockstep(a, b, 50)
    assert found.steps == 1
    report = shrink_report(found, ("left", "right"))
    assert f"{at:08x}: " in report
    assert f"a7        left: {int(a.hart.x[17]):#010x}" in report


def test_assert_same_says_where():
    class Wrong:
        ended = False

        def __init__(self, machine):
            self.machine = machine

        def step(self):
            effects = self.machine.step()
            effects.__dict__["reg"] = (5, 1)
            return effects

        def state(self):
            return {}

    kernel = least(kernels())
    with pytest.raises(AssertionError, match=r"addi|csrrci|lui"):
        assert_same(booted(kernel), Wrong(booted(kernel)))


@pytest.mark.parametrize("max_size", [12, 40])
@pytest.mark.parametrize("strategy", [programs, machine_states])
def test_sizes_are_spread_and_the_least_is_the_shortest(strategy, max_size):
    """In what is drawn for each: a transfer by register and such take two or three words."""
    sizes = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(drawn=strategy(max_size=max_size))
    def draw(drawn):
        sizes.append(len(getattr(drawn, "words", None) or getattr(drawn, "body", [])))

    draw()
    assert max_size * 0.3 < sum(sizes) / len(sizes) < max_size * 0.9
    assert max(sizes) > max_size * 0.75
    drawn = least(strategy(max_size=max_size))
    assert len(getattr(drawn, "words", None) or drawn.body) == 1


STRATEGIES = [programs(), machine_states(), page_tables(), elf_images()]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_what_is_drawn_is_printed_short_and_so_that_people_can_read_it(strategy, data):
    drawn = data.draw(strategy)
    assert pretty(drawn) == repr(drawn)  # Hypothesis's own way to print is not another
    words = getattr(drawn, "words", None) or getattr(drawn, "body", [])
    lines = repr(drawn).splitlines()
    assert len(lines) <= 100
    assert all(len(line) < 1000 for line in lines)
    assert all(f"{word:08x}  {text(word, 0).split()[0]}" in repr(drawn) for word in words)


def test_a_program_is_printed_as_a_listing_with_what_it_reads():
    words = Code().e("addi", 10, 11, -1).e("lw", 12, 4, 31).e("beq", 0, 5, -4).words()
    program = Program(words, [7 * n for n in range(32)], bytes(range(16)) * 256)
    assert repr(program).splitlines() == [
        "Program:",
        "   0: fff58513  addi a0, a1, -1",
        "   4: 004fa603  lw a2, 4(t6)",
        "   8: fe500ee3  beq zero, t0, 0x4",
        "registers t0=0x23 a1=0x4d",
        "memory    256 times the bytes 00010203 04050607 08090a0b 0c0d0e0f",
    ]
    program.memory = bytes(4095) + b"x"
    assert "memory    4096 bytes, SHA-256 " in repr(program)
    assert len(repr(program)) < 250


@settings(max_examples=20, deadline=None)
@given(program=programs(), other=programs())
def test_a_program_that_was_put_runs_to_its_end_and_off(program, other):
    machine, scratch = Machine(mem=RAM_SIZE), RAM_BASE + 0x20800
    other.put(machine)
    end = program.put(machine, RAM_BASE + 0x4000, scratch - 0x800)
    assert machine.hart.x[:32].tolist() == [*program.regs[:SCRATCH_REG], scratch]
    assert end == RAM_BASE + 0x4000 + 4 * len(program.words)
    for _ in program.words:
        if machine.hart.pc == end:
            break
        assert machine.step().trap is None
    assert machine.hart.pc == end
    assert machine.run(10) is Exit.HALTED


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(state=machine_states(), other=machine_states())
def test_of_a_state_that_was_put_nothing_of_another_is_left(state, other):
    used, new = (Machine(mem=RAM_SIZE, clock="icount") for _ in range(2))
    other.put(used)
    used.advance()
    used.hart["clock"] = new.hart["clock"]  # which is no part of a state
    for machine in (used, new):
        state.put(machine)
        machine.end_input()
        if machine.advance() is not Exit.BUDGET:
            return
    assert state_of(used) == state_of(new)


def test_the_machine_does_not_need_hypothesis():
    """Importing it would cost every user half a second, and a dependency."""
    code = "import sys, toyisa.machine; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = "import sys; sys.modules['hypothesis'] = None; import toyisa.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"needs hypothesis: pip install" in done.stderr
