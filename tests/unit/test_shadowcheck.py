"""The checker of the monitor's shadow structures finds what is wrong with them."""

import numpy as np
import pytest

from tests import shadowcheck
from tests.smallkernels import RAM, kernel
from tests.virtual import machine

BODY = """
    page    0, DATA, RWAD
    page    1, DATA2, R | A
    page    2, DATA2, RW | A
    entry   ROOT + 8, 0x80000000, RW
    space   ROOT, 1
    load    WINDOW
    store   WINDOW, 1
    load    WINDOW + 0x1000
    load    WINDOW + 0x2000
    load    0x00830000
1:  j       1b
"""
W, PAGE_WORDS = 4, 1024


@pytest.fixture
def stopped():
    made = machine("trap", mem=RAM)
    kernel(BODY)(made)
    made.run(1000)
    assert shadowcheck.faults(made) == []
    return made


def leaf(made, gfn=0x22):
    """The words of the shadow of a guest's table."""
    frame = int(made.pages["as_table"][gfn, 0]) - 1
    words = made.host.ram.view(np.uint32).reshape(-1, PAGE_WORDS)
    return words[int(made.vm.shadow.start) + frame]


def grant(made):
    leaf(made)[1] |= W


def grant_clean(made):
    leaf(made)[2] |= W


def lead_astray(made):
    leaf(made)[0] += 1 << 10


def add(made):
    leaf(made)[7] = leaf(made)[0]


def lose(made):
    leaf(made)[0] = 0


def rename(made):
    made.pages["as_table"][0x23, 0] = made.pages["as_table"][0x22, 0]


def forget(made):
    made.pages["as_table"][0x22, 0] = 0


def retrace(made):
    made.vm.tohost = 0x30  # a traced frame now, which its entry lets be stored to


def break_chain(made):
    first = int(made.host.frames["head"][made.pages["mfn"][0x31]])
    made.links["prev"][first - 1] = 1


def change_table(made):
    at = made.pages["mfn"][0x22] * PAGE_WORDS
    made.host.ram.view(np.uint32)[at] = 0


HARMS = (
    grant, grant_clean, lead_astray, add, lose, rename, forget, retrace, break_chain, change_table,
)  # fmt: skip


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_harm_is_found(stopped, harm):
    harm(stopped)
    assert shadowcheck.faults(stopped)
