"""Cuts a JSON array, or objects one after the other, into its objects while it is being read."""

import re
from collections.abc import Iterator

from service.ingest.cutting import Cut, Held

_MARKS = re.compile(rb'\\.|["{}\[\]\n]', re.DOTALL)
_BETWEEN = b" \t\r\n,"


class ValueCutter:
    """Finds where objects begin and end, whatever line ends stand in them.

    Only nesting and strings are looked at: whether what is cut out is JSON, its reader says. What
    stands between objects is cut out as well, so that nothing is passed over in silence.
    """

    def __init__(self, bytes_max: int, *, line: int = 1, offset: int = 0) -> None:
        """Start at the byte ``offset`` of a file, which is in its line ``line``.

        A file that is read from within is taken for an array that has begun.
        """
        self._held = Held(bytes_max)
        self._line = self._start_line = line
        self._at = self._start = offset
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
        """Give what was left unfinished, so that its reader refuses it."""
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
        """Give what was held together with its last part, unless it is only between values."""
        self._keep(last)
        content, size = self._held.take()
        text = content.strip(_BETWEEN)
        if text:
            is_whole = len(content) == size
            yield Cut(text, len(text) if is_whole else size, self._start_line, self._start)
            self._begin(end)
