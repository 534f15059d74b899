"""`run --check fence` names each use of a stale translation, and no other access."""

import json

import pytest

import guests
from vmm.cli.main import invoke
from vmm.cli.status import Status

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


@pytest.mark.parametrize("name", CASES)
def test_each_use_and_no_other(name, tmp_path, monkeypatch, capfd):
    body, wanted = CASES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none").touch()
    (tmp_path / "k.S").write_text(KERNEL.replace("@", body))
    arguments = ["run", "k.S", "--input", "none", "--check", "fence", "--json"]
    assert invoke(arguments) == Status.PASSED  # the exit code is the guest's
    out, err = capfd.readouterr()
    found = json.loads(out)["fences"]
    assert [use["access"] for use in found] == wanted
    assert err.count("toyvmm: check: missing sfence.vma") == len(wanted)
    for use in found:
        assert use["address"] & ~0xFFF == 0x4000_5000
        assert use["edited_at"] < use["pc"] or use["access"] == "fetch"


@pytest.mark.compiled
def test_kernels_that_fence_are_told_nothing(tmp_path, capfd):
    for name in ("pages", "nano/ptemod"):
        script = guests.catalogue()[name].input
        source = ["--input", str(script)] if script else []
        invoke(["run", name, *source, "--check", "fence", "--max-insns", "40000"])
        assert "check:" not in capfd.readouterr().err
