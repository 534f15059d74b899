"""`toyvmm doctor`: whether everything is here that toyvmm needs, and what else would be useful."""

import shutil
import sys
from collections.abc import Callable, Iterator

import click

from vmm.cli.status import Status

# Tools that the tests use if they are installed, as (purpose, one of these commands).
TOOLS = (
    ("GNU assembler and binutils", ("riscv64-unknown-elf-as", "riscv32-unknown-elf-as")),
    ("QEMU, a machine to compare with", ("qemu-system-riscv32",)),
    ("GDB", ("gdb-multiarch", "riscv64-unknown-elf-gdb")),
)
MODULES = (("a C compiler", "ziglang"), ("an emulator to compare with", "unicorn"))


@click.command()
def doctor() -> int:
    """Check the installation.

    It shows versions, the cache of compiled code, and optional tools. It compiles the machine if
    that has not been done, and runs the example `hello` on it.
    """
    broken = False
    for check in (_python, _packages, _cache, _machine):
        try:
            for line in check():
                click.echo(f"ok       {line}")
        except Exception as error:  # this command is there to show whatever is wrong
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            click.echo(f"BROKEN   {check.__name__.strip('_')}: {reason}")
            broken = True
    for what, found in _optional():
        click.echo(f"{'ok' if found else 'missing':<8} {what}" + (f": {found}" if found else ""))
    return Status.INTERNAL if broken else Status.PASSED


def _python() -> Iterator[str]:
    yield f"python {sys.version.split()[0]}: {sys.executable}"


def _packages() -> Iterator[str]:
    from importlib import metadata

    for name in ("click", "numpy", "numba", "llvmlite"):
        yield f"{name} {metadata.version(name)}"


def _cache() -> Iterator[str]:
    from toyisa.compiled import jitcache
    from vmm.cli.cache import describe, lines

    yield from lines(describe(jitcache.enable()))


def _machine() -> Iterator[str]:
    from toyisa.machine import Exit, Machine
    from vmm.cli.target import find

    machine = Machine()
    machine.load(find("hello").elf)
    why = machine.run(budget=1_000_000)
    if why is not Exit.HALTED or machine.code:
        raise RuntimeError(f"`hello` ends with {why.name}, code {machine.code}")
    yield f"the machine runs `hello`: {machine.instret:,} instructions"


def _optional() -> Iterator[tuple[str, str | None]]:
    """Each optional tool, and where it is."""
    from importlib.util import find_spec

    which: Callable[[str], str | None] = shutil.which
    for what, commands in TOOLS:
        yield f"{what} ({commands[0]})", next(filter(None, map(which, commands)), None)
    for what, module in MODULES:
        spec = find_spec(module)
        yield f"{what} ({module})", str(spec.origin) if spec else None
