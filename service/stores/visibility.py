"""Makes a push visible to the next match of the same member, on any worker.

A push writes first, then takes the next number of the sequence and marks its member with it. A
refresh reads the sequence before it starts, and then states that number as visible. So a member
whose mark is above it may have pushes that a search would not see; all others pay nothing.
"""

import asyncio
import time
from collections.abc import Iterable

import structlog
from elasticsearch import AsyncElasticsearch
from redis.exceptions import RedisError

from service.stores.clients import RedisClient
from service.stores.faults import translated_errors
from service.stores.names import IndexNames, KeyNames

log = structlog.get_logger()

_RAISE_TO = """
local now = redis.call('GET', KEYS[1])
if not now or tonumber(now) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
"""
"""Two pushes may finish in either order; the mark keeps the higher number."""

_MARKS_AT_ONCE = 500
BLIND_S = 5.0
"""So long a Redis that could not be read is not asked again: a match must not wait for it twice."""


class Visibility:
    """The marks of members, and the one refresh at a time that clears them."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
    ) -> None:
        """Share the clients of the other stores."""
        self._elasticsearch = elasticsearch
        self._redis = redis
        self._indices = indices
        self._keys = keys
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._blind_until = 0.0

    async def mark(self, payer: str, members: Iterable[str]) -> None:
        """Say that pushes of these members, already written, may not be searchable yet."""
        keys = sorted({self._keys.mark(payer, member) for member in members})
        if not keys:
            return
        with translated_errors():
            number = await self._redis.incr(self._keys.sequence)
            for start in range(0, len(keys), _MARKS_AT_ONCE):
                pipeline = self._redis.pipeline(transaction=False)
                for key in keys[start : start + _MARKS_AT_ONCE]:
                    pipeline.eval(_RAISE_TO, 1, key, number)
                await pipeline.execute()

    async def ensure(self, payer: str, member: str) -> None:
        """Return when all pushes of the member are searchable; refreshes only if it must.

        An unreadable Redis costs a refresh, never a missed push.
        """
        mark = self._keys.mark(payer, member)
        if not await self._is_visible(mark):
            await self.refresh()

    @property
    def keys(self) -> KeyNames:
        """How keys are named."""
        return self._keys

    def keys_of(self, payer: str, member: str) -> tuple[str, str]:
        """Name the mark of a member and what it is compared with, for who asks for both himself."""
        return self._keys.mark(payer, member), self._keys.visible

    async def see(self, mark: str | None, visible: str | None) -> None:
        """Return when all pushes up to a mark are searchable; both are as they were read."""
        if int(mark or 0) > int(visible or 0):
            await self.refresh()

    async def ensure_all(self) -> None:
        """Return when every push is searchable."""
        if not await self._is_visible(self._keys.sequence):
            await self.refresh()

    async def _is_visible(self, key: str) -> bool:
        """Whether the number under a key is searchable; what cannot be read is not."""
        if time.monotonic() < self._blind_until:
            return False
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.get(key)
            pipeline.get(self._keys.visible)
            number, visible = await pipeline.execute()
            return int(number or 0) <= int(visible or 0)
        except (RedisError, OSError, ValueError) as error:
            log.warning("marks_unreadable", engine="redis", reason=type(error).__name__)
            self._blind_until = time.monotonic() + BLIND_S
            return False

    async def refresh(self) -> None:
        """Refresh the index; callers that arrive while one runs share the one after it."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._refresh())
            await asyncio.shield(self._running)
            return
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._after(self._running))
        await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[None]) -> None:
        """Wait for the refresh that may have started too early, then run one."""
        await asyncio.wait([running])
        self._running = asyncio.current_task()
        self._next = None
        await self._refresh()

    async def _refresh(self) -> None:
        number = await self._sequence()
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.authorizations)
        if number is not None:
            await self._state_visible(number)

    async def _sequence(self) -> int | None:
        if time.monotonic() < self._blind_until:
            return None
        try:
            return int(await self._redis.get(self._keys.sequence) or 0)
        except (RedisError, OSError, ValueError):
            self._blind_until = time.monotonic() + BLIND_S
            return None

    async def _state_visible(self, number: int) -> None:
        try:
            await self._redis.eval(_RAISE_TO, 1, self._keys.visible, number)
        except (RedisError, OSError) as error:
            log.warning("visible_not_stated", engine="redis", reason=type(error).__name__)
