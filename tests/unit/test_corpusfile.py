"""A file of a corpus may come from other people: it is within limits, or refused with the
reason.
"""

import base64
import json
import zlib

import pytest

from vmm.fuzz import corpusfile
from vmm.fuzz.case import BadCase, Case
from vmm.fuzz.corpus import CorpusError, load, read_statistics
from vmm.fuzz.corpusfile import REGRESSION, read_object, unpacked


def packed(size):
    return zlib.compress(bytes(size), 9)


def test_an_image_is_unpacked_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(corpusfile, "MAX_IMAGE", 1 << 20)
    assert unpacked(packed(1 << 20)) == bytes(1 << 20)
    for data in (packed((1 << 20) + 1), packed(64 << 20), packed(100)[:-1], b"", b"junk"):
        with pytest.raises(ValueError, match=r"unpacks to more|incorrect header"):
            unpacked(data)


def test_a_case_that_would_unpack_to_much_is_none(monkeypatch):
    monkeypatch.setattr(corpusfile, "MAX_IMAGE", 1 << 20)
    bomb = {"image": base64.b64encode(packed(64 << 20)).decode(), "settings": {}}
    with pytest.raises(BadCase, match="unpacks to more than 1 MB"):
        Case.from_json(bomb)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is damaged"),
        (b"\xff", "is damaged"),
        (b'{"a":' * 100_000, "is damaged"),
        (b"9" * 5000, "is damaged|it is not a JSON object"),
        (b"[]", "it is not a JSON object"),
        (b"{}", "it has no 'schema'; give one that"),
        (b'{"schema": {"a": 1}}', "its schema is {'a': 1}"),
        (json.dumps({"schema": "x" * 1000}).encode(), r"its schema is 'x+ \.\.\."),
    ],
)
def test_refused(tmp_path, content, reason):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CorpusError, match=reason) as raised:
        read_object(tmp_path / "file", REGRESSION)
    assert str(raised.value).startswith(f"{tmp_path / 'file'}: ")
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("value", [{}, {"law": []}, {"law": "tiers"}, {"where": 1, "law": "x"}])
def test_an_object_that_is_no_regression(tmp_path, value):
    (tmp_path / "file").write_text(json.dumps({"schema": REGRESSION, "engine": "native", **value}))
    with pytest.raises(CorpusError):
        load(tmp_path / "file")


@pytest.mark.parametrize("done", [1 << 60, -1, "1", None, 1.5])
def test_statistics_that_claim_too_much(tmp_path, done):
    campaign = {"done": done, "ahead": [], "seen": {}, "executions": 0, "seconds": 0,
                "failures": []}  # fmt: skip
    (tmp_path / "statistics.json").write_text(
        json.dumps({"schema": "toyvmm.fuzz-statistics/1", "campaigns": {"key": campaign}}))
    with pytest.raises(CorpusError, match=r"statistics\.json: is damaged"):
        read_statistics(tmp_path, "key")
