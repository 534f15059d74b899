"""`toyvmm cache`: where compiled code and assembled guests are kept; compile it, or delete it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vmm.cli.files import need_stdout
from vmm.cli.status import Status

SCHEMA = "toyvmm.cache/1"


@click.command()
@click.argument("what", type=click.Choice(("show", "path", "warm", "clear")), default="show")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object (docs/json.md).")
def cache(what: str, as_json: bool) -> int:
    """Show where compiled code and assembled guests are kept, compile it, or delete both.

    \b
    show    where it is, how large, what it holds
    path    only the directory, for scripts
    warm    compile everything that is not compiled yet, so that no later command waits
    clear   delete the compiled code of every version and the guests, and nothing else

    It is kept in TOYVMM_CACHE_DIR, else in XDG_CACHE_HOME/toyvmm, else in ~/.cache/toyvmm. The
    code is executed, so the directory must be one that nobody but you can write to.
    """
    need_stdout()
    from asm import kept
    from toyisa.compiled import jitcache
    from toyisa.files import place

    directory = jitcache.enable()
    base = directory.parent.parent
    deleted = None
    if what == "warm":
        _warm()
    elif what == "clear":
        deleted = jitcache.clear()
        if programs := place.programs():
            deleted += kept.clear(programs)
    found = describe(directory)
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, **found, "deleted": deleted}, indent=2))
    elif what == "path":
        click.echo(base)
    elif what == "clear":
        click.echo(f"deleted {deleted / 1e6:.1f} MB of compiled code and guests in {base}")
    else:
        click.echo("\n".join(lines(found)))
    return Status.PASSED


def describe(directory: Path) -> dict[str, Any]:
    """Where compiled code is kept and how much, for the directory of this version."""
    from asm import kept
    from toyisa.compiled import jitcache, manifest
    from toyisa.files import place

    programs = place.programs()
    count, size = kept.size(programs) if programs else (0, 0)
    base = directory.parent.parent
    versions = jitcache.kept(directory)
    kind = "usual"
    if base.parts != _usual():
        kind = "fallback" if base == jitcache.fallback().resolve() else "temporary"
    return {
        "path": str(base),
        "kind": kind,
        "directory": str(directory),
        "units": manifest.read(directory)["units"],
        "bytes": manifest.size(directory),
        "versions": len(versions),
        "total_bytes": sum(map(manifest.size, versions)),
        "programs": count,
        "program_bytes": size,
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    why = {
        "usual": "TOYVMM_CACHE_DIR chooses another",
        "fallback": "as the usual place cannot be used; set TOYVMM_CACHE_DIR",
        "temporary": "for this run only, as no place can be used; set TOYVMM_CACHE_DIR",
    }
    return [
        f"compiled code: {found['path']} ({why[found['kind']]})",
        f"  this version: {', '.join(found['units']) or 'nothing yet'}; {_mb(found['bytes'])}",
        f"  all versions: {found['versions']}, {_mb(found['total_bytes'])}",
        f"assembled guests: {found['programs']}, {_mb(found['program_bytes'])}; "
        "`toyvmm cache clear` deletes all of it",
    ]


def _usual() -> tuple[str, ...]:
    from toyisa.compiled import jitcache

    try:
        return jitcache.root().resolve().parts
    except RuntimeError:  # there is no home directory
        return ()


def _warm() -> None:
    """Compile everything that any command may need."""
    from toyisa.machine import MIN_MEM, Machine
    from vmm import engines
    from vmm.gdb import timeline
    from vmm.machine import VirtualMachine
    from vmm.watch import lockstep

    Machine(mem=MIN_MEM)
    for name in engines.names():
        VirtualMachine(mem=MIN_MEM, engine=name)
    lockstep.make_ready()
    timeline.make_ready()


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
