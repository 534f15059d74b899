"""Answers for whether an ELF file can run on this machine, and what to load where.

Every refusal is one line: the file, the reason, the fix.  Must not know how the
machine's memory is kept (`memory.py`).
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from toyisa.files import reading
from toyisa.files.reading import Unreadable
from toyisa.load import elf
from toyisa.load.elf import Elf, Malformed, Segment
from toyisa.tables import extensions

PAGE = 4096
MAX_FILE = 256 << 20  # bytes of an ELF or a kernel; a vmlinux with debugging data is the largest

HTIF = ("tohost", "fromhost")
MACHINES = {3: "x86", 8: "MIPS", 20: "PowerPC", 40: "Arm", 62: "x86-64", 183: "AArch64"}

FIX_MARCH = f"compile with -march={extensions.MARCH} -mabi=ilp32"


class ImageError(Exception):
    """The file cannot be run; the text names the file, the reason and the fix."""

    def __init__(self, name: str, reason: str, fix: str = ""):
        super().__init__(f"{name}: {reason}" + (f"; {fix}" if fix else ""))


@dataclass(frozen=True)
class Load:
    """`data` goes to physical address `paddr`, then zeros up to `memsz` bytes."""

    paddr: int
    data: bytes
    memsz: int


@dataclass(frozen=True)
class Image:
    """What to load, and where to begin: physical addresses, symbols as linked.

    `tohost` and `fromhost` are the physical addresses of HTIF's doublewords, if the file has
    them.  `digest` identifies the file.
    """

    name: str
    entry: int
    segments: tuple[Load, ...]
    symbols: tuple[tuple[int, str], ...]
    tohost: int | None
    fromhost: int | None
    digest: str = ""

    def room_for(self, size: int, ram: tuple[int, int]) -> int:
        """Where `size` bytes fit beside the segments in `ram` (base, size); ImageError.

        On the last pages of RAM if they are free, otherwise as high as there is room: a
        segment takes `memsz` bytes, however many of them the file has.
        """
        base, end = ram[0], ram[0] + ram[1]
        taken = sorted((s.paddr, s.paddr + s.memsz) for s in self.segments)
        starts = [base, *(stop for _, stop in taken)]
        stops = [*(start for start, _ in taken), end]
        for start, stop in sorted(zip(starts, stops), reverse=True):
            for align in (PAGE, 8):
                at = (stop - size) // align * align
                if at >= start:
                    return at
        reason = f"fills RAM, and leaves no {size} bytes in one piece for the device tree"
        raise ImageError(self.name, reason, "give the machine more memory (--mem)")


def read(source: str | Path | bytes, ram_base: int, ram_size: int) -> Image:
    """The image in a file, or in bytes; ImageError if this machine cannot run it."""
    if isinstance(source, bytes):
        return parse(source, "the ELF", ram_base, ram_size)
    return parse(load(source), str(source), ram_base, ram_size)


def load(path: str | Path) -> bytes:
    """The bytes of a file, if it is not too large to be an ELF; ImageError."""
    try:
        return reading.read(path, MAX_FILE)
    except Unreadable as error:
        raise ImageError(error.path, error.reason, error.fix) from None


def parse(data: bytes, name: str, ram_base: int, ram_size: int) -> Image:
    """The image in `data`, which errors call `name`."""
    file = executable(data, name)
    try:
        segments = _placed([s for s in file.segments() if s.type == elf.PT_LOAD and s.memsz])
        _check_segments(segments, name, ram_base, ram_size)
        symbols = file.symbols()
        loads = tuple(Load(s.paddr, _content(file, s), s.memsz) for s in segments)
    except Malformed as error:
        raise _damaged(name, error) from None
    entry = _physical(file.header().entry, segments)
    if entry is None or entry % 4:
        where = "in no loaded segment" if entry is None else "not a multiple of 4"
        fix = "name it with `.globl _start` or ld's -e"
        raise ImageError(name, f"entry {file.header().entry:#x} is {where}", fix)
    _check_first(file, name, entry, loads)
    places = {s.name: _physical(s.address, segments) for s in symbols if s.name in HTIF}
    names = tuple((s.address, s.name) for s in symbols)
    return Image(name, entry, loads, names, *map(places.get, HTIF), digest(data))


def digest(data: bytes) -> str:
    """A hex digest that identifies a file."""
    return hashlib.sha256(data).hexdigest()


def _placed(segments: list[Segment]) -> list[Segment]:
    """The segments at their physical addresses; if none has one, at their linked addresses.

    Some linkers leave every `p_paddr` 0; GNU's tools read such files in the same way.
    """
    if any(s.paddr for s in segments):
        return segments
    return [s._replace(paddr=s.vaddr) for s in segments]


def _content(file: Elf, segment: Segment) -> bytes:
    """The segment's bytes in the file; if it has none there, its place in the file does not
    matter.
    """
    return file.piece(segment.offset, segment.filesz, "a segment") if segment.filesz else b""


def _check_first(file: Elf, name: str, entry: int, loads: tuple[Load, ...]) -> None:
    """Refuse a program whose first instruction is compressed, if the file says that it uses such
    code.

    A file may claim to need extensions that it does not use.  Such files run until an
    instruction that the machine lacks is fetched.
    """
    if not file.header().flags & extensions.EF_RISCV_RVC:
        return
    for load in loads:
        first = load.data[entry - load.paddr :][:1] if entry >= load.paddr else b""
        if first and first[0] & 3 != 3:
            reason = "begins with a compressed instruction (C extension)"
            raise ImageError(name, reason, FIX_MARCH)


def executable(data: bytes, name: str) -> Elf:
    """The ELF in `data` if its code is for this machine, wherever it is linked."""
    file = elf32(data, name)
    try:
        _check_kind(file, name)
        _check_width(file, name)
    except Malformed as error:
        raise _damaged(name, error) from None
    return file


def elf32(data: bytes, name: str) -> Elf:
    """The ELF in `data`, for any machine, if it is a 32-bit one."""
    if len(data) > MAX_FILE:
        raise ImageError(name, f"is larger than {MAX_FILE >> 20} MB")
    _check_ident(data, name)
    return Elf(data)


def _damaged(name: str, error: Malformed) -> ImageError:
    return ImageError(name, f"truncated or damaged: {error}", "build it again")


def _check_ident(data: bytes, name: str) -> None:
    """Refuse a file that is not a 32-bit little-endian ELF."""
    if not data:
        raise ImageError(name, "is empty")
    if not data.startswith(elf.MAGIC):
        raise ImageError(name, "is not an ELF file", "`toyvmm asm` makes one from assembly")
    if len(data) < 52:
        raise ImageError(name, f"truncated: {len(data)} bytes, an ELF header has 52")
    if data[4] == elf.CLASS64:
        raise ImageError(name, "is a 64-bit ELF, the machine has 32 bits", FIX_MARCH)
    if data[5] == elf.DATA_BIG:
        raise ImageError(name, "is big-endian, the machine is little-endian", FIX_MARCH)
    if data[4:6] != b"\1\1":
        raise ImageError(name, "damaged: unknown ELF class or byte order", "build it again")


def _check_kind(file: Elf, name: str) -> None:
    """Refuse a file that is not a static RISC-V executable."""
    header = file.header()
    if header.machine != elf.EM_RISCV:
        machine = MACHINES.get(header.machine, f"machine {header.machine}")
        raise ImageError(name, f"is for {machine}, not for RISC-V", FIX_MARCH)
    if header.type == elf.ET_REL:
        raise ImageError(name, "is an object file", "link it first: ld -Ttext=0x80000000 -n")
    wants_loader = any(segment.type == elf.PT_INTERP for segment in file.segments())
    if header.type == elf.ET_DYN or wants_loader:
        raise ImageError(name, "is dynamically linked or position-independent",
                         "link with -static -no-pie")  # fmt: skip
    if header.type != elf.ET_EXEC:
        raise ImageError(name, f"is not an executable (ELF type {header.type})")


def _check_width(file: Elf, name: str) -> None:
    """Refuse code of another width, which the attributes show."""
    if file.arch().startswith("rv64"):
        raise ImageError(name, "is RV64 code, the machine is RV32", FIX_MARCH)


def _check_segments(segments: list, name: str, ram_base: int, ram_size: int) -> None:
    """Refuse segments that overlap or lie outside RAM."""
    if not segments:
        raise ImageError(name, "has nothing to load", "link it as an executable")
    ram_end = ram_base + ram_size
    for s in segments:
        if s.filesz > s.memsz:
            raise Malformed(f"a segment has {s.filesz} bytes in the file, {s.memsz} in memory")
        if s.paddr < ram_base or s.paddr + s.memsz > ram_end:
            place = f"{s.paddr:#x}..{s.paddr + s.memsz:#x}"
            fix = f"link it at {ram_base:#x} (ld -Ttext={ram_base:#x} -n)"
            if ram_base <= s.paddr:
                fix += " or give the machine more memory (--mem)"
            raise ImageError(
                name, f"segment {place} is outside RAM {ram_base:#x}..{ram_end:#x}", fix
            )
    for a, b in pairwise(sorted(segments, key=lambda s: s.paddr)):
        if a.paddr + a.memsz > b.paddr:
            raise ImageError(
                name,
                f"segments {a.paddr:#x}..{a.paddr + a.memsz:#x} and "
                f"{b.paddr:#x}..{b.paddr + b.memsz:#x} overlap",
                "correct the linker script",
            )


def _physical(address: int, segments: list) -> int | None:
    """The physical address at which an address is loaded; None if it is in no segment.

    A kernel may be linked at high addresses and loaded at low ones.  Its entry point may be
    given in either way.  If an address could be both, it is taken as a linked one, as in
    QEMU.
    """
    for s in segments:
        if s.vaddr <= address < s.vaddr + s.memsz:
            return address - s.vaddr + s.paddr
    for s in segments:
        if s.paddr <= address < s.paddr + s.memsz:
            return address
    return None
