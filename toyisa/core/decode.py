"""Answers for instruction words as micro-ops, and which of them are fused into one.

The instruction table drives it.  Must not know what an op does, nor where decoded pages are
kept (`decodepool.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.memory import WORDS
from toyisa.tables.fields import FUNCT3, FUNCT3_AT, OPCODE, OPCODES, RD_AT, REG, RS1_AT, RS2_AT
from toyisa.tables.insns import INSNS
from toyisa.tables.ops import ABS, CALL, MOST_PARTS, NEAR, PARTS, RETURN, SAME, SINK, Op, op_name

# How an op's operands are found in a word: which registers it has, which immediate.
_RD, _RS1, _RS2 = 1, 2, 4
_IMMEDIATES = ("none", "imm12", "simm12", "branch", "jump", "imm20", "shamt", "csr")


def _shape(row) -> int:
    """Operand shape of a row: register bits, and above them the number of the immediate."""
    names = [field.name for field in row.fields]
    regs = (_RD if "rd" in names else 0) | (_RS1 if "rs1" in names else 0)
    regs |= _RS2 if "rs2" in names else 0
    kinds = [_IMMEDIATES.index(name) for name in names if name in _IMMEDIATES]
    return regs | (kinds[0] if kinds else 0) << 3


# Rows sorted into buckets by opcode (without its two 1 bits) and funct3; a row
# without funct3 is in all eight of its opcode.
_BUCKETS: list[list[int]] = [[] for _ in range(256)]
for _n, _row in enumerate(INSNS):
    for _f3 in range(8):
        if not (_row.match ^ FUNCT3.insert(_f3)) & _row.mask & FUNCT3.mask:
            _BUCKETS[_row.opcode >> 2 << 3 | _f3].append(_n)

_ORDER = [n for bucket in _BUCKETS for n in bucket]
_FIRST = np.cumsum([0] + [len(bucket) for bucket in _BUCKETS])
_MATCH = np.array([INSNS[n].match for n in _ORDER], np.int64)
_MASK = np.array([INSNS[n].mask for n in _ORDER], np.int64)
_OP = np.array([Op[op_name(INSNS[n].name)] for n in _ORDER], np.int64)
_SHAPE = np.array([_shape(INSNS[n]) for n in _ORDER], np.int64)


def _forms(suffix: str) -> np.ndarray:
    """By op: its form with this suffix, or 0."""
    return np.array([Op.__members__.get(op.name + suffix, 0) for op in Op], np.int64)


_NEAR, _ABS, _CALL, _RETURN = map(_forms, (NEAR, ABS, CALL, RETURN))

# The op of a fused one's first instruction, or the op itself; an op and one more, fused, or 0.
_FIRST_OF = np.arange(len(Op), dtype=np.int64)
_FUSED = np.zeros((len(Op), len(Op)), np.int64)
_NAMES = {parts: name for name, parts in PARTS.items()}
for _parts, _name in _NAMES.items():
    _before = _NAMES.get(_parts[:-1], _parts[0])
    _FIRST_OF[Op[_name]] = Op[_parts[0]]
    _FUSED[Op[_before], Op[_parts[-1]]] = Op[_name]

# Which of the last instruction's fields must be the same as the first one's: `ops.SAME`
_SAME = np.zeros(len(Op), np.int64)
_FIELDS = {"rd": 1, "rs1": 2, "rs2": 4, "other": 8, "imm": 16}
for _name, _fields in SAME.items():
    _SAME[Op[_name]] = sum(_FIELDS[field] for field in _fields.split())

_OPCODE, _SYSTEM = OPCODE.mask, OPCODES["SYSTEM"]


@njit
def _sext(value, bits):
    sign = 1 << (bits - 1)
    return (value ^ sign) - sign


@njit
def _immediate(word, kind):
    """The immediate of a word, sign-extended; `kind` counts `_IMMEDIATES`."""
    if kind == 1:
        return _sext(word >> 20, 12)
    if kind == 2:
        return _sext((word >> 25) << 5 | (word >> 7 & 31), 12)
    if kind == 3:
        low = (word >> 7 & 1) << 11 | (word >> 25 & 63) << 5 | (word >> 8 & 15) << 1
        return _sext((word >> 31) << 12 | low, 13)
    if kind == 4:
        low = (word >> 12 & 255) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 1023) << 1
        return _sext((word >> 31) << 20 | low, 21)
    if kind == 5:
        return _sext(word & 0xFFFFF000, 32)
    if kind == 6:
        return word >> 20 & 31
    if kind == 7:
        return word >> 20
    return 0


@njit
def _links(register):
    """Whether it is x1 or x5: the manual's hints say that a jump with them calls or returns."""
    return register == 1 or register == 5


@njit
def decode(word, place):
    """The micro-op of `word`, which is instruction number `place` of its page.

    The CSR instructions with an immediate keep it in rs1, as the word does.
    """
    op = np.int64(Op.ILLEGAL)
    shape = np.int64(0)
    if word & 3 == 3:
        bucket = (word >> 2 & 31) << 3 | (word >> FUNCT3_AT & 7)
        for n in range(_FIRST[bucket], _FIRST[bucket + 1]):
            if word & _MASK[n] == _MATCH[n]:
                op = _OP[n]
                shape = _SHAPE[n]
                break
    rd = word >> RD_AT & REG if shape & _RD else 0
    rs1 = word >> RS1_AT & REG if shape & _RS1 or word & _OPCODE == _SYSTEM else 0
    rs2 = word >> RS2_AT & REG if shape & _RS2 else 0
    imm = _immediate(word, shape >> 3)
    if _NEAR[op] and imm & 3 == 0 and 0 <= place + (imm >> 2) < WORDS:
        op = _NEAR[op]
    elif _ABS[op] and rs1 == 0:
        op = _ABS[op]
    if _CALL[op] and _links(rd):
        op = _CALL[op]
    elif _RETURN[op] and rd == 0 and _links(rs1):
        op = _RETURN[op]
    if rd == 0:
        rd = SINK
    return imm << 32 | rs2 << 24 | rs1 << 16 | rd << 8 | op


@njit
def _agree(first, last, same):
    """Whether `last`, the newest of a sequence, fits its first micro-op as `same` asks."""
    if same == 0:
        return True
    rd, rs1 = last >> 8 & 0xFF, last >> 16 & 0xFF
    register = first >> 8 & 0xFF
    if register == SINK:  # a store
        register = first >> 24 & 0xFF
    return (
        (same & 1 == 0 or rd == register) and (same & 2 == 0 or rs1 == register)
        and (same & 4 == 0 or last >> 24 & 0xFF == register)
        and (same & 8 == 0 or rs1 != register)
        and (same & 16 == 0 or last >> 32 == first >> 32)
    )  # fmt: skip


@njit
def fuse(pool, base, first, last):
    """Make the ops from `first` to `last` of the slot at `base`, and those before them, run as
    many of the following instructions too as they can.  What follows a page is fused with none.
    """
    for i in range(max(first - (MOST_PARTS - 1), base), last + 1):
        op = _FIRST_OF[pool.uops[i] & 0xFF]
        for further in range(1, MOST_PARTS):
            longer = _FUSED[op, _FIRST_OF[pool.uops[i + further] & 0xFF]]
            if longer == 0 or not _agree(pool.uops[i], pool.uops[i + further], _SAME[longer]):
                break
            op = longer
        pool.uops[i] = pool.uops[i] & ~0xFF | op


@njit
def part(pool, i):
    """Make the op at `i` run its own instruction only; return the micro-op that was there."""
    uop = pool.uops[i]
    pool.uops[i] = uop & ~0xFF | _FIRST_OF[uop & 0xFF]
    return uop


@njit
def first_op(uop):
    """The op of the instruction itself, for an op that may execute others too."""
    return _FIRST_OF[uop & 0xFF]
