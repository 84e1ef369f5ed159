"""Makes a push visible to the next match of the same member, on any worker.

A push writes first, then takes the next number of the sequence and marks its member with it. A
refresh reads the sequence before it starts, and then states that number as visible. So a member
whose mark is above it may have pushes that a search would not see; all others pay nothing.

A push that waits in the outbox has no mark yet: it is delivered first.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from elasticsearch import AsyncElasticsearch

from service.stores.connection.clients import RedisClient, together
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import UNKNOWN_MEMBER, KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.scripts import lua

log = structlog.get_logger()

_RAISE_TO = lua("marks_visible.lua")

_MARK = lua("marks_raise.lua")

_ASK = lua("marks_ask.lua")

MARKS_S = 1.0
"""So long marks are waited for: a refresh takes their place."""
BLIND_S = 5.0
"""So long a Redis that could not be read is not asked again: a match must not wait for it twice."""


class Courier(Protocol):
    """Who delivers what waits in the outbox."""

    async def deliver_for(self, payer: str, member: str) -> None:
        """Return when nothing of a member waits any more; raises an EngineFault if it does."""
        ...

    def was_waiting(self, payer: str) -> bool:
        """Whether something of a payer waited the last time that one knew."""
        ...


@dataclass(eq=False, repr=False)
class Visibility:
    """The marks of members, and the one refresh at a time that clears them."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames
    keys: KeyNames
    _running: asyncio.Task[None] | None = field(default=None, init=False)
    _next: asyncio.Task[None] | None = field(default=None, init=False)
    _blind_until: float = field(default=0.0, init=False)
    _courier: Courier | None = field(default=None, init=False)

    def deliver_by(self, courier: Courier) -> None:
        """Have what waits delivered before a match; it is made of stores that need this one."""
        self._courier = courier

    async def mark(self, payer: str, members: Iterable[str]) -> set[str]:
        """Say that pushes of these members, already written, may not be searchable yet.

        Gives those of them who have claims that wait for an authorization.
        """
        book = self.keys.book(payer)
        marks = {member: book.mark(book.owner(member)) for member in set(members)}
        waiting: set[str] = set()
        if not marks:
            return waiting
        with translated_errors():
            number = await self._redis.incr(self.keys.sequence)
            pipeline = self._redis.pipeline(transaction=False)
            groups = together(self._redis, marks)
            for group in groups:
                keys = [marks[each] for each in group]
                keys += [book.waiting(book.owner(each)) for each in group]
                pipeline.eval(_MARK, len(keys), *keys, number)
            for group, found in zip(groups, await pipeline.execute(), strict=True):
                told = zip(group, found, strict=True)
                waiting |= {each for each, has_waiting in told if has_waiting}
        return waiting

    async def ensure(self, payer: str, *members: str) -> None:
        """Return when all pushes of these are searchable; refreshes only if it must.

        An unreadable Redis costs a refresh; it is a fault where pushes were known to wait in it.
        """
        pipeline = self._redis.pipeline(transaction=False)
        self.ask(pipeline, payer, *members)
        await self._see_or_refresh(payer, members, await self._read(pipeline))

    async def ensure_and_read(
        self, payer: str, member: str, name: str, fields: Sequence[str]
    ) -> list[str | None] | None:
        """Do as ``ensure``, and read fields of a hash in the same round trip.

        Gives None where Redis could not be read.
        """
        pipeline = self._redis.pipeline(transaction=False)
        self.ask(pipeline, payer, member)
        pipeline.hmget(name, list(fields))
        answers = await self._read(pipeline)
        await self._see_or_refresh(payer, (member,), answers and answers[:-1])
        read: list[str | None] | None = answers and answers[-1]
        return read

    async def _see_or_refresh(
        self, payer: str, members: Sequence[str], answers: list[Any] | None
    ) -> None:
        if answers is not None:
            await self.see(payer, members, *answers)
            return
        if self._courier is not None and self._courier.was_waiting(payer):
            raise EngineUnavailable("redis", "pushes may wait in it to be stored")
        await self.refresh()

    def ask(self, pipeline: Any, payer: str, *members: str) -> None:
        """Ask for the two answers that ``see`` needs, together with what else is read."""
        outbox, book = self.keys.outbox(payer), self.keys.book(payer)
        names = [outbox.queue_of(UNKNOWN_MEMBER)]
        for each in members:
            names += [outbox.queue_of(outbox.owner(each)), book.mark(book.owner(each))]
        pipeline.eval(_ASK, len(names), *names)
        pipeline.get(self.keys.visible)

    async def see(
        self, payer: str, members: Sequence[str], asked: Sequence[Any], visible: str | None
    ) -> None:
        """Return when all pushes of these are searchable; takes what ``ask`` was answered.

        Raises EngineUnavailable when one waits in the outbox and cannot be delivered now.
        """
        waiting, marks = asked[::2], asked[1::2]
        if self._courier is not None:
            for member, waits in zip(members, waiting, strict=True):
                if waits:
                    await self._courier.deliver_for(payer, member)
        if any(waiting) or not all(_is_reached(each, visible) for each in marks):
            await self.refresh()

    async def catch_up(self, payer: str, members: Sequence[str]) -> None:
        """Return when what was stored of these is searchable, whatever waits to be stored."""
        pipeline = self._redis.pipeline(transaction=False)
        self.ask(pipeline, payer, *members)
        answers = await self._read(pipeline)
        if answers is None or not all(_is_reached(each, answers[1]) for each in answers[0][1::2]):
            await self.refresh()

    async def ensure_all(self) -> None:
        """Return when every push is searchable."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(self.keys.sequence)
        pipeline.get(self.keys.visible)
        answers = await self._read(pipeline)
        if answers is None or not _is_reached(*answers):
            await self.refresh()

    async def _read(self, pipeline: Any) -> list[Any] | None:
        """Read what was asked for; None where Redis cannot be read."""
        if time.monotonic() < self._blind_until:
            return None
        try:
            with translated_errors():
                async with asyncio.timeout(MARKS_S):
                    answers: list[Any] = await pipeline.execute()
        except EngineUnavailable as fault:
            log.warning("marks_unreadable", engine="redis", reason=fault.reason)
            self._blind_until = time.monotonic() + BLIND_S
            return None
        return answers

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
            with translated_errors():
                async with asyncio.timeout(MARKS_S):
                    return int(await self._redis.get(self.keys.sequence) or 0)
        except (EngineUnavailable, ValueError):
            self._blind_until = time.monotonic() + BLIND_S
            return None

    async def _state_visible(self, number: int) -> None:
        try:
            with translated_errors():
                await self._redis.eval(_RAISE_TO, 1, self.keys.visible, number)
        except EngineUnavailable as fault:
            log.warning("visible_not_stated", engine="redis", reason=fault.reason)


def _is_reached(number: str | None, visible: str | None) -> bool:
    """Whether a number is searchable; what cannot be read is not."""
    try:
        return int(number or 0) <= int(visible or 0)
    except ValueError:
        return False
