"""What arithmetic instructions return, on plain ints, by mnemonic.

Pure functions: two 32-bit unsigned operands in, one out.  Must not know of harts, memory or
instruction words.
"""

from collections.abc import Callable

from toyisa.tables.insns import INSNS

M32 = 0xFFFFFFFF
INT_MIN = -(1 << 31)


def signed(value: int) -> int:
    """The 32-bit pattern `value` read as two's complement."""
    return value - (1 << 32) if value & 0x80000000 else value


def _div(a: int, b: int) -> int:
    # "Division by zero: quotient has all bits set"; overflow gives the dividend.
    if b == 0:
        return -1
    a, b = signed(a), signed(b)
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _rem(a: int, b: int) -> int:
    # "The remainder of division by zero equals the dividend"; the sign is the dividend's.
    if b == 0:
        return a
    a, b = signed(a), signed(b)
    return abs(a) % abs(b) * (1 if a >= 0 else -1)


Op = Callable[[int, int], int]

_RAW: dict[str, Op] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sll": lambda a, b: a << (b % 32),
    "slt": lambda a, b: signed(a) < signed(b),
    "sltu": lambda a, b: a < b,
    "xor": lambda a, b: a ^ b,
    "srl": lambda a, b: a >> (b % 32),
    "sra": lambda a, b: signed(a) >> (b % 32),
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: signed(a) * signed(b) >> 32,
    "mulhsu": lambda a, b: signed(a) * b >> 32,
    "mulhu": lambda a, b: a * b >> 32,
    "div": _div,
    "divu": lambda a, b: a // b if b else -1,
    "rem": _rem,
    "remu": lambda a, b: a % b if b else a,
}

_AMO: dict[str, Op] = {  # old memory word, rs2 -> new memory word
    "amoswap.w": lambda old, b: b,
    "amoadd.w": lambda old, b: old + b,
    "amoxor.w": lambda old, b: old ^ b,
    "amoand.w": lambda old, b: old & b,
    "amoor.w": lambda old, b: old | b,
    "amomin.w": lambda old, b: min(signed(old), signed(b)),
    "amomax.w": lambda old, b: max(signed(old), signed(b)),
    "amominu.w": min,
    "amomaxu.w": max,
}

TAKEN: dict[str, Op] = {
    "beq": lambda a, b: a == b,
    "bne": lambda a, b: a != b,
    "blt": lambda a, b: signed(a) < signed(b),
    "bge": lambda a, b: signed(a) >= signed(b),
    "bltu": lambda a, b: a < b,
    "bgeu": lambda a, b: a >= b,
}


def _wrap(op: Op) -> Op:
    return lambda a, b: int(op(a, b)) & M32


# Of all arithmetic instructions, those with an immediate for rs2 as well.
COMPUTE: dict[str, Op] = {
    row.name: _wrap(_RAW[row.register_form])
    for row in INSNS
    if row.arithmetic and row.register_form in _RAW
}
AMO: dict[str, Op] = {name: _wrap(op) for name, op in _AMO.items()}
