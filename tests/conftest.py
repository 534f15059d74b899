"""What changes when the compiler is off (`make nojit`, `make coverage`).

Plain Python runs the machine a thousand times slower: properties are tried on fewer
examples, and a test marked `compiled` is skipped.  Must not change what a test says.
"""

import os

import pytest
from hypothesis import is_hypothesis_test, settings

EXAMPLES = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
        return
    skip = pytest.mark.skip(reason="takes too long without the compiler")
    for item in items:
        if item.get_closest_marker("compiled"):
            item.add_marker(skip)
        elif is_hypothesis_test(test := getattr(item, "obj", None)):
            _try_few(getattr(test, "__func__", test))


def _try_few(test) -> None:
    """Cut its examples; a profile would not, as the number stands beside each test."""
    given = test._hypothesis_internal_use_settings
    few = settings(given, max_examples=min(EXAMPLES, given.max_examples))
    test._hypothesis_internal_use_settings = few
