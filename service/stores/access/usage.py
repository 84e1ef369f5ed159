"""What workers tell one another through Redis: what callers asked of them, and all payers."""

import time
from collections import defaultdict
from collections.abc import Mapping

from service.access.limits import Asker
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames

WINDOW_S = 2
_KEPT_S = 10


class CallerUsage:
    """Adds up by windows of some seconds, under hashes of the callers."""

    def __init__(self, redis: RedisClient, keys: KeyNames) -> None:
        self._redis = redis
        self._keys = keys
        self._own: dict[int, dict[Asker, int]] = {}

    async def told(self, asked: Mapping[Asker, int]) -> Mapping[Asker, tuple[int, int]]:
        """Add to what was asked of this worker; gives that of this and the last window, and of all.

        Raises EngineFault.
        """
        window = int(time.time()) // WINDOW_S
        self._own = {at: self._own[at] for at in self._own if at >= window - 1}
        own = self._own.setdefault(window, defaultdict(int))
        fields = {asker: self._keys.caller_field(asker) for asker in asked}
        key = self._keys.usage(window)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for asker, count in asked.items():
                pipeline.hincrby(key, fields[asker], count)
                own[asker] += count
            pipeline.expire(key, _KEPT_S)
            pipeline.hmget(key, list(fields.values()))
            pipeline.hmget(self._keys.usage(window - 1), list(fields.values()))
            *_, these, last = await pipeline.execute()
        totals = {
            asker: int(now or 0) + int(before or 0)
            for asker, now, before in zip(asked, these, last, strict=True)
        }
        return {asker: (self._of_late(asker), total) for asker, total in totals.items()}

    def _of_late(self, asker: Asker) -> int:
        return sum(each.get(asker, 0) for each in self._own.values())


class KnownPayers:
    """All payers that a worker ever began with: what waits of one is not forgotten with its key."""

    def __init__(self, redis: RedisClient, keys: KeyNames) -> None:
        self._redis = redis
        self._keys = keys

    async def join(self, payers: list[str]) -> None:
        """Keep these, and add to them all that were kept before; raises EngineFault."""
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.sadd(self._keys.payers, *payers)
            pipeline.smembers(self._keys.payers)
            _, known = await pipeline.execute()
        payers += sorted({str(each) for each in known} - set(payers))
