"""Writes an X12 file again with some segments left out or added, and all other bytes as they were.

Only the counts of the transaction sets that change are written anew (SE01).
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from typing import IO, NamedTuple

from service.ingest.x12.wire.reading import Decoder, segments
from service.ingest.x12.wire.segment import Segment

_CHUNK_BYTES = 64 * 1024
_BLANKS = re.compile(rb"[ \t\r\n]*")


class Edit(NamedTuple):
    """What becomes of a segment: left out or not, and which segments come behind it."""

    is_dropped: bool = False
    added: tuple[tuple[str, ...], ...] = ()

    @property
    def growth(self) -> int:
        """By how many segments the set grows."""
        return len(self.added) - self.is_dropped


class _Cut(NamedTuple):
    start: int
    end: int | None
    segment: Segment
    edit: Edit
    growth: int


async def single_bytes(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same text with a byte for every plain character and no mark: UTF-16 becomes UTF-8."""
    decoder = Decoder()
    async for chunk in chunks:
        text = decoder.decode(chunk)
        yield text.encode("latin-1" if decoder.width == 1 else "utf-8")
    text = decoder.decode(b"", final=True)
    yield text.encode("latin-1" if decoder.width == 1 else "utf-8")


def rewritten(file: IO[bytes], edits: Mapping[int, Edit]) -> Iterator[bytes]:
    """A file of ``single_bytes`` with edits, by the number of the segment, in chunks."""
    at = 0
    for cut in list(_cuts(file, edits)) if edits else []:
        yield from _read(file, at, cut.start)
        yield _edited(b"".join(_read(file, cut.start, cut.end)), cut)
        if cut.end is None:
            return
        at = cut.end
    yield from _read(file, at, None)


def _cuts(file: IO[bytes], edits: Mapping[int, Edit]) -> Iterator[_Cut]:
    """Find where each edit is in the file, and the ends of the sets that grow by them."""
    growth = 0
    before: Segment | None = None
    file.seek(0)
    for each in segments(iter(lambda: file.read(_CHUNK_BYTES), b"")):
        if not isinstance(each, Segment):
            continue
        if before is not None:
            yield from _cut(before, each.offset, edits, growth)
        before = each
        if each.id == "ST":
            growth = 0
        growth += edits.get(each.ordinal, Edit()).growth
    if before is not None:
        yield from _cut(before, None, edits, growth)


def _cut(
    segment: Segment, end: int | None, edits: Mapping[int, Edit], growth: int
) -> Iterator[_Cut]:
    edit = edits.get(segment.ordinal, Edit())
    if edit != Edit() or (segment.id == "SE" and growth):
        yield _Cut(segment.offset, end, segment, edit, growth)


def _edited(raw: bytes, cut: _Cut) -> bytes:
    """Write a segment anew, with its end and line break, and what was added in the same way."""
    marks = cut.segment.delimiters
    terminator, separator = marks.terminator.encode("latin-1"), marks.element.encode("latin-1")
    text, _, behind = raw.partition(terminator)
    blanks = _BLANKS.match(behind)
    end = terminator + (blanks[0] if blanks else b"")
    rest = behind[len(end) - len(terminator) :]
    if cut.segment.id == "SE":
        elements = text.split(separator)
        if len(elements) > 1 and elements[1].strip().isdigit():
            elements[1] = b"%d" % (int(elements[1]) + cut.growth)
        text = separator.join(elements)
    kept = [] if cut.edit.is_dropped else [text]
    added = [separator.join(each.encode("latin-1") for each in row) for row in cut.edit.added]
    return b"".join(each + end for each in (*kept, *added)) + rest


def _read(file: IO[bytes], start: int, end: int | None) -> Iterator[bytes]:
    while end is None or start < end:
        file.seek(start)
        chunk = file.read(_CHUNK_BYTES if end is None else min(_CHUNK_BYTES, end - start))
        if not chunk:
            return
        yield chunk
        start += len(chunk)
