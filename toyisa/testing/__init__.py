"""Answers for property tests of instruction sets and kernels: strategies, comparison.

It needs hypothesis, which toyvmm itself does not: `pip install toyvmm[test]`.  All strategies
use the instruction and CSR tables, so that a new row is covered automatically.  How to use
it: docs/howto/property-tests.md.

    from hypothesis import given
    from toyisa.testing import assert_same, programs
"""

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as error:
    raise ImportError("toyisa.testing needs hypothesis: pip install hypothesis") from error

from toyisa.testing.compare import assert_same, lockstep, state_of
from toyisa.testing.images import elf_images, write_elf
from toyisa.testing.kernels import Kernel, kernels
from toyisa.testing.modelled import Modelled
from toyisa.testing.programs import SCRATCH_REG, Program, instructions, programs
from toyisa.testing.report import Divergence, shrink_report
from toyisa.testing.states import MachineState, machine_states, page_tables

__all__ = [
    "SCRATCH_REG",
    "Divergence",
    "Kernel",
    "MachineState",
    "Modelled",
    "Program",
    "assert_same",
    "elf_images",
    "instructions",
    "kernels",
    "lockstep",
    "machine_states",
    "page_tables",
    "programs",
    "shrink_report",
    "state_of",
    "write_elf",
]
