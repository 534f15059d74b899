"""A bad file is refused before the compiler is imported: place, reason, fix, exit code 2.

All command lines are tried in one process, which must never import numba, nor keep any code.
"""

import json
import os
import subprocess
import sys

import pytest

from asm.assembler import assemble_text
from tests.unit.cli.command import environment
from tests.unit.test_kernel import header

TRY = """
import contextlib, io, json, sys
from vmm.cli.main import invoke
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = invoke(line)
    print(json.dumps([line, int(status), out.getvalue(), err.getvalue(),
                      [name for name in ("numba", "llvmlite") if name in sys.modules]]))
"""
X86 = b"\x7fELF\1\1\1" + bytes(9) + b"\2\0\3\0" + bytes(100)
TOMLS = ("cost", "fast", "scenario", "unbuilt", "right")
DEEP = b'{"a":' * 100_000

# Arguments, with {name} for the files below, and what the command says.
LINES = [
    *[(f"{verb} {bad}", reason)
      for verb in ("run", "boot", "stat", "explain-leak", "bt dump", "compare", "disasm")
      for bad, reason in [
          ("{x86}", "is for x86, not for RISC-V; compile with"),
          ("{cut}", "truncated"),
          ("/dev/zero", "is a device; copy the part that you need"),
          ("/dev/urandom", "is a device"),
          ("{folder}", "is a directory; name a file in it"),
          ("{missing}", "no such file"),
          ("{long}", "File name too long"),
      ]],
    *[(f"{verb} {{good}} {option} {bad}", reason)
      for verb in ("run", "boot", "stat", "explain-leak")
      for option in ("--input", "--symbols")
      for bad, reason in [("/dev/zero", "is a device"), ("{folder}", "is a directory"),
                          ("{missing}", "no such file")]],
    *[(f"{verb} {{good}} {option}", reason)
      for verb in ("run", "boot", "stat")
      for option, reason in [
          ("--cost /dev/zero.toml", "no such file|cannot be read"),
          ("--cost {cost}", "hz must be"),
          ("--cost modren", "did you mean `modern`?"),
          ("--mem 3G", "memory must be"),
          ("--mem 1K", "memory must be"),
          ("--disk {folder}", "folder"),
          ("--symbols {x86}", "has no symbols|damaged|truncated"),
      ]],
    ("run --kernel {x86}", "is an ELF file; give it without --kernel"),
    ("run --kernel {huge}", "which no machine here has"),
    ("run --kernel {big}", "does not fit into 16 MiB of RAM; give the machine more"),
    ("run --kernel {kernel} --initrd /dev/zero", "is a device"),
    ("run --kernel {missing}", "no such file"),
    ("boot --engine pv {good}", "is not patched for `pv`: it has no symbol"),
    ("stat --engine pv {good}", "is not patched for `pv`"),
    ("boot --engine pv --kernel {kernel}", "is not patched for `pv`"),
    ("boot --engine pv {good} --mem 2G", "under pv memory must be at most 1024 MiB"),
    ("boot --engine pv hello --mem 2G", "under pv memory must be at most"),
    ("boot --engine nosuch hello", "no engine is called 'nosuch'"),
    ("boot --engine {missing}.py hello", "no such file"),
    ("boot --engine {folder}.py hello", "no such file|is a directory|is not a regular file"),
    ("boot --engine trap --paging nosuch hello", "has no paging 'nosuch'"),
    ("boot --engine trap --no-adapt hello", "are options of --engine bt"),
    ("run hello --gdb nowhere", "needs a port"),
    ("run hello --gdb 1234 --json-file {new}", "--gdb excludes --json-file"),
    ("boot hello --gdb stdio --timeline {new}", "--gdb excludes --timeline"),
    ("bt dump {good} --at nosuch", "--at nosuch: no such symbol"),
    ("bt dump {good} --input {missing}", "no such file"),
    ("compare nano/nosuch", "no benchmark is called 'nano/nosuch'"),
    ("compare nano --cost nosuch", "no cost preset 'nosuch'"),
    ("compare nano --engines trpa", "did you mean `trap`?"),
    ("compare nano --svg {folder}", "is a directory"),
    ("run {bad_source}", "error: "),
    ("asm {bad_source}", "error: "),
    ("asm {folder}", "directory"),
    ("asm /", "directory"),
    ("asm /dev/zero", "not a regular file|is a device"),
    ("patch-stats {missing}", "no such file"),
    ("fuzz --replay /dev/zero", "is a device"),
    ("fuzz --replay {missing}", "no such file"),
    ("fuzz --replay {good}", "is damaged"),
    ("fuzz --replay {deep}", "is damaged"),
    ("fuzz --replay {list}", "it is not a JSON object"),
    ("fuzz --replay {other}", "its schema is 'other', not"),
    *[(f"host {verb} {bad}", reason)
      for verb in ("up", "check")
      for bad, reason in [
          ("/dev/zero", "is a device"),
          ("{folder}", "is a directory"),
          ("{missing}", "no such file"),
          ("{good}", "is not TOML"),
          ("{cost}", "unknown key 'x'"),
          ("{scenario}", "key 'kernel': no guest and no file is called 'toyx'; did you mean"),
          ("{unbuilt}", "error: "),
      ]],
    ("host up consolidation --until soon", "must be a time up to 3600s"),
    ("host up consolidation --csv {folder}", "cannot write .*: is a directory"),
    ("host up consolidation --timeline {new} --csv {new}", "are the same file"),
    ("host up {right} --csv {right}", "--csv would replace what the command reads"),
    ("host up {right} --timeline {source}", "--timeline would replace what the command reads"),
    # Outputs, before the run.
    *[(f"{verb} hello {option} {bad}", reason)
      for verb, options in [
          ("run", ("--json-file", "--log", "--trace trap --trace-file", "--save", "--signature")),
          ("boot", ("--json-file", "--log", "--timeline"))]
      for option in options
      for bad, reason in [
          ("/dev/zero", "cannot write /dev/zero: is a device"),
          ("{folder}", "cannot write .*: is a directory"),
          ("{missing}/out", "make its directory first"),
      ]],
    ("run {good} --json-file {good}", "--json-file would replace what the command reads"),
    ("run {source} --log {source}", "--log would replace what the command reads"),
    ("run {source} --log {included}", "--log would replace what the command reads"),
    ("run hello --symbols {good} --save {good_link}", "--save would replace"),
    ("run hello --input {good} --log {good_link}", "--log would replace"),
    ("run hello --disk {disk},ro --signature {disk}", "--signature would replace"),
    ("run --kernel {kernel} --initrd {good} --log {good}", "--log would replace"),
    ("run hello --log {new} --json-file {new}", "--json-file and --log are the same file"),
    ("boot hello --log {new} --timeline {new}", "are the same file"),
    ("run hello --expect {good} --log {good_link}", "--log would replace"),
    ("run hello --expect /dev/zero", "is a device"),
    ("boot hello --cost {fast}:x --json-file {fast}", "--json-file would replace"),
    ("asm {source} -o {source}", "-o would replace"),
    ("asm {source} --listing {included}", "--listing would replace"),
    ("asm {source} --listing {binary}", "--listing would replace"),
    ("asm {source} -o {new} --listing {new}", "are the same file"),
    ("compare {good} --cost p4 --svg {new}", "are for nano-benchmarks only"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the lines name."""
    path = tmp_path_factory.mktemp("files")
    good = assemble_text(".globl _start\n_start: j _start\n").elf()
    contents = {
        "good": good, "x86": X86, "cut": good[:60], "deep": DEEP, "list": b"[]",
        "binary": bytes(8), "other": b'{"schema": "other"}',
        "fast": b'[x]\nbase = "p4"\n', "cost": b'[x]\nbase = "p4"\nhz = 1e9\n',
        "disk": bytes(4096), "bad_source": b"nosuch a0\n", "included": b"nop\n",
        "source": b"_start: .include \"included\"\n .incbin \"binary\"\n j _start\n",
        "kernel": header() + bytes(100), "huge": header(size=1 << 60), "big": header(size=20 << 20),
    }  # fmt: skip
    for name, kernel in (("scenario", "toyx"), ("unbuilt", "bad_source.S"), ("right", "source.S")):
        contents[name] = f'[[domain]]\nname = "a"\nkernel = "{kernel}"\n'.encode()
    suffixes = {"source": ".S", "bad_source": ".S", **dict.fromkeys(TOMLS, ".toml")}
    for name, content in contents.items():
        (path / (name + suffixes.get(name, ""))).write_bytes(content)
    (path / "folder").mkdir()
    (path / "good_link").symlink_to("good")
    return path


def words(line, folder):
    """The line as arguments, with the files' paths in it."""
    names = {name: str(folder / name) for name in
             "good x86 cut deep list other disk included binary kernel huge big folder "
             "good_link missing new".split()}  # fmt: skip
    names |= {name: str(folder / f"{name}.S") for name in ("source", "bad_source")}
    names |= {name: str(folder / f"{name}.toml") for name in TOMLS} | {"long": "x" * 300}
    return line.format(**names).split()


@pytest.fixture(scope="module")
def answers(folder):
    """What the command says to each line, and the cache, in which there must be no code."""
    cache = folder.parent / "cache"
    before = sorted(os.listdir(folder))
    done = subprocess.run(
        [sys.executable, "-P", "-c", TRY], env=environment(TOYVMM_CACHE_DIR=str(cache)),
        input=json.dumps([words(line, folder) for line, _ in LINES]), cwd=folder,
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert not cache.exists() or os.listdir(cache) == ["programs"]
    assert sorted(os.listdir(folder)) == before
    return [json.loads(answer) for answer in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(LINES)), ids=[line for line, _ in LINES])
def test_refused(answers, number):
    _, status, out, err, imported = answers[number]
    reason = LINES[number][1]
    assert status == 2, err
    assert any(part in err for part in reason.split("|")) or _matches(reason, err), err
    assert out == ""
    assert imported == []
    assert "internal error" not in err


def _matches(reason, err):
    import re

    return ".*" in reason and re.search(reason, err)
