"""`toyvmm explain`: what an instruction, a CSR, a cause, a directive ... is."""

import click

from vmm.cli.files import Refusal, need_stdout


@click.command()
@click.argument("name", metavar="NAME [NUMBER]")
@click.argument("number", required=False, metavar="")
def explain(name: str, number: str | None) -> None:
    """Say what a name means: meaning, bits, level, sensitivity, what `leaky` does.

    NAME is an instruction's mnemonic or its word (0x10500073), a pseudo-instruction (ret, li), a
    directive (.align), a CSR's name or number, a cause's name or number, a bit of a page-table
    entry (V R W X U G A D) or pte, an SBI extension or call (dbcn, set_timer) or sbi.

    `pte NUMBER` takes a page-table entry apart, `ecall NUMBER` says what the firmware does with
    that number in a7.
    """
    from asm.errors import did_you_mean
    from vmm.explain.lookup import explain as lines
    from vmm.explain.lookup import known

    need_stdout()
    asked = " ".join([name, *([number] if number is not None else [])])
    found = lines(asked.lower())
    if not found:
        if number is not None:
            raise Refusal(f"{asked!r}: only `pte` and `ecall` take a number, of at most 32 bits")
        near = did_you_mean(name.lower(), known())
        raise Refusal(f"nothing is called {name!r}" + (f"; {near}" if near else ""))
    click.echo("\n".join(found))
