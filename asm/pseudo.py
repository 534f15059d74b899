"""Answers for pseudo-instructions: GNU `as`'s names for instructions of the table.

A row is one line: name, operands, and what it stands for; `$n` is operand n. Those that need
addresses, or choose by value, are functions in `expand.py`.
"""

from asm.encode import FORMS, Form
from toyisa.tables.insns import BY_NAME, INSNS

TABLE = """
nop             | addi x0,x0,0
ret             | jalr x0,0(x1)
unimp           | csrrw x0,cycle,x0
fence           | fence iorw,iorw
scall           | ecall
sbreak          | ebreak
mv      rd,rs   | addi $1,$2,0
move    rd,rs   | addi $1,$2,0
not     rd,rs   | xori $1,$2,-1
neg     rd,rs   | sub $1,x0,$2
seqz    rd,rs   | sltiu $1,$2,1
snez    rd,rs   | sltu $1,x0,$2
sltz    rd,rs   | slt $1,$2,x0
sgtz    rd,rs   | slt $1,x0,$2
sgt     rd,rs,rt | slt $1,$3,$2
sgtu    rd,rs,rt | sltu $1,$3,$2
sext.b  rd,rs   | slli $1,$2,24 ; srai $1,$1,24
sext.h  rd,rs   | slli $1,$2,16 ; srai $1,$1,16
zext.b  rd,rs   | andi $1,$2,255
zext.h  rd,rs   | slli $1,$2,16 ; srli $1,$1,16
beqz    rs,to   | beq $1,x0,$2
bnez    rs,to   | bne $1,x0,$2
blez    rs,to   | bge x0,$1,$2
bgez    rs,to   | bge $1,x0,$2
bltz    rs,to   | blt $1,x0,$2
bgtz    rs,to   | blt x0,$1,$2
bgt     rs,rt,to | blt $2,$1,$3
ble     rs,rt,to | bge $2,$1,$3
bgtu    rs,rt,to | bltu $2,$1,$3
bleu    rs,rt,to | bgeu $2,$1,$3
j       to      | jal x0,$1
jal     to      | jal x1,$1
csrr    rd,csr  | csrrs $1,$2,x0
csrw    csr,rs  | csrrw x0,$1,$2
csrs    csr,rs  | csrrs x0,$1,$2
csrc    csr,rs  | csrrc x0,$1,$2
csrwi   csr,imm | csrrwi x0,$1,$2
csrsi   csr,imm | csrrsi x0,$1,$2
csrci   csr,imm | csrrci x0,$1,$2
rdcycle    rd   | csrrs $1,cycle,x0
rdcycleh   rd   | csrrs $1,cycleh,x0
rdtime     rd   | csrrs $1,time,x0
rdtimeh    rd   | csrrs $1,timeh,x0
rdinstret  rd   | csrrs $1,instret,x0
rdinstreth rd   | csrrs $1,instreth,x0
sfence.vma      | sfence.vma x0,x0
sfence.vma rs   | sfence.vma $1,x0
"""

# These are whole words: hints in bits that the machine ignores, so the table has no row for them.
_FENCE = BY_NAME["fence"]
_READ, _WRITE = 2, 1  # of a fence's sets
_RW = _READ | _WRITE
_TSO = 0b1000 << 28  # its field fm
WORDS = {"fence.tso": _TSO | _FENCE.encode(_RW, _RW), "pause": _FENCE.encode(_WRITE, 0)}

# With an immediate as last operand these mean another instruction.
WITH_IMMEDIATE = {row.register_form: row.name for row in INSNS if row.register_form != row.name} | {
    "csrw": "csrwi", "csrs": "csrsi", "csrc": "csrci",
}  # fmt: skip

# An operand of an expansion: the number of the pseudo-instruction's operand, or a text.
Step = tuple[Form, tuple[int | str, ...]]


def _parse(line: str) -> tuple[tuple[str, int], tuple[Step, ...]]:
    head, _, tail = line.partition("|")
    name, *operands = head.split()
    count = len(operands[0].split(",")) if operands else 0
    steps = []
    for text in tail.split(";"):
        real, *arguments = text.split()
        parts = arguments[0].split(",") if arguments else []
        picks = tuple(int(part[1:]) - 1 if part[0] == "$" else part for part in parts)
        steps.append((FORMS[real], picks))
    return (name, count), tuple(steps)


# (name, number of operands) -> the instructions it stands for.
PSEUDO: dict[tuple[str, int], tuple[Step, ...]] = dict(
    _parse(line) for line in TABLE.splitlines() if line
)
