"""Answers for the device tree that tells a kernel which machine it is on.

It has a small writer of the flattened format (devicetree specification 0.4, chapter 5), and
the tree of this machine.  Must not know how the devices work.
"""

import struct

from toyisa.core import plic
from toyisa.core.memory import FINISHER, PAGE, PLIC_BASE, RAM_BASE, UART, UART_SOURCE, VIRTIO
from toyisa.tables import extensions
from toyisa.tables.causes import Irq

TIMEBASE = 10_000_000  # ticks of `time` in a second, as QEMU's virt

_BEGIN, _END, _PROP, _FINISH = 1, 2, 3, 9
_MAGIC, _VERSION, _COMPATIBLE_VERSION = 0xD00DFEED, 17, 16
_HEADER = 40

Value = int | str | bytes | tuple[int, ...] | None
Node = dict[str, "Value | Node"]
_HART, _FINISHER, _PLIC = 1, 2, 3  # phandles: numbers by which one node names another


def _encode(value: Value) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode() + b"\0"
    cells = (value,) if isinstance(value, int) else value
    return struct.pack(f">{len(cells)}I", *cells)


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def flatten(tree: Node) -> bytes:
    """The flattened device tree of a root node: properties, and nodes as dicts."""
    strings = bytearray()
    offsets: dict[str, int] = {}
    out = bytearray()

    def emit(name: str, node: Node) -> None:
        out.extend(struct.pack(">I", _BEGIN) + _pad(name.encode() + b"\0"))
        for key, value in node.items():
            if isinstance(value, dict):
                continue
            if key not in offsets:
                offsets[key] = len(strings)
                strings.extend(key.encode() + b"\0")
            data = _encode(value)
            out.extend(struct.pack(">III", _PROP, len(data), offsets[key]) + _pad(data))
        for key, value in node.items():
            if isinstance(value, dict):
                emit(key, value)
        out.extend(struct.pack(">I", _END))

    emit("", tree)
    out.extend(struct.pack(">I", _FINISH))
    reserved = b"\0" * 16  # an empty memory reservation block
    structure = _HEADER + len(reserved)
    total = structure + len(out) + len(strings)
    header = struct.pack(
        ">10I", _MAGIC, total, structure, structure + len(out), _HEADER, _VERSION,
        _COMPATIBLE_VERSION, 0, len(strings), len(out),
    )  # fmt: skip
    return header + reserved + bytes(out) + bytes(strings)


def machine_tree(
    ram_size: int,
    bootargs: str = "",
    initrd: tuple[int, int] | None = None,
    slots: tuple[int, ...] = (),
    svade: bool = False,
) -> Node:
    """The tree of this machine with `ram_size` bytes of RAM.

    `initrd` is its physical start and end; `slots` are the virtio slots in use. With `svade`
    the tree says that the kernel must set A and D itself.
    """
    chosen: Node = {"bootargs": bootargs, "stdout-path": f"/soc/serial@{UART:x}"}
    if initrd is not None:
        chosen |= {"linux,initrd-start": initrd[0], "linux,initrd-end": initrd[1]}
    return {
        "#address-cells": 1,
        "#size-cells": 1,
        "compatible": "toyvmm,virt",
        "model": "toyvmm,virt",
        "chosen": chosen,
        f"memory@{RAM_BASE:x}": {"device_type": "memory", "reg": (RAM_BASE, ram_size)},
        "cpus": _cpus(extensions.FOR_KERNELS + (("svade",) if svade else ())),
        "soc": _soc(slots),
        "poweroff": _syscon("syscon-poweroff", 0x5555),
        "reboot": _syscon("syscon-reboot", 0x7777),
    }


def _cpus(names: tuple[str, ...]) -> Node:
    """The one hart, with the extensions of these names."""
    return {
        "#address-cells": 1,
        "#size-cells": 0,
        "timebase-frequency": TIMEBASE,
        "cpu@0": {
            "device_type": "cpu",
            "reg": 0,
            "status": "okay",
            "compatible": "riscv",
            "riscv,isa": extensions.joined(names),  # from before `riscv,isa-extensions`
            "riscv,isa-base": extensions.BASE,
            "riscv,isa-extensions": b"".join(name.encode() + b"\0" for name in names),
            "mmu-type": "riscv,sv32",
            "interrupt-controller": {
                "#address-cells": 0,
                "#interrupt-cells": 1,
                "interrupt-controller": None,
                "compatible": "riscv,cpu-intc",
                "phandle": _HART,
            },
        },
    }


def _soc(slots: tuple[int, ...]) -> Node:
    """The devices that have registers."""
    return {
        "#address-cells": 1,
        "#size-cells": 1,
        "compatible": "simple-bus",
        "ranges": None,
        f"test@{FINISHER:x}": {
            "compatible": b"sifive,test1\0sifive,test0\0syscon\0",
            "reg": (FINISHER, 0x1000),
            "phandle": _FINISHER,
        },
        f"serial@{UART:x}": {
            "compatible": "ns16550a",
            "reg": (UART, 0x100),
            "clock-frequency": 3_686_400,
            "interrupt-parent": _PLIC,
            "interrupts": UART_SOURCE,
        },
        f"plic@{PLIC_BASE:x}": {
            "compatible": b"sifive,plic-1.0.0\0riscv,plic0\0",
            "reg": (PLIC_BASE, plic.SIZE),
            "interrupt-controller": None,
            "#interrupt-cells": 1,
            "#address-cells": 0,
            "riscv,ndev": plic.SOURCES - 1,
            # Context 0, the hart's M level, does not exist; 1 is its S.
            "interrupts-extended": (_HART, 0xFFFF_FFFF, _HART, Irq.EXTERNAL),
            "phandle": _PLIC,
        },
        **{f"virtio_mmio@{VIRTIO + n * PAGE:x}": _virtio(n) for n in slots},
    }


def _virtio(slot: int) -> Node:
    return {
        "compatible": "virtio,mmio",
        "reg": (VIRTIO + slot * PAGE, PAGE),
        "interrupt-parent": _PLIC,
        "interrupts": slot + 1,
    }


def _syscon(kind: str, value: int) -> Node:
    """What a store of `value` to the finisher does."""
    return {"compatible": kind, "regmap": _FINISHER, "offset": 0, "value": value}
