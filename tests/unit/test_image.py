"""An ELF that the machine cannot run is refused in one line: file, reason, fix."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toyisa.load import image
from toyisa.load.image import Image, ImageError, Load

BASE, SIZE = 0x8000_0000, 1 << 20
CODE = bytes.fromhex("73001000") * 4


def header(**changes):
    """The 52 bytes of a good header, with some fields changed."""
    fields = {
        "magic": b"\x7fELF", "class_": 1, "data": 1, "type": 2, "machine": 243, "entry": BASE,
        "phoff": 52, "shoff": 0, "flags": 0, "phentsize": 32, "phnum": 1, "shentsize": 40,
        "shnum": 0, "shstrndx": 0,
    } | changes  # fmt: skip
    return struct.pack(
        "<4sBBB9xHHIIIIIHHHHHH",
        fields["magic"], fields["class_"], fields["data"], 1, fields["type"], fields["machine"], 1,
        fields["entry"], fields["phoff"], fields["shoff"], fields["flags"], 52,
        fields["phentsize"], fields["phnum"], fields["shentsize"], fields["shnum"],
        fields["shstrndx"],
    )  # fmt: skip


def segment(type_=1, offset=0, vaddr=BASE, paddr=None, filesz=16, memsz=None):
    paddr = vaddr if paddr is None else paddr
    memsz = filesz if memsz is None else memsz
    return struct.pack("<8I", type_, offset, vaddr, paddr, filesz, memsz, 5, 4)


def build(*segments, code=CODE, **changes):
    """An ELF whose segments all show the same sixteen bytes of code."""
    offset = 52 + 32 * len(segments or (1,))
    segments = segments or (segment(offset=offset),)
    return header(phnum=len(segments), **changes) + b"".join(segments) + code


def with_attributes(arch):
    """A good ELF that says in `.riscv.attributes` what it was compiled for."""
    pairs = bytes([4, 16, 5]) + arch.encode() + b"\0"  # stack alignment 16, then the ISA
    file = b"\1" + struct.pack("<I", 5 + len(pairs)) + pairs
    content = b"A" + struct.pack("<I", 10 + len(file)) + b"riscv\0" + file
    start = 52 + 32 + 16
    section = struct.pack("<10I", 0, 0x70000003, 0, 0, start + 40, len(content), 0, 0, 1, 0)
    return build(shoff=start, shnum=1) + section + content


def parse(data):
    return image.parse(data, "guest.elf", BASE, SIZE)


def test_a_good_file():
    loaded = parse(build())
    assert loaded.entry == BASE
    assert loaded.segments == (Load(BASE, CODE, 16),)
    assert loaded.symbols == ()
    assert loaded.tohost is None


def test_a_kernel_linked_high_and_loaded_low_begins_where_it_is_loaded():
    high = segment(offset=84, vaddr=0xC000_0000, paddr=BASE + 0x4000)
    loaded = parse(build(high, entry=0xC000_0008))
    assert loaded.entry == BASE + 0x4008
    assert loaded.segments[0].paddr == BASE + 0x4000


REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"addi a0, a0, 1\n", "is not an ELF file"),
    "cut in the header": (build()[:40], "truncated: 40 bytes"),
    "cut in the program headers": (build()[:60], "truncated or damaged: the program header table"),
    "cut in a segment": (build()[:-1], "a segment ends at byte 100, the file at 99"),
    "64 bits": (build(class_=2), "64-bit"),
    "no class": (build(class_=7), "unknown ELF class"),
    "big-endian": (build(data=2), "big-endian"),
    "x86": (build(machine=3), "is for x86, not for RISC-V"),
    "unknown machine": (build(machine=4711), "is for machine 4711"),
    "object file": (build(type=1), "object file; link it first"),
    "position-independent": (build(type=3), "position-independent; link with -static -no-pie"),
    "wants a loader": (build(segment(offset=116), segment(type_=3)), "dynamically linked"),
    "core dump": (build(type=4), "not an executable (ELF type 4)"),
    "compressed": (build(flags=1, code=b"\x01\x00" * 8), "begins with a compressed instruction"),
    "RV64": (with_attributes("rv64i2p1"), "is RV64 code"),
    "no segments": (build(segment(type_=4)), "has nothing to load"),
    "below RAM": (build(segment(offset=84, vaddr=BASE - 4096)), "0x7ffff000..0x7ffff010 is"),
    "above RAM": (build(segment(offset=84, vaddr=BASE + SIZE - 8)), "more memory (--mem)"),
    "memory too large": (build(segment(offset=84, memsz=0xFFFF_FFFF)), "is outside RAM"),
    "more in the file": (build(segment(offset=84, memsz=8)), "16 bytes in the file, 8 in memory"),
    "overlap": (
        build(segment(offset=116), segment(offset=116, vaddr=BASE + 8)),
        "0x80000000..0x80000010 and 0x80000008..0x80000018 overlap",
    ),
    "entry outside": (build(entry=BASE + 16), "entry 0x80000010 is in no loaded segment"),
    "entry zero": (build(entry=0), "entry 0x0 is in no loaded segment"),
    "entry unaligned": (build(entry=BASE + 2), "entry 0x80000002 is not a multiple of 4"),
    "headers of another size": (build(phentsize=33), "a program header has 33 bytes"),
    "section table outside": (build(shoff=9999, shnum=3), "the section header table ends"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line_with_the_name_and_the_reason(case):
    data, reason = REFUSED[case]
    with pytest.raises(ImageError) as raised:
        parse(data)
    assert str(raised.value).startswith("guest.elf: ")
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("flags", [1, 2, 4, 5, 8])
def test_what_a_file_claims_to_need_it_need_not_use(flags):
    """RVC, float ABIs, RVE: every riscv-arch-test sets RVC, and most use nothing of it."""
    assert parse(build(flags=flags)).entry == BASE


def test_a_segment_without_bytes_in_the_file_is_all_zeros():
    bss = segment(offset=0xFFFF_FFFF, vaddr=BASE + 4096, filesz=0, memsz=64)
    assert parse(build(segment(offset=116), bss)).segments[1] == Load(BASE + 4096, b"", 64)


def test_a_segment_without_any_bytes_may_lie_anywhere():
    empty = segment(offset=0xFFFF_FFFF, vaddr=16, filesz=0)
    assert parse(build(segment(offset=116), empty)).segments == (Load(BASE, CODE, 16),)


def test_an_executable_with_a_dynamic_section_runs():
    """U-Boot is one: it relocates itself."""
    assert parse(build(segment(offset=116), segment(type_=2))).entry == BASE


def test_a_kernel_may_name_the_physical_address_of_its_entry():
    high = segment(offset=84, vaddr=0xC000_0000, paddr=BASE + 0x4000)
    assert parse(build(high, entry=BASE + 0x4004)).entry == BASE + 0x4004


def test_an_entry_that_is_both_is_the_linked_one():
    """Two segments at each other's addresses."""
    first = segment(offset=116, vaddr=BASE, paddr=BASE + 0x4000)
    second = segment(offset=116, vaddr=BASE + 0x4000, paddr=BASE)
    assert parse(build(first, second, entry=BASE + 4)).entry == BASE + 0x4004


def test_a_linker_that_leaves_physical_addresses_zero():
    assert parse(build(segment(offset=84, paddr=0))).segments[0].paddr == BASE


def room(*spans, size=100):
    """Where `size` bytes fit beside segments (offset, memsz)."""
    loads = tuple(Load(BASE + at, b"", memsz) for at, memsz in spans)
    return Image("guest.elf", BASE, loads, (), None, None).room_for(size, (BASE, SIZE)) - BASE


def test_the_device_tree_lies_at_the_top_of_ram_if_that_is_free():
    assert room((0, 4096)) == SIZE - 4096
    assert room((0, 4096), size=4097) == SIZE - 8192
    assert room((0, SIZE - 4096)) == SIZE - 4096


def test_the_device_tree_lies_where_no_segment_does_though_it_be_zeros():
    assert room((0, 64), (4096, SIZE - 4096)) == 4096 - 104
    assert room((0, 64), (0x3000, SIZE - 0x3000)) == 0x2000
    assert room((0x800, SIZE - 0x800)) == 0
    assert room((8, SIZE - 0x800 - 8)) == SIZE - 104
    assert room((0, 0x1000), (0x3000, 0x1000), (0x4000, SIZE - 0x4000 - 99)) == 0x2000


def test_without_room_for_the_device_tree_it_is_refused():
    with pytest.raises(ImageError, match=r"guest\.elf: fills RAM.*--mem"):
        room((99, SIZE - 99))


@pytest.mark.parametrize(
    "arch",
    ["", "rv32i2p1_m2p0_a2p1_zicsr2p0_zifencei2p0_zmmul1p0", "rv32e1p9", "rv32i_sstc_zicntr_zaamo",
     "rv32i2p1_c2p0", "rv32i2p1_f2p2_d2p2_zicsr2p0", "rv32imafc"],
)  # fmt: skip
def test_extensions_are_no_reason(arch):
    assert parse(with_attributes(arch)).entry == BASE


def test_files_that_cannot_be_read(tmp_path):
    for path, reason in (
        (tmp_path / "missing.elf", "no such file"),
        (tmp_path, "is a directory"),
        ("a\0b", "cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(ImageError, match=reason) as raised:
            image.read(path, BASE, SIZE)
        assert str(path) in str(raised.value)


def test_an_endless_file_is_refused_without_reading_it_all(monkeypatch):
    monkeypatch.setattr(image, "MAX_FILE", 1 << 10)
    with pytest.raises(ImageError, match="is a device"):
        image.read("/dev/zero", BASE, SIZE)
    with pytest.raises(ImageError, match="larger than 1 KB"):
        image.read("/proc/self/smaps", BASE, SIZE)


GOOD = with_attributes("rv32i2p1_m2p0_a2p1")


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
       st.integers(0, len(GOOD)))  # fmt: skip
def test_damage_is_refused_or_harmless(changes, length):
    """Only ImageError is raised, and what is accepted lies in RAM."""
    data = bytearray(GOOD)
    for at, byte in changes:
        data[at] = byte
    try:
        loaded = parse(bytes(data[:length]))
    except ImageError:
        return
    assert BASE <= loaded.entry < BASE + SIZE
    for load in loaded.segments:
        assert load.paddr >= BASE
        assert load.paddr + load.memsz <= BASE + SIZE
        assert len(load.data) <= load.memsz
