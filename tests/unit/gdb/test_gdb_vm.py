"""Real gdb on a guest in a virtual machine: it sees the guest's state, as on a bare machine."""

import shutil
import subprocess

import pytest

import guests
from tests.guests.build import assembled
from tests.unit.cli.command import argv, environment
from tests.unit.gdb.test_gdb import SOURCE, show, values

GDB = shutil.which("gdb-multiarch")
pytestmark = pytest.mark.skipif(GDB is None, reason="gdb-multiarch is not installed")

STATE = ("$pc", "$priv", "$sp", "$t0", "$t3", "$sepc", "$scause", "$stval", "$sstatus", "$stvec",
         "$satp", "$instret")  # fmt: skip


@pytest.fixture(scope="module")
def elves(tmp_path_factory):
    from asm import assemble

    folder = tmp_path_factory.mktemp("gdb")
    (folder / "trapping").write_bytes(assemble(SOURCE).elf())
    (folder / "pages").write_bytes(assembled(guests.catalogue()["pages"]).elf())
    return folder


@pytest.fixture
def gdb(elves):
    """Run gdb commands on a guest under an engine; what gdb and the command printed."""

    def run(guest, engine, *commands):
        elf = elves / guest
        stub = " ".join(argv("boot", elf, "--engine", engine, "--clock", "icount",
                             "--gdb", "stdio"))  # fmt: skip
        lines = ["set pagination off", "set confirm off", "set remotetimeout 200",
                 f"target remote | {stub}", *commands]  # fmt: skip
        arguments = [part for line in lines for part in ("-ex", line)]
        done = subprocess.run(
            [GDB, "-nx", "-batch", *arguments, str(elf)], capture_output=True, text=True,
            env=environment(), timeout=300, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_steps_traps_and_registers_are_the_guests(gdb, engine):
    """Breakpoints, single steps over a fault, CSRs: each as on the bare machine."""
    commands = [
        "break loop", "continue", show("loop", *STATE), "continue", show("loop", *STATE),
        "delete", "break cause_trap", "continue", show("fault", *STATE), "stepi",
        show("inside", *STATE), "stepi", show("handler", *STATE), "delete", "break finish",
        "continue", show("end", *STATE), "continue",
    ]  # fmt: skip
    bare, guest = gdb("trapping", "native", *commands), gdb("trapping", engine, *commands)
    for name in ("loop", "fault", "inside", "handler", "end"):
        assert values(guest, name) == values(bare, name) != [], name
    assert "exited normally" in guest


def test_memory_by_the_guests_own_tables(gdb):
    """`pages` turns paging on: gdb's addresses are translated like the guest's."""
    commands = ["break trap_saved if $satp != 0", "continue", show("at", *STATE),
                "monitor walk 0x80000000", "monitor walk 0x40000000", "x/2xw $sp", "x/1i $pc",
                "stepi", "stepi", show("then", *STATE)]  # fmt: skip
    bare, guest = gdb("pages", "native", *commands), gdb("pages", "trap", *commands)
    assert values(guest, "at") == values(bare, "at") != []
    assert int(values(guest, "at")[0].split()[STATE.index("$satp")], 16) >> 31 == 1
    assert values(guest, "then") == values(bare, "then") != []

    def told(text):
        start = text.index("at=")
        lines = text[start:].splitlines()
        return [line for line in lines if line.startswith(("0x", "=>", "  level", "  ->"))]

    assert told(guest) == told(bare) != []


def test_watchpoint_and_writing(gdb):
    commands = ["watch *(int*)&counter", "continue", "continue", show("new", "*(int*)&counter"),
                "delete", "set *(int*)&counter = 99", "set $stvec = 0x80000101",
                show("set", "*(int*)&counter", "$stvec"), "monitor exits"]  # fmt: skip
    text = gdb("trapping", "trap", *commands)
    assert values(text, "new") == ["2"]
    assert values(text, "set") == ["63 80000101"]
    assert "csr " in text


def test_backwards_is_refused(gdb):
    text = gdb("trapping", "trap", "stepi", "reverse-stepi", "reverse-continue")
    assert text.count("does not support") == 2
    assert "forwards only, since there are no snapshots of virtual machines yet" in text
