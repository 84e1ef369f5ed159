"""Long work of a worker beside its requests: one at a time, a few that wait."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from service.background import end, reason_of

log = structlog.get_logger()

WAITING_MAX = 8

Work = Callable[[], Awaitable[None]]


class TooMuchWaits(Exception):
    """So much long work waits on this worker that no more is taken; the text says what to do."""

    def __str__(self) -> str:
        """Say what to do."""
        return "too much long work waits already: ask again when some are done"


class Jobs:
    """Does what is handed in, in its order; what waits when the worker ends is not done."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Work] = asyncio.Queue(WAITING_MAX)
        self._task: asyncio.Task[None] | None = None

    def check_room(self) -> None:
        """Raise TooMuchWaits where nothing more is taken."""
        if self._waiting.full():
            raise TooMuchWaits

    def add(self, work: Work) -> None:
        """Do something as soon as what was handed in before is done; raises TooMuchWaits."""
        self.check_room()
        self._waiting.put_nowait(work)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def idle(self) -> None:
        """Wait until all that was handed in is done."""
        await self._waiting.join()

    async def close(self) -> None:
        """End at once, whatever is at work."""
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            work = await self._waiting.get()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - the next must be done; the work says it itself
                log.warning("job_failed", reason=reason_of(error))
            finally:
                self._waiting.task_done()
