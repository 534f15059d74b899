"""The living definition: the whole machine in plain, slow Python.

The oracle of the lock-step tests.  Shares the tables of `toyisa` with the njit
core and not one line more; must not import numba, numpy or `toyisa.machine`.
"""

from toyisa.testing.model.bus import Bus, NotModelled
from toyisa.testing.model.hart import Hart
from toyisa.testing.model.state import Effects

__all__ = ["Bus", "Effects", "Hart", "NotModelled"]
