"""`toyvmm disasm`: show an ELF's code as assembly."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def disasm(file: Path) -> None:
    """Print the code of an ELF as assembly."""
