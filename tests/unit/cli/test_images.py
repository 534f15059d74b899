"""`toyvmm run --kernel` and `--disk`: what is accepted, what is refused, and what is said."""

from pathlib import Path

import click
import pytest

from tests.unit.test_kernel import header, small_kernel
from toyisa.core.memory import VIRTIO_SLOTS
from toyisa.devices.disk import Disk
from vmm.cli import images
from vmm.cli.images import DiskImage
from vmm.cli.main import invoke
from vmm.cli.status import Status

HELLO = "la s0, text\n jal print\n j 1f\n text: .asciz \"hello\"\n .balign 4\n 1:"
# Prints the disk's capacity in sectors as one character.
CAPACITY = "li s0, 0x10001100\n lbu a0, 0(s0)\n li a7, 1\n ecall\n nop"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(512 * ord("K")))
    return path


@pytest.fixture
def kernel(tmp_path):
    def write(body):
        (tmp_path / "Image").write_bytes(small_kernel(body))
        return str(tmp_path / "Image")

    return write


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("a.img", "a.img", ""),
        ("a.img,ro", "a.img", "ro"),
        ("a.img,legacy,ro", "a.img", "ro legacy"),
        ("a.img,cow", "a.img", "cow"),
        ("a,b.img", "a,b.img", ""),
        ("a,ro.img,ro", "a,ro.img", "ro"),
        ("a.img,slot=7,ro", "a.img", "ro slot=7"),
        ("a.img,slot=8", "a.img,slot=8", ""),
    ],
)
def test_how_a_disk_is_written(text, path, words):
    assert DiskImage().convert(text, None, None) == (Path(path), frozenset(words.split()))


@pytest.mark.parametrize("text", ["", ",ro"])
def test_a_disk_without_a_name(text):
    with pytest.raises(click.BadParameter):
        DiskImage().convert(text, None, None)


def test_a_kernel_runs_and_is_summed_up_by_its_name(capfd, kernel, tmp_path):
    (tmp_path / "none").write_bytes(b"")
    assert invoke(["run", "--kernel", kernel(HELLO), "--input", str(tmp_path / "none")]) == 0
    out, err = capfd.readouterr()
    assert out == "hello"
    assert "toyvmm: Image: passed; " in err


@pytest.mark.parametrize("words", ["", ",ro", ",cow", ",legacy", ",legacy,cow"])
def test_a_kernel_sees_its_disk(capfd, kernel, image, words):
    assert invoke(["run", "-q", "--kernel", kernel(CAPACITY), "--disk", f"{image}{words}",
                   "--input", "/dev/null"]) == 0  # fmt: skip
    assert capfd.readouterr().out == "K"


@pytest.mark.parametrize("words", ["", ",ro", ",cow"])
def test_a_kernel_with_a_disk_that_does_not_end_is_told_so(capfd, kernel, image, words):
    code = invoke(["run", "--kernel", kernel("1: j 1b"), "--disk", f"{image}{words}",
                   "--max-insns", "5000", "--input", "/dev/null"])  # fmt: skip
    err = capfd.readouterr().err
    assert code == Status.LIMIT, err
    assert "stopped after 5,000 instructions" in err


@pytest.mark.parametrize(
    "options",
    [("--disk", "{},slot=3"), ("--disk", "{}", "--disk-slot", "3")],
    ids=["a word", "an option"],
)
def test_a_kernel_sees_its_disk_where_it_looks_for_it(capfd, kernel, image, options):
    words = [word.format(f"{image},cow") for word in options]
    elsewhere = CAPACITY.replace("0x10001100", "0x10004100")
    assert invoke(["run", "-q", "--kernel", kernel(elsewhere), *words, "--input", "/dev/null"]) == 0
    assert capfd.readouterr().out == "K"


def test_slots_are_as_many_as_the_machine_has():
    assert images.SLOTS == VIRTIO_SLOTS


# The first letter of what the device tree says behind `rv32ima_zicsr_zifencei_sstc`.
ISA = """
        la t2, known
next:   mv t0, a1
        mv t1, t2
match:  lbu t3, 0(t0)
        lbu t4, 0(t1)
        beqz t4, found
        addi t0, t0, 1
        addi t1, t1, 1
        beq t3, t4, match
        addi a1, a1, 1
        j next
found:  lbu a0, 1(t0)           # behind the _, or the next property: 0
        li a7, 1
        ecall
        j 1f
known:  .asciz "_sstc"
        .balign 4
1:      nop
"""


@pytest.mark.parametrize(("option", "letter"), [((), "\0"), (("--svade",), "s")])
def test_a_kernel_is_told_who_sets_the_accessed_bits(capfd, kernel, option, letter):
    assert invoke(["run", "-q", "--kernel", kernel(ISA), *option, "--input", "/dev/null"]) == 0
    assert capfd.readouterr().out == letter


def refused(capfd, *arguments):
    assert invoke(["run", *map(str, arguments)]) == Status.USAGE
    return capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Missing argument 'TARGET'"),
        (("hello", "--kernel", "Image"), "in place of TARGET"),
        (("hello", "--initrd", "x"), "need --kernel"),
        (("hello", "--append", ""), "need --kernel"),
        (("--restore", "x", "--disk", "y"), "y: No such file"),
        (("hello", "--disk", "y,ro,cow"), "`ro` or `cow`"),
        (("hello", "--disk", "y,slot=1,slot=2"), "in one slot"),
        (("hello", "--disk-slot", "1"), "needs --disk"),
        (("hello", "--disk-slot", "8", "--disk", "y"), "0<=x<=7"),
        (("hello", "--disk-slot", "1", "--disk", "y,slot=2"), "given twice"),
        (("--kernel", "no-such-file"), "no-such-file: no such file"),
        (("--kernel", "x", "--demo"), "--demo needs an example"),
    ],
)
def test_what_does_not_go_together(capfd, monkeypatch, tmp_path, arguments, reason):
    monkeypatch.chdir(tmp_path)
    assert reason.replace("in place of", "takes the place of") in refused(capfd, *arguments)


def test_images_that_cannot_be_used(capfd, kernel, image, tmp_path):
    image.chmod(0o400)
    (tmp_path / "short").write_bytes(b"x")
    (tmp_path / "odd").write_bytes(header(offset=1 << 20))
    guest = kernel(HELLO)
    assert "No such file" in refused(capfd, "--kernel", guest, "--disk", tmp_path / "none")
    assert "shorter than one sector" in refused(capfd, "hello", "--disk", tmp_path / "short")
    assert "2 MiB" in refused(capfd, "--kernel", tmp_path / "odd")
    nine = [word for _ in range(9) for word in ("--disk", f"{image},ro")]
    assert "8 slots" in refused(capfd, "hello", *nine)
    twice = [word for _ in range(2) for word in ("--disk", f"{image},ro,slot=2")]
    assert "slot 2 has a device already" in refused(capfd, "hello", *twice)


def test_going_back_takes_no_disk_that_is_written(capfd, image):
    err = refused(capfd, "hello", "--gdb", "0", "--disk", image)
    assert "FILE,ro or FILE,cow" in err


def test_two_runs_on_one_image(capfd, image):
    with_it = Disk(image)
    assert "is in use by another run" in refused(capfd, "hello", "--disk", image)
    with_it.close()
    assert invoke(["run", "-q", "hello", "--disk", str(image), "--input", "/dev/null"]) == 0
