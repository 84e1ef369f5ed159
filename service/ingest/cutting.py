"""Cuts a stream of bytes into pieces that can be read one by one: lines, values of JSON, or all.

Memory is that of one piece and one chunk. Of a piece that is longer than allowed only the beginning
is kept, with its length: so it can be told what it was, and nobody can fill the memory with it.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from service.domain.submission import Format, Submission

KEPT_BYTES = 64 * 1024
"""So much is kept of a piece that is too long."""
PIECES_AT_A_TIME = 256


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of a stream: the ``line`` on which it begins, and the byte ``start``.

    ``size`` is its length as it came; ``content`` is shorter where it was too long to be kept.
    """

    content: bytes = field(repr=False)
    size: int
    line: int
    start: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept."""
        return len(self.content) == self.size

    @property
    def is_blank(self) -> bool:
        """Whether nothing but blanks stands in it."""
        return self.is_whole and not self.content.strip()

    def submission(self, written_in: Format, pointer: str = "", **fields: Any) -> Submission:
        """Say what was read of the piece, or of the place in it that ``pointer`` names."""
        position: dict[str, int | str] = {"line": self.line}
        return Submission(
            format=written_in,
            position=position | ({"pointer": pointer} if pointer else {}),
            start=self.start,
            content=self.content,
            content_bytes=self.size,
            **fields,
        )


class Held:
    """What was read of a piece that has not ended yet, within a limit."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._parts: deque[bytes] = deque()
        self.size = 0

    def add(self, part: bytes) -> None:
        """Take the next part of the piece."""
        if not part:
            return
        before, self.size = self.size, self.size + len(part)
        if self.size <= self._bytes_max:
            self._parts.append(part)
        elif before <= self._bytes_max:
            kept = min(KEPT_BYTES, self._bytes_max)
            self._parts = deque([b"".join((*self._parts, part[:kept]))[:kept]])

    def take(self) -> tuple[bytes, int]:
        """What was kept of the piece and its length; the next piece begins."""
        content, size = b"".join(self._parts), self.size
        self._parts.clear()
        self.size = 0
        return content, size


class Cutter(ABC):
    """Takes chunks of any size and gives the pieces that they complete, of at most so many bytes.

    A file may be read from the byte ``offset`` on, which is in its line ``line``.
    """

    def __init__(self, bytes_max: int, *, line: int = 1, offset: int = 0) -> None:
        self._held = Held(bytes_max)
        self._line = line
        self._at = offset

    @abstractmethod
    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """Take the next chunk; read to the end what it gives, before the next one."""

    @abstractmethod
    def end(self) -> Iterator[Cut]:
        """Say that nothing follows; give what is left."""


async def cut(chunks: AsyncIterable[bytes], cutter: Cutter) -> AsyncIterator[Cut]:
    """Cut a stream."""
    count = 0
    async for chunk in chunks:
        for piece in cutter.feed(chunk):
            count += 1
            if count % PIECES_AT_A_TIME == 0:
                await asyncio.sleep(0)  # nobody else may wait for thousands of empty lines
            yield piece
    for piece in cutter.end():
        yield piece


class LineCutter(Cutter):
    """Cuts at line ends, which are left out; a last line without an end counts as well.

    Empty lines are counted and passed over: millions of them cost next to nothing.
    """

    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """The lines that end in this chunk."""
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            if not part and not self._held.size:
                self._line += 1
                self._at += 1
                continue
            self._held.add(part)
            yield self._cut()
            self._line += 1
        self._held.add(rest)

    def end(self) -> Iterator[Cut]:
        """The last line, if it has no end of its own."""
        if self._held.size:
            yield self._cut()

    def _cut(self) -> Cut:
        content, size = self._held.take()
        start, self._at = self._at, self._at + size + 1
        return Cut(content, size, self._line, start)


class WholeCutter(Cutter):
    """Takes a stream for one piece, also an empty one."""

    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """Take the next chunk; no piece ends in it."""
        self._held.add(chunk)
        yield from ()

    def end(self) -> Iterator[Cut]:
        """All of it."""
        yield Cut(*self._held.take(), self._line, self._at)


_MARKS = re.compile(rb'\\.|["{}\[\]\n]', re.DOTALL)
_BETWEEN = b" \t\r\n,"


class ValueCutter(Cutter):
    """Finds where objects begin and end, whatever line ends stand in them.

    Only nesting and strings are looked at: whether what is cut out is JSON, its reader says. What
    stands between objects is cut out as well, so that nothing is passed over in silence.
    """

    def __init__(self, bytes_max: int, *, line: int = 1, offset: int = 0) -> None:
        # A file that is read from within is taken for an array that has begun.
        super().__init__(bytes_max, line=line, offset=offset)
        self._start_line, self._start = line, offset
        self._depth = 1 if offset else 0
        self._base: int | None = 1 if offset else None
        self._in_string = False
        self._carried = b""

    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """Take the next bytes in, and give the values that end in them."""
        chunk = self._carried + chunk
        backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
        self._carried = b"\\" * (backslashes % 2)  # what it escapes is in the next chunk
        chunk = chunk[: len(chunk) - len(self._carried)]
        begin = 0
        for found in _MARKS.finditer(chunk):
            mark = found[0]
            if mark == b"\n":
                self._line += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif self._in_string or mark[:1] == b"\\":
                continue
            elif mark in b"{[":
                if self._depth == (self._base or 0):
                    yield from self._value(chunk[begin : found.start()], found.start())
                    begin = found.end() if self._opens_the_array(mark) else found.start()
                    self._begin(found.start())
                self._depth += 1
            elif self._depth > 0:
                self._depth -= 1
                if self._depth == self._base:
                    yield from self._value(chunk[begin : found.end()], found.end())
                    begin = found.end()
                elif self._depth < (self._base or 0):
                    yield from self._value(chunk[begin : found.start()], found.start())
                    begin, self._base = found.end(), 0
        self._keep(chunk[begin:])
        self._at += len(chunk)

    def end(self) -> Iterator[Cut]:
        """What was left unfinished, so that its reader refuses it."""
        if self._base == 1 and not self._held.size:
            self._begin(0)
            self._held.add(b"[")
        yield from self._value(self._carried, len(self._carried))

    def _opens_the_array(self, mark: bytes) -> bool:
        """Whether this is the array around all values: only the first bracket of all can be."""
        is_first = self._base is None
        if is_first:
            self._base = 1 if mark == b"[" else 0
        return is_first and mark == b"["

    def _begin(self, place: int) -> None:
        """Say that the next value begins at a place of this chunk."""
        self._start_line, self._start = self._line, self._at + place

    def _keep(self, part: bytes) -> None:
        if self._depth == (self._base or 0) and not part.strip(_BETWEEN) and not self._held.size:
            return
        self._held.add(part)

    def _value(self, last: bytes, end: int) -> Iterator[Cut]:
        """What was held together with its last part, unless it is only between values."""
        self._keep(last)
        content, size = self._held.take()
        text = content.strip(_BETWEEN)
        if text:
            is_whole = len(content) == size
            yield Cut(text, len(text) if is_whole else size, self._start_line, self._start)
            self._begin(end)
