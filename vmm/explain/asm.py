"""Answers for what the assembler's own words mean: pseudo-instructions and directives.

What a pseudo-instruction stands for comes from the assembler's table, if it is there. Must
not run anything.
"""

from collections.abc import Iterator

from asm.directives import DIRECTIVES
from asm.errors import Fault
from asm.pseudo import TABLE, WORDS

# Pseudo-instructions that choose by value or by address (asm/expand.py): operands, and the
# instructions for which they stand.
CHOOSING: dict[str, tuple[tuple[str, str], ...]] = {
    "li": (
        ("rd,constant", "addi rd,x0,constant                  if it is -2048 to 2047"),
        ("rd,constant", "lui rd,upper ; addi rd,rd,lower      else; no addi if lower is 0"),
    ),
    "la": (("rd,symbol", "auipc rd,upper ; addi rd,rd,lower    of symbol - pc"),),
    "lla": (("rd,symbol", "auipc rd,upper ; addi rd,rd,lower    of symbol - pc"),),
    "call": (
        ("symbol", "auipc ra,upper ; jalr ra,lower(ra)   of symbol - pc"),
        ("rd,symbol", "auipc t1,upper ; jalr rd,lower(t1)   of symbol - pc"),
    ),
    "tail": (("symbol", "auipc t1,upper ; jalr x0,lower(t1)   of symbol - pc"),),
    "jump": (("symbol,rt", "auipc rt,upper ; jalr x0,lower(rt)   of symbol - pc"),),
    "jr": (("rs", "jalr x0,0(rs)"), ("offset(rs)", "jalr x0,offset(rs)")),
}
MEANING = {
    "nop": "do nothing", "ret": "return from a function: jump to ra",
    "unimp": "an instruction that is always illegal", "li": "load a constant",
    "la": "load the address of a symbol", "lla": "load the address of a symbol",
    "call": "call a function at any distance; it returns to ra",
    "tail": "jump to a function that returns to our own caller; uses t1",
    "jump": "jump to a symbol at any distance", "jr": "jump to the address in a register",
    "j": "jump, within 1 MiB", "mv": "copy a register", "pause": "a hint that the hart waits",
    "fence.tso": "a fence; done as `fence rw,rw`",
}  # fmt: skip

_DIRECTIVES = {
    ".byte .1byte .dc.b": "a byte for each expression",
    ".half .short .2byte .hword .dc.w": "two bytes for each expression",
    ".word .long .int .4byte .dc.l": "four bytes for each expression",
    ".dword .quad .8byte": "eight bytes for each expression",
    ".octa": "sixteen bytes for each constant",
    ".ascii": "the bytes of each string, without a null byte behind it",
    ".asciz .string .string8": "the bytes of each string, and a null byte behind it",
    ".space .skip .zero": "`.space SIZE[, FILL]`: that many bytes, 0 by default",
    ".fill": "`.fill COUNT[, SIZE[, VALUE]]`: VALUE, COUNT times",
    ".org": "`.org OFFSET`: go on at that offset of the section",
    ".align .p2align": "`.align N`: go on at a multiple of 2 to the power of N: `.align 2` is 4 "
                       "bytes; `.balign` takes the bytes themselves",
    ".balign": "`.balign N`: go on at a multiple of N bytes, N a power of two",
    ".uleb128 .sleb128": "numbers with seven bits in each byte, as in DWARF",
    ".text": "go on in section .text: code",
    ".data": "go on in section .data: data that is written",
    ".rodata": "go on in section .rodata: data that is only read",
    ".bss": "go on in section .bss: zeros that take no room in the file",
    ".section .pushsection": "`.section NAME[, \"FLAGS\"]`: go on there; .pushsection remembers "
                             "where it was, for .popsection",
    ".popsection .previous": "go on in the section that was left",
    ".set .equ": "`.set NAME, EXPRESSION`: give a symbol a value",
    ".equiv": "as .set, for a symbol that has no value yet",
    ".globl .global": "`.globl NAME`: other programs see the symbol; a guest begins at `_start`",
    ".weak .local .hidden .protected .internal": "`.weak NAME`: how the symbol is seen by others",
    ".type .size": "what a symbol is, and how large: for debuggers",
    ".comm .lcomm": "`.comm NAME, SIZE[, ALIGNMENT]`: room in .bss",
    ".if .ifne .ifeq .ifge .ifgt .ifle .iflt": "assemble up to .else or .endif if the number is "
                                               "so; `.if` is not 0",
    ".ifdef .ifndef .ifnotdef": "assemble up to .else or .endif if the symbol is (not) defined",
    ".ifc .ifnc .ifeqs .ifnes .ifb .ifnb": "assemble up to .else or .endif if the texts are "
                                           "(not) the same, or (not) blank",
    ".else .elseif .elsec": "what is assembled if the condition is false",
    ".endif .endc": "the end of .if",
    ".macro": "`.macro NAME PARAMETERS`: up to .endm, a piece of source that NAME stands for; "
              "`\\PARAMETER` in it is the argument",
    ".endm .endmacro": "the end of .macro", ".exitm": "leave a macro",
    ".purgem": "forget a macro",
    ".rept .rep": "`.rept COUNT`: the lines up to .endr, COUNT times",
    ".irp .irep": "`.irp NAME, VALUES`: the lines up to .endr, once for each value",
    ".irpc .irepc": "`.irpc NAME, TEXT`: the lines up to .endr, once for each character",
    ".endr": "the end of .rept, .irp or .irpc",
    ".include": "`.include \"FILE\"`: assemble that file here",
    ".incbin": "`.incbin \"FILE\"[, SKIP[, COUNT]]`: its bytes here",
    ".insn": "an instruction by its format and fields, for what has no mnemonic",
    ".option": "`.option push`, pop, norvc, norelax ...: what the machine always has is accepted",
    ".error .err": "report an error", ".warning": "report a warning",
    ".print": "print a note while assembling", ".end": "read nothing that follows",
    ".abort": "stop assembling here", ".file .loc": "which line of a compiler's source it is",
}  # fmt: skip
DIRECTIVE = {name: text for names, text in _DIRECTIVES.items() for name in names.split()}


def names() -> list[str]:
    """Every pseudo-instruction and directive."""
    return [*_pseudo(), *DIRECTIVES]


def _pseudo() -> dict[str, list[tuple[str, str]]]:
    """By name, the operands and the instructions for which it stands."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in TABLE.splitlines():
        head, _, steps = line.partition("|")
        if not head.strip():
            continue
        name, *operands = head.split()
        parts = operands[0].split(",") if operands else []
        for number, part in enumerate(parts, 1):
            steps = steps.replace(f"${number}", part)
        found.setdefault(name, []).append((",".join(parts), steps.strip()))
    for name, ways in CHOOSING.items():
        found[name] = list(ways)
    for name, word in WORDS.items():
        found[name] = [("", f".word {word:#010x}")]
    return found


def pseudo(word: str) -> Iterator[list[str]]:
    """What a pseudo-instruction means, if there is one of that name."""
    ways = _pseudo().get(word)
    if ways is None:
        return
    lines = [f"{word}: a pseudo-instruction"]
    if word in MEANING:
        lines.append(f"  {MEANING[word]}")
    for operands, steps in ways:
        usage = f"{word} {operands}".strip()
        lines.append(f"  {usage:<16} is  {steps}")
    lines.append("  `toyvmm disasm` shows the result; docs/assembler.md lists them all")
    yield lines


def directive(word: str) -> Iterator[list[str]]:
    """What a directive does, if there is one of that name."""
    if word not in DIRECTIVES:
        return
    yield [f"{word}: a directive of the assembler", f"  {_directive(word)}"]


def _directive(word: str) -> str:
    if word in DIRECTIVE:
        return DIRECTIVE[word]
    kind = getattr(DIRECTIVES[word], "__name__", "")
    if kind == "_ignore":
        return "accepted, and ignored: this assembler's output does not need it"
    if kind == "refuse":
        try:
            DIRECTIVES[word](None, "")
        except Fault as fault:
            return f"refused: {fault.why}"
    return "as in GNU as; docs/assembler.md says what is accepted"
