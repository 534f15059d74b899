"""Answers for instruction statements: real ones, pseudo ones, and those that need a choice.

Which instructions a pseudo-instruction becomes follows GNU `as` for RV32 without
compression and linker relaxation.  Must not know directives.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from asm.encode import FORMS, encode
from asm.errors import Fault, did_you_mean
from asm.expr import parse
from asm.fixups import Kind
from asm.operands import constant, is_register, register
from asm.pseudo import PSEUDO, WITH_IMMEDIATE, WORDS
from asm.unit import Unit
from toyisa.tables.fields import FIELDS, lower, upper
from toyisa.tables.insns import INSNS, Cost

_BASED = re.compile(r".*\([^()]*\)\s*\Z", re.S)
LOADS = {row.name for row in INSNS if row.cost is Cost.LOAD}
STORES = {row.name for row in INSNS if row.cost is Cost.STORE}
_RD, _RS1 = FIELDS["rd"], FIELDS["rs1"]


def instruction(unit: Unit, name: str, texts: list[str]) -> None:
    """Emit the instructions that the statement stands for.  Raises Fault."""
    chosen = _CHOOSING.get(name)
    if chosen is not None and chosen(unit, name, texts):
        return
    if name in WITH_IMMEDIATE and texts and not is_register(texts[-1]) and len(texts) > 1:
        name = WITH_IMMEDIATE[name]
    form = FORMS.get(name)
    if form is not None and len(texts) == form.count:
        encode(form, texts, unit)
        return
    steps = PSEUDO.get((name, len(texts)))
    if steps is not None:
        for real, picks in steps:
            encode(real, [texts[p] if isinstance(p, int) else p for p in picks], unit)
    elif name in WORDS and not texts:
        unit.word(unit.code(), WORDS[name])
    elif form is not None:
        encode(form, texts, unit)  # this reports the wrong number of operands
    else:
        raise _unknown(name, texts, unit)


def _li(unit: Unit, name: str, texts: list[str]) -> bool:
    """`li rd, constant`: addi, lui, or both, as few as possible."""
    _count(name, texts, 2, "rd, constant")
    _load_constant(unit, texts[0], constant(texts[1], unit, "`li`"))
    return True


def _load_constant(unit: Unit, rd: str, value: int) -> None:
    if -2048 <= value < 2048:
        encode(FORMS["addi"], [rd, "x0", str(value)], unit)
        return
    encode(FORMS["lui"], [rd, str(upper(value))], unit)
    if lower(value):
        encode(FORMS["addi"], [rd, rd, str(lower(value))], unit)


def _la(unit: Unit, name: str, texts: list[str]) -> bool:
    """`la rd, symbol`: auipc and addi; a constant is loaded as by `li`."""
    _count(name, texts, 2, "rd, symbol")
    value = parse(texts[1], unit)
    if isinstance(value, int):
        _load_constant(unit, texts[0], constant(texts[1], unit, "`la`"))
        return True
    rd = register(texts[0])
    _pair(unit, texts[1], rd, FORMS["addi"].match | _RD.insert(rd) | _RS1.insert(rd))
    return True


def _call(unit: Unit, name: str, texts: list[str]) -> bool:
    """`call [rd,] symbol`, `tail symbol`, `jump symbol, rt`: auipc and jalr."""
    if name == "jump":
        _count(name, texts, 2, "symbol, register")
        target, via, link = texts[0], register(texts[1]), 0
    elif name == "tail":
        _count(name, texts, 1, "symbol")
        target, via, link = texts[0], 6, 0
    else:
        if len(texts) not in (1, 2):
            _count(name, texts, 1, "symbol")
        target = texts[-1]
        # If the link register is given, the address goes through t1, as in `tail`.
        via, link = (6, register(texts[0])) if len(texts) == 2 else (1, 1)
    target = target.removesuffix("@plt")
    _pair(unit, target, via, FORMS["jalr"].match | _RD.insert(link) | _RS1.insert(via))
    return True


def _load(unit: Unit, name: str, texts: list[str]) -> bool:
    """`lw rd, symbol`: auipc rd and a load from rd."""
    if len(texts) != 2 or _BASED.match(texts[1]) or texts[1].startswith("%"):
        return False
    rd = register(texts[0])
    _no_constant(unit, name, texts[1])
    _pair(unit, texts[1], rd, FORMS[name].match | _RD.insert(rd) | _RS1.insert(rd))
    return True


def _store(unit: Unit, name: str, texts: list[str]) -> bool:
    """`sw rs, symbol, rt`: auipc rt and a store to rt."""
    if len(texts) == 2 and not _BASED.match(texts[1]) and not texts[1].startswith("%"):
        raise Fault(
            f"`{name}` to a symbol takes a register for its address",
            fix=f"write `{name} {texts[0]}, {texts[1]}, t0`, which changes t0",
            at=texts[1],
        )
    if len(texts) != 3:
        return False
    rs, temporary = register(texts[0]), register(texts[2])
    _no_constant(unit, name, texts[1])
    word = FORMS[name].match | FIELDS["rs2"].insert(rs) | _RS1.insert(temporary)
    _pair(unit, texts[1], temporary, word, "simm12")
    return True


def _jump_register(unit: Unit, name: str, texts: list[str]) -> bool:
    """The forms of `jalr` and `jr`: `jr rs`, `jr 4(rs)`, `jalr rd, rs, 4` ..."""
    texts = list(texts)
    link = "x0" if name == "jr" else "x1"
    if name == "jalr" and (len(texts) == 3 or (len(texts) == 2 and _is_target(texts[1]))):
        link = texts.pop(0)
    if len(texts) == 2:
        texts = [f"{texts[1]}({texts[0]})"]
    _count(name, texts, 1, "register" if name == "jr" else "rd, offset(register)")
    target = texts[0] if _BASED.match(texts[0]) else f"0({texts[0]})"
    encode(FORMS["jalr"], [link, target], unit)
    return True


def _is_target(text: str) -> bool:
    return (
        is_register(text)
        or ("%" not in text[:1] and bool(_BASED.match(text)))
        or (text[:1] == "%" and text.count("(") > 1)
    )


def _pair(unit: Unit, text: str, register_: int, second: int, field: str = "imm12") -> None:
    """An auipc into a register, and the word that adds the lower bits of the distance."""
    offset = unit.code()
    if is_register(text):
        raise Fault("expected a symbol, not a register", at=text)
    unit.fix(Kind.PAIR, parse(text, unit), text, FIELDS[field])
    unit.word(offset, FORMS["auipc"].match | _RD.insert(register_))
    unit.word(offset + 4, second)


def _no_constant(unit: Unit, name: str, text: str) -> None:
    if isinstance(parse(text, unit), int):
        raise Fault(
            f"`{name}` takes offset(register) or a symbol, not a plain number",
            fix=f"write `{text}(zero)` for that address",
            at=text,
        )


def _count(name: str, texts: list[str], count: int, syntax: str) -> None:
    if len(texts) != count:
        noun = "operand" if count == 1 else "operands"
        raise Fault(
            f"`{name}` takes {count} {noun}, not {len(texts)}",
            fix=f"its syntax is `{name} {syntax}`",
        )


_CHOOSING: dict[str, Callable[[Unit, str, list[str]], bool]] = {
    "li": _li,
    "la": _la,
    "lla": _la,
    "call": _call,
    "tail": _call,
    "jump": _call,
    "jr": _jump_register,
    "jalr": _jump_register,
    **dict.fromkeys(LOADS, _load),
    **dict.fromkeys(STORES, _store),
}

MNEMONICS = {*FORMS, *_CHOOSING, *WORDS, *(name for name, _ in PSEUDO)}

# Instructions that other machines have and this one lacks, so that the error names the reason.
_LACKING = (
    (re.compile(r"c\.\w+"), "this machine has no compressed instructions"),
    (re.compile(r"f(\w+\.[a-z0-9.]+|[ls][wdhq]|[rs](csr|rm|flags)|s(rm|flags)i)"),
     "this machine has no floating point"),
    (re.compile(r"(ld|sd|lwu|\w+w|\w+\.d(\.\w+)?)"), "this machine is 32 bits wide"),
    (re.compile(r"mret|uret|dret|hfence.*|mnret"), "this machine has no such privilege level"),
)


def _unknown(name: str, texts: list[str], unit: Unit) -> Fault:
    counts = sorted(count for known, count in PSEUDO if known == name)
    if counts:
        takes = " or ".join(str(count) for count in counts)
        return Fault(f"`{name}` takes {takes} operands, not {len(texts)}")
    near = did_you_mean(name.lower(), {*MNEMONICS, *unit.macros})
    why = next((why for pattern, why in _LACKING if pattern.fullmatch(name)), "")
    return Fault(f"unknown instruction `{name}`", why=why, fix="" if why else near, at=name)
