"""Real gdb on a guest of ours: source lines, breakpoints, watchpoints, steps back."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asm import assemble
from tests.unit.cli.command import argv, environment

GDB = shutil.which("gdb-multiarch")
SOURCE = Path(__file__).with_name("trapping.S")
pytestmark = pytest.mark.skipif(GDB is None, reason="gdb-multiarch is not installed")


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    path = tmp_path_factory.mktemp("gdb") / "trapping.elf"
    path.write_bytes(assemble(SOURCE).elf())
    return path


@pytest.fixture
def gdb(elf):
    """Run gdb commands after connecting; what gdb printed."""

    def run(*commands, options=()):
        stub = " ".join(argv("run", elf, "--gdb", "stdio", *options))
        patient = "set remotetimeout 200"  # the stub may have to compile first
        settings = ["set pagination off", "set confirm off", patient]
        lines = [*settings, f"target remote | {stub}", *commands]
        arguments = [part for line in lines for part in ("-ex", line)]
        done = subprocess.run(
            [GDB, "-nx", "-batch", *arguments, str(elf)], capture_output=True, text=True,
            env=environment(), timeout=300, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    return run


def values(text, name):
    """What `echo NAME=` followed by an output of registers shows, in order."""
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def show(name, *registers):
    pattern = " ".join(["%x"] * len(registers))
    return f'printf "{name}={pattern}\\n", {", ".join(registers)}'


STATE = ("$pc", "$sp", "$t0", "$t1", "$t3", "$s0", "$a2", "$sepc", "$scause", "$sstatus", "$cycle")


def test_source_lines_and_symbols(gdb):
    text = gdb("break loop", "continue", "next", "next", "info line", "continue")
    assert "loop () at" in text
    assert "addi    s0, s0, 1" in text
    assert text.count("Breakpoint 1, loop ()") == 2
    assert "sw      s0, 0(t1)" in text


def test_step_over_a_trap_and_back(gdb):
    text = gdb(
        "break cause_trap", "continue", show("before", *STATE), "stepi",
        show("inside", "$pc == &handler", "$scause", "$sepc == &cause_trap"),
        "reverse-stepi", show("again", *STATE), "stepi", "stepi", "stepi",
        "reverse-stepi", "reverse-stepi", "reverse-stepi", show("thrice", *STATE),
    )  # fmt: skip
    assert values(text, "inside") == ["1 2 1"]
    before, again, thrice = (values(text, n)[0] for n in ("before", "again", "thrice"))
    assert before == again == thrice


def test_reverse_continue_agrees_with_the_forward_run(gdb):
    loops = [show("forward", *STATE) for _ in range(5)]
    forward = [part for line in loops for part in ("continue", line)]
    backward = [
        part for _ in range(5) for part in ("reverse-continue", show("backward", *STATE))
    ]
    text = gdb("break loop", *forward, "tbreak finish", "continue", *backward)
    assert len(values(text, "forward")) == 5
    assert values(text, "backward") == values(text, "forward")[::-1]


def test_back_to_the_beginning_and_to_the_end(gdb):
    text = gdb("break finish", "continue", "delete", "reverse-continue", show("start", "$pc"),
               "continue")  # fmt: skip
    assert "No more reverse-execution history" in text
    assert values(text, "start") == ["80000000"]
    assert "exited normally" in text


def test_watchpoints_both_ways(gdb):
    watch = "watch *(int*)&counter"
    text = gdb(watch, "continue", "continue", "continue", show("new", "*(int*)&counter"),
               "reverse-continue", show("back", "*(int*)&counter", "$pc"),
               "reverse-continue", show("back", "*(int*)&counter", "$pc"))  # fmt: skip
    assert "Hardware watchpoint" in text
    assert "New value = 3" in text
    assert values(text, "new") == ["3"]
    assert [line.split()[0] for line in values(text, "back")] == ["2", "1"]


def test_read_watchpoint(gdb):
    text = gdb("rwatch *(int*)&counter", "continue", show("at", "$pc", "$a2"))
    assert "Value = 5" in text
    assert values(text, "at")[0].endswith(" 5")


def test_the_guests_own_breakpoint_instruction_is_its_own(gdb):
    inside = show("inside", "$scause", "$sepc == &after")
    text = gdb("break handler", "continue", inside, "continue", inside, "continue")
    assert values(text, "inside") == ["2 0", "3 1"]
    assert "exited normally" in text


def test_breakpoints_do_not_change_the_guest(gdb):
    text = gdb("x/1xw &loop", "break loop", "break handler", "continue", "x/1xw &loop",
               "monitor phys 0x80000018 1", "delete", "break finish", "continue",
               show("stopped", *STATE))  # fmt: skip
    plain = gdb("break finish", "continue", show("stopped", *STATE))
    assert values(text, "stopped") == values(plain, "stopped")
    first, second = re.findall(r"<loop>:\t(\S+)", text)
    assert first == second


def test_writing_registers_and_memory(gdb):
    text = gdb("break cause_trap", "continue", "set $s0 = 0x1234", "set *(int*)&counter = 99",
               "set $stvec = 0x80000101", show("set", "$s0", "$stvec"), "break finish",
               "set $pc = &after + 4", "continue", show("read", "$a2"))  # fmt: skip
    assert values(text, "set") == ["1234 80000101"]
    assert values(text, "read") == ["63"]


def test_monitor(gdb):
    text = gdb("monitor help", "monitor walk 0x80000000", "monitor nonsense", "monitor walk",
               "monitor csr satp", "monitor regs", "monitor cycles", "monitor when")  # fmt: skip
    for line in ("walk ADDRESS", "paging is off", "no monitor command", "usage: monitor walk",
                 "satp       0x00000000", "instructions", "0 instructions, 0 traps"):  # fmt: skip
        assert line in text, line


def test_with_a_disk_that_is_only_read(gdb, tmp_path):
    (tmp_path / "disk.img").write_bytes(bytes(512))
    words = ("--disk", f"{tmp_path}/disk.img,ro", "--disk", f"{tmp_path}/disk.img,cow")
    text = gdb("break loop", "continue", show("forward", *STATE), "continue",
               "reverse-continue", show("back", *STATE), options=words)  # fmt: skip
    assert values(text, "forward") == values(text, "back") != []


def test_unmapped_memory_is_an_error(gdb):
    assert "Cannot access memory at address 0x1000" in gdb("x/1xw 0x1000")


@pytest.mark.compiled
def test_ctrl_c_then_back(elf, tmp_path):
    source = tmp_path / "loop.S"
    source.write_text("_start: addi a0, a0, 1\n j _start\n")
    (tmp_path / "loop.elf").write_bytes(assemble(source).elf())
    stub = " ".join(argv("run", tmp_path / "loop.elf", "--gdb", "stdio"))
    script = f"""
import gdb, threading, os, signal
gdb.execute("set remotetimeout 200")
gdb.execute("target remote | {stub}")
threading.Timer(3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
gdb.execute("continue")
n = int(gdb.parse_and_eval("$a0"))
print("ran", n > 1000)
gdb.execute("reverse-stepi")
gdb.execute("reverse-stepi")
print("back", n - int(gdb.parse_and_eval("$a0")) in (1, 2))
gdb.execute("kill")
"""
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [GDB, "-nx", "-batch", "-ex", "set confirm off", "-x", tmp_path / "script.py"],
        capture_output=True, text=True, env=environment(), timeout=300, check=False,
    )  # fmt: skip
    assert "SIGINT" in done.stdout, done.stdout + done.stderr
    assert "ran True" in done.stdout
    assert "back True" in done.stdout


def test_over_tcp_on_loopback(elf):
    stub = subprocess.Popen(argv("run", elf, "--gdb", "0"), stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL, env=environment())  # fmt: skip
    line = next(line for line in stub.stderr if "waiting for gdb" in line)
    address = line.split()[-1]
    assert address.startswith("127.0.0.1:")
    done = subprocess.run(
        [GDB, "-nx", "-batch", "-ex", f"target remote {address}", "-ex", "break finish",
         "-ex", "continue", "-ex", "detach", str(elf)],
        capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    assert "Breakpoint 1, finish ()" in done.stdout
    assert stub.wait(timeout=60) == 0  # after detach the guest ran to its end
    stub.stderr.close()


def test_refused(tmp_path):
    for port in ("70000", "x", "-1"):
        done = subprocess.run(argv("run", "hello", "--gdb", port), env=environment(),
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 2
        assert "port" in done.stderr


