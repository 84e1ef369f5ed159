"""Cuts a stream of bytes into pieces that can be read one by one: here into lines.

Memory is that of one piece and one chunk. Of a piece that is longer than allowed only the beginning
is kept, with its length: so it can be told what it was, and nobody can fill the memory with it.
"""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

KEPT_BYTES = 64 * 1024
"""So much is kept of a piece that is too long."""


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


class Cutter(Protocol):
    """Takes chunks of any size and gives the pieces that they complete."""

    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """Take the next chunk; read to the end what it gives, before the next one."""
        ...

    def end(self) -> Iterator[Cut]:
        """Say that nothing follows; give what is left."""
        ...


async def cut(chunks: AsyncIterable[bytes], cutter: Cutter) -> AsyncIterator[Cut]:
    """Cut a stream."""
    async for chunk in chunks:
        for piece in cutter.feed(chunk):
            yield piece
    for piece in cutter.end():
        yield piece


class Held:
    """What was read of a piece that has not ended yet, within a limit."""

    def __init__(self, bytes_max: int) -> None:
        """Keep pieces of at most so many bytes whole."""
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
        """Give what was kept of the piece and its length; the next piece begins."""
        content, size = b"".join(self._parts), self.size
        self._parts.clear()
        self.size = 0
        return content, size


class LineCutter:
    """Cuts at line ends, which are left out; a last line without an end counts as well."""

    def __init__(self, bytes_max: int, *, line: int = 1, offset: int = 0) -> None:
        """Start at the byte ``offset`` of a file, which is in its line ``line``."""
        self._held = Held(bytes_max)
        self._line = line
        self._at = offset

    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """Give the lines that end in this chunk."""
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._held.add(part)
            yield self._cut()
            self._line += 1
        self._held.add(rest)

    def end(self) -> Iterator[Cut]:
        """Give the last line, if it has no end of its own."""
        if self._held.size:
            yield self._cut()

    def _cut(self) -> Cut:
        content, size = self._held.take()
        start, self._at = self._at, self._at + size + 1
        return Cut(content, size, self._line, start)


class WholeCutter:
    """Takes a stream for one piece, also an empty one."""

    def __init__(self, bytes_max: int, *, line: int = 1, offset: int = 0) -> None:
        """Start at the byte ``offset`` of a file, which is in its line ``line``."""
        self._held = Held(bytes_max)
        self._line = line
        self._at = offset

    def feed(self, chunk: bytes) -> Iterator[Cut]:
        """Take the next chunk; no piece ends in it."""
        self._held.add(chunk)
        yield from ()

    def end(self) -> Iterator[Cut]:
        """Give all of it."""
        yield Cut(*self._held.take(), self._line, self._at)
