"""What two values say otherwise: each place once, in order, and nothing of what is empty."""

from typing import Any

import pytest

from service.domain.differences import differences


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": None, "b": "", "c": [], "d": {}}, {}, []),
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, [("/a", 1, None), ("/b", 2, 3), ("/c", None, 4)]),
        ({"a": [1, 2]}, {"a": [1]}, [("/a/1", 2, None)]),
        ({"a": {"b": 0}}, {"a": [False]}, [("/a/b", 0, None), ("/a/0", None, False)]),
        ({"a/b": {"~": "x"}}, {}, [("/a~1b/~0", "x", None)]),
        (1, 2, [("", 1, 2)]),
    ],
)
def test_what_differs_is_named_by_its_place(
    one: Any, other: Any, found: list[tuple[str, Any, Any]]
) -> None:
    """As RFC 6901 writes it; what only one says stands beside nothing."""
    assert differences(one, other) == found
    assert sorted(differences(other, one), key=str) == sorted(
        ((place, now, was) for place, was, now in found), key=str
    )
