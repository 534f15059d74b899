"""Answers for bits that wait for an address: which bits, and how they are written.

The kinds have the names of relocations in the RISC-V ELF psABI.  There is no linker, so none
of them reaches the output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from asm.errors import Fault
from asm.expr import evaluate
from toyisa.tables.fields import FIELDS, Field, lower, upper

if TYPE_CHECKING:
    from asm.frames import Spot
    from asm.section import Section
    from asm.symbols import Expr


class Kind(Enum):
    """Where in the word the value goes."""

    FIELD = "an operand field, as it is"
    DATA = "bytes of data"
    BRANCH = "a branch's offset"
    JAL = "a jump's offset"
    HI20 = "%hi: upper 20 bits, rounded"
    LO12 = "%lo: lower 12 bits"
    PCREL_HI20 = "%pcrel_hi: upper 20 bits of a distance, rounded"
    PCREL_LO12 = "%pcrel_lo: lower 12 bits of the distance at a label's auipc"
    PAIR = "an auipc and the 12 bits of the instruction after it"
    ULEB128 = "a number of variable length"
    SLEB128 = "a signed number of variable length"


@dataclass(slots=True, eq=False)
class Fixup:
    """Bits at `offset` of a section that depend on an expression.

    `field` is the operand field; for `DATA`, `size` is the number of bytes.
    """

    section: Section
    offset: int
    kind: Kind
    expr: Expr
    spot: Spot
    text: str
    field: Field | None = None
    size: int = 4
    ordinal: int = -1  # the number by which `Guesses` knows it


def apply(fixup: Fixup, uppers: Mapping[tuple[Section, int], Fixup]) -> None:
    """Write the value into its section.  Raises Fault if it does not fit.

    `uppers` are the fixups of %pcrel_hi by their place, for a %pcrel_lo's label.
    """
    if fixup.kind is Kind.DATA:
        value = evaluate(fixup.expr)
        data = fixup.section.data
        mask = (1 << 8 * fixup.size) - 1
        end = fixup.offset + fixup.size
        data[fixup.offset : end] = (value & mask).to_bytes(fixup.size, "little")
        return
    if fixup.kind in (Kind.ULEB128, Kind.SLEB128):
        _apply_leb128(fixup)
        return
    if fixup.kind is Kind.PCREL_LO12:
        value = _distance_of_label(fixup, uppers)
    else:
        value = evaluate(fixup.expr)
    pc = fixup.section.address + fixup.offset
    if fixup.kind is Kind.PAIR:
        distance = value - pc
        _or(fixup.section, fixup.offset, FIELDS["imm20"].insert(upper(distance)))
        _or(fixup.section, fixup.offset + 4, fixup.field.insert(lower(distance)))
        return
    if fixup.kind in (Kind.BRANCH, Kind.JAL):
        value = signed32(value - pc)
        if not fixup.field.fits(value):
            raise _too_far(fixup, value)
    elif fixup.kind is Kind.HI20:
        value = upper(value)
    elif fixup.kind is Kind.PCREL_HI20:
        value = upper(value - pc)
    elif fixup.kind in (Kind.LO12, Kind.PCREL_LO12):
        value = lower(value)
    _or(fixup.section, fixup.offset, insert(fixup.field, value, fixup.text))


def _apply_leb128(fixup: Fixup) -> None:
    value, signed = evaluate(fixup.expr), fixup.kind is Kind.SLEB128
    # In a later pass the value may need fewer bytes; padded to the old length it is the same
    # number.
    data = leb128(value, signed, fixup.size)
    fixup.section.data[fixup.offset : fixup.offset + len(data)] = data


def leb128(value: int, signed: bool, size: int = 1) -> bytes:
    """A number in groups of 7 bits, the lowest first ("DWARF", 7.6), in `size` bytes or more.

    Raises Fault for a negative number if the format is unsigned.
    """
    if value < 0 and not signed:
        raise Fault(f"a number below 0 in .uleb128: {value}")
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        rest = -1 if signed and low & 0x40 else 0
        if value == rest and len(out) + 1 >= size:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def insert(field: Field, value: int, text: str) -> int:
    """The bits of an operand that is written as `text`; Fault if the value does not fit."""
    if field.low < 0 and value > 0x7FFF_FFFF:
        value = signed32(value)  # 0xffffffff is -1, as everywhere on RV32
    if not field.fits(value):
        raise Fault(
            f"{shown(value)} does not fit in {_called(field)}",
            why=f"it holds {field.low} to {field.high}",
            fix="load it with `li` first" if field.name in ("imm12", "simm12") else "",
            at=text,
        )
    return field.insert(value)


def shown(value: int) -> str:
    """A number in the form that messages use."""
    return str(value) if -65536 < value < 65536 else f"{value} ({value & 0xFFFFFFFF:#x})"


def _called(field: Field) -> str:
    names = {
        "shamt": "a shift amount",
        "csr": "a CSR number",
        "zimm": "a 5-bit immediate",
        "imm20": "a 20-bit immediate",
    }
    return names.get(field.name, "a 12-bit immediate")


def signed32(value: int) -> int:
    return ((value + (1 << 31)) & 0xFFFF_FFFF) - (1 << 31)


def _or(section: Section, offset: int, bits: int) -> None:
    data = section.data
    word = int.from_bytes(data[offset : offset + 4], "little") | bits
    data[offset : offset + 4] = word.to_bytes(4, "little")


def _distance_of_label(fixup: Fixup, uppers: Mapping[tuple[Section, int], Fixup]) -> int:
    """For `%pcrel_lo(label)`: the distance of the `%pcrel_hi` at that label."""
    place = evaluate(fixup.expr)
    upper_half = uppers.get((fixup.section, place - fixup.section.address))
    if upper_half is not None:
        return evaluate(upper_half.expr) - place
    raise Fault(
        "there is no %pcrel_hi for this %pcrel_lo",
        why="it takes the label of the `auipc` that has the %pcrel_hi, in the same section",
        fix="write `1: auipc rd, %pcrel_hi(symbol)`, then `%pcrel_lo(1b)`",
        at=fixup.text,
    )


def _too_far(fixup: Fixup, distance: int) -> Fault:
    if distance & 1:
        return Fault("the target is at an odd address", at=fixup.text)
    reach = "4 KiB" if fixup.kind is Kind.BRANCH else "1 MiB"
    return Fault(
        f"`{fixup.text}` is too far: {distance:+} bytes",
        why=f"this instruction reaches {reach} either way",
        fix="use `call`, `tail` or `jump symbol, register`" if fixup.kind is Kind.JAL else "",
        at=fixup.text,
    )
