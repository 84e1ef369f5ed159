"""A file of authorizations, read in pieces: NDJSON, a JSON array, or one JSON object."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import orjson

from service.cli.json_values import ValueCutter
from service.flow.intake import TooLong, split_lines

STDIN = "-"
CHUNK_BYTES = 256 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINES_SUFFIXES = frozenset({".ndjson", ".jsonl"})

Read = Callable[[], Awaitable[bytes]]
"""Gives the next bytes, none at the end."""

Told = Callable[[int], object]
"""Called with the size of every piece that was read."""


class AuthorizationFile:
    """One file, read once."""

    def __init__(self, name: str, value_bytes_max: int) -> None:
        """Name a file, or stdin by a hyphen."""
        self.name = "stdin" if name == STDIN else name
        self._path = None if name == STDIN else Path(name)
        self._bytes_max = value_bytes_max
        self._cutter: ValueCutter | None = None

    @property
    def size(self) -> int:
        """How many bytes it has, 0 where that is not known; raises OSError when it is not there."""
        return self._path.stat().st_size if self._path else 0

    async def values(self, told: Told) -> AsyncIterator[bytes | TooLong]:
        """Give every value, as a line or cut out of the whole."""
        with ExitStack() as stack:
            read = await _reader(stack.enter_context(self._path.open("rb")) if self._path else None)
            first = (await read()).removeprefix(_BYTE_ORDER_MARK)
            pieces = _pieces(first, read, told)
            if self._has_lines(first):
                async for line in split_lines(pieces, self._bytes_max):
                    yield line
                return
            self._cutter = cutter = ValueCutter(self._bytes_max)
            async for piece in pieces:
                for value in cutter.feed(piece):
                    yield value
            for value in cutter.end():
                yield value

    def line_of(self, number: int) -> int:
        """Give the line on which a value begins; asked once for each, in their order."""
        return self._cutter.starts.popleft() if self._cutter else number

    def _has_lines(self, first: bytes) -> bool:
        """Tell NDJSON from JSON that stands on several lines, by how it begins."""
        if self._path and self._path.suffix.lower() in _LINES_SUFFIXES:
            return True
        text = first.lstrip()
        if text[:1] == b"[":
            return False
        line, end, _ = text.partition(b"\n")
        if not end:
            return False  # one line without an end: both readings are the same
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError:
            return line.count(b"{") <= line.count(b"}")  # an object that goes on is no line
        return True


async def _pieces(first: bytes, read: Read, told: Told) -> AsyncIterator[bytes]:
    piece = first
    while piece:
        told(len(piece))
        yield piece
        piece = await read()


async def _reader(file: IO[bytes] | None) -> Read:
    """Read a file, or stdin so that an interrupt ends it: a thread that waits would not end."""
    source = file or sys.stdin.buffer
    if file is None and _may_wait(source):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), source
        )
        return lambda: reader.read(CHUNK_BYTES)
    return lambda: asyncio.to_thread(source.read, CHUNK_BYTES)


def _may_wait(file: IO[bytes]) -> bool:
    """Whether reading waits for someone to write: a pipe or a terminal, not a plain file."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(file.fileno())
