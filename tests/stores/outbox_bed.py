"""Stores whose engines can be cut off, and what the tests of the outbox ask of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from service.application.parts import Stores
from service.domain.reference import StoredReferences
from service.domain.submission import Pushed
from service.stores.intake.outbox import Outbox
from tests.ground import Ground, new_prefix, uninstall, version_of
from tests.proxy import Proxy

PATIENCE_S = 1.0


@pytest.fixture(scope="module")
def proxy(ground: Ground) -> Iterator[Proxy]:
    """What stands before Elasticsearch."""
    made = Proxy(ground.settings.elasticsearch_url or "")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def behind(ground: Ground, proxy: Proxy) -> Ground:
    """The ground with Elasticsearch behind the proxy, and a short patience."""
    changes = {"elasticsearch_url": proxy.url, "elasticsearch_timeout_s": PATIENCE_S}
    return on(ground, **changes)


def on(ground: Ground, **changes: object) -> Ground:
    """The same ground with other settings."""
    return Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)


@pytest.fixture(scope="session")
def apart(ground: Ground) -> Iterator[Ground]:
    """Indices that may be closed to writes, and whose mapping knows no attached field."""
    made = on(ground, index_prefix=new_prefix())

    async def with_plain_stores(scenario: Callable[[Stores], Awaitable[None]]) -> None:
        stores = Stores(made.settings, StoredReferences())
        try:
            await scenario(stores)
        finally:
            await stores.elasticsearch.close()
            await stores.redis.aclose()

    asyncio.run(with_plain_stores(lambda stores: stores.installation.install()))
    yield made
    asyncio.run(with_plain_stores(uninstall))


@asynccontextmanager
async def closed_to_pushes(stores: Stores) -> AsyncIterator[None]:
    """The index takes no writes, as while it is rebuilt; what is there can be searched."""
    index = await stores.migration.live_index()
    client = stores.elasticsearch
    await client.indices.put_settings(index=index, settings={"index.blocks.write": True})
    try:
        yield
    finally:
        await client.indices.put_settings(index=index, settings={"index.blocks.write": None})


def refused_version(version: int = 1, name: str = "POISON") -> Pushed:
    """A push that an index made by ``apart`` refuses as wrong, with a telling value in it."""
    return version_of(version, authorization_id=name, attached={"region": "CANARY-REGION"})


async def outcomes(outbox: Outbox, payer: str, tickets: list[str]) -> list[str | None]:
    """What became of each ticket."""
    found = [await outbox.status(payer, each) for each in tickets]
    return [None if each is None else str(each["status"]) for each in found]


async def waiting(stores: Stores, payer: str) -> tuple[int, int]:
    """How many entries wait, and how many bytes they take."""
    found = (await stores.outbox.waiting([payer])).get(payer)
    return (found.count, found.bytes) if found else (0, 0)


async def keys_of(stores: Stores, payer: str) -> list[str]:
    """All keys of the outbox of a payer."""
    pattern = f"authmatch:{stores.indices.prefix}{{{payer}}}:outbox:*"
    return [str(key) async for key in stores.redis.scan_iter(pattern, count=1000)]


@contextmanager
def crashing(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever delivers dies after the push, before it is taken out of the outbox."""

    async def crash(*_: object) -> int:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(stores.outbox, "settle", crash)
        yield


class Crash(Exception):
    """The process ends here."""
