"""Answers for what the arithmetic instructions compute.

Pure functions: the registers' values are numbers 0 .. 2**32-1, and so is the result.  The
interpreter compiles this text, and people read it.  Must not know registers.
Source: RISC-V unprivileged manual, chapters 2.4 and 13.
"""

from toyisa.compiled.njit import njit

MASK = 0xFFFFFFFF
SIGN = 0x80000000


@njit
def signed(a):
    """`a` as a two's-complement number."""
    return (a ^ SIGN) - SIGN


@njit
def sext8(a):
    """The low byte, sign-extended to 32 bits."""
    return ((a ^ 0x80) - 0x80) & MASK


@njit
def sext16(a):
    """The low half-word, sign-extended to 32 bits."""
    return ((a ^ 0x8000) - 0x8000) & MASK


@njit
def add(a, b):
    return (a + b) & MASK


@njit
def sub(a, b):
    return (a - b) & MASK


@njit
def xor(a, b):
    return a ^ b


@njit
def or_(a, b):
    return a | b


@njit
def and_(a, b):
    return a & b


@njit
def sll(a, b):
    return (a << (b & 31)) & MASK


@njit
def srl(a, b):
    return (a & MASK) >> (b & 31)


@njit
def sra(a, b):
    return (signed(a) >> (b & 31)) & MASK


@njit
def slt(a, b):
    return 1 if signed(a) < signed(b) else 0


@njit
def sltu(a, b):
    return 1 if a < b else 0


# The conditions of branches, besides `slt` and `sltu`.


@njit
def eq(a, b):
    return 1 if a == b else 0


@njit
def ne(a, b):
    return 1 if a != b else 0


@njit
def ge(a, b):
    return 1 if signed(a) >= signed(b) else 0


@njit
def geu(a, b):
    return 1 if a >= b else 0


@njit
def mul(a, b):
    return (signed(a) * signed(b)) & MASK


@njit
def mulh(a, b):
    return ((signed(a) * signed(b)) >> 32) & MASK


@njit
def mulhsu(a, b):
    return ((signed(a) * b) >> 32) & MASK


@njit
def mulhu(a, b):
    # signed(x) is x - 2**32 if x's top bit is set.  So the signed product lacks 2**32 * b if
    # that is so for a, and 2**32 * a if it is so for b: they are added to the upper half.
    # Every product fits in 64 signed bits.
    high = (signed(a) * signed(b)) >> 32
    return (high + (b if a & SIGN else 0) + (a if b & SIGN else 0)) & MASK


@njit
def div(a, b):
    """ "The quotient of division by zero has all bits set"; overflow gives a."""
    if b == 0:
        return MASK
    p, q = abs(signed(a)), abs(signed(b))
    return (p // q if (a ^ b) & SIGN == 0 else -(p // q)) & MASK


@njit
def divu(a, b):
    return a // b if b != 0 else MASK


@njit
def rem(a, b):
    """ "The remainder of division by zero equals the dividend"; its sign is a's."""
    if b == 0:
        return a
    p, q = abs(signed(a)), abs(signed(b))
    return (-(p % q) if a & SIGN else p % q) & MASK


@njit
def remu(a, b):
    return a % b if b != 0 else a


# What an atomic memory operation stores, given the old word and rs2.


@njit
def amo_min(a, b):
    return a if signed(a) < signed(b) else b


@njit
def amo_max(a, b):
    return a if signed(a) > signed(b) else b


@njit
def amo_minu(a, b):
    return min(a, b)


@njit
def amo_maxu(a, b):
    return max(a, b)
