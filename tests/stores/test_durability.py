"""Units are only moved in a Redis that keeps what it has acknowledged."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import redis as plain_redis

from authmatch_local import engines
from service.application.parts import Stores, application
from service.stores.connection import durability
from service.stores.connection.durability import WANTED, NotDurable
from service.stores.connection.faults import EngineUnavailable
from tests.ground import Ground

WEAKER = {
    "appendfsync": "everysec",
    "no-appendfsync-on-rewrite": "yes",
    "maxmemory-policy": "allkeys-lru",
}


@pytest.fixture(scope="module")
def own_redis(engine_progress: Callable[[str], None]) -> Iterator[str]:
    """A Redis of this module alone, for its settings are changed."""
    cache, home = engines.default_cache(), f"tests-weak-{os.getpid()}"
    try:
        yield engines.start_redis(cache, progress=engine_progress, home=home).url
    finally:
        engines.stop(cache, home=home)
        shutil.rmtree(cache / "homes" / home, ignore_errors=True)


@pytest.fixture
def weak(own_redis: str, ground: Ground) -> Iterator[Ground]:
    """Stores on a Redis that may forget, as most are set up."""
    with closing(plain_redis.Redis.from_url(own_redis)) as client:
        for name, value in WEAKER.items():
            client.config_set(name, value)
        yield on(ground, redis_url=own_redis)
        for name in WEAKER:
            client.config_set(name, WANTED[name])


def on(ground: Ground, **changes: object) -> Ground:
    """The same ground with other settings."""
    return Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)


async def serve(ground: Ground) -> None:
    """Start as a server does, and end."""
    async with application(ground.settings, serving=True, rules=ground.rules):
        pass


def test_the_engines_of_the_suite_are_durable(ground: Ground) -> None:
    """So are those of `authmatch run`: they are started in the same way."""

    async def scenario(stores: Stores) -> None:
        assert await stores.durability.check() == []
        await stores.durability.ensure()

    ground.run(scenario)


def test_each_weakness_is_named(weak: Ground) -> None:
    """And no server starts on it."""

    async def scenario(stores: Stores) -> None:
        assert await stores.durability.check() == [
            f"{name} is {value}, it must be {WANTED[name]}" for name, value in WEAKER.items()
        ]
        with pytest.raises(NotDurable, match="AUTHMATCH_ALLOW_WEAK_REDIS"):
            await stores.guard.ensure("demo")

    weak.run(scenario)
    with pytest.raises(NotDurable, match="appendfsync is everysec"):
        asyncio.run(serve(weak))


def test_weakness_may_be_allowed(weak: Ground) -> None:
    """For a machine of one's own."""
    allowed = on(weak, allow_weak_redis=True)

    async def scenario(stores: Stores) -> None:
        await stores.durability.ensure()
        assert stores.durability.is_weak_allowed
        assert len(await stores.durability.check()) == 3

    allowed.run(scenario)
    asyncio.run(serve(allowed))


def test_settings_that_cannot_be_read_are_weak(own_redis: str, ground: Ground) -> None:
    """A managed Redis may forbid the question; then somebody must vouch for it."""
    with closing(plain_redis.Redis.from_url(own_redis)) as client:
        client.acl_setuser(
            "limited",
            enabled=True,
            passwords=["+pw"],
            keys=["*"],
            categories=["+@all"],
            commands=["-config"],
        )
    limited = on(ground, redis_url=own_redis.replace("redis://", "redis://limited:pw@"))

    async def scenario(stores: Stores) -> None:
        assert await stores.durability.check() == [
            f"{name} cannot be read, it must be {value}" for name, value in WANTED.items()
        ]

    limited.run(scenario)


def test_a_redis_that_is_away_is_asked_again(weak: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may start before it; once it was found good it is asked once a minute."""
    away = on(weak, redis_url="redis://127.0.0.1:1/0")
    asyncio.run(serve(away))

    async def refused(stores: Stores) -> None:
        with pytest.raises(EngineUnavailable):
            await stores.durability.ensure()

    async def weakened(stores: Stores) -> None:
        with closing(plain_redis.Redis.from_url(str(weak.settings.redis_url))) as client:
            for name in WEAKER:
                client.config_set(name, WANTED[name])
            await stores.durability.ensure()
            client.config_set("appendfsync", "no")
            await stores.durability.ensure()
            monkeypatch.setattr(durability, "TRUSTED_S", 0.0)
            stores.durability._trusted_until = 0.0
            with pytest.raises(NotDurable, match="appendfsync is no"):
                await stores.durability.ensure()

    away.run(refused)
    weak.run(weakened)
