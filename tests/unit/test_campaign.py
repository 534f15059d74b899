"""A corpus may come from other people: nothing in it is executed."""

import os
import pickle

import pytest

from vmm.fuzz import campaign
from vmm.fuzz.campaign import Campaign, CampaignError, Plan


class Hostile:
    """If it is unpickled, it makes a directory."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_case_that_lies_in_the_corpus_is_not_unpickled(tmp_path, monkeypatch):
    plan = Plan("roundtrip", "native", 60.0, 1, tmp_path, 0)
    sign = str(tmp_path / "executed")
    for n in range(2):
        (tmp_path / f"{plan.running.name}-{n}").write_bytes(pickle.dumps(Hostile(sign)))
    monkeypatch.setattr(campaign, "work", print)  # a process that ends at once
    with pytest.raises(CampaignError, match="before its first case"):
        Campaign(plan, lambda _result: None).run()
    assert not os.path.exists(sign)
