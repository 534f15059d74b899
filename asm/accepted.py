"""Answers for directives that do nothing here, and for those that are refused by name.

Every directive that GNU `as` has and we do not have is listed here with the reason.  So
nobody gets a hint at another directive with a similar name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from asm.errors import Fault
from asm.unit import Unit
from toyisa.tables import extensions

# They describe something that this output does not need: listings, stack frames for unwinders and
# debuggers, version notes, old debug formats.
_NO_EFFECT = """
.ident .version .title .sbttl .list .nolist .eject .psize .llen .plen .lflags .page .spc
.ttl .name .format .noformat .debug .extern .xref .symver .line .linefile .stabs .stabn
.stabd .stabx .addrsig .addrsig_sym .variant_cc .noaltmacro .vtable_inherit .vtable_entry
.gnu_attribute .lto_discard .linkonce
.cfi_startproc .cfi_endproc .cfi_def_cfa .cfi_def_cfa_offset .cfi_def_cfa_register .cfi_offset
.cfi_rel_offset .cfi_restore .cfi_sections .cfi_undefined .cfi_same_value .cfi_remember_state
.cfi_restore_state .cfi_adjust_cfa_offset .cfi_escape .cfi_personality .cfi_personality_id
.cfi_lsda .cfi_inline_lsda .cfi_return_column .cfi_register .cfi_signal_frame .cfi_val_offset
.cfi_val_encoded_addr .cfi_fde_data .cfi_label .cfi_negate_ra_state .cfi_window_save
"""

_REFUSED = {
    "macros have GNU as's ordinary syntax only": ".altmacro .mri .func .endfunc",
    "there are no numbered subsections here: `.section .text.later` follows .text": ".subsection",
    "there is no linker, so nothing is left for it to relocate": (
        ".reloc .dtprelword .dtpreldword .rva .attach_to_group .xstabs"
    ),
    "a symbol has one value here: use .set or .equiv": ".lsym",
    "there is no number format of that size here": ".float16 .bfloat16 .dc.x .dcb.s .dcb.d .dcb.x",
    "GNU as has it for other machines only": (
        ".nops .bundle_align_mode .bundle_lock .bundle_unlock .desc .base64"
    ),
    "use .error or .err": ".fail",
    "use .exitm": ".mexit",
}


def _ignore(unit: Unit, text: str) -> None:
    """Do nothing."""


def _unsupported(name: str, why: str) -> Callable[[Unit, str], None]:
    def refuse(unit: Unit, text: str) -> None:
        raise Fault(f"`{name}` is not supported", why=why)

    return refuse


# There is no linker, so nothing is ever relaxed, and `la` gives the same address with `pic`.
_OPTIONS = {"push", "pop", "norvc", "norelax", "relax", "nopic", "pic", "csr-check", "no-csr-check"}


def _option(unit: Unit, text: str) -> None:
    """`.option`: accept what this machine always has, and refuse everything else."""
    option = text.strip()
    if option in _OPTIONS:
        return
    word, _, arch = option.partition(",")
    if word.strip() == "arch":
        for change in arch.split(","):
            _arch_change(change.strip())
        return
    why = ""
    if option == "rvc":
        why = "this machine has no compressed instructions"
    raise Fault(f"`.option {option}` is not supported", why=why, at=option)


def _arch_change(change: str) -> None:
    """One item of `.option arch`: `+zicsr`, `-c`, or a whole architecture `rv32ima`."""
    if change[:1] == "-":
        return  # we check nothing against it, so nothing need be removed
    if change[:1] == "+":
        _check_extensions(change[1:], change)
    elif change[:2] == "rv":
        check_arch(change)
    else:
        raise Fault(
            f"`{change}` changes no architecture", fix="write +name, -name or rv32...", at=change
        )


def check_arch(arch: str) -> None:
    """Refuse an architecture string that names an extension that this machine lacks."""
    if not arch.startswith(extensions.WIDTH):
        raise Fault(
            f"`{arch}` is not this machine",
            why="it is 32 bits wide",
            fix=f"compile with -march={extensions.LETTERS} -mabi=ilp32",
            at=arch,
        )
    _check_extensions(arch.removeprefix(extensions.WIDTH), arch)


def _check_extensions(text: str, shown: str) -> None:
    names = []
    for part in text.split("_"):
        part = re.sub(r"\d+p\d+|\d+\Z", " ", part)
        for word in part.split():
            cut = re.search(r"[zsx]", word)
            at = cut.start() if cut else len(word)
            names += [*word[:at], *([word[at:]] if word[at:] else [])]
    if not names:
        raise Fault(f"`{shown}` names no extension", at=shown)
    for name in names:
        if name not in extensions.ACCEPTED:
            why = f"it has {extensions.MARCH}"
            raise Fault(f"this machine lacks the extension `{name}`", why=why, at=shown)


def _attribute(unit: Unit, text: str) -> None:
    """`.attribute arch, "rv32..."`: refuse a 64-bit program at once.

    An extension that is named but not used does no harm.  An instruction that the machine
    lacks is refused where it is used.
    """
    name, _, value = text.partition(",")
    arch = value.strip().strip('"')
    if name.strip() in ("arch", "5", "Tag_RISCV_arch") and not arch.startswith(extensions.WIDTH):
        check_arch(arch)


DIRECTIVES = {
    **dict.fromkeys(_NO_EFFECT.split(), _ignore),
    **{name: _unsupported(name, why) for why, names in _REFUSED.items() for name in names.split()},
    ".option": _option,
    ".attribute": _attribute,
}
