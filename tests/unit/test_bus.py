"""Devices in Python as a guest uses them: loads, stores, DMA, interrupts, time."""

import gc

import pytest

from asm.assembler import assemble_text
from toyisa.core.memory import RAM_BASE, VIRTIO
from toyisa.devices.disk import SECTOR, Disk
from toyisa.machine import Exit, Machine

FINISH = "li t0, 0x100000\n slli a0, a0, 16\n li t1, 0x3333\n or t1, t1, a0\n sw t1, 0(t0)\n"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(b"".join(bytes([n]) * SECTOR for n in range(0x80, 0x90)))
    return path


def machine_with(image, body, legacy=False):
    machine = Machine(mem=1 << 20)
    if image:
        machine.attach(Disk(image), legacy)
    machine.load(assemble_text(f".globl _start\n_start: li s0, {VIRTIO}\n{body}\n{FINISH}").elf())
    machine.end_input()
    return machine


@pytest.mark.parametrize(
    ("load", "value"),
    [
        ("lw a0, 0(s0)\n srli a0, a0, 24", 0x74),
        ("lbu a0, 0x100(s0)", 16),       # capacity
        ("lhu a0, 0x114(s0)", SECTOR),
        ("lb a0, 0x114(s0)\n addi a0, a0, 7", 7),
        ("lw a0, 0x10(s0)\n andi a0, a0, 0x20\n addi a0, a0, 3", 3),
        ("li a1, 0x1000\n add s0, s0, a1\n lw a0, 0(s0)\n addi a0, a0, 9", 9),  # an empty slot
        ("li a0, 5\n lw zero, 0(s0)\n add a0, a0, zero", 5),
        ("sb a0, 0x70(s0)\n lw a0, 0x70(s0)\n addi a0, a0, 4", 4),  # registers take words only
    ],
)
def test_loads_and_stores(image, load, value):
    machine = machine_with(image, load)
    assert machine.run(1000) is Exit.HALTED
    assert machine.code == value


@pytest.mark.parametrize(
    ("load", "added", "value"), [("lb", 60, 4), ("lbu", 0, 200), ("lh", 0, 200)]
)
def test_bytes_are_extended_as_the_load_says(tmp_path, load, added, value):
    (tmp_path / "200").write_bytes(bytes(200 * SECTOR))
    machine = machine_with(tmp_path / "200", f"{load} a0, 0x100(s0)\n addi a0, a0, {added}")
    machine.run(1000)
    assert machine.code == value


def test_an_access_is_one_instruction_at_the_usual_price(image):
    plain = machine_with(image, "lw a0, 0(s0)\n" * 10 + "li a0, 1")
    other = machine_with(None, "lbu a0, 5(s1)\n" * 10 + "li a0, 1")
    other.hart.x[9] = 0x1000_0000  # the console's line status: a device in compiled code
    assert plain.run(1000) is other.run(1000) is Exit.HALTED
    assert (plain.instret, plain.cycles) == (other.instret, other.cycles)
    assert sum(plain.cycles_by_class().values()) == plain.cycles
    assert plain.cycles_by_class() == other.cycles_by_class()


def test_a_budget_stops_between_two_accesses(image):
    machine = machine_with(image, "1: lw a0, 0(s0)\n j 1b")
    assert machine.run(7) is Exit.BUDGET
    assert machine.instret == 7
    for n in range(8, 12):
        machine.step()
        assert machine.instret == n


# A driver for one request: tables in the guest's data, the answer printed by the caller.
DRIVER = """
    .macro reg offset, value
        li t0, \\value
        sw t0, \\offset(s0)
    .endm
    .macro address offset, label
        la t0, \\label
        sw t0, \\offset(s0)
        sw zero, \\offset + 4(s0)
    .endm
    reg 0x70, 3
    reg 0x24, 1
    reg 0x20, 1                 # VERSION_1
    reg 0x70, 11
    reg 0x38, 8
    address 0x80, descriptors
    address 0x90, available
    address 0xa0, used
    reg 0x44, 1
    reg 0x70, 15
    li s1, 0x0c000000           # PLIC: source 1
    li t0, 1
    sw t0, 4(s1)
    li s2, 0x0c002080
    li t0, 2
    sw t0, 0(s2)
    li t0, 0x200
    csrw sie, t0
"""
TABLES = """
    .align 4
descriptors:
    .word header, 0, 16, 1 << 16 | 1
    .word {data}, 0, 512, 2 << 16 | 3
    .word status, 0, 1, 2
    .align 4
available: .half 0, 1, 0, 0, 0, 0, 0, 0, 0, 0
    .align 4
used:   .space 68
header: .word 0, 0, 3, 0        # read sector 3
status: .byte 0xff
    .align 4
data:   .space 512
"""


@pytest.mark.parametrize("clock", ["cycles", "icount"])
def test_a_guest_reads_a_sector_and_sleeps_for_the_interrupt(image, clock):
    body = DRIVER + """
        reg 0x50, 0
        wfi
        li t0, 0x0c201004
        lw a0, 0(t0)            # claim: source 1
        lbu a1, status
        lbu a2, data + 511      # 0x83
        lw a3, 0x60(s0)
        sw a3, 0x64(s0)         # acknowledge, complete
        sw a0, 0(t0)
        csrr a4, sip
        andi a4, a4, 0x200
        slli a1, a1, 8
        or a0, a0, a1
        or a0, a0, a2
        or a0, a0, a4
    """
    machine = machine_with(image, body + FINISH + TABLES.format(data="data"))
    machine.hart.clock.icount = clock == "icount"
    assert machine.run(10_000) is Exit.HALTED
    assert machine.code == 0x83


def test_what_a_disk_writes_over_code_is_executed(image):
    # The sector has `addi a0, a0, 1; ret`; the code that was there has run before.
    code = bytes.fromhex("13051500 67800000")
    image.write_bytes(bytes(3 * SECTOR) + code + bytes(SECTOR))
    body = DRIVER + f"""
        li a0, 10
        jal routine
        reg 0x50, 0
        jal routine
        j finish
        .balign 512
    routine:
        addi a0, a0, 7
        ret
        .space 504
    finish: {FINISH}
    """
    machine = machine_with(image, body + TABLES.format(data="routine"))
    assert machine.run(10_000) is Exit.HALTED
    assert machine.code == 18


@pytest.mark.parametrize(
    ("offset", "kept"), [(-4, True), (-3, False), (0, False), (3, False), (4, True)]
)
def test_dma_ends_a_reservation_on_what_it_writes(offset, kept):
    body = "la a1, word\n lr.w a2, (a1)\n nop\n sc.w a0, a2, (a1)\n addi a0, a0, 1\n"
    machine = machine_with(None, body + FINISH + ".align 3\n .word 0\n word: .word 0, 0, 0")
    while machine.hart.resv.addr < 0:
        machine.step()
    word = int(machine.hart.resv.addr)
    machine.poke(word + offset, b"\1" * (4 if offset < 0 else 1))
    machine.run(1000)
    assert machine.code == (1 if kept else 2)


def test_poke_outside_ram_is_refused():
    machine = Machine(mem=1 << 20)
    for pa in (0, RAM_BASE - 1, RAM_BASE + (1 << 20) - 3):
        with pytest.raises(ValueError, match="not in RAM"):
            machine.poke(pa, b"1234")


def test_a_machine_that_nobody_has_is_gone_at_once(image):
    """Its RAM and the lock on its disk are freed at once, not at some later garbage collection."""
    machine = machine_with(image, "lw a0, 0(s0)")
    machine.step()
    machine.run(1000)
    gc.disable()
    try:
        del machine
        Disk(image).close()
    finally:
        gc.enable()


def test_nine_disks_are_too_many(tmp_path):
    machine = Machine(mem=1 << 20)
    for n in range(9):
        (tmp_path / f"{n}").write_bytes(bytes(SECTOR))
        if n < 8:
            machine.attach(Disk(tmp_path / f"{n}"))
    with pytest.raises(ValueError, match="8 slots"):
        machine.attach(Disk(tmp_path / "8"))


def disks(tmp_path, *slots):
    machine = Machine(mem=1 << 20)
    for n, slot in enumerate(slots):
        (tmp_path / f"{n}").write_bytes(bytes((n + 1) * SECTOR))
        machine.attach(Disk(tmp_path / f"{n}"), slot=slot)
    return machine


@pytest.mark.parametrize(
    ("asked", "given"),
    [((None, None), (0, 1)), ((7,), (7,)), ((3, None, 0), (3, 4, 0)), ((7, None), (7, 0))],
)
def test_disks_are_in_the_slots_that_were_asked_for_or_in_the_next(tmp_path, asked, given):
    machine = disks(tmp_path, *asked)
    assert tuple(device.slot for device in machine.bus.devices) == given
    assert machine.bus.slots == tuple(sorted(given))
    sizes = {slot: n + 1 for n, slot in enumerate(given)}
    ask = "".join(
        f"li s0, {VIRTIO + slot * 0x1000}\n lw a1, 0x100(s0)\n slli a0, a0, 2\n or a0, a0, a1\n"
        for slot in range(8)
    )
    machine.load(assemble_text(f".globl _start\n_start: {ask}\n{FINISH}").elf())
    assert machine.run(1000) is Exit.HALTED
    wanted = 0
    for slot in range(8):
        wanted = wanted << 2 | sizes.get(slot, 0)
    assert machine.code == wanted, "capacities by slot; 0 where there is none"


def test_a_slot_holds_one_disk_and_there_are_eight(tmp_path):
    with pytest.raises(ValueError, match="slot 3 has a device already"):
        disks(tmp_path, 3, 3)
    with pytest.raises(ValueError, match="no slot 8: slots are 0 to 7"):
        disks(tmp_path, 8)


def test_the_slot_says_which_interrupt_it_is(tmp_path):
    machine = disks(tmp_path, 5)
    machine.bus.devices[0].state.interrupt = 1
    machine.bus.drive_lines()
    assert machine.memory.plic.lines == 1 << 6
