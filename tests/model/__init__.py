"""The living definition: the whole machine in plain, slow Python.

The oracle of the lock-step tests.  Shares the tables of `toyisa` with the njit
core and not one line more; must not import numba, numpy or `toyisa.machine`.
"""

from tests.model.bus import Bus
from tests.model.hart import Effects, Hart

__all__ = ["Bus", "Effects", "Hart"]
