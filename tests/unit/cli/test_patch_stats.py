"""`toyvmm patch-stats` counts the patch: on a kernel that can be counted by hand."""

import json

from tests.unit.cli.command import toyvmm

KERNEL = """
    .include "include/pvops.inc"
    .globl  _start
_start:
    IRQ_DISABLE                         # one site
label: IRQ_DISABLE                      # and one
    .ifdef PV
    nop                                 # one line that only the patched build has
    .endif
trap_entry: trap_entry_end: trap_return: trap_return_end: panic: j panic
"""


def test_counts(tmp_path):
    (tmp_path / "k.S").write_text(KERNEL)
    done = toyvmm("patch-stats", "k.S", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)
    assert stats["sites"] == {"IRQ_DISABLE": 2}
    assert stats["sensitive"] == 2  # csrci, twice; the patched text has routines, with calls
    assert stats["left"] == 0
    assert stats["calls"] > 0
    (tmp_path / "k.S").write_text(KERNEL.replace("    nop ", "    # "))
    fewer = json.loads(toyvmm("patch-stats", "k.S", "--json", cwd=tmp_path).stdout)
    assert stats["patch"] == fewer["patch"] + 1
    assert stats["share"] == 100 * stats["patch"] / stats["source"]


def test_says_what_xen_needed(tmp_path):
    done = toyvmm("patch-stats", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(b"toyix: ")
    assert b"2995 lines, 1.36 %" in done.stdout


def test_refusals_say_why(tmp_path):
    done = toyvmm("patch-stats", "toyx", cwd=tmp_path)
    assert done.returncode == 2
    assert b"did you mean `toyix`?" in done.stderr
    (tmp_path / "plain.S").write_text("_start: nop\n")
    done = toyvmm("patch-stats", "plain.S", cwd=tmp_path)
    assert done.returncode == 2
    assert b"does not include include/pvops.inc" in done.stderr
