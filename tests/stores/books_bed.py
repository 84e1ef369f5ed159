"""Stores that a machine works on, step by step, and what they hold of its claims."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from service.accounting.books.plan import Bounds
from service.application.parts import Stores
from service.stores.connection.key_names import BookKeys
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


def names_of(keys: BookKeys) -> list[str]:
    """Name every hash that these claims and authorizations may have."""
    by_authorization = [each(name) for each in (keys.accounts, keys.tokens) for name in NAMES]
    return by_authorization + list(map(keys.claim, CLAIMS))


async def dump(stores: Stores, keys: BookKeys, *, rested: bool) -> dict[str, Any]:
    """All that is stored of them, in Redis or at rest, and the last movement."""
    names = names_of(keys)
    pipeline = stores.redis.pipeline(transaction=False)
    for name in names:
        pipeline.hgetall(name)
    pipeline.xrevrange(keys.ledger, count=1)
    *read, last = await pipeline.execute()
    found = dict(zip(names, read, strict=True))
    if not rested:
        return {name: each for name, each in found.items() if each} | {keys.ledger: last}
    claims = await stores.archive.read(keys.payer, "claim", CLAIMS)
    accounts = await stores.archive.read(keys.payer, "accounts", NAMES)
    for name, kept in claims.items():
        found[keys.claim(name)] = found[keys.claim(name)] or dict(kept.fields)
    for name, kept in accounts.items():
        if not found[keys.accounts(name)]:
            found[keys.accounts(name)] = dict(kept.fields)
            found[keys.tokens(name)] = dict(kept.tokens)
    return {name: each for name, each in found.items() if each} | {keys.ledger: last}
