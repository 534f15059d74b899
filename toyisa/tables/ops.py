"""Answers for the micro-ops: what the decoder makes of an instruction word.

There is one for each row of the instruction table, with the same name, and a few forms of
rows that the interpreter executes faster.  Must not know how a word is decoded (`decode.py`)
nor what an op does (`handlers.py`).

A micro-op is 64 bits.  Its fields begin at bytes, so that each can be read by one move:

     63            32 31   24 23   16 15    8 7     0
    +----------------+-------+-------+-------+-------+
    | imm, signed    |  rs2  |  rs1  |  rd   |  op   |
    +----------------+-------+-------+-------+-------+

Writes to x0 go to register `SINK`, so no op need test for x0.
"""

from collections.abc import Callable
from enum import IntEnum

from toyisa.tables.insns import INSNS, Cost, Insn

SINK = 32


def op_name(mnemonic: str) -> str:
    """The op's name in `Op`: `lr.w` is LR_W."""
    return mnemonic.upper().replace(".", "_")


# Forms of a row.  _NEAR: the target lies in the same page.  _ABS: the base register is x0, the
# only base that reaches above `s_limit`.  _CALL, _RETURN: by its registers it is a call or a
# return (unprivileged manual, 2.5.1).
_BRANCHES = [row.name for row in INSNS if row.cost is Cost.BRANCH]
_LOADS = [row.name for row in INSNS if row.cost is Cost.LOAD]
_STORES = [row.name for row in INSNS if row.cost is Cost.STORE]
NEAR, ABS, CALL, RETURN = "_NEAR", "_ABS", "_CALL", "_RETURN"
FORMS: dict[str, str] = {  # op -> the row that it is a form of
    **{op_name(name) + NEAR: name for name in (*_BRANCHES, "jal")},
    **{op_name(name) + ABS: name for name in (*_LOADS, *_STORES)},
    **{name + CALL: row for name, row in (("JAL", "jal"), ("JAL_NEAR", "jal"), ("JALR", "jalr"))},
    "JALR" + RETURN: "jalr",
}

# Pairs that compilers emit often, executed by one op: the first instruction's op becomes the
# pair's, the second keeps its own op in its place, for jumps that lead there.
PAIRS: tuple[tuple[str, str], ...] = tuple(
    (first, second)
    for first, seconds in {
        "ADDI": "ADDI ADD LW SW JALR_RETURN BNE_NEAR BEQ_NEAR BLT_NEAR BLTU_NEAR JAL JAL_NEAR",
        "ADD": "ADDI ADD LW LBU BNE_NEAR",
        "LW": "LW ADDI ADD XOR BNE_NEAR",
        "SW": "SW ADDI",
        "SLLI": "ADD SRLI",
        "SRLI": "ADDI XOR",
        "XOR": "SRLI",
        "MUL": "ADD",
        "LBU": "BNE_NEAR",
        "LW_ABS": "JAL JAL_NEAR LW_ABS",  # of translated code
    }.items()
    for second in seconds.split()
)

# Sequences that one handler executes as a whole, if their instructions use the same register.
WHOLES: dict[str, tuple[str, ...]] = {
    "LI": ("LUI", "ADDI"),
    "CHECK": ("SW_ABS", "LUI", "ADDI", "BNE_NEAR", "LW_ABS"),  # a return, in translated code
}

# What one op executes: wholes and single instructions.  Without its last instruction, each
# sequence is here as well.
SEQUENCES: tuple[tuple[str, ...], ...] = (
    *PAIRS, ("LI",), ("LI", "JAL"), ("LI", "JAL_NEAR"), ("LI", "BEQ_NEAR"),
    ("SW_ABS", "LUI"), ("SW_ABS", "LI"), ("SW_ABS", "LI", "BNE_NEAR"),
    ("CHECK",), ("CHECK", "JAL"), ("CHECK", "JAL_NEAR"),
)  # fmt: skip

# The fields of the last instruction of a sequence that must name the register that the first one
# names in `rd`, or a store in `rs2`.  `other`: its rs1 must not; `imm`: it must be as the first's.
SAME: dict[str, str] = {
    "LI": "rd rs1", "SW_ABS_LUI": "rd", "SW_ABS_LI": "rd rs1",
    "SW_ABS_LI_BNE_NEAR": "rs2 other", "CHECK": "rd imm",
}  # fmt: skip

# The rows that an op executes, if it is more than one instruction.
PARTS: dict[str, tuple[str, ...]] = {
    "_".join(names): tuple(part for name in names for part in WHOLES.get(name, (name,)))
    for names in SEQUENCES
}
MOST_PARTS = max(map(len, PARTS.values()))
_ROWS = [op_name(row.name) for row in INSNS]
Op = IntEnum("Op", ["ILLEGAL", "STOP", "NEXT", *_ROWS, *FORMS, *PARTS], start=0)

# STOP and NEXT are not instructions.  STOP ends a run where it must end; NEXT stands behind the
# last instruction of every page. Op number -> the row's name; ILLEGAL has none, a pair counts as
# its first.
ROW_OF_OP: dict[int, str] = {
    **{Op[op_name(row.name)].value: row.name for row in INSNS},
    **{Op[form].value: name for form, name in FORMS.items()},
}
ROW_OF_OP |= {Op[name].value: ROW_OF_OP[Op[parts[0]].value] for name, parts in PARTS.items()}


def between(what: str, holds: Callable[[Insn], bool], form: str = "") -> tuple[int, int]:
    """The first and the last op of the rows for which `holds`, in this form.

    Compiled code asks by two comparisons whether an op is one of them, so no other op may
    lie between; ValueError if one does.
    """
    ops = [Op[op_name(row.name) + form] for row in INSNS if holds(row)]
    if ops[-1] - ops[0] != len(ops) - 1:
        raise ValueError(f"insns.py: rows of other kinds stand between the rows that are {what}")
    return int(ops[0]), int(ops[-1])


MAX_OPS = 160
if len(Op) > MAX_OPS:
    raise ValueError(f"{len(Op)} micro-ops do not fit the {MAX_OPS} counters")
