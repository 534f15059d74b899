"""The doors that addresses and sizes come through, at every power of two and every wrap."""

import pytest

from asm import assemble_text
from toyisa.core.memory import PAGE, RAM_BASE, ram_offset
from toyisa.load.image import ImageError
from toyisa.machine import Machine
from vmm.domain.space import backed
from vmm.machine import VirtualMachine

MEM = 1 << 20
AROUND = sorted({
    (place + near) & (1 << 64) - 1
    for place in [*(1 << k for k in range(65)), RAM_BASE + MEM, (1 << 63) + RAM_BASE,
                  (1 << 63) + RAM_BASE + MEM]
    for near in (-PAGE, -8, -4, -1, 0, 1, 4, PAGE)
})  # fmt: skip
SIZES = (0, 1, 4, PAGE, MEM - 1, MEM, MEM + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


def signed(word):
    """A 64-bit word as compiled code sees it."""
    return (word ^ 1 << 63) - (1 << 63)


def inside(address, size):
    """What the doors must answer, in Python's unlimited integers."""
    return address >= RAM_BASE and address + size <= RAM_BASE + MEM


@pytest.mark.compiled
@pytest.mark.parametrize("scatter", [None, 1])
def test_compiled_doors_do_not_wrap(scatter):
    bare = Machine(mem=MEM)
    machine = VirtualMachine(mem=MEM, scatter=scatter)
    vm = machine.vm
    for address in AROUND:
        for size in SIZES:
            expected = address - RAM_BASE if inside(address, size) else -1
            assert ram_offset(bare.memory, signed(address), size) == expected
            assert backed(vm, signed(address), size) == inside(address, size)


def test_a_frame_that_is_not_there_is_not_backed():
    machine = VirtualMachine(mem=MEM)
    vm, machine.pages["mfn"][3] = machine.vm, -1
    assert backed(vm, RAM_BASE + 2 * PAGE, PAGE)
    assert not backed(vm, RAM_BASE + 2 * PAGE, PAGE + 1)
    assert not backed(vm, RAM_BASE + 3 * PAGE + 8, 1)
    assert not backed(vm, RAM_BASE + 4 * PAGE - 1, 1)
    assert backed(vm, RAM_BASE + 4 * PAGE, MEM - 4 * PAGE)


@pytest.mark.parametrize("scatter", [False, True])
def test_devices_reach_no_further_than_ram(scatter):
    machines = [Machine(mem=MEM)] if not scatter else [VirtualMachine(mem=MEM, scatter=1)]
    dma = machines[0]._dma
    for address in AROUND:
        for size in SIZES:
            if inside(address, size):
                assert dma.check(address, size) == address - RAM_BASE
            else:
                with pytest.raises(IndexError):
                    dma.check(address, size)


@pytest.mark.parametrize(("offset", "taken"), [
    (0, True), (4, True), (PAGE - 8, True), (PAGE - 4, False), (PAGE - 6, False), (2, False),
])  # fmt: skip
def test_tohost_lies_within_a_page(offset, taken):
    source = f".globl _start\n_start: j .\n.balign 4096\n.space {offset}\n"
    elf = assemble_text(f"{source}.globl tohost\ntohost: .space 8\n").elf()
    machine = Machine(mem=MEM)
    if taken:
        machine.load(elf)
        assert machine.memory.console.tohost == RAM_BASE + PAGE + offset
    else:
        with pytest.raises(ImageError, match="not a 64-bit word within a page"):
            machine.load(elf)
