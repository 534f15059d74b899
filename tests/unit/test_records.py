"""Records: which of their fields are addresses of the host's, and that nothing else is one."""

import numpy as np
import pytest

from tests.smallkernels import kernel
from toyisa.core.meter import attach
from toyisa.core.state import ADDRESS, addresses, record
from toyisa.machine import Machine
from toyisa.snapshots.snapfields import Field
from vmm import engines
from vmm.machine import VirtualMachine

MEM = 1 << 20


def mapped():
    """Where this process has memory."""
    with open("/proc/self/maps") as lines:
        ranges = [line.split()[0].split("-") for line in lines]
    return [(int(first, 16), int(end, 16)) for first, end in ranges]


def words(found, path=""):
    """The fields of a record that hold one 64-bit number each, by path."""
    for name in found.dtype.names:
        place = f"{path}.{name}" if path else name
        if found.dtype[name].names:
            yield from words(found[name], place)
        elif found.dtype[name] == np.int64:
            yield place, int(found[name])


def pointing(found):
    """The fields of a record whose value is an address of this process's, and no small number."""
    ranges = mapped()
    return {path for path, value in words(found) if value >> 24
            if any(first <= value < end for first, end in ranges)}  # fmt: skip


def test_addresses_are_found_by_path():
    inner = record(("n", "i8"), ("at", ADDRESS))
    outer = record(("inner", inner), ("rows", inner, 3), ("to", ADDRESS), ("n", "i8"))
    assert set(addresses(outer)) == {"inner.at", "rows.at", "to"}


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["native", *engines.names()])
def test_what_points_into_the_process_is_marked(engine):
    """After a run, with a log and a meter: else some are 0."""
    made = Machine(MEM) if engine == "native" else VirtualMachine(MEM, engine)
    meter = attach(made.memory, np.zeros(4, np.int64))
    records = [made.hart, made.memory, meter[0]]
    if engine != "native":
        made.log(lambda lines: None)
        records += [made.vm, made.host.record[0], made.host.memory, *made.private]
    if engine != "pv":
        kernel("li a0, 1")(made)
        made.run(100)
    for one in records:
        assert pointing(one) <= set(addresses(one.dtype))
    assert "ram" in pointing(made.memory)
    assert "others_at" in pointing(meter[0])


@pytest.mark.parametrize("path", ["memory.ram", "memory.aside.marks", "hart.covers"])
def test_no_address_can_be_in_a_snapshot(path):
    with pytest.raises(TypeError, match="host address"):
        _ = Field(path).kind
