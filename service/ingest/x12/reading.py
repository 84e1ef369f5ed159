"""Cuts a stream of bytes into segments, in bounded memory, whatever the bytes are.

Every interchange says its own separators. Line breaks, indentation and blank lines between segments
are passed over, a line break within one (files wrapped at a width) is taken out. What cannot be cut
is a problem with its place, and reading goes on behind it.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator

from service.ingest.x12.decoding import Decoder
from service.ingest.x12.header import (
    HEAD_CHARACTERS,
    Header,
    guess_header,
    is_start,
    read_header,
)
from service.ingest.x12.problem import Problem
from service.ingest.x12.segment import Delimiters, Segment

SEGMENT_CHARACTERS_MAX = 100_000
"""A longer segment is left out: the longest of a claim has a few hundred characters."""

PIECE_BYTES = 64 * 1024
"""Chunks are read in pieces of this size, so that a large one takes no more memory."""

_INTERCHANGE = frozenset({"ISA", "IEA"})

_HEADER = "\n"
"""Stands for an ISA segment that is yet to be read."""

_START_CHARACTERS = 4

_BLANK = " \t\r\n\0\x1a\ufeff"
_MARKS = "\xef\xbb\xbf\xfe\xff"
"""Bytes of a byte order mark: files that were put one behind the other have them within."""

Read = Segment | Problem

_Reading = Generator[Read, None, str | None]
"""Gives what was read, and at the end the text that is still to be read."""


def segments(chunks: Iterable[bytes]) -> Iterator[Read]:
    """Give the segments of a file that comes in chunks of any size."""
    reader = SegmentReader()
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.end()


async def segments_async(chunks: AsyncIterable[bytes]) -> AsyncIterator[Read]:
    """Give the segments of a stream that comes in chunks of any size."""
    reader = SegmentReader()
    async for chunk in chunks:
        for each in reader.feed(chunk):
            yield each
    for each in reader.end():
        yield each


class SegmentReader:
    """Takes bytes as they come and gives the segments that are complete.

    What ``feed`` gives must be read to its end before the next call.
    """

    def __init__(self, segment_characters_max: int = SEGMENT_CHARACTERS_MAX) -> None:
        """Start before the first byte."""
        self._decoder = Decoder()
        self._characters_max = segment_characters_max
        self._delimiters: Delimiters | None = None
        self._clean = re.compile("")
        self._held: list[str] = []
        self._held_characters = 0
        self._is_skipping = False
        self._is_plain = False
        self._at: int | None = None
        self._index = 0
        self._noise_at: int | None = None
        self._interchanges = 0
        self._is_empty = True

    def feed(self, chunk: bytes) -> Iterator[Read]:
        """Take a chunk of any size; give the segments that it completes."""
        view = memoryview(chunk)
        for start in range(0, len(view), PIECE_BYTES):
            yield from self._take(self._decoder.decode(bytes(view[start : start + PIECE_BYTES])))

    def end(self) -> Iterator[Read]:
        """Say that nothing follows; give what is left."""
        yield from self._take(self._decoder.decode(b"", final=True), is_last=True)
        if self._noise_at is not None:
            yield self._noise()
        if not self._interchanges:
            yield Problem(code="empty" if self._is_empty else "no-interchange")

    @property
    def held_characters(self) -> int:
        """How much of a segment without an end is held."""
        return self._held_characters

    def _take(self, text: str, *, is_last: bool = False) -> Iterator[Read]:
        """Take some text: cut it, or look for the next interchange in it."""
        if self._at is None:
            if not text and not is_last:
                return
            self._at = self._decoder.mark_bytes
        rest: str | None = text
        while rest is not None:
            if self._delimiters is None:
                rest = yield from self._seek(rest, is_last=is_last)
            else:
                rest = yield from self._cut(rest, self._delimiters, is_last=is_last)

    def _seek(self, text: str, *, is_last: bool) -> _Reading:
        """Look for an ISA segment; give the text behind it, None where there is no more."""
        text = self._release() + text
        while True:
            place = self._start_in(text)
            if place < 0:
                kept = 0 if is_last else 3  # ISA and its separator may come in two pieces
                self._pass_over(text[: len(text) - kept])
                self._hold(text[len(text) - kept :] if kept else "")
                return None
            self._pass_over(text[:place])
            text = text[place:]
            if len(text) < HEAD_CHARACTERS and not is_last:
                self._hold(text)
                return None
            if self._noise_at is not None:
                yield self._noise()
            head = text[:HEAD_CHARACTERS]
            header = read_header(head) if text.startswith("ISA") else guess_header(head)
            if header is not None:
                return (yield from self._open(header, text))
            yield Problem(code="isa-unreadable", byte_offset=self._at or 0)
            self._interchanges += 1
            self._advance(text[:3])
            text = text[3:]

    def _open(self, header: Header, text: str) -> _Reading:
        self._interchanges += 1
        self._is_empty = False
        self._delimiters = header.delimiters
        # A separator may itself be a control character; all others are taken out.
        kept = re.escape("".join(header.delimiters))
        self._clean = re.compile(rf"(?![{kept}])(?:[\r\n]+[ \t]*|[\x00-\x1f\x7f])")
        if header.elements:
            self._index += 1
            segment = Segment(header.elements, self._index, self._at or 0, header.delimiters)
            yield segment
            if not header.is_complete:
                yield Problem(
                    code="isa-short",
                    segment_index=segment.ordinal,
                    byte_offset=segment.offset,
                    segment_id="ISA",
                )
        else:
            yield Problem(code="isa-missing", byte_offset=self._at or 0)
        self._advance(text[: header.length])
        return text[header.length :]

    def _cut(self, text: str, marks: Delimiters, *, is_last: bool) -> _Reading:
        """Cut text at the terminators; give what follows the end of the interchange."""
        pieces = text.split(marks.terminator)
        if len(pieces) == 1 and not is_last:
            return (yield from self._keep(text))
        if self._held:
            pieces[0] = self._release() + pieces[0]
        count = len(pieces) - (0 if is_last else 1)
        separator, longest = marks.element, self._characters_max
        for number in range(count):
            piece = pieces[number]
            text = piece.lstrip(_BLANK)
            if self._is_plain and text.isprintable() and text.isascii() and len(text) <= longest:
                at = self._at or 0
                self._at = at + len(piece) + 1
                if not text:
                    continue
                elements = tuple(text.split(separator))
                name = elements[0]
                if name.isalnum() and name.isupper() and name not in _INTERCHANGE:
                    self._index += 1
                    yield Segment(elements, self._index, at + len(piece) - len(text), marks)
                    continue
                self._at = at
            rest = yield from self._unusual(piece, marks)
            if rest is not None:
                return marks.terminator.join([*rest, *pieces[number + 1 :]])
        return None if is_last else (yield from self._keep(pieces[-1]))

    def _unusual(self, piece: str, marks: Delimiters) -> Generator[Read, None, list[str] | None]:
        """Read a piece with all care; give what is to be read anew where the interchange ends."""
        read = self._piece(piece, marks)
        self._is_plain = self._decoder.width == 1
        if read is None:
            return None
        if isinstance(read, Segment) and read.elements[0] == _HEADER:
            # Another interchange begins, though this one has not ended.
            self._delimiters = None
            self._at, self._index = read.offset, self._index - 1
            return [read.elements[1]]
        yield read
        if isinstance(read, Segment) and read.elements[0] == "IEA":
            self._delimiters = None
            return []
        return None

    def _piece(self, piece: str, marks: Delimiters) -> Read | None:
        """Read what stood before a terminator; an ISA segment is given whole, to be read anew."""
        at = self._at or 0
        width = self._decoder.width
        self._at = at + width + (len(piece) if width == 1 else self._decoder.bytes_of(piece))
        if self._is_skipping:
            self._is_skipping = False
            return None
        text = piece.lstrip(_BLANK)
        if not text:
            return None
        at += (len(piece) - len(text)) * width
        self._index += 1
        if is_start(text, 0):
            return Segment((_HEADER, text), self._index, at, marks)
        if len(text) > self._characters_max:
            return Problem(code="segment-too-long", segment_index=self._index, byte_offset=at)
        if not text.isprintable():
            text = self._clean.sub("", text)
        if not text.isascii():
            text = self._decoder.mend(text)
        elements = text.split(marks.element)
        if not elements[0].isalnum() or not elements[0].isupper():
            elements[0] = elements[0].strip().upper()
        return Segment(tuple(elements), self._index, at, marks)

    def _keep(self, text: str) -> _Reading:
        """Hold what has no end yet; of a segment that is too long only its place."""
        if self._is_skipping:
            self._advance(text)
            return None
        if not self._held:
            blank = len(text) - len(text.lstrip(_BLANK))
            self._advance(text[:blank])
            text = text[blank:]
        self._hold(text)
        if len(self._held) <= _START_CHARACTERS and is_start("".join(self._held), 0):
            # Its own terminator may be another one: it is not waited for.
            self._delimiters = None
            return self._release()
        if self._held_characters > self._characters_max:
            self._index += 1
            yield Problem(
                code="segment-too-long", segment_index=self._index, byte_offset=self._at or 0
            )
            self._advance(self._release())
            self._is_skipping, self._is_plain = True, False
        return None

    def _hold(self, text: str) -> None:
        if text:
            self._held.append(text)
            self._held_characters += len(text)

    def _release(self) -> str:
        held = "".join(self._held)
        self._held, self._held_characters = [], 0
        return held

    def _advance(self, text: str) -> None:
        self._at = (self._at or 0) + self._decoder.bytes_of(text)

    def _start_in(self, text: str) -> int:
        """Find where an interchange begins; a file may also begin with GS or ST."""
        place = text.find("ISA")
        while place >= 0 and not is_start(text, place):
            place = text.find("ISA", place + 1)
        if self._is_empty:
            begun = len(text) - len(text.lstrip(_BLANK))
            if re.compile(r"(?:GS|ST)[^A-Za-z0-9 \t\r\n]").match(text, begun):
                return begun
        return place

    def _pass_over(self, text: str) -> None:
        """Leave out what is not X12; blanks are no problem."""
        words = text.strip(_BLANK + _MARKS)
        if words:
            self._is_empty = False
            if self._noise_at is None:
                before = text.index(words[0])
                self._noise_at = (self._at or 0) + self._decoder.bytes_of(text[:before])
        self._advance(text)

    def _noise(self) -> Problem:
        problem = Problem(code="noise", byte_offset=self._noise_at or 0)
        self._noise_at = None
        return problem
