"""Law 4 for the patched kernel: for its processes it is the same kernel.

Bare, and patched under `pv`, `toyix` serves each process the same system calls with the same
arguments and answers, and each process leaves the same memory when it exits.  For that a log
is added to the kernel's source, with the same text for both builds.
"""

import numpy as np
import pytest

import asm
import guests
from toyisa.core.memory import RAM_BASE
from toyisa.machine import Exit, Machine
from toyisa.tables.levels import Profile
from vmm.machine import VirtualMachine

SCRIPT = b"help\nprimes 5000\nforkwait 20\nnonesuch\nbadguy\nprimes 77\npoweroff\n"
ENTRIES, WORDS = 4000, 7  # pid, number, a0, a1, a2, answer, sum of memory
SYS_EXIT = 5

CALL = """
syscall:
    PROLOGUE
    mv      s0, a0
    call    log_call
"""
ANSWER = """2:  sw      a0, FRAME_A0(s0)
    beqz    s2, 3f
    sw      a0, 20(s2)
3:  EPILOGUE

# log_call(frame) -> s2: its entry, or 0.  Its other registers are the caller's.
log_call:
    li      s2, 0
    lw      t0, log_used
    li      t1, {entries}
    bgeu    t0, t1, 1f
    addi    t1, t0, 1
    sw      t1, log_used, t2
    li      t1, {size}
    mul     t0, t0, t1
    la      s2, log
    add     s2, s2, t0
    lw      t0, P_PID(tp)
    sw      t0, 0(s2)
    lw      t0, FRAME_A7(a0)
    sw      t0, 4(s2)
    lw      t1, FRAME_A0(a0)
    sw      t1, 8(s2)
    lw      t1, FRAME_A1(a0)
    sw      t1, 12(s2)
    lw      t1, FRAME_A2(a0)
    sw      t1, 16(s2)
    li      t1, {exit}
    bne     t0, t1, 1f
    PROLOGUE
    mv      s5, s2
    call    memory_sum
    sw      a0, 24(s5)
    EPILOGUE
1:  ret

# memory_sum() -> of all words on pages of U in the running process, times their addresses
memory_sum:
    PROLOGUE
    li      s0, 0                       # address
    li      s3, 0
1:  lw      a0, P_ROOT(tp)
    mv      a1, s0
    li      a2, 0
    call    pte_of
    beqz    a0, 5f
    READ_PTE s2, a0
    andi    t1, s2, PTE_V
    beqz    t1, 4f
    srli    s2, s2, PTE_PPN_SHIFT
    slli    s2, s2, PAGE_SHIFT
    li      t1, PAGE_SIZE
    add     t1, t1, s2
    mv      t2, s0
3:  lw      t3, 0(s2)
    mul     t3, t3, t2
    xor     s3, s3, t3
    slli    t3, s3, 1
    srli    s3, s3, 31
    or      s3, s3, t3
    addi    t2, t2, 7
    addi    s2, s2, 4
    bltu    s2, t1, 3b
4:  li      t1, PAGE_SIZE
    add     s0, s0, t1
    bgez    s0, 1b
    j       6f
5:  li      t1, SUPERPAGE_SIZE          # no table
    add     s0, s0, t1
    bgez    s0, 1b
6:  mv      a0, s3
    EPILOGUE

    .bss
    .balign 4
    .globl  log
log_used:
    .space  4
log:
    .space  {entries} * {size}
    .text
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that assembles the kernel with the log, for a build."""
    guest = guests.catalogue()["toyix"]
    text = guests.path("kernels/toyix/syscall.S").read_text()
    end = ANSWER.format(entries=ENTRIES, size=4 * WORDS, exit=SYS_EXIT)
    for old, new in (("\nsyscall:\n    PROLOGUE\n    mv      s0, a0\n", CALL),
                     ("2:  sw      a0, FRAME_A0(s0)\n    EPILOGUE\n", end)):  # fmt: skip
        assert text.count(old) == 1
        text = text.replace(old, new)
    where = tmp_path_factory.mktemp("logged")
    (where / "kernels" / "toyix").mkdir(parents=True)
    (where / "kernels" / "toyix" / "syscall.S").write_text(text)

    def assemble(name: str) -> asm.Object:
        # The main file's own folder comes first where an include looks: so it moves, too.
        main = where / "toyix.S"
        main.write_text(guest.source.read_text())
        return asm.assemble(main, include_dirs=[where, guests.ROOT], defines=guests.BUILDS[name])

    return assemble


def processes(machine, program) -> tuple[str, dict[int, list[tuple[int, ...]]]]:
    """The console, and for each process its calls, in order."""
    machine.load(program.elf())
    machine.feed(SCRIPT)
    machine.end_input()
    assert machine.run(budget=2_000_000_000) is Exit.HALTED, machine.reason
    assert machine.code == 0
    words = np.ascontiguousarray(machine.ram).view("<u4")
    at, used = ((program.symbols[name].value - RAM_BASE) // 4 for name in ("log", "log_used"))
    entries = words[at : at + WORDS * int(words[used])].reshape(-1, WORDS).tolist()
    assert len(entries) < ENTRIES
    by_process: dict[int, list[tuple[int, ...]]] = {}
    for pid, *rest in entries:
        by_process.setdefault(pid, []).append(tuple(rest))
    return machine.output().decode(), by_process


@pytest.fixture(scope="module")
def native(build):
    return processes(Machine(), build(""))


def test_the_log_tells_something(native):
    _, calls = native
    assert len(calls) > 25
    numbers = {call[0] for process in calls.values() for call in process}
    assert numbers >= {1, 2, 4, 5, 6, 7}  # write, read, fork, exit, exec, wait
    sums = {call[5] for process in calls.values() for call in process if call[0] == SYS_EXIT}
    assert len(sums) > 1
    assert 0 not in sums


@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.LEAKY])
@pytest.mark.parametrize("cost", ["p4", "modern"])
def test_processes_see_no_difference(build, native, profile, cost):
    machine = VirtualMachine(engine="pv", profile=profile, cost=cost, scatter=11)
    console, calls = processes(machine, build("pv"))
    assert console == native[0]
    assert calls.keys() == native[1].keys()
    for pid, expected in native[1].items():
        assert calls[pid] == expected, f"process {pid}"
