"""`toyvmm classify`: Popek and Goldberg's classes, measured."""

import click

PROFILES = ("strict", "leaky", "leaky-user")


@click.command()
@click.option("--profile", type=click.Choice(PROFILES), default="strict", show_default=True,
              help="What a sensitive instruction does when it lacks privilege.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object (docs/json.md).")
def classify(profile: str, as_json: bool) -> None:
    """Classify every instruction by running it, after Popek and Goldberg.

    Each instruction is run from pairs of states that differ in level, in location or in one
    resource. The verdict says whether a trap-and-emulate monitor (theorem 1) and a hybrid monitor
    (theorem 3) are possible, with a counterexample if not. It takes a few seconds.
    """
    import json

    from toyisa.tables.levels import Profile
    from vmm.theory import verdict
    from vmm.theory.classify import classify as measure

    found = measure(Profile[profile.upper().replace("-", "_")])
    if as_json:
        click.echo(json.dumps(verdict.as_json(found), indent=2))
    else:
        click.echo("\n".join(verdict.lines(found)))
