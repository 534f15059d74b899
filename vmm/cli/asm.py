"""`toyvmm asm`: assemble a source to an ELF."""

import os
from pathlib import Path

import click

from vmm.cli.files import commit, outputs, tell, write
from vmm.cli.params import Definition, Size, Time
from vmm.cli.status import Status


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="FILE")
@click.option("-o", "out", type=click.Path(path_type=Path), metavar="OUT",
              help="The ELF to write.  [default: FILE's name with .elf, here]")
@click.option("--listing", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write a listing: the source's lines with addresses and bytes.")
@click.option("-I", "include", type=click.Path(path_type=Path), multiple=True, metavar="DIR",
              help="Another directory in which .include looks; toyvmm's own include files are "
                   "always found.")
@click.option("-D", "define", type=Definition(), multiple=True, metavar="NAME[=VALUE]",
              help="Define a symbol; its value is 1 if none is given.")
@click.option("--base", type=Size(), default="0x80000000", show_default=True, metavar="ADDRESS",
              help="Address of the first section.")
@click.option("--confine", type=click.Path(path_type=Path, file_okay=False, exists=True),
              metavar="DIR", help="Include nothing from outside DIR, wherever links lead. For "
                                  "sources from other people.")
@click.option("--timeout", type=Time(), default=60.0, show_default=True, metavar="SECONDS",
              help="Give up after this time; 0: never.")
def asm(source: Path, out: Path | None, listing: Path | None, include: tuple[Path, ...],
        define: tuple[tuple[str, int], ...], base: int, confine: Path | None,
        timeout: float) -> int:
    """Assemble FILE to an ELF.

    FILE is in the syntax of GNU as for RV32IMA. The ELF is static; `toyvmm run` runs it. If
    the source has errors, all of them are printed, and nothing is written.
    """
    import guests
    from asm.assembler import assemble
    from asm.errors import AsmErrors

    out = out or Path(f"{source.stem or 'out'}.elf")
    wanted = (("-o", out), ("--listing", listing))
    if os.path.isfile(source):
        with outputs(wanted, [source]):
            pass  # reported before the work; which files will be included is not known yet
    dirs = [*include, *guests.include_dirs(source)]
    if confine is not None:
        dirs = [*include, guests.ROOT]  # files beside FILE are found anyway
    try:
        program = assemble(source, include_dirs=dirs, defines=dict(define), base=base,
                           confine=(confine, guests.ROOT) if confine else (),
                           timeout=timeout or None)
        elf, text = program.elf(), program.listing() if listing else ""
    except AsmErrors as errors:
        tell(str(errors))
        return Status.USAGE
    for warning in program.warnings:
        tell(str(warning))
    with outputs(wanted, [source, *map(Path, program.files)]):
        write(out, elf)
        if listing:
            write(listing, os.fsencode(text))
        commit()
    return Status.PASSED
