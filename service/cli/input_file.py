"""A file that a command reads in pieces: JSON of any form, or X12."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from service.cli.faults import BadInput
from service.ingest.submissions import Form, form_of_file

STDIN = "-"
CHUNK_BYTES = 256 * 1024

Read = Callable[[], Awaitable[bytes]]
"""Gives the next bytes, none at the end."""

Told = Callable[[int], object]
"""Called with the size of every piece that was read."""


class InputFile:
    """One file, read once."""

    def __init__(self, name: str) -> None:
        """Name a file, or stdin by a hyphen, which has no path."""
        self.name = "stdin" if name == STDIN else name
        self.path = None if name == STDIN else Path(name)

    @property
    def size(self) -> int:
        """How many bytes it has, 0 where that is not known; raises OSError when it is not there."""
        return self.path.stat().st_size if self.path else 0

    @property
    def form(self) -> Form | None:
        """What its name says that it is; None where its content must tell."""
        return form_of_file(self.path) if self.path else None

    def line_at(self, offset: int) -> int:
        """The number of the line in which a byte stands; raises BadInput behind the end."""
        if offset == 0:
            return 1
        if self.path is None or offset > self.size:
            raise BadInput(f"{self.name}: there is no byte {offset} to go on from")
        line, left = 1, offset
        with self.path.open("rb") as file:
            while left > 0 and (piece := file.read(min(left, CHUNK_BYTES))):
                line += piece.count(b"\n")
                left -= len(piece)
        return line

    async def chunks(self, told: Told, offset: int = 0) -> AsyncIterator[bytes]:
        """Its bytes from an offset on."""
        with ExitStack() as stack:
            file = stack.enter_context(self.path.open("rb")) if self.path else None
            if file is not None and offset:
                file.seek(offset)
            told(offset)
            read = await _reader(file)
            while piece := await read():
                yield piece
                told(len(piece))


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
