"""Answers for what a word would be on a machine that has more than ours.

It is for people whose guest ends with an illegal instruction.  `insns.py` and `csrs.py` say
what this machine has.  Must not know how the word came to be executed.
"""

from toyisa.tables import csrs, extensions
from toyisa.tables.fields import FUNCT3, OPCODE, OPCODES, csr_of, rs1_of
from toyisa.tables.insns import Cost, find

RV64 = {OPCODES["OP_IMM_32"], OPCODES["OP_32"]}
FLOAT = {
    OPCODES[name] for name in ("LOAD_FP", "STORE_FP", "MADD", "MSUB", "NMSUB", "NMADD", "OP_FP")
}
DOUBLES = {OPCODES[name] for name in ("LOAD", "STORE", "AMO")}  # 64-bit ones if funct3 is 3
VECTOR_MEMORY = {OPCODES["LOAD_FP"], OPCODES["STORE_FP"]}
VECTOR_WIDTHS = {0, 5, 6, 7}  # of loads and stores; F and D have 1 to 4
WHOLE = {
    0x30200073: "`mret` returns from M mode, and this machine starts kernels in S: use `sret`",
    0x00200073: "`uret` belongs to the N extension, which this machine lacks",
    0x7B200073: "`dret` returns from debug mode, which this machine lacks",
}
M_CSRS = {
    0x300: "mstatus", 0x301: "misa", 0x302: "medeleg", 0x303: "mideleg", 0x304: "mie",
    0x305: "mtvec", 0x306: "mcounteren", 0x30A: "menvcfg", 0x310: "mstatush", 0x31A: "menvcfgh",
    0x320: "mcountinhibit", 0x340: "mscratch", 0x341: "mepc", 0x342: "mcause", 0x343: "mtval",
    0x344: "mip", 0xB00: "mcycle", 0xB02: "minstret", 0xB80: "mcycleh", 0xB82: "minstreth",
    0xF11: "mvendorid", 0xF12: "marchid", 0xF13: "mimpid", 0xF14: "mhartid", 0xF15: "mconfigptr",
}  # fmt: skip
M_CSRS |= {0x3A0 + n: f"pmpcfg{n}" for n in range(16)}
M_CSRS |= {0x3B0 + n: f"pmpaddr{n}" for n in range(64)}
FLOAT_CSRS = {1: "fflags", 2: "frm", 3: "fcsr"}
BUILD = f"build with -march={extensions.LETTERS}"
INSTEAD = {"mhartid": "the hart's number is in a0 at the start"}


def explain(word: int) -> str | None:
    """Why `word` is illegal here, with its name and the fix; None if that is not because it is
    lacking.
    """
    opcode, width = OPCODE.extract(word), FUNCT3.extract(word)
    row = find(word)
    if row is not None:
        return _csr(csr_of(word), word) if row.cost is Cost.CSR else None
    if word == 0:
        return "the word is 0: it ran into memory that holds no code"
    if word & 3 != 3:
        return _extension("a compressed instruction", "C")
    if word in WHOLE:
        return WHOLE[word]
    if opcode == OPCODES["OP_V"] or (opcode in VECTOR_MEMORY and width in VECTOR_WIDTHS):
        return _extension("a vector instruction", "V")
    if opcode in FLOAT:
        return _extension("a floating-point instruction", "F or D")
    if opcode in RV64 or (opcode in DOUBLES and width == 3) or (
        opcode == OPCODES["LOAD"] and width == 6
    ):
        return f"it is an RV64 instruction, the machine has 32 bits; {BUILD}"
    if opcode in (OPCODES["OP_IMM"], OPCODES["OP"]):
        return _extension("an instruction of another extension", "Zba, Zbb, Zbs or the like")
    if opcode == OPCODES["MISC_MEM"] and width == 2:
        return _extension("a cache-block instruction", "Zicbom")
    if opcode == OPCODES["SYSTEM"]:
        return "it is a system instruction that this machine lacks"
    return None


def _extension(what: str, name: str) -> str:
    return f"it is {what} ({name}), which this machine lacks; {BUILD}"


def _csr(number: int, word: int) -> str | None:
    """Why an access to CSR `number` is illegal; None if only privilege is missing."""
    if number in csrs.BY_NUMBER:
        row = csrs.BY_NUMBER[number]
        writes = find(word).name.startswith("csrrw") or rs1_of(word) != 0
        return f"it writes `{row.name}`, which is read-only" if row.read_only and writes else None
    if number in FLOAT_CSRS:
        return _extension(f"an access to `{FLOAT_CSRS[number]}`", "F")
    level = number >> 8 & 3
    if level == 3:
        name = M_CSRS.get(number, f"{number:#x}")
        instead = INSTEAD.get(name, "the firmware below it is built in (SBI)")
        return f"`{name}` is an M-mode CSR, and this machine starts kernels in S: {instead}"
    if level == 2:
        return f"CSR {number:#x} belongs to the H extension, which this machine lacks"
    return f"there is no CSR {number:#x} on this machine (docs/isa.md lists them)"
