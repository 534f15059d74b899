"""Answers for what a campaign keeps in its directory: regressions, and its statistics.

    LAW-ENGINE-DIGEST.json   a failure, complete: `replay` runs it again
    statistics.json          for each law, engine and seed: what was done, what was seen

Must not know how cases are made or spread over processes.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asm.output import write_atomically
from toyisa.files import lock
from vmm import engines
from vmm.fuzz.case import BadCase, Case, Violation, as_violation
from vmm.fuzz.corpusfile import REGRESSION, CorpusError, read_object
from vmm.fuzz.laws import LAWS
from vmm.fuzz.seen import Seen, merged

STATISTICS = "toyvmm.fuzz-statistics/1"
FILE = "statistics.json"
MAX_CHUNKS = 10_000_000  # the most that a campaign can have done


@dataclass
class Failure:
    """A case for which a law does not hold."""

    law: str
    engine: str
    case: Case
    expected: Any
    actual: Any
    seed: int = 0
    chunk: int = 0
    known: str = ""  # why it is not fixed yet; a test then expects it to fail
    where: str = ""  # the first instruction that shows it, if the law can find it

    @property
    def name(self) -> str:
        """The name of the file; the same case has the same name."""
        text = json.dumps([self.case.to_json()["image"], self.case.settings, self.case.start])
        return f"{self.law}-{self.engine}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": REGRESSION, "law": self.law, "engine": self.engine, "seed": self.seed,
            "chunk": self.chunk, "known": self.known, "expected": self.expected,
            "actual": self.actual, "where": self.where.splitlines(), **self.case.to_json(),
        }  # fmt: skip

    def save(self, folder: Path) -> Path:
        """Write it to the corpus; OSError."""
        path = folder / self.name
        write_atomically(path, (json.dumps(self.to_json(), indent=1, default=str) + "\n").encode())
        return path


def load(path: Path) -> Failure:
    """The regression in a file; CorpusError."""
    return failure(read_object(path, REGRESSION), path)


def failure(value: dict[str, Any], path: Path) -> Failure:
    """The regression in a JSON object, which errors call `path`; CorpusError."""
    try:
        law, engine = value["law"], value["engine"]
        if law not in LAWS or engine not in ("native", *engines.names()):
            raise CorpusError(f"{path}: no law {law!r} or no engine {engine!r}")
        rest = (value.get(name) for name in ("expected", "actual", "seed", "chunk", "known"))
        where = "\n".join(value.get("where", []))
        return Failure(law, engine, Case.from_json(value), *rest, where)
    except (BadCase, KeyError, TypeError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise CorpusError(f"{path}: is no regression of `toyvmm fuzz`: {reason}") from None


def regressions(folder: Path, law: str, engine: str) -> list[Failure]:
    """The regressions of a law on an engine in the corpus; CorpusError, OSError."""
    return [load(path) for path in sorted(folder.glob(f"{law}-{engine}-*.json"))]


def replay(failure: Failure) -> None:
    """Try the law on the case again: raise Violation, or it holds now."""
    LAWS[failure.law].check(failure.case, Seen())


def violated(failure: Failure) -> Violation | None:
    """How the law still fails on the case, or None if it holds."""
    try:
        replay(failure)
    except Exception as error:
        return as_violation(error)
    return None


@dataclass
class Statistics:
    """Statistics of one law on one engine from one seed, over all its campaigns."""

    executions: int = 0
    seconds: float = 0.0
    done: set[int] = field(default_factory=set)  # chunks; the last ones may have been cut by time
    seen: dict[str, list[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def next_chunk(self, taken: set[int]) -> int:
        """The first chunk that is neither done nor being done."""
        n = 0
        while n in self.done or n in taken:
            n += 1
        return n

    def to_json(self) -> dict[str, Any]:
        full = self.next_chunk(set())
        return {
            "executions": self.executions, "seconds": round(self.seconds, 1), "done": full,
            "ahead": sorted(n for n in self.done if n > full), "seen": self.seen,
            "failures": self.failures,
        }  # fmt: skip


def read_statistics(folder: Path, key: str) -> Statistics:
    """What the corpus says of a campaign, nothing if it is new; CorpusError, OSError."""
    path = folder / FILE
    if not path.exists():
        return Statistics()
    try:
        value = _campaigns(path).get(key)
        if value is None:
            return Statistics()
        if not 0 <= value["done"] <= MAX_CHUNKS:
            raise ValueError(f"done is not 0..{MAX_CHUNKS}")
        done = {*range(value["done"]), *map(int, value["ahead"])}
        seen = merged(value["seen"], {})
        counted = int(value["executions"]), float(value["seconds"])
        return Statistics(*counted, done, seen, list(value["failures"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorpusError(f"{path}: is damaged ({error}); move it away to begin anew") from None


def write_statistics(folder: Path, key: str, statistics: Statistics) -> None:
    """Put it into the corpus, and leave other campaigns' figures as they are; OSError."""
    path = folder / FILE
    with lock.held(folder, waits=lambda: None):  # it takes only milliseconds
        campaigns = _campaigns(path) if path.exists() else {}
        campaigns[key] = statistics.to_json()
        text = json.dumps({"schema": STATISTICS, "campaigns": campaigns}, indent=1)
        write_atomically(path, (text + "\n").encode())


def _campaigns(path: Path) -> dict[str, Any]:
    try:
        value = read_object(path, STATISTICS, "statistics", "move it away to begin anew")
        return dict(value["campaigns"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"{path}: is damaged ({error}); move it away to begin anew") from None
