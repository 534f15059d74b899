"""`--check fence` names each use of a stale translation, and no other access."""

import json
import os

import pytest

import guests
from asm.assembler import assemble
from toyisa.machine import Exit
from vmm.cli.main import invoke
from vmm.cli.status import Status
from vmm.machine import new_machine
from vmm.watch.fencerun import FenceRun

# A page at WINDOW, whose entry is at s2; @ stands for what is done to it.
KERNEL = """
        .equ    WINDOW, 0x40005000  # where no other page has its place in the TLB
        .globl _start
_start: la      s0, root
        li      t1, 0x200000cf          # the kernel's 4 MiB, where it is
        li      t2, 512 * 4
        add     t2, s0, t2
        sw      t1, 0(t2)
        la      s2, pages
        srli    t1, s2, 2
        ori     t1, t1, 1
        sw      t1, 256 * 4(s0)
        la      s3, first
        srli    s3, s3, 2
        la      s4, second
        srli    s4, s4, 2
        ori     t1, s3, 0xcf
        sw      t1, 20(s2)
        srli    t0, s0, 12
        li      t1, 1 << 31
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        li      s1, WINDOW
        @
        li      a7, 8
        ecall
        .data
        .balign 4096
root:   .space  4096
pages:  .space  4096
first:  ret
        .space  4092
second: ret
        .space  4092
"""
EDIT = "ori t1, s4, 0xcf\n sw t1, 20(s2)\n"
CASES = {
    "a load by the old frame": ("lw a0, 0(s1)\n" + EDIT + "lw a0, 0(s1)", ["load"]),
    "a store": ("sw s1, 4(s1)\n" + EDIT + "sw s1, 4(s1)", ["store"]),
    "a fetch": ("jalr s1\n" + EDIT + "jalr s1", ["fetch"]),
    "a page that is gone": ("lw a0, 0(s1)\n sw zero, 20(s2)\n lw a0, 0(s1)", ["load"]),
    "a right that is gone": (
        "sw s1, 4(s1)\n ori t1, s3, 0xcb\n sw t1, 20(s2)\n lw a0, 0(s1)\n sw s1, 4(s1)", ["store"],
    ),
    "two uses": ("lw a0, 0(s1)\n" + EDIT + "lw a0, 0(s1)\n sw a0, 4(s1)", ["load", "store"]),
    "a fence": ("lw a0, 0(s1)\n" + EDIT + "sfence.vma\n lw a0, 0(s1)", []),
    "a fence of the page": ("lw a0, 0(s1)\n" + EDIT + "sfence.vma s1\n lw a0, 0(s1)", []),
    "no use before": (EDIT + "lw a0, 0(s1)", []),
    "a right more": (
        "ori t1, s3, 0x4b\n sw t1, 20(s2)\n sfence.vma\n lw a0, 0(s1)\n" + EDIT.replace("s4", "s3")
        + "sw a0, 4(s1)", [],
    ),
    "the same again": ("lw a0, 0(s1)\n ori t1, s3, 0xcf\n sw t1, 20(s2)\n lw a0, 0(s1)", []),
}  # fmt: skip


# Kernel code that was translated does not come through the TLB.
UNDER_ENGINES = [
    pytest.param(name, engine, marks=pytest.mark.compiled)
    for engine in ("trap", "bt") for name in CASES if (name, engine) != ("a fetch", "bt")
]


@pytest.mark.parametrize(
    ("name", "engine"), [*((name, "native") for name in CASES), *UNDER_ENGINES]
)
def test_each_use_and_no_other(name, engine, tmp_path, monkeypatch, capfd):
    body, wanted = CASES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none").touch()
    (tmp_path / "k.S").write_text(KERNEL.replace("@", body))
    command = ["boot", "--engine", engine]
    arguments = [*command, "k.S", "--input", "none", "--check", "fence", "--json"]
    assert invoke(arguments) == Status.PASSED  # the exit code is the guest's
    out, err = capfd.readouterr()
    found = json.loads(out)["fences"]
    assert [use["access"] for use in found] == wanted
    assert err.count("toyvmm: check: missing sfence.vma") == len(wanted)
    for use in found:
        assert use["address"] & ~0xFFF == 0x4000_5000
        assert use["edited_at"] < use["pc"] or use["access"] == "fetch"


PV_KERNEL = """
        .include "include/nano.inc"
        .include "lib/nano.S"
        .text
main:   PROLOGUE
        call    nano_init
        li      a0, NANO_VA
        li      a1, 0
        li      a2, PTE_LEAF | PTE_R | PTE_W
        call    nano_map
        li      a0, NANO_VA
        call    nano_pte
        mv      s1, a0
        li      s3, NANO_VA
        lw      s5, 0(s3)
        call    page_alloc
        srli    a1, a0, PAGE_SHIFT
        slli    a1, a1, PTE_PPN_SHIFT
        ori     a1, a1, PTE_LEAF | PTE_R | PTE_W
        mv      a0, s1
        SET_PTE a0, a1                      # and the flush is forgotten
        lw      s5, 0(s3)
        li      a0, 0
        EPILOGUE
trap:   j       panic_trap
        NANO_END
"""


@pytest.mark.compiled
@pytest.mark.parametrize(("engine", "missing"), [
    ("native", "sfence.vma"), ("trap", "sfence.vma"), ("pv", "the hypercall flush_page"),
])  # fmt: skip
def test_a_kernel_that_may_be_paravirtual(engine, missing, tmp_path, capfd):
    (tmp_path / "k.S").write_text(PV_KERNEL)
    source = str(tmp_path / "k.S")
    invoke(["boot", "--engine", engine, source, "-I", str(guests.ROOT), "--check", "fence",
            "--input", os.devnull])  # fmt: skip
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "check:" in line]
    assert f"missing {missing}: `lw s5,0(s3)` at main+0x70 " in line
    assert "(load at 0x40000000, physical page 0x80081000): the entry at 0x80082000" in line
    assert "(DA---WRV leaf 0x80083000" in line


def test_the_code_that_runs_is_compared_after_each_store(tmp_path, capfd):
    """The page of the code itself gets another frame, and the code goes on."""
    body = """
        la      t0, code                    # the code for the first frame
        slli    t3, s3, 2
        lw      t4, 0(t0)
        sw      t4, 0(t3)
        lw      t4, 4(t0)
        sw      t4, 4(t3)
        lw      t4, 8(t0)
        sw      t4, 8(t3)
        ori     t1, s4, 0xcf
        jalr    s1
        j       done
code:   sw      t1, 20(s2)
        nop
        ret
done:
"""
    (tmp_path / "k.S").write_text(KERNEL.replace("@", body))
    invoke(["run", str(tmp_path / "k.S"), "--check", "fence", "--json", "--input", os.devnull])
    found = json.loads(capfd.readouterr().out)["fences"]
    assert [(use["pc"] - 0x4000_5000, use["access"]) for use in found] == [
        (4, "fetch"), (8, "fetch"),
    ]  # fmt: skip
    assert all(use["edited_at"] == 0x4000_5000 for use in found)


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["native", "trap", "bt"])
@pytest.mark.parametrize(
    ("end", "shown"), [("1: lw a0, 0(s1)\n j 1b", "next"), ("ebreak", "last")],
    ids=["endless", "crash"],
)
def test_what_is_looked_at_afterwards_is_not_stopped(end, shown, engine, tmp_path, capfd):
    """A diagnosis steps the machine on, or again."""
    body = "csrw stvec, zero\n lw a0, 0(s1)\n" + EDIT + "lw a0, 0(s1)\n" + end
    (tmp_path / "k.S").write_text(KERNEL.replace("@", body))
    command = ["run"] if engine == "native" else ["boot", "--engine", engine]
    status = invoke([*command, str(tmp_path / "k.S"), "--check", "fence", "--max-insns", "1000",
                     "--input", os.devnull, "--json"])  # fmt: skip
    out, _err = capfd.readouterr()
    result = json.loads(out)
    assert status in (Status.LIMIT, Status.FAILED)
    assert sum(use["times"] for use in result["fences"]) > (450 if shown == "next" else 0)
    if shown == "next":
        assert len(result["diagnosis"]["goes_on"]) == 12


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["native", "trap", "bt", "pv"])
def test_the_check_changes_nothing(engine):
    """Cycles, state and trail of a kernel with fences are those of the run without the check."""
    ends = []
    for checked in (False, True):
        machine = new_machine(engine, mem=16 << 20)
        guest = guests.catalogue()["nano/ptemod"]
        built = assemble(guest.source, include_dirs=guests.include_dirs(guest.source),
                         defines=guests.BUILDS.get(engine, {}))  # fmt: skip
        machine.load(built.elf())
        runner = FenceRun(machine, lambda *_: pytest.fail("a stale use")) if checked else machine
        assert runner.run(10_000_000) is Exit.HALTED
        assert machine.instret > 100_000
        ends.append((machine.digest(), int(machine.hart.trail), machine.cycles_by_class()))
    assert ends[0] == ends[1]


@pytest.mark.compiled
def test_kernels_that_fence_are_told_nothing(tmp_path, capfd):
    for name in ("pages", "nano/ptemod"):
        script = guests.catalogue()[name].input
        source = ["--input", str(script)] if script else []
        invoke(["run", name, *source, "--check", "fence", "--max-insns", "40000"])
        assert "check:" not in capfd.readouterr().err
