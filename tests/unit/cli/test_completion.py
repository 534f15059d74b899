"""A shell completes commands, options and guests; `python -m vmm` is the command."""

import subprocess
import sys

import pytest

from tests.unit.cli.command import ROOT, environment, toyvmm


def completed(*words: str) -> list[str]:
    """What bash is offered for the last of the words."""
    done = toyvmm(_TOYVMM_COMPLETE="bash_complete", COMP_WORDS=" ".join(("toyvmm", *words)),
                  COMP_CWORD=str(len(words)))  # fmt: skip
    assert done.returncode == 0
    return [line.split(",")[1] for line in done.stdout.decode().split()]


def test_commands_options_and_guests():
    assert "compare" in completed("com")
    assert "--engine" in completed("boot", "--eng")
    assert {"toyix", "ticks"} <= set(completed("run", "t"))
    assert "consolidation" in completed("host", "up", "con")
    assert {"strict", "leaky"} <= set(completed("run", "--profile", ""))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell):
    done = toyvmm("completion", shell)
    assert b"_TOYVMM_COMPLETE" in done.stdout
    assert done.returncode == 0
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=done.stdout, check=False).returncode == 0


def test_another_shell_is_refused():
    assert toyvmm("completion", "tcsh").returncode == 2


def test_the_package_runs_as_the_command():
    done = subprocess.run([sys.executable, "-m", "vmm", "examples"], cwd=ROOT, env=environment(),
                          capture_output=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0
    assert b"toyix" in done.stdout
