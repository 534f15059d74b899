"""Answers for how large the patch is that makes a kernel paravirtual.

It is counted in the source: the kernel's uses of the operations, and the lines of the two
files that define them.  Must not know hypercalls.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import guests
from asm.assembler import Object, assemble
from toyisa.tables.insns import Sens, find

# Barham et al. 2003, table 1: the port of Linux, its lines and their share.
XEN_LINES, XEN_SHARE = 2995, 1.36

OPERATIONS = "include/pvops.inc"
PATCH = ("include/pvops_pv.inc", "include/hypercalls.inc")
MACRO = re.compile(r"^\.macro (\w+)", re.MULTILINE)
USE = re.compile(r"\s*(?:\w+:)?\s*([A-Z][A-Z_]+)\b")


@dataclass(frozen=True)
class Stats:
    """Counts of lines; comments and empty lines do not count."""

    source: int        # lines of the kernel as it runs bare, with what it includes
    patch: int         # lines of the operations by hypercalls, and of the kernel's that only
    #                    the patched build has
    replaced: int      # lines of the native operations, which it does not need
    sites: dict[str, int]  # uses of each operation in the kernel's source
    sensitive: int     # instructions in the native text that a monitor must see
    left: int          # of those in the patched text, which the monitor leaves to S by design
    calls: int         # ecalls in the patched text

    @property
    def share(self) -> float:
        """The patch in percent of the source."""
        return 100 * self.patch / self.source


def measure(source: Path) -> Stats:
    """The figures of the kernel whose main file is `source`; AsmErrors, ValueError."""
    native = _build(source, "")
    patched = _build(source, "pv")
    names = set(MACRO.findall(guests.path(OPERATIONS).read_text(encoding="utf-8")))
    files = {path: lines for path, lines in native.files.items() if not _is(path, OPERATIONS)}
    operations = [lines for path, lines in native.files.items() if _is(path, OPERATIONS)]
    if not operations:
        raise ValueError(f"{source.name} does not include {OPERATIONS}: it has no patched build")
    added = [ls for path, ls in patched.files.items() if any(_is(path, name) for name in PATCH)]
    sites: dict[str, int] = {}
    for lines in files.values():
        for line in lines:
            found = USE.match(line)
            if found and found[1] in names:
                sites[found[1]] = sites.get(found[1], 0) + 1
    before, after = _sensitive(native), _sensitive(patched)
    return Stats(
        source=sum(map(_count, (*files.values(), *operations))),
        patch=sum(map(_count, added)) + _only_patched(native, patched),
        replaced=sum(map(_count, operations)),
        sites=dict(sorted(sites.items())),
        sensitive=sum(before.values()),
        left=sum(times for name, times in after.items() if name != "ecall"),
        calls=after.get("ecall", 0),
    )


def _build(source: Path, build: str) -> Object:
    return assemble(source, include_dirs=guests.include_dirs(source), defines=guests.BUILDS[build])


def _is(path: str, name: str) -> bool:
    return Path(path).as_posix().endswith(name)


def _count(lines: list[str]) -> int:
    return sum(1 for line in lines if line.split("#")[0].strip())


def _only_patched(native: Object, patched: Object) -> int:
    """Lines that make code in the patched build alone, outside the files of operations."""
    lines = {(line.path, line.number) for line in patched.lines}
    lines -= {(line.path, line.number) for line in native.lines}
    return sum(1 for path, _ in lines if not any(_is(path, n) for n in (OPERATIONS, *PATCH)))


def _sensitive(program: Object) -> dict[str, int]:
    """Sensitive instructions and ecalls in a program's text, by name."""
    found: dict[str, int] = {}
    for section in program.sections:
        if section.name != ".text":
            continue
        for at in range(0, len(section.data) & ~3, 4):
            row = find(int.from_bytes(section.data[at : at + 4], "little"))
            if row and (row.sens is not Sens.INNOCUOUS or row.name == "ecall"):
                found[row.name] = found.get(row.name, 0) + 1
    return found
