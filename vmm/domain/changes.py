"""Answers for changes that matter to an engine with code of its own making.

They are recorded when they happen, and the engine reads them before it next enters the guest.
Must not know what is done about them.
"""

from toyisa.compiled.njit import njit
from vmm.domain.record import CHANGES
from vmm.domain.requests import Trait

# Kinds of changes, with what has changed: a table entry's index, or the gpa of a word of code.
CODE_CHANGED, TABLE_CHANGED, ROOT_CHANGED = 0, 1 << 40, 2 << 40


@njit
def note_change(vm, what):
    """Record a change on which translated code may depend; after CHANGES, everything may have
    changed.
    """
    if vm.traits & Trait.TRANSLATES:
        vm.changed[min(vm.changes, CHANGES - 1)] = what
        vm.changes += 1
