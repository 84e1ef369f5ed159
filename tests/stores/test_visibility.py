"""A match on a member with fresh pushes refreshes first; all others pay nothing."""

import asyncio

import pytest

from service.application.parts import Stores
from service.stores.connection.key_names import KeyNames
from tests.builders import build_claim
from tests.ground import Ground, found, push, version_of

UNREACHABLE = "redis://127.0.0.1:1/0"


def keys_of(ground: Ground) -> KeyNames:
    """The names of the keys of this run."""
    secret = ground.settings.surrogate_key.get_secret_value().encode()
    return KeyNames(prefix=f"authmatch:{ground.settings.index_prefix}", secret=secret)


async def refreshes(stores: Stores) -> int:
    """How many refreshes somebody asked for so far."""
    index = stores.indices.authorizations
    stats = await stores.elasticsearch.indices.stats(index=index, metric="refresh")
    shards = stats["_shards"]["successful"]
    return int(stats["_all"]["primaries"]["refresh"]["external_total"]) // int(shards)


async def settled(stores: Stores) -> None:
    """Let no push of an earlier test wait to be seen, nor the next refresh come by itself."""
    await stores.elasticsearch.indices.put_settings(
        index=stores.indices.authorizations, settings={"index.refresh_interval": "1h"}
    )
    await stores.visibility.ensure_all()


async def refreshed(stores: Stores, *members: str, payer: str) -> int:
    """How many refreshes it takes until the pushes of these members are searchable."""
    before = await refreshes(stores)
    await asyncio.gather(*(stores.visibility.ensure(payer, each) for each in members))
    return await refreshes(stores) - before


def test_only_a_member_with_fresh_pushes_costs_a_refresh(ground: Ground, payer: str) -> None:
    """A marked member is refreshed once; unmarked ones, and the same one again, are not."""

    async def scenario(stores: Stores) -> None:
        await settled(stores)
        await push(stores, payer, version_of(1))

        assert await refreshed(stores, "M0002", "M0003", payer=payer) == 0
        assert await refreshed(stores, "M0001", payer=f"{payer}-b") == 0
        assert await refreshed(stores, "M0001", payer=payer) == 1
        assert await refreshed(stores, "M0001", payer=payer) == 0

    ground.run(scenario)


def test_matches_that_come_together_share_their_refreshes(ground: Ground, payer: str) -> None:
    """Forty matches that read marks not yet reached cause two refreshes at most.

    The marks are read first, all at once: who reads one later may rightly need a third.
    """
    members = [f"M{each}" for each in range(40)]

    async def scenario(stores: Stores) -> None:
        await settled(stores)
        await push(
            stores,
            payer,
            *(version_of(1, authorization_id=f"A-{m}", member={"id": m}) for m in members),
        )
        read = []
        for member in members:
            pipeline = stores.redis.pipeline(transaction=False)
            stores.visibility.ask(pipeline, payer, member)
            read.append((member, await pipeline.execute()))

        before = await refreshes(stores)
        await asyncio.gather(*(stores.visibility.see(payer, (m,), *answers) for m, answers in read))
        assert 1 <= await refreshes(stores) - before <= 2
        assert await found(stores, payer, build_claim(member={"id": "M7"})) == ["A-M7"]

    ground.run(scenario)


def test_a_refresh_that_started_before_a_push_does_not_speak_for_it(
    ground: Ground, payer: str
) -> None:
    """Who arrives while a refresh runs waits for the next one: the first may be too early."""

    async def scenario(stores: Stores) -> None:
        await settled(stores)
        for turn in range(20):
            running = asyncio.create_task(stores.visibility.refresh())
            await asyncio.sleep(0)
            await push(stores, payer, version_of(1, authorization_id=f"A{turn}"))
            assert f"A{turn}" in await found(stores, payer, build_claim())
            await running

    ground.run(scenario)


def test_the_mark_of_a_member_never_falls(ground: Ground, payer: str) -> None:
    """Two pushes may mark in either order; the higher number stays, and nothing expires."""
    keys = keys_of(ground)

    async def scenario(stores: Stores) -> None:
        name = keys.book(payer).mark(keys.book(payer).owner("M0001"))
        await stores.visibility.mark(payer, ["M0001"])
        first = int(await stores.redis.get(name) or 0)
        await stores.redis.set(name, first + 1_000_000)
        await stores.visibility.mark(payer, ["M0001"])

        assert int(await stores.redis.get(name) or 0) == first + 1_000_000
        assert await stores.redis.ttl(name) == -1
        await stores.redis.delete(name)

    ground.run(scenario)


def test_no_key_says_who_it_is_about(ground: Ground, payer: str) -> None:
    """Member ids stand in Redis as keyed hashes only."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1, member={"id": "JOHN-DOE-1980"}))
        prefix = f"authmatch:{ground.settings.index_prefix}"
        names = [str(key) async for key in stores.redis.scan_iter(f"{prefix}*", count=1000)]

        assert any(payer in each for each in names)
        assert not [each for each in names if "JOHN" in each.upper()]

    ground.run(scenario)


@pytest.mark.parametrize("marked", ["", "garbage"], ids=["lost", "unreadable"])
def test_marks_that_cannot_be_read_cost_a_refresh(ground: Ground, payer: str, marked: str) -> None:
    """With Redis out of reach, or a mark of nonsense, a match refreshes and misses nothing."""
    unreachable = ground.settings.model_copy(update={"redis_url": UNREACHABLE})

    async def scenario(stores: Stores) -> None:
        await settled(stores)
        async with ground.stores(unreachable) as blind:
            await push(stores, payer, version_of(1))
            if marked:
                book = keys_of(ground).book(payer)
                await stores.redis.set(book.mark(book.owner("M0001")), marked)
                assert await found(stores, payer, build_claim()) == ["A1"]
            else:
                assert await found(blind, payer, build_claim()) == ["A1"]

    ground.run(scenario)
