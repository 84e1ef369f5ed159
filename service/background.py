"""How a worker does one thing beside others: in turns, with pauses after faults, to an end."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar

import structlog
from prometheus_client import Counter

from service.domain.engine_fault import EngineFault

log = structlog.get_logger()

CANCEL_AGAIN_S = 0.2

AT_A_TURN = 32
"""So many lines of a claim are looked at until others have their turn: it may have 999."""

Item = TypeVar("Item")

_CHANCE = random.Random()  # noqa: S311 - only jitter; of its own, so that no seed is disturbed
_DOUBLINGS_MAX = 20
"""Beyond any pause that is wanted; without it the number outgrows a float in a long outage."""


async def in_turns(items: Iterable[Item]) -> AsyncIterator[Item]:
    """The items, and after each 32 of them a turn for whatever else the worker has to do."""
    for place, each in enumerate(items, start=1):
        yield each
        if place % AT_A_TURN == 0:
            await asyncio.sleep(0)


def backoff_s(failures: int, *, first_s: float, most_s: float) -> float:
    """The pause in seconds after so many failures in a row: doubled by each, with jitter."""
    pause: float = min(most_s, first_s * 2.0 ** min(failures, _DOUBLINGS_MAX))
    return pause * _CHANCE.uniform(0.5, 1)


def reason_of(error: Exception) -> str:
    """What a log says of an error; of one that is no engine's only its kind, for it may quote."""
    return str(error) if isinstance(error, EngineFault) else type(error).__name__


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended.

    A client that has its answer in the same moment may swallow a cancellation: in Python 3.11
    `asyncio.wait_for` does, by which Redis is written to. So it is repeated.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
    if not task.cancelled():
        task.exception()  # nobody waits for it any more


class Background(ABC):
    """Work that is done again and again beside the requests; after a fault it pauses and goes on.

    Several workers may do the same, and each may end at once: whatever was at work is done again.
    """

    def __init__(self, failed: str, faults: Counter, *, first_s: float, most_s: float) -> None:
        """``failed`` is how logs name a fault; pauses go from ``first_s`` to ``most_s`` seconds."""
        self._failed = failed
        self._faults = faults
        self._first_s = first_s
        self._most_s = most_s
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def turn(self) -> None:
        """Wait until there may be something to do, and do it."""

    def start(self) -> None:
        """Work until ``close``."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> bool:
        """End at once; tells whether it ran."""
        if self._task is None:
            return False
        await end(self._task)
        self._task = None
        return True

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self.turn()
                failures = 0
            except Exception as error:  # noqa: BLE001 - the work must go on; it is counted
                self._faults.inc()
                failures += 1
                pause_s = backoff_s(failures, first_s=self._first_s, most_s=self._most_s)
                log.warning(self._failed, reason=reason_of(error), pause_s=round(pause_s, 2))
                await asyncio.sleep(pause_s)
