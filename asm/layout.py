"""Answers for where sections lie, and for the values that depend on that.

Must not know statements, nor the file format.
"""

from __future__ import annotations

from asm.errors import MAX_ERRORS, Fault, Problem, file_error
from asm.expr import Undefined
from asm.fixups import Fixup, apply
from asm.section import Section
from asm.unit import Unit

# The order in memory, with `.text.*` after `.text` and so on; other sections follow.
ORDER = (".text", ".rodata", ".srodata", ".data", ".sdata", ".sbss", ".bss")
MIN_ALIGN = 16  # every section starts on a multiple of this, so words in it can be aligned
PAGE = 4096


def place(unit: Unit, base: int, page_align: bool = False) -> list[Section]:
    """Give every section its address; return the loaded ones, in order."""
    loaded = sorted((section for section in unit.sections.values() if section.loaded), key=_rank)
    address, flags = base, None
    for section in loaded:
        align = max(section.align, MIN_ALIGN)
        if page_align and flags is not None and flags != section.flags and section.size:
            align = max(align, PAGE)
        if section.size:
            flags = section.flags
        address = -(-address // align) * align
        section.address = address
        address += section.size
        if address > 1 << 32:
            raise file_error(
                unit.main, f"{section.name} does not fit below 4 GiB: it ends at {address:#x}"
            )
    for section in unit.sections.values():
        if section.address is None:
            section.address = 0
    return loaded


def _rank(section: Section) -> int:
    family = "." + section.name[1:].partition(".")[0]
    if section.name == family or section.name.startswith(family + "."):
        return ORDER.index(family) if family in ORDER else len(ORDER)
    return len(ORDER)


def resolve(unit: Unit) -> None:
    """Write every fixup.  Raises AsmErrors for those that do not fit."""
    for at, fixup in enumerate(_by_section(unit), 1):
        try:
            apply(fixup, unit.uppers)
            if not at & 1023:
                unit.budget.look()
        except Fault as fault:
            _report(unit, fixup, fault)
            if fault.fatal:
                unit.check()
        except Undefined as error:  # a definition that leads back to itself
            name = error.symbol.name
            _report(unit, fixup, Fault(f"`{name}` is defined by means of itself", at=name))
    unit.problems.sort(key=lambda problem: (problem.place.path, problem.place.line))
    del unit.problems[MAX_ERRORS:]
    unit.check()


def _by_section(unit: Unit) -> list[Fixup]:
    """The fixups of the program's sections, one section's after the other's."""
    rank = {section: number for number, section in enumerate(unit.sections.values())}
    return sorted((f for f in unit.fixups if f.section in rank), key=lambda f: rank[f.section])


def _report(unit: Unit, fixup: Fixup, fault: Fault) -> None:
    at = fault.at or fixup.text
    problem = Problem(fixup.spot.place(), fault.what, fault.why, fault.fix, at)
    unit.problems.append(problem)
