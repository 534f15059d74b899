"""The instruction table: the only place that says which instructions exist.

A row is one line that a person can proof-read against the manual.  Assembler,
disassembler, decoder, reference docs, the guests' include files and the
Hypothesis strategies all read it; none of them keeps a list of its own.  What
an instruction *does* is not said here (`handlers.py`), nor how it is
written to a pseudo-instruction (`asm/pseudo.py`).

Columns
  name         the mnemonic
  operands     GNU `as` syntax over the field names of `fields.py`; `-` for none
  bits         31 down to 0: 0 and 1 fixed, letters are operand fields
               (d rd, s rs1, t rs2, i immediate, h shamt, c csr, z zimm, p pred,
               q succ), a and l the aq and rl bits, `.` ignored by the machine
  class        the price class of `cost.toml`; what has one class is handled alike
  ext          the extension it belongs to (`extensions.py`); S: the privileged manual
  sens         Popek and Goldberg, as the machine's `strict` profile has it:
                 -   innocuous
                 C   control sensitive: changes mode, mapping or resources; perhaps B, too
                 B   behaviour sensitive: its result depends on mode or location
                 csr as its CSR says (`csrs.py`)
               On `strict` each C and B row is privileged: it traps below the
               level that it needs.  `toyvmm classify` measures it.
  leaky        what the `leaky` profile does in deprivileged S instead of
               trapping: `drop`, `leak`, `real`, or `-` for the same as strict
  meaning      one line
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from keyword import iskeyword

from toyisa.tables.fields import AQ, FIELDS, FUNCT3, LETTERS, OPCODE, RL, Field


class Cost(Enum):
    """Price classes of instructions; `cost.toml` prices each."""

    ALU = "alu"
    MUL = "mul"
    DIV = "div"
    LOAD = "load"
    STORE = "store"
    BRANCH = "branch"
    JUMP = "jump"
    ATOMIC = "atomic"
    CSR = "csr"
    FENCE = "fence"
    SYSTEM = "system"
    SRET = "sret"


IN_MEMORY = frozenset({Cost.LOAD, Cost.STORE, Cost.ATOMIC})


class Sens(Enum):
    """Sensitivity after Popek and Goldberg, 1974."""

    INNOCUOUS = "-"
    CONTROL = "C"
    BEHAVIOUR = "B"
    BY_CSR = "csr"


class Hole(Enum):
    """How the `leaky` profile fails to trap: the three classes of x86's holes."""

    NONE = "-"
    DROP = "drop"  # (i)   a write is silently ignored, as by POPF
    LEAK = "leak"  # (ii)  a read returns the real state, as by SMSW, SIDT, STR
    REAL = "real"  # (iii) the result depends on the real level, as for VERR, LAR


TABLE = """
# name     operands        31                             0             class  ext      sens leaky meaning
lui        rd,imm20        iiiiiiiiiiiiiiiiiiii ddddd 0110111           alu    I        -    -     rd = imm20 << 12
auipc      rd,imm20        iiiiiiiiiiiiiiiiiiii ddddd 0010111           alu    I        -    -     rd = pc + (imm20 << 12)
jal        rd,jump         iiiiiiiiiiiiiiiiiiii ddddd 1101111           jump   I        -    -     rd = pc + 4; pc = target
jalr       rd,imm12(rs1)   iiiiiiiiiiii sssss 000 ddddd 1100111         jump   I        -    -     rd = pc + 4; pc = (rs1 + imm12) & ~1
beq        rs1,rs2,branch  iiiiiii ttttt sssss 000 iiiii 1100011        branch I        -    -     if rs1 == rs2: pc = target
bne        rs1,rs2,branch  iiiiiii ttttt sssss 001 iiiii 1100011        branch I        -    -     if rs1 != rs2: pc = target
blt        rs1,rs2,branch  iiiiiii ttttt sssss 100 iiiii 1100011        branch I        -    -     if rs1 < rs2, signed: pc = target
bge        rs1,rs2,branch  iiiiiii ttttt sssss 101 iiiii 1100011        branch I        -    -     if rs1 >= rs2, signed: pc = target
bltu       rs1,rs2,branch  iiiiiii ttttt sssss 110 iiiii 1100011        branch I        -    -     if rs1 < rs2, unsigned: pc = target
bgeu       rs1,rs2,branch  iiiiiii ttttt sssss 111 iiiii 1100011        branch I        -    -     if rs1 >= rs2, unsigned: pc = target
lb         rd,imm12(rs1)   iiiiiiiiiiii sssss 000 ddddd 0000011         load   I        -    -     rd = sext(mem8[rs1 + imm12])
lh         rd,imm12(rs1)   iiiiiiiiiiii sssss 001 ddddd 0000011         load   I        -    -     rd = sext(mem16[rs1 + imm12])
lw         rd,imm12(rs1)   iiiiiiiiiiii sssss 010 ddddd 0000011         load   I        -    -     rd = mem32[rs1 + imm12]
lbu        rd,imm12(rs1)   iiiiiiiiiiii sssss 100 ddddd 0000011         load   I        -    -     rd = mem8[rs1 + imm12]
lhu        rd,imm12(rs1)   iiiiiiiiiiii sssss 101 ddddd 0000011         load   I        -    -     rd = mem16[rs1 + imm12]
sb         rs2,simm12(rs1) iiiiiii ttttt sssss 000 iiiii 0100011        store  I        -    -     mem8[rs1 + simm12] = rs2
sh         rs2,simm12(rs1) iiiiiii ttttt sssss 001 iiiii 0100011        store  I        -    -     mem16[rs1 + simm12] = rs2
sw         rs2,simm12(rs1) iiiiiii ttttt sssss 010 iiiii 0100011        store  I        -    -     mem32[rs1 + simm12] = rs2
addi       rd,rs1,imm12    iiiiiiiiiiii sssss 000 ddddd 0010011         alu    I        -    -     rd = rs1 + imm12
slti       rd,rs1,imm12    iiiiiiiiiiii sssss 010 ddddd 0010011         alu    I        -    -     rd = rs1 < imm12, signed
sltiu      rd,rs1,imm12    iiiiiiiiiiii sssss 011 ddddd 0010011         alu    I        -    -     rd = rs1 < imm12, unsigned
xori       rd,rs1,imm12    iiiiiiiiiiii sssss 100 ddddd 0010011         alu    I        -    -     rd = rs1 ^ imm12
ori        rd,rs1,imm12    iiiiiiiiiiii sssss 110 ddddd 0010011         alu    I        -    -     rd = rs1 | imm12
andi       rd,rs1,imm12    iiiiiiiiiiii sssss 111 ddddd 0010011         alu    I        -    -     rd = rs1 & imm12
slli       rd,rs1,shamt    0000000 hhhhh sssss 001 ddddd 0010011        alu    I        -    -     rd = rs1 << shamt
srli       rd,rs1,shamt    0000000 hhhhh sssss 101 ddddd 0010011        alu    I        -    -     rd = rs1 >> shamt, zeros in
srai       rd,rs1,shamt    0100000 hhhhh sssss 101 ddddd 0010011        alu    I        -    -     rd = rs1 >> shamt, sign in
add        rd,rs1,rs2      0000000 ttttt sssss 000 ddddd 0110011        alu    I        -    -     rd = rs1 + rs2
sub        rd,rs1,rs2      0100000 ttttt sssss 000 ddddd 0110011        alu    I        -    -     rd = rs1 - rs2
sll        rd,rs1,rs2      0000000 ttttt sssss 001 ddddd 0110011        alu    I        -    -     rd = rs1 << (rs2 & 31)
slt        rd,rs1,rs2      0000000 ttttt sssss 010 ddddd 0110011        alu    I        -    -     rd = rs1 < rs2, signed
sltu       rd,rs1,rs2      0000000 ttttt sssss 011 ddddd 0110011        alu    I        -    -     rd = rs1 < rs2, unsigned
xor        rd,rs1,rs2      0000000 ttttt sssss 100 ddddd 0110011        alu    I        -    -     rd = rs1 ^ rs2
srl        rd,rs1,rs2      0000000 ttttt sssss 101 ddddd 0110011        alu    I        -    -     rd = rs1 >> (rs2 & 31), zeros in
sra        rd,rs1,rs2      0100000 ttttt sssss 101 ddddd 0110011        alu    I        -    -     rd = rs1 >> (rs2 & 31), sign in
or         rd,rs1,rs2      0000000 ttttt sssss 110 ddddd 0110011        alu    I        -    -     rd = rs1 | rs2
and        rd,rs1,rs2      0000000 ttttt sssss 111 ddddd 0110011        alu    I        -    -     rd = rs1 & rs2
fence      pred,succ       .... pppp qqqq ..... 000 ..... 0001111       fence  I        -    -     order earlier accesses in pred before later ones in succ
fence.i    -               ............ ..... 001 ..... 0001111         fence  Zifencei -    -     later fetches see earlier stores
ecall      -               000000000000 00000 000 00000 1110011         system I        -    -     trap: environment call from this level
ebreak     -               000000000001 00000 000 00000 1110011         system I        -    -     trap: breakpoint
csrrw      rd,csr,rs1      cccccccccccc sssss 001 ddddd 1110011         csr    Zicsr    csr  -     rd = csr; csr = rs1 (not read if rd is x0)
csrrs      rd,csr,rs1      cccccccccccc sssss 010 ddddd 1110011         csr    Zicsr    csr  -     rd = csr; csr |= rs1 (not written if rs1 is x0)
csrrc      rd,csr,rs1      cccccccccccc sssss 011 ddddd 1110011         csr    Zicsr    csr  -     rd = csr; csr &= ~rs1 (not written if rs1 is x0)
csrrwi     rd,csr,zimm     cccccccccccc zzzzz 101 ddddd 1110011         csr    Zicsr    csr  -     rd = csr; csr = zimm (not read if rd is x0)
csrrsi     rd,csr,zimm     cccccccccccc zzzzz 110 ddddd 1110011         csr    Zicsr    csr  -     rd = csr; csr |= zimm (not written if zimm is 0)
csrrci     rd,csr,zimm     cccccccccccc zzzzz 111 ddddd 1110011         csr    Zicsr    csr  -     rd = csr; csr &= ~zimm (not written if zimm is 0)
mul        rd,rs1,rs2      0000001 ttttt sssss 000 ddddd 0110011        mul    M        -    -     rd = low half of rs1 * rs2
mulh       rd,rs1,rs2      0000001 ttttt sssss 001 ddddd 0110011        mul    M        -    -     rd = high half of rs1 * rs2, both signed
mulhsu     rd,rs1,rs2      0000001 ttttt sssss 010 ddddd 0110011        mul    M        -    -     rd = high half of rs1 * rs2, rs1 signed
mulhu      rd,rs1,rs2      0000001 ttttt sssss 011 ddddd 0110011        mul    M        -    -     rd = high half of rs1 * rs2, both unsigned
div        rd,rs1,rs2      0000001 ttttt sssss 100 ddddd 0110011        div    M        -    -     rd = rs1 / rs2, signed, towards zero
divu       rd,rs1,rs2      0000001 ttttt sssss 101 ddddd 0110011        div    M        -    -     rd = rs1 / rs2, unsigned
rem        rd,rs1,rs2      0000001 ttttt sssss 110 ddddd 0110011        div    M        -    -     rd = rs1 % rs2, signed, sign of rs1
remu       rd,rs1,rs2      0000001 ttttt sssss 111 ddddd 0110011        div    M        -    -     rd = rs1 % rs2, unsigned
lr.w       rd,(rs1)        00010 a l 00000 sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; reserve the word
sc.w       rd,rs2,(rs1)    00011 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     if reserved: mem32[rs1] = rs2, rd = 0; else rd = 1
amoswap.w  rd,rs2,(rs1)    00001 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = rs2
amoadd.w   rd,rs2,(rs1)    00000 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = rd + rs2
amoxor.w   rd,rs2,(rs1)    00100 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = rd ^ rs2
amoand.w   rd,rs2,(rs1)    01100 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = rd & rs2
amoor.w    rd,rs2,(rs1)    01000 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = rd | rs2
amomin.w   rd,rs2,(rs1)    10000 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = min(rd, rs2), signed
amomax.w   rd,rs2,(rs1)    10100 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = max(rd, rs2), signed
amominu.w  rd,rs2,(rs1)    11000 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = min(rd, rs2), unsigned
amomaxu.w  rd,rs2,(rs1)    11100 a l ttttt sssss 010 ddddd 0101111      atomic A        -    -     rd = mem32[rs1]; mem32[rs1] = max(rd, rs2), unsigned
sret       -               000100000010 00000 000 00000 1110011         sret   S        C    -     return from a trap taken in S: pc = sepc, level = SPP
wfi        -               000100000101 00000 000 00000 1110011         system S        C    -     wait until an interrupt is pending and enabled
sfence.vma rs1,rs2         0001001 ttttt sssss 000 00000 1110011        system S        C    -     later translations of address rs1 in space rs2 see earlier table stores
probe.r    rd,rs1          000000000000 sssss 000 ddddd 0001011         system Xprobe   B    real  rd = 1 if this level may load a byte at rs1, else 0
probe.w    rd,rs1          000000000000 sssss 001 ddddd 0001011         system Xprobe   B    real  rd = 1 if this level may store a byte at rs1, else 0
"""


@dataclass(frozen=True)
class Insn:
    """One row of the table.

    `match` and `mask` say which words are this instruction: `word & mask == match`.  `fields`
    are its operand fields in the order of the syntax.  `ordered` says that it has aq and rl
    bits (suffixes `.aq`, `.rl`, `.aqrl`).
    """

    name: str
    operands: str
    bits: str
    cost: Cost
    ext: str
    sens: Sens
    hole: Hole
    meaning: str

    @cached_property
    def match(self) -> int:
        return int("".join("1" if bit == "1" else "0" for bit in self.bits), 2)

    @cached_property
    def mask(self) -> int:
        return int("".join("1" if bit in "01" else "0" for bit in self.bits), 2)

    @cached_property
    def ignored(self) -> int:
        """The bits that the machine ignores and the assembler writes as 0."""
        return int("".join("1" if bit == "." else "0" for bit in self.bits), 2)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        names = re.findall(r"[a-z]+[0-9]*", self.operands)
        return tuple(FIELDS[name] for name in names)

    @property
    def ordered(self) -> bool:
        return "a" in self.bits

    @property
    def opcode(self) -> int:
        return self.match & OPCODE.mask

    @property
    def funct3(self) -> int:
        return FUNCT3.extract(self.match)

    @property
    def size(self) -> int:
        """The bytes of memory that it reads or writes; 0 if it does neither.

        "Loads and stores ... size is encoded in the funct3 field"; the same holds for
        atomics.
        """
        return 1 << (self.funct3 & 3) if self.cost in IN_MEMORY else 0

    @property
    def widens(self) -> bool:
        """Whether a load fills the bits above its value with the value's sign."""
        return self.cost is Cost.LOAD and self.size < 4 and not self.funct3 & 4

    @property
    def arithmetic(self) -> bool:
        """Whether it writes to rd what it computes of rs1, and of rs2 or an immediate."""
        named = {field.name for field in self.fields}
        return self.cost in (Cost.ALU, Cost.MUL, Cost.DIV) and {"rd", "rs1"} <= named

    @cached_property
    def register_form(self) -> str:
        """The name less the `i` of an immediate operand: `add` of `addi`, `sltu` of `sltiu`."""
        if not any(field.name in ("imm12", "shamt", "zimm") for field in self.fields):
            return self.name
        head, _, tail = self.name.rpartition("i")
        return head + tail

    @property
    def function(self) -> str:
        """The function of `alu.py` that says what an arithmetic instruction computes."""
        name = self.register_form.replace(".", "_")
        return f"{name}_" if iskeyword(name) else name

    def encode(self, *values: int, aq: int = 0, rl: int = 0) -> int:
        """The word for operand `values`, given in the order of the syntax."""
        word = self.match | (AQ.insert(aq) | RL.insert(rl) if self.ordered else 0)
        for field, value in zip(self.fields, values, strict=True):
            word |= field.insert(value)
        return word

    def operand_values(self, word: int) -> tuple[int, ...]:
        """The operand values in `word`, in the order of the syntax."""
        return tuple(field.extract(word) for field in self.fields)


_PICTURE = re.compile(rf"((?:[01.a-z]+ )+?)\s*({'|'.join(cost.value for cost in Cost)})\s+")


def _parse(line: str) -> Insn:
    """Parse one line of the table; the bit picture is checked against the operands."""
    name, operands, rest = line.split(None, 2)
    match = _PICTURE.match(rest)
    if match is None:
        raise ValueError(f"{name}: no bit picture and class in {rest!r}")
    bits = match[1].replace(" ", "")
    ext, sens, hole, meaning = rest[match.end() :].split(None, 3)
    row = Insn(
        name, "" if operands == "-" else operands, bits, Cost(match[2]), ext, Sens(sens),
        Hole(hole), meaning,
    )  # fmt: skip
    if len(bits) != 32:
        raise ValueError(f"{name}: the bit picture has {len(bits)} bits, not 32")
    drawn = {LETTERS.get(letter, "imm") for letter in bits if letter not in "01.al"}
    named = {field.name if field.name in LETTERS.values() else "imm" for field in row.fields}
    if drawn != named:
        raise ValueError(f"{name}: the bit picture draws {drawn}, the operands name {named}")
    return row


INSNS: tuple[Insn, ...] = tuple(
    _parse(line) for line in TABLE.splitlines() if line and not line.startswith("#")
)
BY_NAME: dict[str, Insn] = {row.name: row for row in INSNS}

for _i, _a in enumerate(INSNS):  # no word may belong to two rows
    for _b in INSNS[_i + 1 :]:
        if not (_a.match ^ _b.match) & _a.mask & _b.mask:
            raise ValueError(f"{_a.name} and {_b.name} overlap")

_BY_OPCODE: dict[int, tuple[Insn, ...]] = {}
for _row in INSNS:
    _BY_OPCODE[_row.opcode] = (*_BY_OPCODE.get(_row.opcode, ()), _row)


def find(word: int) -> Insn | None:
    """The row to which `word` belongs, or None if it is illegal."""
    for row in _BY_OPCODE.get(word & OPCODE.mask, ()):
        if word & row.mask == row.match:
            return row
    return None
