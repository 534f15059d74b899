"""The one door to numba's compiler: cached, and the cache enabled before it is used.

Every compiled function is decorated with this `njit`.  One that is decorated
before the cache is enabled would be kept beside its source, where an edit of a
callee leaves it stale.

`NUMBA_BOUNDSCHECK=1` compiles the core with bounds checks, as the containment law
runs it; division by zero gives NumPy's result instead of an exception, since
inside the core a failure is a value.
"""

from functools import partial

from toyisa import jitcache

jitcache.enable()

import numba  # noqa: E402  after the cache is enabled, which sets where numba keeps code

njit = partial(numba.njit, cache=True, error_model="numpy", nogil=True)
