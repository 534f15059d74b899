"""The monitor: guests in virtual machines, and the command `toyvmm`.

    from vmm import Host, Machine, VirtualMachine, assemble, compare

Names are imported only when they are asked for: the command must start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asm import assemble
    from toyisa.machine import Machine
    from vmm.comparison.api import compare
    from vmm.hosting.host import Host
    from vmm.machine import VirtualMachine

_FROM = {
    "Host": "vmm.hosting.host",
    "Machine": "toyisa.machine",
    "VirtualMachine": "vmm.machine",
    "assemble": "asm",
    "compare": "vmm.comparison.api",
}
__all__ = ["Host", "Machine", "VirtualMachine", "assemble", "compare"]


def __getattr__(name: str) -> object:
    if name in _FROM:
        return getattr(import_module(_FROM[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
