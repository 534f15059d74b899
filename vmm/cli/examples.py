"""`toyvmm examples`: which guests and scenarios come with toyvmm."""

from pathlib import Path

import click

from vmm.cli.completion import targets
from vmm.cli.files import Refusal, need_stdout, read


@click.command()
@click.argument("name", required=False, shell_complete=targets)
def examples(name: str | None) -> None:
    """List the example guests and scenarios, or print the source of NAME."""
    import guests
    from vmm.scenario import catalogue as scenarios

    need_stdout()
    catalogue = guests.catalogue()
    if name is None:
        width = max(map(len, catalogue), default=0)
        for guest in catalogue.values():
            click.echo(f"{guest.name:<{width}}  {guest.summary}")
        click.echo("\n`toyvmm run NAME` runs one; `toyvmm examples NAME` prints its source.\n")
        width = max(map(len, scenarios.shipped()), default=0)
        for found in scenarios.shipped():
            click.echo(f"{found:<{width}}  {scenarios.summary(found)}")
        click.echo("\n`toyvmm host up NAME` runs one of these scenarios.")
        return
    sources = scenarios.shipped() | {guest.name: guest.source for guest in catalogue.values()}
    if name not in sources:
        raise Refusal(f"no example is called {name!r}; there are {', '.join(sources)}")
    source: Path = sources[name]
    click.echo(f"# {source}")
    click.echo(read(source).decode("utf-8"), nl=False)
