"""A match of a member whose pushes wait is right or a fault, never "no match"."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed, Queued
from service.stores.connection.faults import EngineFault, EngineUnavailable, WritesPaused
from tests.builders import build_claim
from tests.ground import Ground, found, push, version_of
from tests.proxy import Proxy
from tests.stores.outbox_bed import closed_to_pushes, on, waiting
from tests.stores.test_redis_cluster import cluster_url as cluster_url


@asynccontextmanager
async def paused(apart: Ground, payer: str) -> AsyncIterator[Stores]:
    """Stores that were filled, and take no pushes now."""
    async with apart.stores() as stores:
        await push(stores, payer, version_of(1, authorization_id="B1", member={"id": "M2"}))
        await stores.visibility.refresh()
        async with closed_to_pushes(stores):
            yield stores


async def queue(stores: Stores, payer: str, pushed: Pushed) -> None:
    """Push what has to wait."""
    (result,) = await stores.entrance.push_or_queue(payer, [pushed])
    assert isinstance(result, Queued)


async def fault_of(stores: Stores, payer: str, member: str = "M0001") -> EngineFault | None:
    """Why a claim of a member cannot be matched."""
    try:
        await found(stores, payer, build_claim(member={"id": member}))
    except EngineFault as fault:
        return fault
    return None


def test_a_waiting_member_is_a_fault_and_all_others_are_answered(apart: Ground, payer: str) -> None:
    """On any worker, also for one that looks at the books; then it is right at once."""

    async def scenario() -> None:
        async with paused(apart, payer) as stores:
            await queue(stores, payer, version_of(1))
            async with apart.stores() as other:
                for each in (stores, other):
                    fault = await fault_of(each, payer)
                    assert isinstance(fault, EngineUnavailable)
                    assert "wait to be stored" in fault.reason
                    with pytest.raises(EngineUnavailable, match="wait to be stored"):
                        await each.accumulators.look_up(payer, "C1", "M0001")
                assert await found(other, payer, build_claim(member={"id": "M2"})) == ["B1"]
                assert await fault_of(other, f"{payer}-b") is None
            await stores.elasticsearch.indices.put_settings(
                index=await stores.migration.live_index(), settings={"index.blocks.write": None}
            )
            assert await found(stores, payer, build_claim()) == ["A1"]
            assert await waiting(stores, payer) == (0, 0)

    asyncio.run(scenario())


def test_many_matches_of_a_waiting_member_deliver_it_once(ground: Ground, payer: str) -> None:
    """All of them are right."""

    async def scenario(stores: Stores) -> None:
        for number in range(5):
            await stores.outbox.put(payer, [version_of(1, authorization_id=f"A{number}")])
            wanted = {f"A{each}" for each in range(number + 1)}
            answers = await asyncio.gather(
                *(found(stores, payer, build_claim()) for _ in range(20))
            )
            assert all(set(each) == wanted for each in answers)

    ground.run(scenario)


def test_only_what_waits_of_the_member_is_delivered_for_a_match(ground: Ground, payer: str) -> None:
    """However much waits of others."""

    async def scenario(stores: Stores) -> None:
        others = [version_of(1, authorization_id=f"B{n}", member={"id": f"N{n}"}) for n in range(9)]
        await stores.outbox.put(payer, [*others, version_of(1)])
        assert await found(stores, payer, build_claim()) == ["A1"]
        assert (await waiting(stores, payer))[0] == 9

    ground.run(scenario)


def test_every_match_waits_for_a_withdrawal_of_which_the_member_is_not_known(
    apart: Ground, payer: str
) -> None:
    """Where it is known, only that member does."""

    async def scenario() -> None:
        async with paused(apart, payer) as stores:
            known = await stores.entrance.withdraw_or_queue(payer, "B1", 2)
            assert isinstance(known, Queued)
            assert await fault_of(stores, payer, "M2") is not None
            assert await fault_of(stores, payer, "M3") is None
            await stores.outbox.put_withdrawal(payer, "B1", 3)
            assert await fault_of(stores, payer, "M3") is not None
            assert await fault_of(stores, f"{payer}-b", "M3") is None

    asyncio.run(scenario())


def test_a_push_that_was_just_delivered_is_looked_for(ground: Ground, payer: str) -> None:
    """At any moment of its delivery it waits, or its member is marked: both are asked at once."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as other:

            async def asked(member: str) -> list[str | int | None]:
                pipeline = other.redis.pipeline(transaction=False)
                other.visibility.ask(pipeline, payer, member, "M0002")
                (told, _) = await pipeline.execute()
                return list(told)

            for turn in range(10):
                member = f"N{turn}"
                pushed = version_of(1, authorization_id=f"A{turn}", member={"id": member})
                await stores.outbox.put(payer, [pushed])
                assert (await asked(member))[0] == 1
                delivering = asyncio.create_task(stores.courier.deliver(payer))
                seen = set()
                while not delivering.done():
                    waits, mark, *of_another = await asked(member)
                    assert waits or mark
                    assert of_another == [0, None]
                    seen.add(waits)
                assert await delivering == 1
                waits, mark, *_ = await asked(member)
                assert (waits, mark is not None) == (0, True)
                assert await found(other, payer, build_claim(member={"id": member})) == [f"A{turn}"]

    ground.run(scenario)


def test_where_redis_cannot_be_read_what_was_seen_waiting_counts(
    ground: Ground, payer: str
) -> None:
    """Who saw pushes wait does not answer without them; who saw none answers as ever."""
    proxy = Proxy(ground.settings.redis_url or "")
    proxy.start()

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1, authorization_id="B1", member={"id": "M2"}))
        await stores.outbox.put(payer, [version_of(1)])
        with proxy.failing("refuse"):
            fault = await fault_of(stores, payer)
            answered = await fault_of(stores, f"{payer}-b")

        assert isinstance(fault, EngineUnavailable)
        assert fault.engine == "redis"
        assert answered is None

    try:
        on(ground, redis_url=proxy.url).run(scenario)
    finally:
        proxy.stop()


def test_a_paused_index_is_told_where_nothing_may_wait(apart: Ground, payer: str) -> None:
    """Who pushes past the outbox gets the fault itself."""

    async def scenario() -> None:
        async with paused(apart, payer) as stores:
            with pytest.raises(WritesPaused):
                await stores.entrance.push(payer, [version_of(1)])

    asyncio.run(scenario())


def test_in_a_redis_cluster_it_is_the_same(apart: Ground, payer: str, cluster_url: str) -> None:
    """The outbox of a payer and the marks of its members are in one slot."""

    async def scenario() -> None:
        async with on(apart, redis_url=cluster_url, redis_cluster=True).stores() as stores:
            async with closed_to_pushes(stores):
                await queue(stores, payer, version_of(1))
                await queue(stores, payer, version_of(2, authorization_id="A2"))
                await stores.entrance.withdraw_or_queue(payer, "A2", 3)
                assert await fault_of(stores, payer) is not None
                assert (await waiting(stores, payer))[0] == 3
            assert await found(stores, payer, build_claim()) == ["A1"]
            assert await waiting(stores, payer) == (0, 0)
            await stores.outbox.put(payer, [version_of(5)])
            assert await stores.courier.deliver(payer) == 1

    asyncio.run(scenario())
