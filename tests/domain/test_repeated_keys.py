"""Keys that stand twice in an object of JSON are found, wherever they stand."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.repeated_keys import repeated_key
from tests.builders import build_authorization, build_claim


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ('{"a": 1}', None),
        ('{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 1}]}', None),
        ('{"a": 1, "a": 1}', "/a"),
        ('{"a": 1, "b": 2, "a": {"c": 3}}', "/a"),
        ('{"lines": [{"line": 1}, {"line": 2, "to": "x", "line": 3}]}', "/lines/1/line"),
        ('{"m": {"id": "1", "id": "2"}}', "/m/id"),
        ('[[{"a/b": 1, "a/b": 2}]]', "/0/0/a~1b"),
        ('{"a": ":::", "b": "{\\"a\\": 1, \\"a\\": 2}"}', None),
        ('{"a": 1, "\\u0061": 2}', "/a"),
        ('{"a": "\\u003a", "a": 2}', "/a"),
        ('{"a": "\\u003a\\u003a", "b": 1, "b": 2}', "/b"),
        ('{"a": "\\u003a"}', None),
        ('{"a": ["\\u003a", 1]}', None),
        ('{"a": 1, "a":', None),
        ('{"a": NaN, "a": 1}', None),
        ("", None),
        ("1", None),
        ("[" * 5000 + "]" * 5000, None),
        ('{"a": 1, "a": ' + "[" * 200 + "]" * 200 + "}", "/a"),
        ('{"a": 1, "a": ' + "[" * 1000 + "]" * 1000 + "}", None),
    ],
)
def test_a_key_that_stands_twice_is_found(content: str, path: str | None) -> None:
    """By its place; what is no JSON, or nothing we take, has none: its reader says so."""
    assert repeated_key(content.encode()) == path


def test_what_is_read_already_need_not_be_read_again() -> None:
    """Other than what was left out of it."""
    content = b'{"a": 1, "a": 2}'
    assert repeated_key(content, orjson.loads(content)) == "/a"
    assert repeated_key(b'{"a": 1}', {"a": 1}) is None
    assert repeated_key(b'{"a": 1, "a":', {"a": 1}) is None


@pytest.mark.parametrize("made", [build_claim(), build_authorization()])
def test_what_is_sent_has_none(made: object) -> None:
    """Written with blanks and without."""
    body = made.model_dump(mode="json", by_alias=True)  # type: ignore[attr-defined]
    for written in (orjson.dumps(body), json.dumps(body, indent=2).encode()):
        assert repeated_key(written) is None


PLAIN = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text(max_size=3), PLAIN, min_size=1), chosen=st.integers(0))
def test_any_key_that_is_written_again_is_found(value: dict[str, object], chosen: int) -> None:
    """And in what has each once none is."""
    written = json.dumps(value)
    assert repeated_key(written.encode()) is None
    key = sorted(value)[chosen % len(value)]
    again = f"{written[:-1]}, {json.dumps(key)}: 1}}"
    assert repeated_key(again.encode()) is not None
