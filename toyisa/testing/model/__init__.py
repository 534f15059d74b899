"""The living definition: the whole machine in plain, slow Python.

It is the oracle of the lock-step tests.  It shares the tables of `toyisa` with the compiled
core, and no other line; must not import numba, numpy or `toyisa.machine`.
"""

from toyisa.testing.model.bus import Bus, NotModelled
from toyisa.testing.model.hart import Hart
from toyisa.testing.model.state import Effects

__all__ = ["Bus", "Effects", "Hart", "NotModelled"]
