"""Stores that a machine works on, step by step, and what they hold of its claims."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from service.accounting.books.plan import Bounds
from service.application.parts import Stores
from service.stores.connection.clients import RedisClient
from service.stores.connection.key_names import BucketKeys
from tests.ground import Ground

T = TypeVar("T")
CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C6")
NAMES = ("A", "B", "R")


@dataclass
class Bed:
    """Stores, and a loop to use them in."""

    stores: Stores
    runner: asyncio.Runner

    def run(self, work: Awaitable[T]) -> T:
        """Wait for the work to be done."""

        async def done() -> T:
            return await work

        return self.runner.run(done())


@contextmanager
def laid(ground: Ground) -> Iterator[Bed]:
    """Open stores that are used for many scenarios."""
    with asyncio.Runner() as runner:
        opened = ground.stores()
        stores = runner.run(opened.__aenter__())
        try:
            yield Bed(stores, runner)
        finally:
            runner.run(opened.__aexit__(None, None, None))


@dataclass
class Known:
    """An authorization: what was pushed last, and what the books were told of it.

    ``gone`` are bases that the last version has no more.
    """

    version: int = 1
    gone: tuple[str, ...] = ()
    limits: dict[str, Bounds] = field(default_factory=dict)
    told_version: int = 0
    told: dict[str, Bounds] = field(default_factory=dict)
    is_void: bool = False
    is_told_void: bool = False


def names_of(keys: BucketKeys) -> list[str]:
    """Name every hash that these claims and authorizations may have."""
    by_authorization = [each(name) for each in (keys.accounts, keys.tokens) for name in NAMES]
    return by_authorization + list(map(keys.claim, CLAIMS))


async def dump(redis: RedisClient, keys: BucketKeys) -> dict[str, Any]:
    """Give all that is stored of them, and how many movements there are."""
    names = names_of(keys)
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.hgetall(name)
    pipeline.xlen(keys.ledger)
    found = await pipeline.execute()
    return {name: each for name, each in zip([*names, keys.ledger], found, strict=True) if each}
