"""Sources with a few random changes, as people make them by writing, mistyping and pasting.

Must not know what assembles them.
"""

import random
import re
from pathlib import Path

import guests

# Small sources with many things that an assembler can stumble over; GNU `as` accepts each
# unchanged.
SNIPPETS = (
    """
_start: li a0, 10
loop:   addi a0, a0, -1   # count down
        bnez a0, loop
        la a1, text; lw a2, 0(a1)
        ecall
        .data
text:   .asciz "hello, \\"world\\"\\n\\x41\\101\\t"
        .balign 4
words:  .word 1, 0x10, 0b11, 017, 'a', '\\n', -1, text, words+4
""",
    """
        .equ SIZE, 16
        .macro push reg, at=0
        sw \\reg, \\at(sp)
        .endm
        .text
        .globl _start
_start: addi sp, sp, -SIZE
        push ra, 12
        push s0
1:      beqz a0, 2f
        j 1b
2:      .rept 3
        nop
        .endr
        .if SIZE > 8
        lui a0, %hi(buffer)
        addi a0, a0, %lo(buffer)
        .else
        .err
        .endif
        ret
        .bss
buffer: .space SIZE
""",
    """
        .section .rodata
table:  .half 1, 2, end - table, 'x'
        .byte -1, 255, 0x7f, (3+4)*2, 1<<3|1
end:    .string "a", "b"
        .align 3
        .dword 0x123456789abcdef0, -2
        .fill 3, 2, 0xabcd
        .uleb128 300
        .sleb128 -3
        .text
_start: auipc a0, %pcrel_hi(table)
        jalr x0, 8(a0)
        csrrw t0, sstatus, t1
        csrwi satp, 0
        fence rw, w
        amoadd.w.aq a0, a1, (a2)
        .irp r, a0, a1, t2
        mv \\r, x0
        .endr
        .irpc d, 123
        .byte \\d, \\d
        .endr
        .byte 0, 0
        call _start
        tail _start
""",
    """
        .data
        .octa 5
        .2byte 1
        .4byte 2
        .8byte 3
        .zero 3
        .org 48
        .set x, 5
        .word x
        .set x, x+1
        .word x
        .type x, @object
        .size x, 4
        .comm common, 8, 4
        .text
_start: .cfi_startproc
        lw a0, common
        sw a0, common, t0
        .cfi_endproc
        .pushsection .data
        .word 7
        .popsection
        .option push
        .option norelax
        .option pop
        li a0, 0x12345678
        sext.b a1, a0
        .p2align 4,,15
        not a0, a0
""",
)
EMPTY = (
    ".data", ".bss", ".text", ".section .rodata", '.section .text.init,"ax"', ".data\n.balign 8",
    ".pushsection .data\n.popsection", ".bss\nempty_{}:", ".section .rodata\n.align 3", ".previous",
    '.section .x{},"a"', '.section .note.GNU-stack,"",@progbits', ".section .debug_x{}",
)  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.$'\\])\d+(?![\w.$bf])")


def sources() -> list[Path]:
    """The repository's own programs, as further material."""
    return sorted(guest.source for guest in guests.catalogue().values())


def mutant(source: str, rng: random.Random, most: int = 6) -> str:
    """The source with some changes."""
    for _ in range(rng.randint(1, most)):
        source = rng.choice(CHANGES)(source, rng)
    return source


def _at_line(change):
    def apply(source: str, rng: random.Random) -> str:
        lines = source.split("\n")
        at = rng.randrange(len(lines))
        lines[at : at + 1] = change(lines[at], rng).split("\n")
        return "\n".join(lines)

    return apply


def _case(line: str, rng: random.Random) -> str:
    words = re.findall(r"[\w.]+", line)
    if not words:
        return line
    word = rng.choice(words[:2])
    return line.replace(word, rng.choice([word.upper(), word.title(), word.swapcase()]), 1)


def _empty(line: str, rng: random.Random) -> str:
    switch = rng.choice(EMPTY).format(rng.randrange(3))
    return f"{line}\n{switch}" + ("\n.text" if rng.random() < 0.5 else "")


def _blanks(line: str, rng: random.Random) -> str:
    return re.sub(r"\s+|(?<=,)|(?=,)", lambda m: m[0] + rng.choice(["", " ", "\t", "  "]), line)


def _comment(line: str, rng: random.Random) -> str:
    return rng.choice([line + " # it's; /* so", line + "/* a */", "/* a\nb */" + line, "#" + line])


def _number(line: str, rng: random.Random) -> str:
    def other(match: re.Match[str]) -> str:
        value = int(match[0], 8 if match[0][0] == "0" else 10) if match[0].isdigit() else 0
        forms = [hex(value), bin(value), f"0{value:o}", f"({value})", f"{value}+0", f"0X{value:X}",
                 str(value + rng.choice([1, -1, 1 << 31, 1 << 63]))]  # fmt: skip
        return rng.choice(forms)

    try:
        return _NUMBER.sub(other, line, count=1)
    except ValueError:
        return line


def _label(line: str, rng: random.Random) -> str:
    number = rng.randrange(3)
    return rng.choice([f"{number}: {line}", f"{line}\n j {number}b", f"{line}\n{number}:",
                       f" bne a0,a1,{number}f\n{line}\n{number}: nop"])  # fmt: skip


def _string(line: str, rng: random.Random) -> str:
    escape = rng.choice(["\\\\", "\\0", "\\x7f", "\\377", "\\b", "\\'", "\\\"", "é", ";", "#"])
    return line.replace('"', '"' + escape, 1)


def _slip(source: str, rng: random.Random) -> str:
    at = rng.randrange(len(source) + 1)
    extra = rng.choice(["", "", rng.choice(" ,;:.()\"'\\#/*-+=@%0129azRX\n\t\x1bé")])
    return source[:at] + extra + source[at + rng.randrange(2) :]


def _twice(source: str, rng: random.Random) -> str:
    lines = source.split("\n")
    at = rng.randrange(len(lines))
    lines.insert(rng.randrange(len(lines)), lines[at])
    return "\n".join(lines)


def _away(source: str, rng: random.Random) -> str:
    lines = source.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines) or "\n"


def _join(source: str, rng: random.Random) -> str:
    lines = source.split("\n")
    at = rng.randrange(len(lines))
    lines[at : at + 2] = [" ; ".join(re.sub(r"#.*", "", line) for line in lines[at : at + 2])]
    return "\n".join(lines)


CHANGES = (
    _at_line(_case), _at_line(_case), _at_line(_empty), _at_line(_empty), _at_line(_blanks),
    _at_line(_comment), _at_line(_number), _at_line(_label), _at_line(_string),
    _slip, _slip, _twice, _away, _join,
)  # fmt: skip
