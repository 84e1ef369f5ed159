"""JSON values cut out of a stream."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.cutting import ValueCutter

OBJECTS = st.dictionaries(
    st.text(max_size=4),
    st.recursive(
        st.none() | st.integers() | st.text(alphabet='{}[]"\\\n,:a', max_size=6),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    max_size=3,
)


def cut(chunks: Iterable[bytes], bytes_max: int = 1_000_000) -> list[tuple[int, bytes]]:
    """Cut the chunks into values, with the line of each."""
    cutter = ValueCutter(bytes_max)
    values = [value for chunk in chunks for value in cutter.feed(chunk)]
    values += cutter.end()
    return [(each.line, each.content) for each in values]


def chunked(text: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut a text at places."""
    places = [0, *sorted(each % (len(text) + 1) for each in cuts), len(text)]
    return [text[start:stop] for start, stop in pairwise(places)]


@given(
    values=st.lists(OBJECTS, max_size=4),
    indent=st.sampled_from([None, 0, 1]),
    is_array=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_objects_come_out_as_they_went_in(
    values: list[dict[str, Any]], indent: int | None, is_array: bool, cuts: list[int]
) -> None:
    """In an array or one after the other, however written and however cut into chunks."""
    text = json.dumps(values, indent=indent)
    if not is_array:
        text = "\n".join(json.dumps(each, indent=indent) for each in values)

    found = cut(chunked(text.encode(), cuts))

    assert [json.loads(value) for _, value in found] == values
    lines = text.splitlines() or [""]
    assert all("{" in lines[line - 1] for line, _ in found)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b"", []),
        (b"[]", []),
        (b'[{"a":1},{"a":2', [(1, b'{"a":1}'), (1, b'{"a":2')]),
        (b'[{"a":1},\n', [(1, b'{"a":1}'), (2, b"[")]),
        (b'[1,\n{"a":1}, "x{"]', [(1, b"1"), (2, b'{"a":1}'), (2, b'"x{"')]),
        (b'[{"a":1}]\n{"b":2}', [(1, b'{"a":1}'), (2, b'{"b":2}')]),
        (b'{"a":1}}', [(1, b'{"a":1}'), (1, b"}")]),
        (b'{"a":"\\', [(1, b'{"a":"\\')]),
    ],
)
def test_nothing_is_passed_over_in_silence(text: bytes, values: list[tuple[int, bytes]]) -> None:
    """What is no object, or no whole one, comes out too, for its reader to refuse."""
    assert cut([text]) == values


def test_of_a_value_that_is_too_long_only_the_beginning_is_kept() -> None:
    """The one after it is read."""
    text = b'[{"a":"' + b"x" * 100 + b'"},{"b":1}]'
    cutter = ValueCutter(60)

    first, second = [*cutter.feed(text[:50]), *cutter.feed(text[50:]), *cutter.end()]

    assert (first.content, first.size) == (text[1:61], 108)
    assert second.content == b'{"b":1}'


@given(values=st.lists(OBJECTS, min_size=1, max_size=4), indent=st.sampled_from([None, 1]))
def test_an_array_is_read_on_at_any_value(values: list[dict[str, Any]], indent: int | None) -> None:
    """From where a value begins the rest of the file gives it and the values after it."""
    text = json.dumps(values, indent=indent).encode()
    cutter = ValueCutter(1_000_000)
    whole = [*cutter.feed(text), *cutter.end()]

    for at, each in enumerate(whole):
        assert text[each.start :].startswith(each.content)
        rest = ValueCutter(1_000_000, line=each.line, offset=each.start)
        assert [*rest.feed(text[each.start :]), *rest.end()] == whole[at:]
