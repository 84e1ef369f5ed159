"""A large file of lines, taken in by several processes: each takes shares of it, whole.

One process reads, checks and writes as much as one core can; Elasticsearch can take more.
"""

import asyncio
import atexit
import signal
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import IO, ClassVar, TypeVar

from service.application.collector import GC_ALLOCATIONS_LOADING, quieten_collector
from service.application.parts import (
    Application,
    application,
)
from service.settings import Settings

T = TypeVar("T")

SHARE_BYTES = 8 * 1024 * 1024
SHARES_WAITING = 2
"""So many shares a worker are on their way, so that none waits for the next one."""
PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Whole lines of a file: from a byte up to another one, beginning with the line ``line``."""

    path: Path
    start: int
    end: int
    line: int

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its bytes."""
        left = self.end - self.start
        with self.path.open("rb") as file:
            file.seek(self.start)
            while left > 0 and (piece := file.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece


def shares_of(
    path: Path, *, start: int = 0, line: int = 1, size: int = SHARE_BYTES
) -> Iterator[Share]:
    """Cut a file into shares of at least ``size`` bytes, from a byte in its line ``line`` on."""
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(size):
            lines = piece.count(b"\n")
            if not piece.endswith(b"\n"):
                lines += _read_to_line_end(file)
            yield Share(path=path, start=start, end=file.tell(), line=line)
            start, line = file.tell(), line + lines


def _read_to_line_end(file: IO[bytes]) -> int:
    """Read the rest of a line, of any length, in pieces; gives 1 where the line has an end."""
    while piece := file.readline(PIECE_BYTES):
        if piece.endswith(b"\n"):
            return 1
    return 0


Work = Callable[[Application, Share], Awaitable[T]]
"""Takes a share in and says what became of it; what it is and gives travels between processes."""


async def work_in_shares(
    work: Work[T], shares: Iterable[Share], settings: Settings, *, workers: int
) -> AsyncIterator[T]:
    """Let processes of their own do the work, and give what came of every share, in their order.

    Interrupts reach this process alone: a worker ends after the share that it has begun.
    """
    loop = asyncio.get_running_loop()
    running: deque[asyncio.Future[T]] = deque()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_Worker.open,
        initargs=(settings,),
    )
    try:
        for share in shares:
            if len(running) >= workers * SHARES_WAITING:
                yield await running.popleft()
            running.append(loop.run_in_executor(pool, _Worker.do, work, share))
        while running:
            yield await running.popleft()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What a worker process has: its own loop and its own clients."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    parts: ClassVar[Application]

    @classmethod
    def open(cls, settings: Settings) -> None:
        """Open everything, once for all shares."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cls.loop = asyncio.new_event_loop()
        stack = AsyncExitStack()
        cls.parts = cls.loop.run_until_complete(stack.enter_async_context(application(settings)))
        atexit.register(lambda: cls.loop.run_until_complete(stack.aclose()))
        quieten_collector(GC_ALLOCATIONS_LOADING)

    @classmethod
    def do(cls, work: Work[T], share: Share) -> T:
        """Take in one share."""
        return cls.loop.run_until_complete(work(cls.parts, share))
