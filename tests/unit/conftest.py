"""Answers for what the tests of several files here begin with."""

import pytest


@pytest.fixture(scope="module")
def one_domain():
    """Made once, since making a machine takes long."""
    from tests.pvdomain import Domain

    return Domain()


@pytest.fixture
def domain(one_domain):
    """A paravirtual domain as it boots; its frames are checked at the end."""
    one_domain.fresh()
    yield one_domain
    one_domain.check()
