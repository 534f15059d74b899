"""Answers for what a name means: an instruction, a CSR, a cause and so on, from the tables.

Must not run anything.
"""

from collections.abc import Iterator

from asm.disasm import disassemble
from toyisa.tables import causes, csrs, insns
from toyisa.tables.bits import BITS
from toyisa.tables.insns import Hole, Insn, Sens
from vmm.explain import abi as explain_abi
from vmm.explain import asm as explain_asm

_SENSITIVE = {
    Sens.INNOCUOUS: "innocuous",
    Sens.CONTROL: "control sensitive: changes mode, mapping or resources",
    Sens.BEHAVIOUR: "behaviour sensitive: its result depends on mode or location",
    Sens.BY_CSR: "as its CSR is",
}
_LEAKY = {
    "drop": "writes are silently ignored, as POPF does on x86",
    "leak": "reads answer with the real register, as SMSW does on x86",
    "real": "the outcome depends on the real level, as VERR does on x86",
}


def explain(word: str) -> list[str]:
    """Lines on everything that is called `word`: a name, or a number; none if nothing is.

    `pte` and `ecall` may be followed by a number.
    """
    name, _, value = word.partition(" ")
    number = _number(value)
    if value:
        if number is None or not 0 <= number <= 0xFFFF_FFFF or name not in ("pte", "ecall"):
            return []
        return explain_abi.entry(number) if name == "pte" else explain_abi.ecall(number)
    found: list[str] = []
    for part in (
        *_instructions(word), *explain_asm.pseudo(word), *_csrs(word), *_causes(word),
        *explain_asm.directive(word), *explain_abi.pte_bits(word), *explain_abi.sbi(word),
    ):  # fmt: skip
        found += ["", *part] if found else part
    return found


def known() -> list[str]:
    """Every name that `explain` takes."""
    numbers = [*causes.MEANING]
    return [*insns.BY_NAME, *csrs.BY_NAME, *(causes.name(n) for n in numbers),
            *explain_asm.names(), *explain_abi.names()]  # fmt: skip


def _number(word: str) -> int | None:
    try:
        return int(word, 0)
    except ValueError:
        return None


def _instructions(word: str) -> Iterator[list[str]]:
    order = word.rpartition(".")[2]  # of an atomic instruction: `.aq`, `.rl`
    base = word.removesuffix(f".{order}") if order in ("aq", "rl", "aqrl") else word
    row = insns.BY_NAME.get(base)
    if row is not None:
        yield _insn(row)
    number = _number(word)
    if number is not None and word.startswith("0x") and len(word) == 10:
        row = insns.find(number)
        yield [f"{word} is the instruction  {disassemble(number, 0)}"] + (_insn(row) if row else [])


def _insn(row: Insn) -> list[str]:
    lines = [
        f"{row.name} {row.operands}".rstrip() + ": an instruction",
        f"  {row.meaning}",
        f"  bits         {_picture(row.bits)}",
        f"  price class  {row.cost.value}",
        f"  sensitivity  {_SENSITIVE[row.sens]}",
    ]
    if row.sens in (Sens.CONTROL, Sens.BEHAVIOUR):
        lines.append("  level        S; in U it traps as illegal")
    if row.name == "ecall":
        lines.append("  SBI          S calls the firmware by it: `toyvmm explain sbi`, or ecall 8")
    if row.hole is not Hole.NONE:
        lines.append(f"  leaky        {_LEAKY[row.hole.value]}")
    return lines


def _picture(bits: str) -> str:
    """The bits, with a space wherever another field begins, and before the opcode."""
    out = ""
    for n, bit in enumerate(bits):
        both_fixed = n and bit in "01" and bits[n - 1] in "01"
        if (n and bit != bits[n - 1] and not both_fixed) or (both_fixed and n == 25):
            out += " "
        out += bit
    return out


def _csrs(word: str) -> Iterator[list[str]]:
    row = csrs.BY_NAME.get(word) or csrs.BY_NUMBER.get(_number(word) or -1)
    if row is None:
        return
    kinds = {"C": "control sensitive", "B": "behaviour sensitive", "-": "innocuous"}
    lines = [
        f"{row.name}: CSR {row.number:#05x}",
        f"  {row.meaning}",
        f"  level        {'US'[row.level]}" + (", read only" if row.read_only else ""),
        f"  writable     {row.writable:032b}",
        f"  sensitivity  {' and '.join(kinds[letter] for letter in row.sens)}",
        f"  trapped by   s_traps.{row.group}",
    ]
    fields = {n: bits for n, bits in BITS.items() if n.startswith(f"{row.name.upper()}_")}
    for name, bits in fields.items():
        if not name.endswith("_SHIFT"):
            lines.append(f"  {bits:#010x}   {name.partition('_')[2]}")
    lines += [f"  leaky        {_LEAKY[hole]}" for hole in row.leaky.split("+") if hole in _LEAKY]
    yield lines


def _causes(word: str) -> Iterator[list[str]]:
    number = _number(word)
    for cause, meaning in causes.MEANING.items():
        if causes.name(cause) == word or cause == number:
            kind = "interrupt" if cause & causes.INTERRUPT else "exception"
            register = "deleg_int" if kind == "interrupt" else "deleg_exc"
            code = cause & ~causes.INTERRUPT
            yield [
                f"{causes.name(cause)}: {kind} {code}, scause {cause:#x}",
                f"  {meaning}",
                f"  stval        {_stval(causes.name(cause), kind)}",
                f"  delegation   bit {code} of the root record's {register}",
            ]


def _stval(name: str, kind: str) -> str:
    if kind == "interrupt" or name.startswith("ecall"):
        return "0"
    return "the instruction word" if name == "illegal" else "the address"
