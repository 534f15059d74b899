"""The suite's option `--few`, and its report of what random cases were.

`pytest --few` runs what plain Python can run of the suite in some minutes.  With the compiler
off (`make coverage`) the machine is a thousand times slower.  So properties are tried on
fewer examples, and a test marked `compiled` is skipped.  Must not change what a test says.
"""

import pytest
from hypothesis import is_hypothesis_test, settings

EXAMPLES = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--few", action="store_true", help="for when the compiler is off")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("few"):
        return
    skip = pytest.mark.skip(reason="takes too long without the compiler")
    for item in items:
        if item.get_closest_marker("compiled"):
            item.add_marker(skip)
        elif is_hypothesis_test(test := getattr(item, "obj", None)):
            _try_few(getattr(test, "__func__", test))


def _try_few(test) -> None:
    """Reduce the number of its examples; a profile would not, since each test has a number of
    its own.
    """
    given = test._hypothesis_internal_use_settings
    few = settings(given, max_examples=min(EXAMPLES, given.max_examples))
    test._hypothesis_internal_use_settings = few


def pytest_terminal_summary(terminalreporter) -> None:
    """How many random cases there were of each kind: a test records it as `met`."""
    met = [value for report in terminalreporter.stats.get("passed", [])
           for name, value in report.user_properties if name == "met"]  # fmt: skip
    if met:
        terminalreporter.section("met by random cases")
        terminalreporter.write_line("\n".join(met))
