"""Answers for what the tests of several files here begin with."""

import pytest


@pytest.fixture(scope="module")
def one_domain():
    """Made once: a machine is dear."""
    from tests.pvdomain import Domain

    return Domain()


@pytest.fixture
def domain(one_domain):
    """A paravirtual domain as it boots, its books checked at the end."""
    one_domain.fresh()
    yield one_domain
    one_domain.check()
