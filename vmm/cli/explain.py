"""`toyvmm explain`: what an instruction, a CSR or a cause is."""

import click

from vmm.cli.files import Refusal, need_stdout


@click.command()
@click.argument("name", metavar="CAUSE|CSR|INSN")
def explain(name: str) -> None:
    """Say what a name means: meaning, bits, level, sensitivity, what `leaky` does.

    NAME is an instruction's mnemonic or its word (0x10500073), a CSR's name or number, or a
    cause's name or number.
    """
    import difflib

    from vmm.explain import explain as lines
    from vmm.explain import known

    need_stdout()
    found = lines(name.lower())
    if not found:
        near = difflib.get_close_matches(name.lower(), known(), 1, 0.5)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise Refusal(f"no instruction, CSR or cause is called {name!r}{hint}")
    click.echo("\n".join(found))
