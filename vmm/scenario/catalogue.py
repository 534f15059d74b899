"""Answers for which scenarios come with toyvmm, and which file a name means.

Must not know what is in them, besides the line that says what each is for.
"""

import os
import tomllib
from functools import cache
from pathlib import Path

from vmm.scenario.tables import ScenarioError
from vmm.scenario.values import hint, shown

FOLDER = Path(__file__).with_name("shipped")


@cache
def shipped() -> dict[str, Path]:
    """The scenarios that come with toyvmm, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def summary(name: str) -> str:
    """What a scenario that comes with toyvmm is for, in a line."""
    return tomllib.loads(shipped()[name].read_text(encoding="utf-8"))["summary"]


def find(text: str) -> Path:
    """The file that `text` names: a bare word is a scenario that comes with toyvmm, if there is
    one; `./word` is always a file.  ScenarioError for a bare word that is neither.
    """
    if text in shipped():
        return shipped()[text]
    if Path(text).name == text and not Path(text).suffix and not os.path.exists(text):
        raise ScenarioError(
            f"no file and no scenario is called {shown(text)}; {hint(text, shipped())}"
        )
    return Path(text)
