"""Ledger entries leave Redis for Elasticsearch: all of them, once, and not before they are kept."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.application.parts import Stores
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.connection.key_names import SHELVES, BookKeys
from service.stores.connection.reading import BadCursor
from service.stores.connection.replicas import Replicas
from service.stores.ledger.projection import LedgerProjection
from service.stores.ledger.reading import MATCHED, MOVED, OF_CLAIM
from tests.ground import Ground, new_prefix, uninstall
from tests.movements import Mover, names_of
from tests.proxy import Proxy


@contextmanager
def proxied(url: object) -> Iterator[Proxy]:
    """A proxy before an engine, for the time of the block."""
    proxy = Proxy(str(url))
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


async def waiting(stores: Stores, keys: BookKeys) -> int:
    """How many entries the stream of a payer holds."""
    return int(await stores.redis.xlen(keys.ledger))


async def kept(stores: Stores, keys: BookKeys) -> list[str]:
    """The ids that Elasticsearch has of a payer, oldest first."""
    await stores.ledger.refresh()
    return [each.id async for each in stores.ledger.of_shelves(keys.payer, range(SHELVES))]


async def months(stores: Stores) -> list[str]:
    """The indices of the ledger."""
    return list((await stores.elasticsearch.indices.get(index=stores.indices.ledgers)).body)


def test_entries_are_copied_once_and_then_trimmed(ground: Ground, payer: str) -> None:
    """Copied twice, also by two workers at once, they are there once; the last id stays."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        entries = [(await mover.draw(f"C{each}", 1)).entry for each in range(5)]
        keys = mover.keys
        stream: Any = await stores.redis.xrange(keys.ledger)

        async with ground.stores() as second:
            copied = await asyncio.gather(
                stores.projection.project(payer), second.projection.project(payer)
            )
            for entry_id, fields in stream:  # as a worker that was killed before it trimmed
                await stores.redis.xadd(f"{keys.ledger}-again", fields, id=entry_id)
            await stores.redis.rename(f"{keys.ledger}-again", keys.ledger)
            assert await stores.projection.project(payer) == 5

        assert sum(copied) >= 5
        assert await kept(stores, keys) == entries
        assert await waiting(stores, keys) == 0
        info: Any = await stores.redis.xinfo_stream(keys.ledger)
        assert info["last-generated-id"] == entries[-1]
        assert await stores.projection.project(payer) == 0

    ground.run(scenario)


def test_more_entries_than_are_read_at_once_are_all_copied(ground: Ground, payer: str) -> None:
    """Also while somebody keeps the stream from being trimmed."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        keys = mover.keys
        for start in range(0, 230, 23):
            await asyncio.gather(*(mover.draw(f"C{start + each}", 1) for each in range(23)))
        await stores.redis.set(keys.hold, "1", px=60_000)
        assert await stores.projection.project(payer) == 230
        assert await waiting(stores, keys) == 230
        await stores.redis.delete(keys.hold)
        assert await stores.projection.project(payer) == 230
        assert await waiting(stores, keys) == 0
        assert len(await kept(stores, keys)) == 230

    ground.run(scenario)


def test_while_elasticsearch_is_down_nothing_is_trimmed(ground: Ground, payer: str) -> None:
    """The entries wait in the stream, and are copied when it is back."""
    with proxied(ground.settings.elasticsearch_url) as proxy:
        behind = ground.settings.model_copy(update={"elasticsearch_url": proxy.url})

        async def scenario(stores: Stores) -> None:
            mover = Mover(stores, payer)
            await mover.draw("C1")
            async with ground.stores(behind) as cut_off:
                with proxy.failing("refuse"), pytest.raises(EngineFault):
                    await cut_off.projection.project(payer)
                assert await waiting(stores, mover.keys) == 1
                assert await cut_off.projection.project(payer) == 1
            assert len(await kept(stores, mover.keys)) == 1

        ground.run(scenario)


def test_the_background_copies_soon_and_outlives_a_fault(ground: Ground, payer: str) -> None:
    """What was touched is copied within a moment, and a failing engine is tried again."""
    with proxied(ground.settings.elasticsearch_url) as proxy:
        behind = ground.settings.model_copy(update={"elasticsearch_url": proxy.url})

        async def gone(stores: Stores, keys: BookKeys) -> None:
            deadline = time.monotonic() + 30
            while await waiting(stores, keys):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)

        async def scenario(stores: Stores) -> None:
            mover = Mover(stores, payer)
            async with ground.stores(behind) as worker:
                worker.projection.start()
                worker.projection.start()  # once is enough
                await mover.draw("C1")
                worker.projection.touch(payer)
                await gone(stores, mover.keys)
                with proxy.failing("refuse"):
                    await mover.draw("C2")
                    worker.projection.touch(payer)
                    await asyncio.sleep(0.6)
                    assert await waiting(stores, mover.keys) == 1
                await gone(stores, mover.keys)
                await mover.draw("C3")
                worker.projection.touch(payer)
                await worker.projection.close()  # what was touched is copied before it ends
                assert await waiting(stores, mover.keys) == 0
                await worker.projection.close()

        ground.run(scenario)


def test_a_sweep_finds_what_a_killed_worker_left(ground: Ground, payer: str) -> None:
    """One worker at a time looks at all of the payers that may call."""
    settings = ground.settings.model_copy(update={"default_payer": payer, "ledger_sweep_s": 0.3})

    async def scenario(stores: Stores) -> None:
        await stores.redis.delete(names_of(stores).sweep)
        mover = Mover(stores, payer)
        await mover.draw("C1")
        async with ground.stores(settings) as worker:
            assert await worker.projection.pending() == 1
            assert await stores.projection.pending([payer]) == 1
            worker.projection.start()
            deadline = time.monotonic() + 10
            while await worker.projection.pending():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            await worker.projection.close()
        assert len(await kept(stores, mover.keys)) == 1

    ground.run(scenario)


def test_without_its_template_no_index_is_made(ground: Ground, payer: str) -> None:
    """An index of guessed fields would take no search; the entries wait instead."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1")
        async with ground.stores(settings) as bare:
            projection = LedgerProjection(
                bare.elasticsearch,
                stores.redis,
                bare.indices,
                names_of(stores),
                [payer],
                bare.following.follow,
                Replicas(stores.redis, 0),
                sweep_s=30,
            )
            with pytest.raises(EngineUnavailable, match="not installed"):
                await projection.project(payer)
            assert await months(bare) == []
        assert await waiting(stores, mover.keys) == 1

    ground.run(scenario)


def test_an_entry_is_read_wherever_it_is(ground: Ground, payer: str) -> None:
    """From the stream, then from Elasticsearch in realtime; all of its fields, byte by byte."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        entry_id = (await mover.draw("C1")).entry or ""
        before = await stores.ledger.entry(payer, entry_id)
        await stores.projection.project(payer)
        after = await stores.ledger.entry(payer, entry_id)

        assert before == after
        assert before is not None
        assert before.fields["c"] == "C1"
        assert await stores.ledger.entry(payer, "1-0") is None

    ground.run(scenario)


def test_histories_are_complete_and_newest_first(ground: Ground, payer: str) -> None:
    """Of an authorization, of what found it, and of a claim with the one that replaced it."""

    async def scenario(stores: Stores) -> None:
        mover, ledger = Mover(stores, payer), stores.ledger
        ids = [(await mover.draw(f"C{each}", 1)).entry for each in range(5)]
        ids.append((await mover.draw("C9", 2, replaces="C0")).entry)
        await mover.amend("A1", 30)
        await Mover(stores, payer, member="M0002").draw("C-other")

        first = await ledger.page(payer, "A1", MOVED, size=4)
        rest = await ledger.page(payer, "A1", MOVED, size=4, after=first.next_)
        moved = [each.id for each in (*first.entries, *rest.entries)]
        found = await ledger.page(payer, "A-denied", MATCHED)
        related = await ledger.page(payer, "A1", (*MOVED, *MATCHED))
        of_claim = await ledger.page(payer, "C0", OF_CLAIM)

        assert (first.total, rest.next_) == (len(moved), None)
        assert sorted(moved, key=lambda each: tuple(map(int, each.split("-"))))[::-1] == moved
        assert {*ids} < {*moved}
        assert {each.fields["k"] for each in first.entries} >= {"amend", "replace", "apply"}
        assert found.total == len(found.entries) == 6
        assert related.total == first.total
        assert [each.id for each in of_claim.entries] == [ids[5], ids[0]]
        with pytest.raises(BadCursor):
            await ledger.page(payer, "A1", MATCHED, after="bm9uc2Vuc2U")
        with pytest.raises(BadCursor):
            await ledger.page(payer, "A1", MATCHED, after="WzFd")

    ground.run(scenario)


def test_a_ledger_that_nobody_wrote_is_empty_and_a_closed_month_is_a_fault(
    ground: Ground, payer: str
) -> None:
    """No index at all is the one thing that is not a fault."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})

    async def scenario() -> None:
        async with ground.stores(settings) as stores:
            await stores.installation.install()
            mover = Mover(stores, payer)
            page = await stores.ledger.page(payer, "A1", MOVED)
            assert (page.entries, page.total, page.next_) == ((), 0, None)
            assert await stores.ledger.is_empty(payer)
            assert await stores.ledger.payers() == []

            await mover.draw("C1")
            assert (await stores.ledger.page(payer, "C1", OF_CLAIM)).total == 1
            assert not await stores.ledger.is_empty(payer)
            assert await stores.ledger.payers() == [payer]
            (month,) = await months(stores)
            await stores.elasticsearch.indices.close(index=month)
            with pytest.raises(EngineFault):
                await stores.ledger.page(payer, "C1", OF_CLAIM)

    try:
        asyncio.run(scenario())
    finally:

        async def clean() -> None:
            async with ground.stores(settings) as stores:
                await uninstall(stores)

        asyncio.run(clean())
