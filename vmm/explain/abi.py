"""Answers for what is neither instruction nor register: bits of a PTE, calls of the firmware.

Must not run anything.  Sources: RISC-V privileged manual, 12.3 (Sv32); RISC-V SBI
specification 2.0.
"""

from collections.abc import Iterator

from toyisa.look.inspect import pte_text
from toyisa.tables import bits
from toyisa.tables import sbi as spec
from toyisa.tables.bits import PTE_A, PTE_D, PTE_PPN_SHIFT, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X

_MEANING = {
    "V": "valid: with V clear nothing else counts, and an access is a page fault",
    "R": "readable; R, W and X all clear: the entry leads to a table of the next level",
    "W": "writable; W without R is reserved, and a page fault",
    "X": "executable",
    "U": "a user's page: U may use it, S only with SUM in sstatus, and S never executes it",
    "G": "global: in every address space, so that a fence of one space leaves it",
    "A": "accessed: set by the walk; with --svade a clear one is a page fault",
    "D": "dirty: set by the walk of a store; with --svade a store to a clear one faults",
    "RSW": "two bits for the kernel's own use, which the machine ignores",
}  # fmt: skip
# By name: the number of its bit, the lower one of two, and what it means.
BITS = {
    name: (bits.BITS.get(f"PTE_{name}", bits.FLAGS + 1).bit_length() - 1, text)
    for name, text in _MEANING.items()
}
PICTURE = (
    "  31            20 19            10 9   8 7 6 5 4 3 2 1 0",
    "  |     PPN[1]    |     PPN[0]     | RSW |D|A|G|U|X|W|R|V|",
)

Call = tuple[int, int | None, str, str]  # extension, function (None: legacy), name, what it does
CALLS: tuple[Call, ...] = (
    (spec.SET_TIMER, None, "set_timer", "a1:a0 = time of the next timer interrupt"),
    (spec.PUTCHAR, None, "console_putchar", "print the byte in a0"),
    (spec.GETCHAR, None, "console_getchar", "a0 = the next byte, or -1"),
    (spec.CLEAR_IPI, None, "clear_ipi", "clear the software interrupt"),
    (spec.SEND_IPI, None, "send_ipi", "raise the software interrupt"),
    (spec.FENCE_I, None, "remote_fence_i", "fence.i on other harts: there are none"),
    (spec.FENCE, None, "remote_sfence_vma", "sfence.vma"),
    (spec.FENCE_ASID, None, "remote_sfence_vma_asid", "sfence.vma of an address space"),
    (spec.SHUTDOWN, None, "shutdown", "turn the machine off: passed"),
    (spec.BASE, 0, "get_spec_version", "a1 = the version of SBI: 2.0"),
    (spec.BASE, 1, "get_impl_id", "a1 = a number of this firmware's"),
    (spec.BASE, 2, "get_impl_version", "a1 = 1"),
    (spec.BASE, 3, "probe_extension", "a1 = 1 if the extension in a0 is there, else 0"),
    (spec.BASE, 4, "get_mvendorid", "a1 = 0"),
    (spec.BASE, 5, "get_marchid", "a1 = 0"),
    (spec.BASE, 6, "get_mimpid", "a1 = 0"),
    (spec.TIME, 0, "set_timer", "a1:a0 = time of the next timer interrupt"),
    (spec.IPI, 0, "send_ipi", "a software interrupt to the harts in a0, from number a1 on"),
    (spec.RFENCE, 0, "remote_fence_i", "fence.i"),
    (spec.RFENCE, 1, "remote_sfence_vma", "sfence.vma"),
    (spec.RFENCE, 2, "remote_sfence_vma_asid", "sfence.vma of an address space"),
    (spec.HSM, 0, "hart_start", "fails: there is one hart, and it runs"),
    (spec.HSM, 1, "hart_stop", "fails: the last hart cannot be stopped"),
    (spec.HSM, 2, "hart_get_status", "a1 = 0, started"),
    (spec.SRST, 0, "system_reset", "turn the machine off; reason a1: 0 passed, 1 failed"),
    (spec.DBCN, 0, "console_write", "print a0 bytes at physical a2:a1; a1 = how many"),
    (spec.DBCN, 1, "console_read", "read up to a0 bytes to physical a2:a1; a1 = how many"),
    (spec.DBCN, 2, "console_write_byte", "print the byte in a0"),
)  # fmt: skip
EXTENSIONS = {
    "base": spec.BASE, "time": spec.TIME, "ipi": spec.IPI, "rfence": spec.RFENCE,
    "hsm": spec.HSM, "srst": spec.SRST, "dbcn": spec.DBCN,
}  # fmt: skip
HOW = (
    "  ecall from S: extension in a7, function in a6, arguments in a0, a1, ...; answers in a0",
    "  (0, or a negative error) and a1; legacy calls (a7 0 to 8) take no a6 and answer in a0 only",
)


def names() -> list[str]:
    """Every name that this module can explain."""
    calls = {name for _, _, name, _ in CALLS}
    return ["pte", *map(str.lower, BITS), "sbi", *EXTENSIONS, *sorted(calls)]


def pte_bits(word: str) -> Iterator[list[str]]:
    """The bits of a page-table entry, or one of them."""
    if word == "pte":
        bits = [f"  bit {bit}  {name:<3} {text}" for name, (bit, text) in BITS.items()]
        yield ["pte: a page-table entry of Sv32", *PICTURE, *bits,
               "  `toyvmm explain pte 0x200000cf` explains one"]  # fmt: skip
    elif word.upper() in BITS:
        bit, text = BITS[word.upper()]
        yield [f"{word.upper()}: bit {bit} of a page-table entry (Sv32)", f"  {text}",
               "  `toyvmm explain pte` shows all of them"]  # fmt: skip


def entry(pte: int) -> list[str]:
    """What one page-table entry means."""
    lines = [f"{pte:#010x}: a page-table entry: {pte_text(pte)}"]
    for name, (bit, text) in BITS.items():
        if name != "RSW" and pte >> bit & 1:
            lines.append(f"  {name} set    {text}")
    if not pte & PTE_V:
        return lines
    leaf = pte & (PTE_R | PTE_X)
    if pte & PTE_W and not pte & PTE_R:
        lines.append("  W without R is reserved: a page fault")
    if not leaf and pte & (PTE_D | PTE_A | PTE_U):
        lines.append("  D, A or U in an entry that leads to a table is reserved: a page fault")
    if leaf and pte >> PTE_PPN_SHIFT & bits.VPN:
        lines.append("  as a leaf of level 1 it would be a misaligned superpage: a page fault")
    return lines


def sbi(word: str) -> Iterator[list[str]]:
    """The firmware's calls: all, those of an extension, or those with a name."""
    if word == "sbi":
        yield ["sbi: the calls of the firmware", *HOW, *map(_call, CALLS)]
        return
    number = EXTENSIONS.get(word)
    if number is not None:
        found = [call for call in CALLS if call[0] == number]
        yield [f"{word.upper()}: an extension of SBI, a7 = {number:#x}", *HOW, *map(_call, found)]
    found = [call for call in CALLS if call[2] == word]
    if found:
        yield [f"{word}: a call of the firmware (SBI)", *HOW, *map(_call, found)]


def ecall(number: int) -> list[str]:
    """What `ecall` does with `number` in a7."""
    found = [call for call in CALLS if call[0] == number]
    if not found:
        return [f"a7 = {number:#x}: the firmware has no such extension; `ecall` from S answers -2",
                "  in a0; from U it goes to the kernel's own handler, scause 8"]  # fmt: skip
    return [f"ecall from S with a7 = {number:#x}:", *map(_call, found),
            "  from U it goes to the kernel's own handler, scause 8"]  # fmt: skip


def _call(call: Call) -> str:
    extension, function, name, text = call
    where = f"a7 {extension:#x}" + (f", a6 {function}" if function is not None else "")
    return f"  {where:<20} {name:<24} {text}"
