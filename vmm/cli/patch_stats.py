"""`toyvmm patch-stats`: how large the patch is that makes a kernel paravirtual."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from vmm.cli.completion import targets
from vmm.cli.files import Refusal, tell
from vmm.cli.status import Status
from vmm.text import wrap

if TYPE_CHECKING:
    from vmm.theory.patchstats import Stats


@click.command("patch-stats")
@click.argument("name", metavar="[GUEST]", default="toyix", shell_complete=targets)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def patch_stats(name: str, as_json: bool) -> int:
    """Print how large the patch is that makes a kernel paravirtual.

    GUEST is the name of an example, or an assembly source that uses the operations of
    include/pvops.inc for privileged acts; the default is toyix. Comments and empty lines are
    not counted.
    """
    from asm.errors import AsmErrors
    from vmm.cli.target import source_of
    from vmm.theory.patchstats import measure

    source = source_of(name)
    try:
        stats = measure(source)
    except AsmErrors as errors:
        tell(str(errors))
        return Status.USAGE
    except ValueError as error:
        raise Refusal(str(error)) from None
    if as_json:
        click.echo(json.dumps({"guest": name, **asdict(stats), "share": stats.share}))
    else:
        click.echo("\n".join(wrap(_lines(name, stats))))
    return Status.PASSED


def _lines(name: str, stats: Stats) -> list[str]:
    from vmm.theory.patchstats import XEN_LINES, XEN_SHARE

    sites = sum(stats.sites.values())
    out = [
        f"{name}: {stats.source} lines of source; the patch is {stats.patch} lines, "
        f"{stats.share:.1f} % of them, in place of {stats.replaced} native ones",
        f"  (Xen's port of Linux: {XEN_LINES} lines, {XEN_SHARE} % of a far larger kernel)",
        f"  {sites} places name a privileged act, of {len(stats.sites)} operations:",
    ]
    width = max(map(len, stats.sites), default=0)
    out += [f"    {operation:<{width}} {times:4}" for operation, times in stats.sites.items()]
    out.append(
        f"  sensitive instructions in the text: {stats.sensitive} in the native build; in the "
        f"patched one {stats.left}, all left to S, and {stats.calls} calls to the monitor"
    )
    return out
