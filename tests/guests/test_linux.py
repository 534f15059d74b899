"""Linux, which nobody here wrote, boots to its init and powers off (docs/howto/linux.md)."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.command import toyvmm

BUILT = Path(__file__).parents[2] / "build" / "linux"
CHECKS = (
    "process number", "fork, exec, wait", "pipes, two processes in turn", "mmap, copy on write",
    "AMOs, LR and SC", "sleep",
)  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BUILT / "Image-block").exists(), reason="run `make linux` first"),
]


def boot(image, *options):
    """The lines that Linux printed; it must have ended by itself."""
    done = toyvmm("run", "--kernel", BUILT / image, "--max-insns", "100e6", *options)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()[-2000:]
    lines = done.stdout.decode().replace("\r", "").splitlines()
    assert "init: done" in lines
    assert not [line for line in lines if "FAIL" in line or "Oops" in line or "WARNING" in line]
    return lines


@pytest.mark.parametrize(
    "options",
    [(), ("--mem", "8M"), ("--clock", "icount"), ("--cost", "modern"), ("--mem", "64M")],
    ids=" ".join,
)
def test_it_boots_to_init(options):
    lines = boot("Image", *options)
    assert lines[0].startswith("Linux version 6.1")
    for check in CHECKS:
        assert f"init: ok {check}" in lines


def test_initrd_and_command_line():
    lines = boot("Image", "--initrd", BUILT / "initrd.cpio", "--append", "one two")
    assert "Kernel command line: one two" in lines
    assert {"init: argument one", "init: argument two", "hello from the initrd"} <= set(lines)


@pytest.mark.parametrize("version", ["", ",legacy"], ids=["modern", "legacy"])
@pytest.mark.parametrize("console", ["ttyS0", "hvc0"])
def test_disks(tmp_path, version, console):
    (tmp_path / "disk").write_bytes((BUILT / "disk.img").read_bytes())
    (tmp_path / "second").write_bytes(bytes(1 << 20))
    disks = ("--disk", f"{tmp_path}/disk,ro{version}", "--disk", f"{tmp_path}/second{version}")
    lines = boot("Image-block", *disks, "--append", f"console={console} write")
    assert {"init: ok disk mounted", "hello from the disk", "init: ok second disk written"} <= set(
        lines
    )
    assert (tmp_path / "second").read_bytes().startswith(b"written by init\n")
    assert (tmp_path / "disk").read_bytes() == (BUILT / "disk.img").read_bytes()


def test_two_boots_are_the_same():
    first, second = (
        json.loads(toyvmm("run", "--kernel", BUILT / "Image", "--json").stdout) for _ in range(2)
    )
    del first["seconds"], second["seconds"]
    assert first == second
