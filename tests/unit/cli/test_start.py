"""Commands that must start at once import nothing heavy."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import click
import pytest

from tests.unit.cli.command import environment
from vmm import cli
from vmm.cli import main

HEAVY = {"numba", "numpy", "llvmlite", "elftools", "hypothesis", "rich"}
UNNEEDED = {
    "numba", "toyisa.compiled.front.program", "asm.assembler", "asm.unit", "importlib.metadata",
    "vmm.cli.fuzz", "vmm.diagnose.diagnosis", "vmm.engines.trap",
}
CHECK = """
import sys
from vmm.cli.main import invoke
status = invoke(sys.argv[1:])
print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
print("MODULES", *sys.modules)
sys.exit(status)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["boot", "--help"], ["stat", "--help"],
     ["explain-leak", "--help"], ["examples"], ["host", "--help"], ["host", "up", "--help"],
     ["host", "up", "no-such"], ["host", "check", "a.toml"], ["asm", "a.S"], ["disasm", "a.elf"],
     ["run", "no-such-example"], ["boot", "no-such-example"], ["boot", "hello", "--engine", "no"]],
    ids=" ".join,
)  # fmt: skip
def test_nothing_heavy_is_imported(arguments, tmp_path):
    (tmp_path / "a.S").write_text("_start: ebreak\n")
    run(["asm", "a.S"], tmp_path)
    done = run(arguments, tmp_path)
    imported = set(done.stdout.split("IMPORTED", 1)[1].split("MODULES")[0].split())
    assert "click" in imported
    assert not imported & HEAVY


def test_what_is_kept_is_all_that_a_second_run_needs(tmp_path):
    """Neither numba nor the front end, nor the assembler: only finished code is loaded."""
    for _ in range(2):
        done = run(["run", "hello"], tmp_path)
    assert done.stdout.startswith("hello, world\n")
    imported = set(done.stdout.split("MODULES", 1)[1].split())
    assert "toyisa.machine" in imported
    assert sorted(imported & UNNEEDED) == []


def test_every_command_is_listed():
    """Commands are imported by name when they are asked for: none is missing."""
    modules = {found.name for found in pkgutil.iter_modules(cli.__path__)} - {"__main__"}
    named = {name: import_module(f"vmm.cli.{name}") for name in modules}
    commands = {
        name for name, module in named.items() if isinstance(vars(module).get(name), click.Command)
    }
    assert {name.replace("-", "_") for name in main.COMMANDS} == commands
    assert list(main.COMMANDS) == sorted(main.COMMANDS)


def run(arguments, folder):
    return subprocess.run(
        [sys.executable, "-P", "-c", CHECK, *arguments],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
