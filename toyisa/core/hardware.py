"""Answers for the hardware of one machine as Python holds it: a hart, memory, RAM, decoded code.

Whatever runs on it, a bare guest or a monitor, every machine has one, as `machine.host`.
Must not know how it is run.
"""

from toyisa.core.memory import new_memory
from toyisa.core.state import new_hart


class Hardware:
    """A hart at reset and `ram_size` zeroed bytes, a multiple of the page size.

    `hart`, `memory` and `pool` are records (`HART`, `MEMORY`, `POOL`), `ram` is bytes.  The
    records hold one another's addresses: who keeps one of them keeps the hardware.  `large` is
    as for `new_ram`.
    """

    def __init__(self, ram_size: int, large: bool | None = None):
        self.hart = new_hart()
        self.memory, self.ram, pools = new_memory(ram_size, large)
        self.pool = pools[0]
