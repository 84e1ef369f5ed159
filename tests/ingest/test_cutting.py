"""Streams cut into lines."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.ingest.cutting import KEPT_BYTES, Cut, LineCutter, cut


def split(chunks: Iterable[bytes], bytes_max: int = 100_000) -> list[Cut]:
    """Cut chunks into lines."""

    async def stream() -> AsyncIterator[bytes]:
        for each in chunks:
            yield each

    async def run() -> list[Cut]:
        return [each async for each in cut(stream(), LineCutter(bytes_max))]

    return asyncio.run(run())


def chunked(text: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut a text at places."""
    places = [0, *sorted(each % (len(text) + 1) for each in cuts), len(text)]
    return [text[start:stop] for start, stop in pairwise(places)]


@given(
    lines=st.lists(st.binary(max_size=12).map(lambda each: each.replace(b"\n", b""))),
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=12),
    ends_with_line_end=st.booleans(),
)
def test_chunks_do_not_matter(
    lines: list[bytes], cuts: list[int], ends_with_line_end: bool
) -> None:
    """However a stream is cut into chunks, the lines are the same, without the empty ones."""
    text = b"\n".join(lines) + (b"\n" if ends_with_line_end and lines else b"")
    expected = {number: line for number, line in enumerate(text.split(b"\n"), start=1) if line}

    found = split(chunked(text, cuts), bytes_max=8)

    assert [(each.content, each.size) for each in found] == [
        (line[:8], len(line)) for line in expected.values()
    ]
    assert [each.line for each in found] == list(expected)
    assert all(text[: each.start].count(b"\n") == each.line - 1 for each in found)
    assert all(text[each.start :].startswith(each.content) for each in found)


@given(lines=st.lists(st.binary(max_size=6).map(lambda each: each.replace(b"\n", b""))))
def test_reading_goes_on_at_any_line(lines: list[bytes]) -> None:
    """From where a line begins the rest of the file gives it and the lines after it."""
    text = b"".join(each + b"\n" for each in lines)
    whole = split([text])

    for at, each in enumerate(whole):
        cutter = LineCutter(100, line=each.line, offset=each.start)
        rest = [*cutter.feed(text[each.start :]), *cutter.end()]
        assert rest == whole[at:]


def test_of_a_line_that_is_too_long_only_the_beginning_is_kept() -> None:
    """The rest of it passes by; the line after it is read."""
    long = b"x" * (3 * KEPT_BYTES)

    first, second = split([long, long, b"\nnext"], bytes_max=2 * KEPT_BYTES)

    assert (first.content, first.size, first.is_whole) == (long[:KEPT_BYTES], 2 * len(long), False)
    assert (second.content, second.is_whole) == (b"next", True)
