"""Answers for the options that several commands share, in groups; not for what they do.

Each group is a decorator.  A command gets the options as keywords and passes them on.
"""

from collections.abc import Callable
from pathlib import Path

import click

from vmm.cli.completion import targets
from vmm.cli.expect import Expectation
from vmm.cli.images import SLOTS, DiskImage
from vmm.cli.params import Count, Size, Time

PROFILES = ("strict", "leaky", "leaky-user")


def group(*options: Callable) -> Callable[[Callable], Callable]:
    """A decorator that adds all these options, in this order in `--help`."""

    def add(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return add


guest = group(
    click.argument("guest", metavar="[TARGET]", required=False, shell_complete=targets),
    click.option("--input", "script", type=click.Path(path_type=Path), metavar="FILE",
                 help="Console input from FILE instead of stdin."),
    click.option("--demo", is_flag=True, help="Console input from the example's own script."),
    click.option("-I", "include", type=click.Path(path_type=Path), multiple=True, metavar="DIR",
                 help="Another directory in which .include looks, if TARGET is a source."),
    click.option("--confine", type=click.Path(path_type=Path, file_okay=False, exists=True),
                 metavar="DIR", help="A source includes nothing from outside DIR, wherever links "
                                     "lead. For sources from other people.  [default with "
                                     "--expect: its own directory, and those of -I]"),
    click.option("--no-confine", is_flag=True,
                 help="With --expect: a source includes from anywhere."),
    click.option("--kernel", type=click.Path(path_type=Path), metavar="IMAGE",
                 help="Boot a raw RISC-V kernel Image, such as Linux's, in place of TARGET."),
    click.option("--initrd", type=click.Path(path_type=Path), metavar="FILE",
                 help="The kernel's initial RAM disk."),
    click.option("--append", metavar="TEXT", help="The kernel's command line."),
    click.option("--symbols", type=click.Path(path_type=Path), metavar="FILE",
                 help="Names for addresses from an ELF, such as vmlinux, or a System.map."),
    click.option("--disk", "images", type=DiskImage(), multiple=True,
                 metavar="FILE[,ro|,cow][,legacy][,slot=N]",
                 help="A virtio disk from a raw image: `ro` read-only, `cow` written in memory "
                      "only, `legacy` with the registers from before virtio 1.0; up to 8, in "
                      "virtio slots 0 to 7."),
    click.option("--disk-slot", type=click.IntRange(0, SLOTS - 1), metavar="N",
                 help="The virtio slot of the first --disk, for kernels that look in one place: "
                      "slot N is at 0x10001000 + N * 0x1000 and has interrupt N + 1."),
)  # fmt: skip

profile = click.option(
    "--profile", type=click.Choice(PROFILES), default="strict", show_default=True,
    help="What a sensitive instruction does when it lacks privilege.",
)  # fmt: skip
cost = click.option(
    "--cost", default="modern", show_default=True, metavar="NAME|FILE",
    help="What things cost: a preset (p4, core2, modern) or FILE.toml[:NAME].",
)  # fmt: skip
clock = click.option(
    "--clock", type=click.Choice(("cycles", "icount")), default="cycles", show_default=True,
    help="What the guest's time counts.",
)  # fmt: skip
mem = click.option(
    "--mem", type=Size(), default="16M", show_default=True, help="Size of RAM.",
)  # fmt: skip
svade = click.option(
    "--svade", is_flag=True,
    help="A clear A bit, or on a store a clear D bit, is a page fault: the kernel must set them.",
)  # fmt: skip
machine = group(profile, cost, clock, svade, mem)


def limits(insns: str, seconds: float) -> Callable[[Callable], Callable]:
    """The options that stop a guest which does not end by itself, with their defaults."""
    return group(
        click.option("--max-insns", type=Count(), default=insns, show_default=True,
                     help="Stop after this many instructions; 0: never."),
        click.option("--timeout", type=Time(), default=seconds, show_default=True,
                     metavar="SECONDS", help="Stop after running for this time, not counting time"
                                             " spent waiting for input; 0: never."),
        click.option("--max-cycles", type=Count(), default="0", metavar="N",
                     help="Stop after this many cycles; with --clock cycles, time asleep counts, "
                          "too.  [default: never]"),
    )  # fmt: skip


debugger = click.option(
    "--gdb", "debugger", metavar="PORT|stdio",
    help="Wait for gdb on a port of this host, or use stdin and stdout.",
)  # fmt: skip

check = click.option(
    "--check", type=click.Choice(["fence"]),
    help="fence: report each use of a translation that is no longer in the guest's tables, because "
         "sfence.vma is missing. Several times as slow.",
)  # fmt: skip

expected = group(
    click.option("--expect", type=Expectation(), metavar="FILE|REGEX",
                 help="Fail (exit code 1) unless the console shows exactly the content of FILE, "
                      "or something that REGEX matches."),
    click.option("--fail-on-panic", is_flag=True,
                 help="Fail (exit code 1), and stop, when the console shows a kernel's panic."),
)  # fmt: skip

results = group(
    click.option("--json", "as_json", is_flag=True,
                 help="Print one JSON object, which contains the console, instead of the console."),
    click.option("--json-file", type=click.Path(path_type=Path), metavar="FILE",
                 help="Write the JSON object to FILE as well."),
    click.option("-q", "--quiet", is_flag=True, help="Print no summary line."),
)  # fmt: skip
