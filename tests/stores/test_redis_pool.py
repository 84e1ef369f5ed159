"""Requests share a few connections of Redis: each has its own answer, whatever others come to."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError

from service.stores.connection import clients
from service.stores.connection.clients import RedisAccess, open_redis
from service.stores.connection.tls import EngineTrust

FEW = 3


@asynccontextmanager
async def few(url: str, patch: pytest.MonkeyPatch, turn_s: float = 20.0) -> AsyncIterator[Any]:
    """A client with three connections."""
    patch.setattr(clients, "REDIS_CONNECTIONS_MAX", FEW)
    patch.setattr(clients, "REDIS_TURN_S", turn_s)
    async with open_redis(RedisAccess(urls=(url,), trust=EngineTrust())) as redis:
        yield redis


async def told(redis: Any, number: int) -> None:
    """What was sent comes back."""
    assert await redis.echo(f"n{number}") == f"n{number}"


async def all_are_free(redis: Any) -> None:
    """Nothing is lost: as many requests as there are connections go on together."""
    asked = (redis.blpop([f"nothing-{each}"], timeout=0.05) for each in range(FEW))
    async with asyncio.timeout(10):
        await asyncio.gather(*asked)
    assert not redis.connection_pool._in_use_connections


def test_who_finds_none_free_waits(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many more than there are connections; some go on while others wait for them."""

    async def scenario() -> None:
        async with few(redis_url, monkeypatch) as redis:
            await asyncio.gather(*(told(redis, number) for number in range(200)))
            await all_are_free(redis)

    asyncio.run(scenario())


def test_who_waits_too_long_is_told(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All connections are busy: a fault, and they are given back."""

    async def scenario() -> None:
        async with few(redis_url, monkeypatch, turn_s=0.01) as redis:
            pool = redis.connection_pool
            busy = [await pool.get_connection() for _ in range(FEW)]
            with pytest.raises(NoConnection):
                await told(redis, 1)
            for each in busy:
                await pool.release(each)
            await all_are_free(redis)

    asyncio.run(scenario())


def test_a_connection_that_was_cut_is_made_anew(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody used it, or in the middle of a request."""

    async def scenario() -> None:
        async with few(redis_url, monkeypatch) as redis:
            await redis.ping()
            for _ in range(3):
                async with few(redis_url, monkeypatch) as other:
                    await other.client_kill_filter(_id=await redis.client_id())
                await told(redis, 1)
            await all_are_free(redis)

    asyncio.run(scenario())


def test_who_gives_up_leaves_no_answer_to_others(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that are ended anywhere on their way."""
    chance = random.Random(1)

    async def scenario() -> None:
        async with few(redis_url, monkeypatch) as redis:
            for turn in range(40):
                asked = [asyncio.create_task(told(redis, 20 * turn + each)) for each in range(20)]
                for _ in range(chance.randrange(12)):
                    await asyncio.sleep(0)
                for each in chance.sample(asked, 8):
                    each.cancel()
                for done in await asyncio.gather(*asked, return_exceptions=True):
                    assert done is None or isinstance(done, asyncio.CancelledError | RedisError)
            await asyncio.gather(*(told(redis, number) for number in range(50)))
            await all_are_free(redis)

    asyncio.run(scenario())
