"""Directives, expressions and macros give the same bytes as with GNU `as`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm import AsmErrors, assemble_text
from tests.unit.asm import gnu
from tests.unit.asm.test_against_gnu import FIXTURE, same

pytestmark = gnu.needed

SOURCES = {
    "data": """
        .data
        .byte 1, -1, 255, 'a', '\\n', '\\'', 0x7f, 0b101, 017
        .half 1, -1, 65535 ; .short 2 ; .2byte 3 ; .hword 4
        .word 1, -1, 0xffffffff ; .long 2 ; .int 3 ; .4byte 4
        .dword 1, -1, 0x123456789abcdef0 ; .quad 2 ; .8byte 3
        .ascii "a", "b\\n\\t\\\\\\"\\0\\101\\x41" ; .asciz "c", "d" ; .string "e"
        .ascii "# no comment // here ; or /* here */"
        .uleb128 0 ; .uleb128 127 ; .uleb128 128 ; .uleb128 624485
        .sleb128 -1 ; .sleb128 63 ; .sleb128 64 ; .sleb128 -65 ; .sleb128 -123456
        .space 3 ; .skip 2, 0xff ; .zero 5 ; .fill 3 ; .fill 2, 4, 0x12345678 ; .fill 2, 2
        .fill 1, 8, -1
        """,
    "alignment": """
        .data
        .byte 1 ; .align 2 ; .byte 2 ; .balign 8 ; .byte 3 ; .p2align 4 ; .byte 4
        .balign 8, 0xcc ; .byte 5 ; .p2align 3,,2 ; .byte 6 ; .p2align 3,,7 ; .byte 7
        .balign 2 ; .balignw 8, 0x1234 ; .balign 4 ; .p2alignl 4, 0x11223344 ; .align 0 ; .byte 8
        .text
        nop ; .align 4 ; nop ; .byte 1,2,3 ; .balign 8 ; nop ; .balign 16, 0 ; nop
        .section .rodata
        .byte 9 ; .balign 4
        """,
    "org": ".data\n.byte 1\n.org 8\n.byte 2\nx: .org x+4, 0xee\n.byte 3\n. = . + 3\n.byte 4\n",
    "sections": """
        .text ; nop ; .data ; .word 1 ; .text ; .word 2 ; .previous ; .word 3
        .section .rodata,"a",@progbits ; .word 4 ; .pushsection .data ; .word 5
        .pushsection .rodata ; .word 6 ; .popsection ; .word 7 ; .popsection ; .word 8
        .bss ; .space 12 ; .text ; nop
        """,
    "symbols": """
        .equ a, 5 ; .set b, a*2 ; c = b+1 ; .equiv d, 9
        .data
        .word a, b, c, d ; .set b, b+1 ; .word b, b-a, late, late+4-early, end-start
        start: .word start, . , .-start, start+4, end-4 ; early: end:
        .equ late, end+8
        .byte end-start, early-start, (end-start)/4 ; .half end-start
        1: .word 1b, 1f, 2f ; 1: .word 1b ; 2: .word 1b, 2b
        .globl g ; .weak w ; .local l ; g: .word g ; w: .word w ; l: .word l
        .type g, @function ; .size g, .-g
        """,
    "ranks": ".data\n.word 1+1|2, 1|2+1, 6-2&3, 2*3|4, 1+2^3, 1<<2|4, 8-1!2, 3==1+2, 1|2==3\n"
    ".word 6 ! !3, 6!!!3\n",
    "weak and undefined": ".data\n.weak nowhere\n.word nowhere, nowhere+4\n",
    "common": ".text\n la a0, x\n .comm x, 10, 4\n",
    "local common": ".text\n la a1, y\n .lcomm y, 8\n .lcomm z, 8\n la a1, z\n",
    "macro": """
        .macro none ; .word 0 ; .endm
        .macro two a, b=7 ; .word \\a, \\b ; .endm
        .macro need a:req b=2 ; .byte \\a\\()1, \\b ; .endm
        .macro rest a, b:vararg ; .word \\a ; .word \\b ; .endm
        .macro label n ; l\\n: .word l\\n, .Lx\\@ ; .Lx\\@: ; .endm
        .macro text s ; .asciz "\\s" ; .endm
        .macro nest a ; two \\a, 9 ; .macro inner x ; .word \\x, \\a ; .endm ; .endm
        .macro count n ; .if \\n ; .word \\n ; count \\n-1 ; .endif ; .endm
        .macro leave n ; .word \\n ; .if \\n == 3 ; .exitm ; .endif ; .word 99 ; .endm
        .macro maybe a ; .ifb \\a ; .word 1 ; .else ; .word 2, \\a ; .endif ; .endm
        .data
        none ; two 1 ; two 1, 2 ; two 1 2 ; two b=1, a=2 ; two a=3 ; two 1+2, 4 - 1
        need 3 ; need 3, 4 ; rest 1, 2, 3, 4 ; label 1 ; label 2 ; text "hi there" ; text hi
        nest 4 ; inner 5 ; count 5 ; leave 3 ; leave 4 ; maybe ; maybe 7
        .purgem two
        .macro two x ; .byte \\x ; .endm
        two 8
        """,
    "macro over an instruction": " nop\n.macro nop\n addi x1, x1, 1\n.endm\n"
    " nop\n .purgem nop\n nop\n",
    "instructions in macros": """
        .macro save r, n ; sw \\r, \\n*4(sp) ; .endm
        .macro li2 a, b ; .irp r, \\a, \\b ; li \\r, 0x12345 ; .endr ; .endm
        _start: save ra, 0 ; save s0 1 ; li2 a0, a1
        .irp r, t0, t1, t2
        addi \\r, \\r, 1
        .endr
        .irpc d, 0123
        li a\\d, \\d
        .endr
        .rept 3
        1: beqz a0, 1b ; j 2f ; 2:
        .endr
        .set n, 0
        .rept 4
          .rept 2
          .word n
          .set n, n + 1
          .endr
        .endr
        """,
    "conditions": """
        .equ yes, 1 ; .equ no, 0
        .data
        .if yes ; .byte 1 ; .else ; .byte 2 ; .endif
        .if no ; .byte 3 ; .elseif yes ; .byte 4 ; .elseif yes ; .byte 5 ; .else ; .byte 6 ; .endif
        .if no ; .if yes ; .byte 7 ; .else ; .byte 8 ; .endif ; .else ; .byte 9 ; .endif
        .ifdef yes ; .byte 10 ; .endif ; .ifndef yes ; .byte 11 ; .endif
        .ifndef nope ; .byte 12 ; .endif
        .ifc a, a ; .byte 13 ; .endif ; .ifnc a, b ; .byte 14 ; .endif
        .ifeq 0 ; .byte 15 ; .endif ; .ifne 0 ; .byte 16 ; .endif ; .ifgt 1 ; .byte 17 ; .endif
        .ifge 0 ; .byte 18 ; .endif ; .iflt -1 ; .byte 19 ; .endif ; .ifle 0 ; .byte 20 ; .endif
        .ifeqs "a", "a" ; .byte 21 ; .endif ; .ifnes "a", "a" ; .byte 22 ; .endif
        .ifb ; .byte 23 ; .endif ; .ifnb x ; .byte 24 ; .endif
        a: .space 5
        b: .if b - a == 5 ; .byte 25 ; .endif
        .if 2 > 1 && 1 < 2 || 0 ; .byte 26 ; .endif
        """,
    "comments": """
        nop # one
        /* a
        block */ nop /* in */ ; nop
        .data
        .word '#', ';', ',' # three
        .ascii "/*", "*/"
        """,
    "ignored": """
        .file "x.c" ; .ident "me" ; .option push ; .option norvc ; .option norelax ; .option pop
        .attribute unaligned_access, 0
        .cfi_startproc
        nop
        .cfi_endproc
        """,
    "more data": """
        .data
        .octa 1, -1, 0x0123456789abcdef0123456789abcdef, 5+6
        .dc 1, 2 ; .dc.b 3 ; .dc.w 4 ; .dc.l 5 ; .dc.a 6
        .dcb 2, 3 ; .dcb.b 3, -1 ; .dcb.w 2 ; .dcb.l 2, 0x1234
        .ds 2 ; .ds.b 3 ; .ds.w 1 ; .ds.l 2, 0x1234 ; .ds.d 1 ; .ds.p 1 ; .ds.x 1
        .string8 "a" ; .string16 "ab\\x7f" ; .string32 "ab" ; .string64 "a"
        .float 1.5, -2, 0f3, 1e3, .5, inf, 0x10 ; .single 3.25 ; .double 1.1, -2.5e-3
        .dc.s 1.5 ; .dc.d 1.5
        .text
        .nop
        """,
    "any case": """
        .TEXT
        .Equ Two, 2
        _start: LI a0, Two ; ADDI a1, a0, %LO(5) ; Lui a0, %Hi(x) ; ECall ; LR.W.AQ a0, (a1)
        BEQZ a0, _start ; LA a0, x ; CALL _start ; MV a0, a1
        .MACRO Foo A ; mv \\A, \\A ; .EndM
        FOO a1
        .IF 0 ; nop ; .ELSE ; .REPT 2 ; NOP ; .ENDR ; .ENDIF
        .If 0 ; .IF 1 ; .EndIf ; .Elseif 1 ; nop ; .Endif
        .Irp R, a0, a1 ; not \\R, \\R ; .ENDR ; .IRPC c, 12 ; li a0, \\c ; .EndR
        .DATA
        x: .Word 0X1F, 0B11 ; .BALIGN 8 ; .ASCIZ "Abc" ; .Previous ; RET
        .SECTION .rodata ; .BYTE 1
        """,
    "empty sections": """
        .data ; .bss ; .balign 8 ; end_of_bss: .section .rodata ; .align 3 ; .text
        .pushsection .data ; .popsection
        _start: nop ; la a0, end_of_bss
        .section .text.init, "ax" ; .section .debug_x ; .section .note.GNU-stack,"",@progbits
        .data
        """,
    "no code": ".data\nx: .word 1, x\n",
    "section symbols": """
        _start: la a0, .data ; lui a1, %hi(.bss) ; lw a2, .rodata ; j .text
        .data
        .word .text, .data, .bss+4, .rodata, .data - x
        x: .section .rodata ; .word .text+8
        .bss ; .space 8
        """,
    "commons": """
        la a0, c ; la a0, d ; la a0, e
        .comm c, 8, 8 ; .comm c, 4 ; .local d ; .comm d, 5, 4 ; .lcomm e, 3
        .lcomm g, 100 ; la a0, g ; .lcomm h, 1 ; la a0, h
        .bss ; .space 3
        """,
    "structure": """
        .struct 4 ; first: .space 4 ; second: .space 2 ; .align 2 ; third: .struct 0 ; none: .text
        lw a0, second(a1) ; li a0, third ; addi a0, a0, none
        """,
    "other words": """
        .if 0 ; .elsec ; nop ; .endc ; .rep 2 ; nop ; .endr ; .irep x,1,2 ; li a0, \\x ; .endr
        .irepc x,ab ; nop ; .endr
        .macro m ; .word \\@ ; .endm
        m ; m ; .irp x, 1, 2 ; .word \\@, \\x ; .endr ; m
        02: j 2b ; j 02b ; j 3f ; 03: nop
        .option push ; .option arch, +zicsr ; .option arch, rv32ima_zicsr ; .option pop
        .hidden h ; .internal i ; .protected p ; h: i: p: .xdef h ; .extern nobody
        .title "t" ; .sbttl "s" ; .list ; .nolist ; .eject ; .ident "x" ; .version "1"
        .symver h, h@V1 ; .type h, @function ; .size h, .-h
        nop = 3 ; addi a0, a0, nop
        .end
        this is not read
        """,
    "a value that is read again": """
        .set b, 3 ; .eqv a, b+1 ; .eqv back, .-4 ; .eqv later, end
        .data ; .word a, back ; .set b, 5 ; .word a, a*2, back, later ; end: .byte a ; .text ; nop
        """,
    "weak references": """
        .weakref none, nowhere ; .weakref there, x ; .data
        .word none, there, there+4, x ; x: .word none+1
        """,
    "labels": "a: b: nop\nc:d: nop\n.Le:\n$f: nop\n_start: .data\n.word a,b,c,d,.Le,$f\n",
}


@pytest.mark.parametrize("name", SOURCES)
def test_directives(tmp_path, name):
    same(SOURCES[name], tmp_path)


def test_constants_as_rars_courses_write_them(tmp_path):
    """GNU `as` takes neither the blank nor the use in `li`."""
    ours = assemble_text(".eqv N 4\n.eqv M, N+1\n li a0, N\n li a1, M\n lw a2, M-1(a3)\n")
    other = assemble_text(" li a0, 4\n li a1, 5\n lw a2, 4(a3)\n")
    assert ours.sections[0].data == other.sections[0].data
    for circle in (".eqv a, a+1\n.word a\n", ".eqv a, b\n.eqv b, a\n.word a\n"):
        with pytest.raises(AsmErrors, match="by means of itself"):
            assemble_text(circle)
    with pytest.raises(AsmErrors, match="`N` is already defined"):
        assemble_text(".eqv N, 4\n.eqv N, 5\n nop\n")


def test_a_weak_reference_does_not_define_what_is_used_otherwise():
    for source in (" la a1, r\n.weakref q, r\n la a0, q\n", ".weakref q, r\n la a1, r\n"):
        with pytest.raises(AsmErrors, match="`r` is not defined"):
            assemble_text(source)


def test_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bytes").write_bytes(bytes(range(10)))
    (tmp_path / "one.inc").write_text('.word 1\n.include "two.inc"\n')
    (tmp_path / "two.inc").write_text(".word 2\n")
    source = (
        '.data\n.incbin "bytes"\n.incbin "bytes", 2\n.incbin "bytes", 2, 3\n.include "one.inc"\n'
    )
    same(source, tmp_path, name=str(tmp_path / "main.S"))


# -- expressions ---------------------------------------------------------------

OPERATORS = ["+", "-", "*", "/", "%", "<<", ">>", "|", "&", "^", "!", "==", "!=", "<>", "<", ">",
             "<=", ">=", "&&", "||"]  # fmt: skip
ATOMS = st.integers(0, 100).map(str) | st.sampled_from(
    ["'a'", "0x1f", "five", "minus", "(b-a)", "0b11", "017", "4096"]
)


def _combine(inner):
    binary = st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join)
    prefix = st.tuples(st.sampled_from("-~!+"), inner).map("".join)
    return binary | prefix | inner.map("({})".format)


EXPRESSIONS = st.recursive(ATOMS, _combine, max_leaves=6)
HEAD = "five = 5\nminus = -3\n.data\na: .space 12\nb:\n"


def test_every_operator(tmp_path):
    values = [0, 1, 2, 7, -1, -8]
    lines = [
        f".dword ({a}) {operator} ({b})\n"
        for operator in OPERATORS
        for a in values
        for b in values
        if not (operator in "/%" and b == 0) and not (operator in ("<<", ">>") and b < 0)
    ]
    same(".data\n" + "".join(lines), tmp_path)


@settings(max_examples=80, **FIXTURE)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=20))
def test_random_expressions(tmp_path, expressions):
    kept = []
    for text in expressions:  # what we refuse (division by zero) they refuse as well
        try:
            assemble_text(HEAD + f".dword {text}\n")
        except AsmErrors:
            continue
        kept.append(text)
    same(HEAD + "".join(f".dword {text}\n" for text in kept), tmp_path)
