"""What is done every so often, by one worker of several."""

from collections.abc import Awaitable, Callable, Mapping

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors


def _milliseconds(every_s: float) -> int:
    """A little less than the time, so that whoever comes in time finds it free."""
    return max(1, int(every_s * 900))


async def is_first(redis: RedisClient, key: str, every_s: float) -> bool:
    """Whether no other worker has taken this turn of late; raises EngineFault."""
    with translated_errors():
        return bool(await redis.set(key, "1", nx=True, px=_milliseconds(every_s)))


async def by_turns(
    redis: RedisClient,
    keys: Mapping[str, str],
    every_s: float,
    work: Callable[[str], Awaitable[object]],
) -> None:
    """Do the work of every payer, by its key, for whom no worker has done it of late.

    The fault of one keeps no other waiting: the last one is raised when all had their turn.
    """
    fault: Exception | None = None
    for payer, key in keys.items():
        try:
            with translated_errors():
                was_done = await redis.exists(key)
            if not was_done:
                await work(payer)
                with translated_errors():
                    await redis.set(key, "1", px=_milliseconds(every_s))
        except Exception as error:  # noqa: BLE001 - it is raised at the end
            fault = error
    if fault is not None:
        raise fault
