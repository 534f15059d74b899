"""However much work a guest makes, the machine looks at limits and Ctrl-C; the guest sees
nothing of it.
"""

import signal

import pytest

from asm.assembler import assemble_text
from toyisa.core.memory import VIRTIO
from toyisa.core.work import LOOK, MOST
from toyisa.devices.disk import Disk
from toyisa.machine import Exit, Machine
from toyisa.tables.exits import Reason
from vmm.abi.hypercalls import Call
from vmm.machine import VirtualMachine
from vmm.watch import lockstep

FOREVER = "_start: j _start\n"
# A multicall of 32 batches; each has a table validated and dissolved 64 times.
BATCHES = f"""
    .globl _start, toyvmm_pv_abi
toyvmm_pv_abi:
_start:
    srli s0, a1, 12
    slli s0, s0, 12
    li t0, 0x1000
    sub s1, s0, t0          # the root, and below it the only table
    sub s2, s1, t0
    li t0, 0xFFE01000
    lw s3, 0x80(t0)         # the page of frame 0x20, as the machine knows it
    ori a1, s3, 0xC3        # must not be written
    addi a0, s2, 0x80
    li a7, 0x0A000000 + {int(Call.SET_PTE)}
    ecall
    li t0, 0x80008000       # pairs: entry 5 of the root leads there, and nowhere
    addi t1, s1, 21
    ori t2, s3, 1
    li t3, 64
1:  sw t1, 0(t0)
    sw t2, 4(t0)
    sw t1, 8(t0)
    sw zero, 12(t0)
    addi t0, t0, 16
    addi t3, t3, -1
    bnez t3, 1b
    li t0, 0x80010000       # calls
    li t1, 0x0A000000 + {int(Call.UPDATE_PTES)}
    li t2, 0x80008000
    li t3, 128
    li t4, 32
2:  sw t1, 0(t0)
    sw t2, 4(t0)
    sw t3, 8(t0)
    addi t0, t0, 20
    addi t4, t4, -1
    bnez t4, 2b
    li a7, 0x0A000000 + {int(Call.MULTICALL)}
    li a0, 0x80010000
    li a1, 32
    ecall
    addi a0, a0, 0          # 0, and all of them done
    xori a1, a1, 32
    or a0, a0, a1
    mv s5, a0
    li a7, 8
    ecall
"""
# Two root tables of 100 tables each, in turn; a table that is not in use is no table any more.
BASES = f"""
    .globl _start, toyvmm_pv_abi
toyvmm_pv_abi:
_start:
    srli s0, a1, 12
    slli s0, s0, 12
    li t0, 0x1000
    sub s1, s0, t0
    sub s2, s1, t0
    li t0, 0x80030000       # a root of the 100 pages from frame 0x40 on, and the kernel's table
    li t1, 0xFFE01100
    li t2, 100
1:  lw t3, 0(t1)
    ori t3, t3, 1
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t1, t1, 4
    addi t2, t2, -1
    bnez t2, 1b
    li t0, 0x80000000
    sub t0, s2, t0
    srli t0, t0, 10
    li t1, 0xFFE01000
    add t0, t0, t1
    lw t1, 0(t0)
    ori t1, t1, 1
    li t0, 0x80030800
    sw t1, 0(t0)
    li s4, 0x40             # none of them may be written
2:  jal protect
    addi s4, s4, 1
    li t0, 0x40 + 100
    bne s4, t0, 2b
    li s4, 0x30
    jal protect
    li s3, 3
3:  li a0, 1 << 31 | 0x80030
    li a7, 0x0A000000 + {int(Call.NEW_BASE)}
    ecall
    bnez a0, 4f
    srli a0, s1, 12
    li t0, 1 << 31
    or a0, a0, t0
    ecall
    bnez a0, 4f
    addi s3, s3, -1
    bnez s3, 3b
    li a0, 0x80030000       # pinned, too, and let go
    li a1, 1
    li a7, 0x0A000000 + {int(Call.PIN_TABLE)}
    ecall
    bnez a0, 4f
    li a0, 0x80030000
    li a7, 0x0A000000 + {int(Call.UNPIN_TABLE)}
    ecall
4:  mv s5, a0
    li a7, 8
    ecall
protect:
    slli t0, s4, 2
    add a0, s2, t0
    li t1, 0xFFE01000
    add t0, t0, t1
    lw a1, 0(t0)
    ori a1, a1, 0xC3
    li a7, 0x0A000000 + {int(Call.SET_PTE)}
    ecall
    ret
"""
# One notify makes the device read 64 chains of 256 KiB each.
NOTIFY = f"""
    .globl _start
_start:
    li s0, {VIRTIO}
    li t0, 1
    sw t0, 0x24(s0)
    sw t0, 0x20(s0)
    li t0, 11
    sw t0, 0x70(s0)
    li t0, 128
    sw t0, 0x38(s0)
    li t0, 0x80010000
    sw t0, 0x80(s0)
    li t1, 0x80011000
    sw t1, 0x90(s0)
    li t2, 0x80012000
    sw t2, 0xa0(s0)
    li t3, 1
    sw t3, 0x44(s0)
    li t3, 15
    sw t3, 0x70(s0)
    li t3, 0x80013000
    sw t3, 0(t0)
    li t4, 16
    sw t4, 8(t0)
    li t4, 0x00010001
    sw t4, 12(t0)
    li t3, 0x80040000
    sw t3, 16(t0)
    li t4, 0x40000
    sw t4, 24(t0)
    li t4, 0x00020003
    sw t4, 28(t0)
    li t3, 0x80014000
    sw t3, 32(t0)
    li t4, 1
    sw t4, 40(t0)
    li t4, 2
    sw t4, 44(t0)
    li t5, 64
    sh t5, 2(t1)
notify:
    sw zero, 0x50(s0)
    lhu s5, 2(t2)           # chains that are done
    li a7, 8
    ecall
"""


def loaded(machine, text):
    machine.load(assemble_text(f".globl _start\n{text}").elf())
    machine.end_input()
    return machine


def in_slices(machine, work):
    """How often it had to look until it halted."""
    machine.work, looks = work, 0
    while (reason := machine.slice()) == Reason.LOOK:
        looks += 1
    assert reason == Reason.HALTED
    return looks


def told(machine):
    classes = machine.cycles_by_class()
    return machine.digest(), machine.cycles, machine.instret, classes, machine.output()


@pytest.mark.compiled
@pytest.mark.parametrize(("text", "answer"), [(BATCHES, 0), (BASES, 0)], ids=["batches", "bases"])
def test_a_hypercall_goes_on_where_it_was(text, answer):
    whole, sliced = (loaded(VirtualMachine(engine="pv", mem=1 << 20), text) for _ in range(2))
    assert whole.run() is Exit.HALTED
    assert in_slices(sliced, 1000) > 20
    assert sliced.most_work <= 2000  # a table, and what is around it
    assert told(sliced) == told(whole)
    assert sliced.exits() == whole.exits()
    assert int(sliced.hart.x[21]) == int(whole.hart.x[21]) == answer


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(range(256)) * 2048)
    return Disk(path, read_only=True)


def with_disk(disk, made):
    made.attach(disk)
    return loaded(made, NOTIFY)


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["native", "trap"])
def test_a_device_goes_on_where_it_was(disk, engine):
    def made():
        machine = Machine(mem=1 << 20) if engine == "native" else VirtualMachine(mem=1 << 20)
        return with_disk(disk, machine)

    whole, sliced = made(), made()
    assert whole.run() is Exit.HALTED
    assert int(whole.hart.x[21]) == 64
    assert in_slices(sliced, 1000) >= 64
    assert sliced.most_work <= 1000 + (256 << 10) // 16
    assert told(sliced) == told(whole)


def test_in_the_middle_the_store_has_not_been_done(disk, tmp_path):
    machine = with_disk(disk, Machine(mem=1 << 20))
    machine.work = 10_000
    for _ in range(5):
        assert machine.slice() == Reason.LOOK
    assert machine.bus.busy
    assert machine.symbolize(int(machine.hart.pc)) == "notify"
    assert 0 < int.from_bytes(machine.ram[0x12002:0x12004].tobytes(), "little") < 64
    machine.save(tmp_path / "saved")  # which does the rest of it first
    assert not machine.bus.busy
    assert machine.symbolize(int(machine.hart.pc)) == "notify+0x4"
    other = Machine.restore(tmp_path / "saved", [disk])
    assert machine.run() is other.run() is Exit.HALTED
    assert told(machine) == told(other)


def test_another_guest_does_not_go_on_with_it(disk):
    machine = with_disk(disk, Machine(mem=1 << 20))
    machine.work = 10_000
    assert machine.slice() == Reason.LOOK
    loaded(machine, "_start: li s5, 7\n li a7, 8\n ecall\n")
    assert machine.run() is Exit.HALTED
    assert int(machine.hart.x[21]) == 7


@pytest.fixture
def ctrl_c():
    """Ctrl-C is heard, even if a shell has started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("made", [Machine, VirtualMachine])
def test_ctrl_c_leaves_a_machine_that_can_go_on(made):
    machine, other = (loaded(made(mem=1 << 20), FOREVER) for _ in range(2))
    enter, slices = machine.enter, []

    def interrupted():
        slices.append(int(machine.instret))
        if len(slices) == 3:
            signal.raise_signal(signal.SIGINT)
        return enter()

    machine.enter = interrupted
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        machine.run()
    assert signal.getsignal(signal.SIGINT) is before
    assert len(slices) == 3
    assert slices[2] < machine.instret <= 3 * LOOK * 8
    assert machine.run(1000) is Exit.BUDGET
    other.run(machine.instret)
    assert told(machine) == told(other)


def test_a_limit_of_time():
    machine = loaded(Machine(mem=1 << 20), FOREVER)
    assert machine.run(seconds=0) is Exit.TIMEOUT
    assert 0 < machine.instret <= LOOK * 8
    assert machine.most_work <= LOOK + MOST
    assert machine.run(10, seconds=1000) is Exit.BUDGET


@pytest.mark.compiled
def test_a_step_is_not_waited_for_either():
    machine, other = (loaded(VirtualMachine(engine="pv", mem=1 << 20), BATCHES) for _ in range(2))
    machine.work = 1000
    while (why := machine.advance(seconds=0)) is Exit.BUDGET:
        pass
    assert why is Exit.TIMEOUT  # in the multicall
    assert machine.advance() is Exit.BUDGET
    assert machine.run() is other.run() is Exit.HALTED
    assert machine.instret == other.instret
    assert machine.output() == other.output()


@pytest.mark.parametrize("budget", [2**70, 1 << 62, float("inf")])
def test_limits_beyond_all_counts(budget):
    machine = loaded(Machine(mem=1 << 20), FOREVER)
    machine.run(5)
    assert machine.run(budget, seconds=0) is Exit.TIMEOUT
    assert machine.run(0) is Exit.BUDGET


@pytest.mark.parametrize("limits", [{"budget": -1}, {"seconds": -0.5}, {"budget": float("nan")}])
def test_limits_that_make_no_sense(limits):
    with pytest.raises(ValueError, match="0 or more"):
        Machine(mem=1 << 20).run(**limits)


def test_lock_step_can_be_interrupted(monkeypatch):
    pair = [loaded(Machine(mem=1 << 20), FOREVER) for _ in range(2)]
    limits, step = [], lockstep.step_both

    def stepped(*arguments):
        limits.append(arguments[-1])
        return step(*arguments)

    both = lockstep.Lockstep(*pair)
    monkeypatch.setattr(lockstep, "step_both", stepped)
    assert both.run(3 * lockstep.SLICE + 1) is None
    assert limits == [lockstep.SLICE * n for n in (1, 2, 3)] + [3 * lockstep.SLICE + 1]
    assert [machine.instret for machine in pair] == [limits[-1]] * 2


