"""Authorizations as the stores give them."""

import pytest

from service.domain.candidate import Standing
from tests.builders import build_authorization


@pytest.mark.parametrize(
    ("void", "current", "is_open"),
    [(False, True, True), (True, True, False), (False, False, False), (True, False, False)],
)
def test_only_what_stands_takes_new_claims(void: bool, current: bool, is_open: bool) -> None:
    """Neither a void one nor one that another has superseded."""
    standing = Standing(authorization=build_authorization(version=7), void=void, current=current)

    assert (standing.is_open, standing.version) == (is_open, 7)
