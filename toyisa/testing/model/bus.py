"""What lies at a physical address: RAM, the console's transmitter, the finisher.

Must not know of virtual addresses, levels or harts.
"""

RAM_BASE = 0x80000000
UART = range(0x10000000, 0x10001000)
FINISHER = range(0x00100000, 0x00101000)
OTHERS = (range(0x0C000000, 0x0C400000), range(0x10001000, 0x10009000))  # PLIC, virtio
UART_LSR = 5
LSR_IDLE = 0x60  # transmitter empty, no input
FINISHES = (0x5555, 0x3333, 0x7777)


class NotModelled(Exception):
    """A guest reached for something that the machine has and the model has not."""


class Bus:
    """RAM of `size` bytes and the two devices that a lone program needs."""

    def __init__(self, size: int) -> None:
        self.ram = bytearray(size)
        self.console = bytearray()
        self.finish: int | None = None
        self.answers = 0  # how often a device was asked
        self.reserved: int | None = None  # the word that a load-reserved holds

    def is_ram(self, pa: int, size: int) -> bool:
        return pa >= RAM_BASE and pa + size <= RAM_BASE + len(self.ram)

    def exists(self, pa: int, size: int) -> bool:
        """Whether a load or store of `size` bytes at `pa` reaches anything."""
        if any(pa in device for device in OTHERS):
            raise NotModelled(f"the device at {pa:#x}")
        return self.is_ram(pa, size) or pa in UART or pa in FINISHER

    def load(self, pa: int, size: int) -> int:
        """The unsigned value at `pa`, which exists."""
        if self.is_ram(pa, size):
            at = pa - RAM_BASE
            return int.from_bytes(self.ram[at : at + size], "little")
        if pa != UART.start + UART_LSR or size != 1:
            raise NotModelled(f"a load from the device at {pa:#x}")
        self.answers += 1
        return LSR_IDLE

    def store(self, pa: int, size: int, value: int) -> None:
        """Write the low `size` bytes of `value` at `pa`, which exists."""
        value &= (1 << 8 * size) - 1
        if self.reserved == pa & ~3:  # whoever stores, the MMU's A and D too
            self.reserved = None
        if self.is_ram(pa, size):
            at = pa - RAM_BASE
            self.ram[at : at + size] = value.to_bytes(size, "little")
        elif pa == UART.start and size == 1:
            self.console.append(value & 0xFF)
        elif pa == FINISHER.start and value & 0xFFFF in FINISHES:
            self.finish = value
        else:
            raise NotModelled(f"a store to the device at {pa:#x}")
