"""`toyvmm examples`: which guests come with toyvmm."""

from pathlib import Path

import click

from vmm.cli.completion import targets
from vmm.cli.files import Refusal, need_stdout, read


@click.command()
@click.argument("name", required=False, shell_complete=targets)
def examples(name: str | None) -> None:
    """List the example guests, or print the source of NAME."""
    import guests

    need_stdout()
    catalogue = guests.catalogue()
    if name is None:
        width = max(map(len, catalogue), default=0)
        for guest in catalogue.values():
            click.echo(f"{guest.name:<{width}}  {guest.summary}")
        click.echo("\n`toyvmm run NAME` runs one; `toyvmm examples NAME` prints its source.")
        return
    if name not in catalogue:
        raise Refusal(f"no example is called {name!r}; there are {', '.join(catalogue)}")
    source: Path = catalogue[name].source
    click.echo(f"# {source}")
    click.echo(read(source).decode("utf-8"), nl=False)
