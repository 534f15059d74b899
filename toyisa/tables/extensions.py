"""Answers for the extensions of the ISA: which this machine has, and their names elsewhere.

The rows of `insns.py` and `csrs.py` say to which extension they belong.  This table has what
the manuals say of each extension: its version, what it is a part of, which instructions it has.
Device tree, ELF files, the options of compilers and the assembler's checks are made from it.

Columns
  name     as in the rows; in the order of an ISA string
  version  the ratified one; - if no tool knows the name, so that no ISA string has it
  part of  another extension, with which the machine has this one as well
  whole    the instructions that make it complete; * if the existing rows do.  If the machine
           has only some of them, no kernel and no compiler is told of the extension
"""

from collections.abc import Iterable
from dataclasses import dataclass

from toyisa.tables.csrs import CSRS
from toyisa.tables.insns import BY_NAME, INSNS

TABLE = """
# name       version part of whole
I            2.1     -       *
M            2.0     -       *
A            2.1     -       *
Zicntr       2.0     -       *
Zicsr        2.0     -       *
Zifencei     2.0     -       *
Zihintpause  2.0     I       *
Zmmul        1.0     M       *
Zaamo        1.0     A       *
Zalrsc       1.0     A       *
Zba          1.0     -       sh1add sh2add sh3add
Zbb          1.0     -       andn orn xnor clz ctz cpop max maxu min minu sext.b sext.h zext.h rol ror rori orc.b rev8
Zbs          1.0     -       bclr bclri bext bexti binv binvi bset bseti
Zicond       1.0     -       czero.eqz czero.nez
Sstc         1.0     -       *
S            -       -       *
Xprobe       -       -       *
"""

WIDTH = "rv32"
EF_RISCV_RVC = 1  # e_flags: there are compressed instructions ("File Header" of the psABI)


@dataclass(frozen=True)
class Extension:
    """One row of the table."""

    name: str
    version: str
    part_of: str
    whole: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether other tools know it by this name."""
        return self.version != "-"


def _parse(line: str) -> Extension:
    name, version, part_of, *whole = line.split()
    return Extension(name, version, part_of, () if whole == ["*"] else tuple(whole))


EXTENSIONS: tuple[Extension, ...] = tuple(
    _parse(line) for line in TABLE.splitlines() if line and not line.startswith("#")
)
NAMES = frozenset(extension.name for extension in EXTENSIONS)
IN_CODE = frozenset(row.ext for row in INSNS)  # what programs may use
NAMED = IN_CODE | {row.ext for row in CSRS}  # every extension that has a row

for _row in (*INSNS, *CSRS):
    if _row.ext not in NAMES:
        raise ValueError(f"{_row.name} is of {_row.ext}, which extensions.py does not list")


def is_whole(extension: Extension) -> bool:
    """Whether all of its instructions are rows, and rows of it."""
    return all(n in BY_NAME and BY_NAME[n].ext == extension.name for n in extension.whole)


# The extensions in each list, in the order of an ISA string, if other tools know them.
_CODE = tuple(e for e in EXTENSIONS if e.known and e.name in IN_CODE)
_WHOLE = tuple(e for e in EXTENSIONS if e.known and e.name in NAMED and is_whole(e))


def joined(names: Iterable[str], width: str = WIDTH) -> str:
    """An ISA string: single letters together, then names: `rv32ima_zicsr`."""
    names = tuple(names)
    letters = "".join(name for name in names if len(name) == 1)
    return "_".join((width + letters, *(name for name in names if len(name) > 1)))


# What a kernel may rely on: the base for a device tree's `riscv,isa-base`, and all names.
BASE = WIDTH + EXTENSIONS[0].name.lower()
FOR_KERNELS: tuple[str, ...] = tuple(e.name.lower() for e in _WHOLE)

# What a compiler is told by -march, which may then use any instruction of them.
MARCH = joined(e.name.lower() for e in _CODE if is_whole(e))
LETTERS = joined(e.name.lower() for e in _CODE if is_whole(e) and len(e.name) == 1)

# What another assembler needs to know all of our instructions, and another emulator to do
# what this machine does; an ELF file's attribute, "the target architecture of this object".
FOR_ASSEMBLERS = joined(e.name.lower() for e in _CODE)
FOR_EMULATORS = joined(e.name.lower() for e in EXTENSIONS if e.known and e.name in NAMED)
ATTRIBUTE = WIDTH + "_".join(e.name.lower() + e.version.replace(".", "p") for e in _CODE)
ELF_FLAGS = EF_RISCV_RVC if "C" in IN_CODE else 0

# What a source may ask for: the extensions here, and their parts.
ACCEPTED = frozenset(
    e.name.lower() for e in EXTENSIONS if e.known and (e.name in NAMED or e.part_of in NAMED)
)
