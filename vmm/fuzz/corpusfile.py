"""Answers for a file of a corpus as JSON: of limited size, with a known schema, or refused.

Must not import laws: a bad file is refused before the compiler is imported.
"""

import json
import zlib
from pathlib import Path
from typing import Any

from toyisa.files import reading
from toyisa.files.reading import Unreadable

REGRESSION = "toyvmm.fuzz-regression/1"
MAX_FILE = 32 << 20   # bytes of a file; a regression has about 20,000
MAX_IMAGE = 64 << 20  # bytes that a packed image may unpack to


class CorpusError(ValueError):
    """A file of a corpus cannot be used; the message says which and why."""


def read_object(
    path: Path, schema: str, what: str = "regression of `toyvmm fuzz`",
    fix: str = "give one that a campaign wrote",
) -> dict[str, Any]:  # fmt: skip
    """The JSON object in a file, which must have this schema; CorpusError.

    Errors call it `what`, and suggest `fix`.
    """
    try:
        value = json.loads(reading.read(path, MAX_FILE))
    except Unreadable as error:
        raise CorpusError(str(error)) from None
    except (ValueError, RecursionError) as error:  # errors of JSON, of UTF-8, of huge numbers
        raise CorpusError(f"{path}: is damaged ({_short(error)}); {fix}") from None
    if not isinstance(value, dict):
        raise CorpusError(f"{path}: is no {what}: it is not a JSON object; {fix}")
    if "schema" not in value:
        raise CorpusError(f"{path}: is no {what}: it has no 'schema'; {fix}")
    if value["schema"] != schema:
        found = _short(value["schema"])
        raise CorpusError(f"{path}: is no {what}: its schema is {found}, not {schema!r}; {fix}")
    return value


def unpacked(data: bytes) -> bytes:
    """Unpack what zlib packed; ValueError if it is damaged or too large."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, MAX_IMAGE)
    except zlib.error as error:
        raise ValueError(error) from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError(f"it is cut, or unpacks to more than {MAX_IMAGE >> 20} MB")
    return content


def _short(value: object) -> str:
    text = " ".join((str(value) if isinstance(value, Exception) else repr(value)).split())
    return text if len(text) <= 200 else text[:200] + " ..."
