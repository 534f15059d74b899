"""Answers for what an engine is told that keeps code of its own making: what it depends on changed.

Noted as it happens, read by the engine before it next enters the guest.  Must not know
what is done about it.
"""

from toyisa.compiled.njit import njit
from vmm.domain.vcpu import CHANGES

# Kinds of change, with what changed: a table entry's index, or the gpa of a word of code.
CODE_CHANGED, TABLE_CHANGED, ROOT_CHANGED = 0, 1 << 40, 2 << 40


@njit
def note_change(vm, what):
    """A change that translated code may depend on; more than CHANGES cannot be told apart."""
    if vm.masks:
        vm.changed[min(vm.changes, CHANGES - 1)] = what
        vm.changes += 1
