"""`toyvmm completion`: the script that lets a shell complete commands, options and guests."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from vmm.cli.files import need_stdout

VARIABLE = "_TOYVMM_COMPLETE"  # the script sets it when the shell asks
_FILES = {
    "bash": "~/.bashrc: eval \"$(toyvmm completion bash)\"",
    "zsh": "~/.zshrc: eval \"$(toyvmm completion zsh)\"",
    "fish": "~/.config/fish/completions/toyvmm.fish: toyvmm completion fish | source",
}


@click.command(epilog="\b\nPut this line into the file that your shell reads:\n"
                      + "\n".join(f"  {line}" for line in _FILES.values()))  # fmt: skip
@click.argument("shell", type=click.Choice(list(_FILES)))
def completion(shell: str) -> None:
    """Print what makes a shell complete toyvmm's commands, options and guests."""
    cli = click.get_current_context().find_root().command
    need_stdout()
    click.echo(get_completion_class(shell)(cli, {}, "toyvmm", VARIABLE).source())


def answer(cli: click.Command) -> int | None:
    """Print the answer to the shell, and return the exit code; None if no shell asks."""
    instruction = os.environ.get(VARIABLE)
    return shell_complete(cli, {}, "toyvmm", VARIABLE, instruction) if instruction else None


def targets(_context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Guests that come with toyvmm, and files."""
    import guests

    found = [CompletionItem(name, help=guest.summary)
             for name, guest in guests.catalogue().items() if name.startswith(begun)]  # fmt: skip
    return [*found, CompletionItem(begun, type="file")]
