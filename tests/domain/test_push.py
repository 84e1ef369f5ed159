"""What became of a pushed version, as a value."""

import pytest

from service.domain.submission import PushResult


def test_a_result_says_which_version_stands() -> None:
    """An older version is kept in the history, beside the one that stands."""
    result = PushResult(authorization_id="A1", version=2, status="superseded", current_version=3)

    assert (result.version, result.current_version, result.reason) == (2, 3, None)
    with pytest.raises(AttributeError):
        result.version = 4  # type: ignore[misc]
