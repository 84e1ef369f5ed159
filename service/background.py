"""Work that a worker does beside its requests: how long it pauses after faults, how it ends."""

import asyncio
import random
from typing import Any

CANCEL_AGAIN_S = 0.2

_CHANCE = random.Random()  # noqa: S311 - only jitter; of its own, so that no seed is disturbed
_DOUBLINGS_MAX = 20
"""Beyond any pause that is wanted; without it the number outgrows a float in a long outage."""


def backoff_s(failures: int, *, first_s: float, most_s: float) -> float:
    """The pause in seconds after so many failures in a row: doubled by each, with jitter."""
    pause: float = min(most_s, first_s * 2.0 ** min(failures, _DOUBLINGS_MAX))
    return pause * _CHANCE.uniform(0.5, 1)


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
