"""The monitor: guests in virtual machines, and the command `toyvmm`.

    from vmm import VirtualMachine

Imports nothing until it is asked for: the command must start fast.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vmm.machine import VirtualMachine

__all__ = ["VirtualMachine"]


def __getattr__(name: str) -> object:
    if name == "VirtualMachine":
        from vmm.machine import VirtualMachine

        return VirtualMachine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
