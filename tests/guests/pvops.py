"""Answers for the contract at the head of `pvops.inc`, read from its own table.

Must not know what an operation's expansion is.
"""

import re
from dataclasses import dataclass
from functools import cache

import guests

SETS = {
    "-": (),
    "t0": ("t0",),
    "sbi": ("a0", "a1", "a6", "a7"),
    "hyp": ("a0", "a1", "a6", "a7", "t0", "t1"),
    "all": (),  # it does not come back, or with every register loaded
}
ANSWERS = {"CONSOLE_GETC": {"a0"}}  # registers that return a result
ROW = re.compile(r"#   ([A-Z_]+(?:, [A-Z_]+)?)((?: \w+(?:, \w+)*)?) +(-|t0|sbi|hyp|all)(?: {2,}|$)")
MACRO = re.compile(r"^\.macro (\w+)(.*)$((?:\n.*)*?)\n\.endm$", re.MULTILINE)


@dataclass(frozen=True)
class Operation:
    """A row: the registers it may change, and its operands as the row names them."""

    name: str
    operands: tuple[str, ...]
    clobbers: tuple[str, ...]


def source() -> str:
    """The text of `pvops.inc`."""
    return guests.path("include/pvops.inc").read_text()


@cache
def operations() -> dict[str, Operation]:
    """The rows of the table, by name."""
    found = {}
    for line in source().splitlines():
        if match := ROW.match(line):
            names, operands, clobbers = match.groups()
            first, *others = names.split(", ")
            # `USER_ACCESS_BEGIN, _END`: the second is the first with another ending.
            stem = first.rpartition("_")[0]
            for name in [first, *(stem + o if o.startswith("_") else o for o in others)]:
                found[name] = Operation(
                    name, tuple(operands.replace(",", " ").split()), SETS[clobbers]
                )
    return found


def macros() -> set[str]:
    """The names of the macros that the file defines."""
    return {match[1] for match in MACRO.finditer(source())}


def emptied() -> str:
    """The file again, with operations that do nothing."""
    return MACRO.sub(r".macro \1\2\n.endm", source())


def faked(operation: str, instead: str) -> str:
    """The file again, but `operation` does something else: the text `instead`."""

    def fake(match: re.Match[str]) -> str:
        name, operands, _ = match.groups()
        return f".macro {name}{operands}\n{instead}\n.endm" if name == operation else match[0]

    assert operation in macros()
    return MACRO.sub(fake, source())


DEFERRING = {
    "LAZY_ENTER": """
    sw      zero, deferred, t0""",
    "LAZY_LEAVE": """
    la      t1, deferred_entries
95: lw      t0, deferred
    addi    t0, t0, -1
    sw      t0, deferred, a0
    bltz    t0, 96f
    lw      a0, 0(t1)
    lw      a1, 4(t1)
    sw      a1, 0(a0)
    addi    t1, t1, 8
    j       95b
96:""",
    "SET_PTE": """
    lw      t0, deferred
    bltz    t0, 95f
    slli    t1, t0, 3
    addi    t0, t0, 1
    sw      t0, deferred, a6
    la      t0, deferred_entries
    add     t1, t0, t1
    sw      \\val, 4(t1)
    sw      \\addr, 0(t1)
    j       96f
95: sw      \\val, 0(\\addr)
96:""",
}
DEFERRED = """
    .data
    .balign 4
deferred:                               # entries in the queue; -1: do it at once
    .word   -1
    .bss
    .balign 4
deferred_entries:
    .space  8 * 2048
    .text
"""


def deferring() -> str:
    """The file again, but between LAZY_ENTER and LAZY_LEAVE, SET_PTE only queues.

    A kernel that reads back what it has set, or frees what it has unmapped, fails.
    """

    def defer(match: re.Match[str]) -> str:
        name, operands, body = match.groups()
        return f".macro {name}{operands}{DEFERRING.get(name, body)}\n.endm"

    return MACRO.sub(defer, source()) + DEFERRED


def poisoned() -> str:
    """The file again, but each operation changes every register that it may change.

    A hypercall would do that; the native expansion changes less.  A kernel that relies on the
    difference fails.
    """

    def poison(match: re.Match[str]) -> str:
        name, operands, body = match.groups()
        lost = [r for r in operations()[name].clobbers if r not in ANSWERS.get(name, ())]
        rubbish = "".join(f"\n    li {r}, 0x{0xBAD00000 + i:x}" for i, r in enumerate(lost))
        return f".macro {name}{operands}{body}{rubbish}\n.endm"

    return MACRO.sub(poison, source())
