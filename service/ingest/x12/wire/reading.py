"""Cuts a stream of bytes into segments, in bounded memory, whatever the bytes are.

Every interchange says its own separators. Line breaks, indentation and blank lines between segments
are passed over, a line break within one (files wrapped at a width) is taken out. What cannot be cut
is a problem with its place, and reading goes on behind it.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

from service.ingest.x12.wire._header import (
    BLANK,
    HEAD_CHARACTERS,
    ISA_CHARACTERS,
    Header,
    find_inner,
    find_start,
    guess_header,
    is_start,
    read_header,
)
from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.segment import Delimiters, Segment
from service.ingest.x12.wire.structure import KNOWN

_UTF8_MARK = codecs.BOM_UTF8
_SNIFFED_BYTES = 4


class Decoder:
    """Turns chunks of bytes into text; ``width`` is the number of bytes of a plain character."""

    def __init__(self) -> None:
        self.width = 1
        self.mark_bytes = 0
        self._first: bytes | None = b""
        self._decoder = codecs.getincrementaldecoder("latin-1")()

    def decode(self, chunk: bytes, *, final: bool = False) -> str:
        """The text of a chunk; the first few bytes are held back until the form is known."""
        if self._first is not None:
            chunk = self._first + chunk
            if len(chunk) < _SNIFFED_BYTES and not final:
                self._first = chunk
                return ""
            self._first = None
            chunk = chunk[self._sniff(chunk) :]
        return self._decoder.decode(chunk, final)

    def bytes_of(self, text: str) -> int:
        """Say how many bytes a text had in the file."""
        if self.width == 1 or text.isascii():
            return len(text) * self.width
        return len(text.encode("utf-16-le", "surrogatepass"))

    def mend(self, text: str) -> str:
        """Read a text with characters beyond ASCII as UTF-8, where it is."""
        if self.width > 1:
            return text
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            return text

    def _sniff(self, first: bytes) -> int:
        """Tell the form of the file by its first bytes; give the length of its mark."""
        for mark, name in (
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            # Without a mark the zero byte of the first letter, which is ASCII, tells.
            zero = 1 if name.endswith("le") else 0
            if first.startswith(mark) or (
                len(first) >= _SNIFFED_BYTES
                and first[zero] == first[zero + 2] == 0
                and first[1 - zero] != 0
            ):
                self.width = 2
                self._decoder = codecs.getincrementaldecoder(name)("replace")
                self.mark_bytes = len(mark) if first.startswith(mark) else 0
                return self.mark_bytes
        if first.startswith(_UTF8_MARK):
            self.mark_bytes = len(_UTF8_MARK)
        return self.mark_bytes


SEGMENT_CHARACTERS_MAX = 100_000
"""A longer segment is left out: the longest of a claim has a few hundred characters."""

PIECE_BYTES = 8 * 1024
"""Chunks are read in pieces of this size, so that a large one takes no more memory."""

_USUAL = KNOWN | {"GS", "GE", "ST", "SE"}
"""Segments that need no care, but those which begin or end an interchange."""

_HEADER = "\n"
"""Stands for an ISA segment that is yet to be read."""

_START_CHARACTERS = 4
_MARKS = "\xef\xbb\xbf\xfe\xff"
"""Bytes of a byte order mark: files that were put one behind the other have them within."""

Read = Segment | Problem


def segments(chunks: Iterable[bytes]) -> Iterator[Read]:
    """The segments of a file that comes in chunks of any size."""
    reader = SegmentReader()
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.end()


class SegmentReader:
    """Takes bytes as they come and gives the segments that are complete.

    What ``feed`` gives must be read to its end before the next call. ``held_characters`` is how
    much of a segment without an end is held.
    """

    def __init__(self, segment_characters_max: int = SEGMENT_CHARACTERS_MAX) -> None:
        self._decoder = Decoder()
        self._characters_max = segment_characters_max
        self._delimiters: Delimiters | None = None
        self._clean = re.compile("")
        self._found: list[Read] = []
        self._held: list[str] = []
        self.held_characters = 0
        self._is_skipping = False
        self._is_plain = False
        self._at: int | None = None
        self._index = 0
        self._noise_at: int | None = None
        self._interchanges = 0
        self._is_empty = True

    def feed(self, chunk: bytes) -> Iterator[Read]:
        """Take a chunk of any size; give the segments that it completes."""
        for found in self.feed_pieces(chunk):
            yield from found

    def feed_pieces(self, chunk: bytes) -> Iterator[list[Read]]:
        """Take a chunk of any size; give the segments that each piece of it completes."""
        for start in range(0, len(chunk), PIECE_BYTES):
            piece = chunk[start : start + PIECE_BYTES]
            yield self._taken(self._decoder.decode(piece))

    def end(self) -> Iterator[Read]:
        """Say that nothing follows; give what is left."""
        yield from self._taken(self._decoder.decode(b"", final=True), is_last=True)
        if self._noise_at is not None:
            yield self._noise()
        if not self._interchanges:
            yield Problem(code="empty" if self._is_empty else "no-interchange")

    def _taken(self, text: str, *, is_last: bool = False) -> list[Read]:
        """Take some text: cut it, or look for the next interchange in it."""
        if self._at is None:
            if not text and not is_last:
                return []
            self._at = self._decoder.mark_bytes
        rest: str | None = text
        while rest is not None:
            if self._delimiters is None:
                rest = self._seek(rest, is_last=is_last)
            else:
                rest = self._cut(rest, self._delimiters, is_last=is_last)
        found, self._found = self._found, []
        return found

    def _seek(self, text: str, *, is_last: bool) -> str | None:
        """Look for an ISA segment; give the text behind it, None where there is no more."""
        text = self._release() + text
        while True:
            place = find_start(text, is_first=self._is_empty)
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
                self._found.append(self._noise())
            head = text[:HEAD_CHARACTERS]
            header = read_header(head) if text.startswith("ISA") else guess_header(head)
            if header is not None:
                return self._open(header, text)
            self._add("isa-unreadable", self._at)
            self._interchanges += 1
            self._advance(text[:3])
            text = text[3:]

    def _open(self, header: Header, text: str) -> str | None:
        self._interchanges += 1
        self._is_empty = False
        self._delimiters = header.delimiters
        # A separator may itself be a control character; all others are taken out.
        kept = re.escape("".join(header.delimiters))
        self._clean = re.compile(rf"(?![{kept}])(?:[\r\n]+[ \t]*|[\x00-\x1f\x7f])")
        if header.elements:
            self._index += 1
            segment = Segment(header.elements, self._index, self._at or 0, header.delimiters)
            self._found.append(segment)
            if not header.is_complete:
                self._add("isa-short", segment.offset, segment.ordinal, "ISA")
        else:
            self._add("isa-missing", self._at)
        self._advance(text[: header.length])
        return text[header.length :]

    def _cut(self, text: str, marks: Delimiters, *, is_last: bool) -> str | None:
        """Cut text at the terminators; give what follows the end of the interchange."""
        pieces = text.split(marks.terminator)
        if len(pieces) == 1 and not is_last:
            return self._keep(text)
        if self._held:
            pieces[0] = self._release() + pieces[0]
        last = None if is_last else pieces.pop()
        rest = self._segments(pieces, marks)
        if rest is not None:
            return marks.terminator.join([*rest, *([] if last is None else [last])])
        return None if last is None else self._keep(last)

    def _segments(self, pieces: list[str], marks: Delimiters) -> list[str] | None:
        """Make segments; give the pieces behind the end of the interchange, to be read anew."""
        separator, found = marks.element, self._found
        longest = min(self._characters_max, ISA_CHARACTERS - 1)  # no ISA can stand within
        at, index, is_plain = self._at or 0, self._index, self._is_plain
        make = tuple.__new__  # a third of the time of ``Segment(...)``, for each segment of a file
        for number, piece in enumerate(pieces):
            text = piece.lstrip(BLANK)
            if is_plain and len(text) <= longest and text.isprintable() and text.isascii():
                elements = tuple(text.split(separator))
                if elements[0] in _USUAL:
                    index += 1
                    end = at + len(piece)
                    found.append(make(Segment, (elements, index, end - len(text), marks)))
                    at = end + 1
                    continue
                if not text:
                    at += len(piece) + 1
                    continue
            self._at, self._index = at, index
            rest = self._unusual(piece, marks)
            if rest is not None:
                return [*rest, *pieces[number + 1 :]]
            at, index, is_plain = self._at, self._index, self._is_plain
        self._at, self._index = at, index
        return None

    def _unusual(self, piece: str, marks: Delimiters) -> list[str] | None:
        """Read a piece with all care; give what is to be read anew where the interchange ends."""
        inner = find_inner(piece)
        if inner > 0:
            rest = self._unusual(piece[:inner], marks) or []
            # No terminator stood between: the interchange before was cut off.
            self._at, self._delimiters = (self._at or 0) - self._decoder.width, None
            return [*rest, piece[inner:]]
        read = self._piece(piece, marks)
        self._is_plain = self._decoder.width == 1
        if read is None:
            return None
        if isinstance(read, Segment) and read.elements[0] == _HEADER:
            # Another interchange begins, though this one has not ended.
            self._delimiters = None
            self._at, self._index = read.offset, self._index - 1
            return [read.elements[1]]
        self._found.append(read)
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
        text = piece.lstrip(BLANK)
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
            if not text:
                self._index -= 1
                return None
        if not text.isascii():
            text = self._decoder.mend(text)
        elements = text.split(marks.element)
        if not elements[0].isalnum() or not elements[0].isupper():
            elements[0] = elements[0].strip().upper()
        return Segment(tuple(elements), self._index, at, marks)

    def _keep(self, text: str) -> str | None:
        """Hold what has no end yet; of a segment that is too long only its place."""
        if self._is_skipping:
            self._advance(text)
            return None
        if not self._held:
            blank = len(text) - len(text.lstrip(BLANK))
            self._advance(text[:blank])
            text = text[blank:]
        self._hold(text)
        if len(self._held) <= _START_CHARACTERS and is_start("".join(self._held), 0):
            # Its own terminator may be another one: it is not waited for.
            self._delimiters = None
            return self._release()
        if self.held_characters > self._characters_max:
            self._index += 1
            self._add("segment-too-long", self._at, self._index)
            self._advance(self._release())
            self._is_skipping, self._is_plain = True, False
        return None

    def _add(self, code: str, at: int | None, index: int = 0, name: str = "") -> None:
        found = Problem(code=code, segment_index=index, byte_offset=at or 0, segment_id=name)
        self._found.append(found)

    def _hold(self, text: str) -> None:
        if text:
            self._held.append(text)
            self.held_characters += len(text)

    def _release(self) -> str:
        held = "".join(self._held)
        self._held, self.held_characters = [], 0
        return held

    def _advance(self, text: str) -> None:
        self._at = (self._at or 0) + self._decoder.bytes_of(text)

    def _pass_over(self, text: str) -> None:
        """Leave out what is not X12; blanks are no problem."""
        words = text.strip(BLANK + _MARKS)
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
