"""What is at a physical address: RAM, the console's transmitter, PLIC, the finisher.

Must not know of virtual addresses, levels or harts.
"""

from toyisa.testing.model import plic

RAM_BASE = 0x80000000
UART = range(0x10000000, 0x10001000)
FINISHER = range(0x00100000, 0x00101000)
PLIC = range(0x0C000000, 0x0C000000 + plic.SIZE)
VIRTIO = range(0x10001000, 0x10009000)
THR, IER, IIR, LSR = (UART.start + n for n in (0, 1, 2, 5))
LSR_IDLE = 0x60  # transmitter empty, no input
IER_EMPTIED = 2
IIR_NONE, IIR_EMPTIED = 0x01, 0x02
UART_SOURCE = 10
FINISHES = (0x5555, 0x3333, 0x7777)


class NotModelled(Exception):
    """A guest uses something that the machine has and the model has not."""


class Bus:
    """RAM of `size` bytes and the three devices that a lone program needs."""

    def __init__(self, size: int) -> None:
        self.ram = bytearray(size)
        self.console = bytearray()
        self.finish: int | None = None
        self.ier = 0
        self.emptied = False  # why the console interrupts, if it may
        self.plic = plic.Plic()
        self.answers = 0  # how often a device was asked
        self.reserved: int | None = None  # the word that a load-reserved has reserved

    def is_ram(self, pa: int, size: int) -> bool:
        return pa >= RAM_BASE and pa + size <= RAM_BASE + len(self.ram)

    def interrupts(self) -> bool:
        """The controller's line to the hart."""
        return self.plic.interrupts()

    def exists(self, pa: int, size: int) -> bool:
        """Whether there is anything to load or store: `size` bytes at `pa`."""
        if pa in VIRTIO or (pa in PLIC and (size != 4 or pa % 4)):
            raise NotModelled(f"the device at {pa:#x}")
        return self.is_ram(pa, size) or pa in UART or pa in FINISHER or pa in PLIC

    def load(self, pa: int, size: int) -> int:
        """The unsigned value at `pa`, which exists."""
        if self.is_ram(pa, size):
            at = pa - RAM_BASE
            return int.from_bytes(self.ram[at : at + size], "little")
        self.answers += 1
        value = self._ask(pa, size)
        self._drive()
        return value

    def store(self, pa: int, size: int, value: int) -> None:
        """Write the low `size` bytes of `value` at `pa`, which exists."""
        value &= (1 << 8 * size) - 1
        if self.reserved == pa & ~3:  # whatever stores, and the MMU's A and D too
            self.reserved = None
        if self.is_ram(pa, size):
            at = pa - RAM_BASE
            self.ram[at : at + size] = value.to_bytes(size, "little")
        else:
            self._tell(pa, size, value)
            self._drive()

    def _drive(self) -> None:
        """The console's line to the controller, after an access."""
        if self.emptied and self.ier & IER_EMPTIED:
            self.plic.drive(UART_SOURCE)

    def _ask(self, pa: int, size: int) -> int:
        if pa in PLIC:
            return self.plic.load(pa - PLIC.start)
        if size == 1 and pa == LSR:
            return LSR_IDLE
        if size == 1 and pa == IER:
            return self.ier
        if size == 1 and pa == IIR:
            if not (self.emptied and self.ier & IER_EMPTIED):
                return IIR_NONE
            self.emptied = False
            return IIR_EMPTIED
        raise NotModelled(f"a load from the device at {pa:#x}")

    def _tell(self, pa: int, size: int, value: int) -> None:
        if pa in PLIC:
            self.plic.store(pa - PLIC.start, value)
        elif pa == THR and size == 1:
            self.console.append(value & 0xFF)
            self.emptied = True
        elif pa == IER and size == 1:
            self.emptied = self.emptied or bool(value & ~self.ier & IER_EMPTIED)
            self.ier = value & 0x0F
        elif pa == FINISHER.start and value & 0xFFFF in FINISHES:
            self.finish = value
        else:
            raise NotModelled(f"a store to the device at {pa:#x}")
