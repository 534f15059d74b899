"""Answers for the sample outputs in the documentation: what they show, and what is printed now.

A block of `console` that shows output is a sample: its `toyvmm` commands are run, and what
they print, stdout and stderr as they come, must be what the block shows.  A line `...` stands
for any lines, and `...` at the end of a line for the rest of it.  A comment before a block
says more:

    <!-- file: first.S -->            the block is a file that samples of the page use
    <!-- not run: needs a kernel -->  the block is not a sample, and why

`python -m tests.docsamples` writes the samples anew, to be read in `git diff`.
"""

import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.cli.command import ROOT, argv, environment, told

ANY = "..."
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>file|not run): (?P<said>[^>]+) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass
class Command:
    """One command of a sample, and the lines below it."""

    line: str
    shown: list[str] = field(default_factory=list)

    def printed(self, folder: Path) -> list[str]:
        """What it prints, run in `folder`; files of the checkout are shown by their path in it."""
        words = shlex.split(self.line, comments=True)
        done = subprocess.run(
            argv(*words[1:]), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment(COLUMNS="80"), timeout=300, check=False,
        )  # fmt: skip
        return told(done.stdout).decode().replace(f"{ROOT}/", "").splitlines()


def commands(text: str) -> list[Command]:
    """The commands of a block; empty if it shows no output."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif found and found[-1].line.endswith("\\"):
            found[-1].line = found[-1].line[:-1] + line
        elif found:
            found[-1].shown.append(line)
    return found if any(command.shown for command in found) else []


def files(page: str) -> dict[str, str]:
    """The files that a page's samples use."""
    return {block["said"]: block["text"] for block in _BLOCK.finditer(page)
            if block["mark"] == "file"}  # fmt: skip


def samples(page: str) -> list[str]:
    """The texts of a page's samples."""
    return [block["text"] for block in _BLOCK.finditer(page)
            if block["kind"] == "console" and block["mark"] != "not run"
            and commands(block["text"])]  # fmt: skip


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines shown are what was printed."""
    pattern = "".join(
        r"(?:.*\n)*" if line == ANY
        else re.escape(line[: -len(ANY)]) + r".*\n" if line.endswith(ANY)
        else re.escape(line) + r"\n"
        for line in shown
    )  # fmt: skip
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def renewed(shown: list[str], printed: list[str]) -> list[str]:
    """What should be shown: for each line the next printed one that begins with the same word."""
    out, at = [], 0
    for line in shown:
        if line == ANY:
            out.append(ANY)
            continue
        head = line.removesuffix(ANY).split()[:1]
        found = next((n for n in range(at, len(printed)) if printed[n].split()[:1] == head), at)
        at = found + 1
        out.append(line if line.endswith(ANY) else printed[found] if found < len(printed) else line)
    return out


def each(page: str, act: Callable[[Command, list[str]], None]) -> None:
    """Run the samples of a page; `act` gets each command and what it printed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files(page).items():
            (folder / file).write_text(text, encoding="utf-8")
        for text in samples(page):
            for command in commands(text):
                if command.shown:
                    act(command, command.printed(folder))


def renew(path: Path) -> None:
    """Write a page with its samples as they are now."""
    text = path.read_text(encoding="utf-8")

    def put(command: Command, printed: list[str]) -> None:
        nonlocal text
        if not matches(command.shown, printed):
            new = renewed(command.shown, printed)
            text = text.replace("\n".join(command.shown), "\n".join(new))

    each(text, put)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for page in PAGES:
        renew(page)
