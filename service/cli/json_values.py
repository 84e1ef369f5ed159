"""Cuts a JSON array, or objects one after the other, into its objects while it is being read."""

import re
from collections import deque
from collections.abc import Iterator

from service.flow.intake import TooLong

_MARKS = re.compile(rb'\\.|["{}\[\]\n]', re.DOTALL)
_BETWEEN = b" \t\r\n,"


class ValueCutter:
    """Finds where objects begin and end, whatever line ends stand in them.

    Only nesting and strings are looked at: whether what is cut out is JSON, its reader says. What
    stands between objects is cut out as well, so that nothing is passed over in silence.
    ``starts`` are the lines on which the values given so far begin; they may be taken away.
    """

    def __init__(self, value_bytes_max: int) -> None:
        """Keep at most so many bytes of one value."""
        self._bytes_max = value_bytes_max
        self._held: list[bytes] = []
        self._size = 0
        self._line = 1
        self._start = 1
        self._depth = 0
        self._base: int | None = None
        self._in_string = False
        self._carried = b""
        self.starts: deque[int] = deque()

    def feed(self, chunk: bytes) -> Iterator[bytes | TooLong]:
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
                    yield from self._value(chunk[begin : found.start()])
                    begin = found.end() if self._opens_the_array(mark) else found.start()
                    self._start = self._line
                self._depth += 1
            elif self._depth > 0:
                self._depth -= 1
                if self._depth == self._base:
                    yield from self._value(chunk[begin : found.end()])
                    begin = found.end()
                elif self._depth < (self._base or 0):
                    yield from self._value(chunk[begin : found.start()])
                    begin, self._base = found.end(), 0
        self._keep(chunk[begin:])

    def end(self) -> Iterator[bytes | TooLong]:
        """Give what was left unfinished, so that its reader refuses it."""
        if self._base == 1 and not self._held and not self._size:
            self._start = self._line
            self._held, self._size = [b"["], 1
        yield from self._value(self._carried)

    def _opens_the_array(self, mark: bytes) -> bool:
        """Whether this is the array around all values: only the first bracket of all can be."""
        is_first = self._base is None
        if is_first:
            self._base = 1 if mark == b"[" else 0
        return is_first and mark == b"["

    def _keep(self, part: bytes) -> None:
        if self._depth == (self._base or 0) and not part.strip(_BETWEEN) and not self._held:
            return
        self._size += len(part)
        self._held = [*self._held, part] if self._size <= self._bytes_max else []

    def _value(self, last: bytes) -> Iterator[bytes | TooLong]:
        """Give what was held together with its last part, unless it is only between values."""
        self._keep(last)
        text, size = b"".join(self._held).strip(_BETWEEN), self._size
        self._held, self._size = [], 0
        if size > self._bytes_max or text:
            self.starts.append(self._start)
            self._start = self._line
            yield TooLong() if size > self._bytes_max else text
