"""The outbox in Redis: what is put is there once, in order, within a limit, and names nobody."""

import asyncio
import random

import orjson
import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed
from service.stores.connection.durability import NotDurable
from service.stores.connection.faults import EngineUnavailable
from service.stores.intake._outbox_entry import OVERHEAD_BYTES, Entry
from service.stores.intake.outbox import DONE_S, Delivered, OutboxFull
from tests.ground import Ground, version_of
from tests.redis_process import RedisProcess
from tests.stores.outbox_bed import keys_of, on, outcomes, waiting

UNREACHABLE = "redis://127.0.0.1:1/0"


async def put(stores: Stores, payer: str, *pushed: Pushed) -> list[str]:
    """Put pushes, and give their tickets."""
    return [each.ticket for each in await stores.outbox.put(payer, pushed)]


async def head(stores: Stores, payer: str) -> list[Entry]:
    """What is delivered next."""
    return await stores.outbox.head(payer, stores.outbox.keys(payer).queue, after=0)


def test_the_same_push_has_one_ticket_and_waits_once(ground: Ground, payer: str) -> None:
    """Another content of the same version waits as well; another payer has tickets of its own."""
    other = version_of(1, number="X")

    async def scenario(stores: Stores) -> None:
        first = await put(stores, payer, version_of(1), version_of(1))
        again = await put(stores, payer, version_of(1), other)
        elsewhere = await put(stores, f"{payer}-b", version_of(1))

        assert first[0] == first[1] == again[0]
        assert len({first[0], again[1], elsewhere[0]}) == 3
        assert (await waiting(stores, payer))[0] == 2
        assert await stores.outbox.status(payer, elsewhere[0]) is None

    ground.run(scenario)


def test_lower_versions_come_first_then_what_came_first(ground: Ground, payer: str) -> None:
    """Of all authorizations; versions may be as large as they can be."""
    pushed = [(3, "A"), (1, "C"), (2**53 - 1, "A"), (1, "B"), (2, "A"), (1, "A"), (2**53 - 2, "B")]

    async def scenario(stores: Stores) -> None:
        for version, name in pushed:
            await put(stores, payer, version_of(version, authorization_id=name))
        await stores.outbox.put_withdrawal(payer, "C", 2)
        found = [(each.version, each.authorization_id) for each in await head(stores, payer)]

        assert found == [
            (1, "C"),
            (1, "B"),
            (1, "A"),
            (2, "A"),
            (2, "C"),
            (3, "A"),
            (2**53 - 2, "B"),
            (2**53 - 1, "A"),
        ]

    ground.run(scenario)


def test_a_push_comes_out_as_it_went_in(ground: Ground, payer: str) -> None:
    """Its content with every character."""
    pushed = version_of(4, number="Ünï 7", attached={"note": "line\nbreak \u2028 'quote\""})

    async def scenario(stores: Stores) -> None:
        await put(stores, payer, pushed)
        (entry,) = await head(stores, payer)

        assert entry.pushed().authorization == pushed.authorization
        assert orjson.loads(orjson.dumps(entry.pushed().source)) == pushed.source

    ground.run(scenario)


def test_a_full_outbox_refuses_and_has_room_again_when_something_went(
    ground: Ground, payer: str
) -> None:
    """All or nothing for what is put together; the limit is that of each payer."""
    pushed = [version_of(1, authorization_id=f"A{each}") for each in range(6)]

    async def scenario(stores: Stores) -> None:
        await put(stores, payer, *pushed[:3])
        size = (await waiting(stores, payer))[1]
        small = on(ground, outbox_bytes_max=size + size // 3 + 50)
        async with small.stores() as limited:
            with pytest.raises(OutboxFull) as full:
                await put(limited, payer, *pushed[3:5])
            assert await waiting(stores, payer) == (3, size)
            await put(limited, payer, pushed[3])
            await put(limited, payer, *pushed[:4])  # all of them wait already
            with pytest.raises(OutboxFull):
                await put(limited, payer, pushed[4])
            await put(limited, f"{payer}-b", pushed[4])
            done = [Delivered(entry=each, status="created") for each in await head(stores, payer)]
            await stores.outbox.settle(payer, done[:1])
            await put(limited, payer, pushed[4])

        assert full.value.retry_after_s == 30
        assert (await waiting(stores, payer))[0] == 4

    ground.run(scenario)


def test_what_is_counted_is_what_redis_needs(ground: Ground, payer: str) -> None:
    """So that the limit is one of memory, not only of content."""
    pushed = [
        version_of(1, authorization_id=f"A{each}", member={"id": f"M{each}"}) for each in range(200)
    ]

    async def scenario(stores: Stores) -> None:
        await put(stores, payer, *pushed)
        counted = (await waiting(stores, payer))[1]
        names = await keys_of(stores, payer)
        used = [await stores.redis.memory_usage(name, samples=0) or 0 for name in names]

        assert sum(used) <= counted <= 2 * sum(used)
        assert counted > 200 * OVERHEAD_BYTES

    ground.run(scenario)


def test_bytes_are_counted_right_whatever_is_put_and_settled_at_once(
    ground: Ground, payer: str
) -> None:
    """By many at the same time: in the end nothing is left, and zero bytes."""
    pushed = [version_of(1, authorization_id=f"A{each}") for each in range(30)]

    async def scenario(stores: Stores) -> None:
        chance = random.Random(7)

        async def settle() -> int:
            done = [Delivered(entry=each, status="created") for each in await head(stores, payer)]
            return await stores.outbox.settle(payer, done)

        await asyncio.gather(
            *(put(stores, payer, *chance.sample(pushed, 10)) for _ in range(20)),
            *(settle() for _ in range(20)),
        )
        await settle()

        assert await waiting(stores, payer) == (0, 0)
        left = {
            name.rpartition(":outbox:")[2].partition(":")[0]
            for name in await keys_of(stores, payer)
        }
        assert left <= {"bytes", "sequence", "done"}

    ground.run(scenario)


def test_a_ticket_tells_what_became_of_it(ground: Ground, payer: str) -> None:
    """While it waits, and for seven days after that; nothing that waits expires."""

    async def scenario(stores: Stores) -> None:
        (ticket,) = await put(stores, payer, version_of(3))
        before = await stores.outbox.status(payer, ticket)
        (entry,) = await head(stores, payer)
        keys = stores.outbox.keys(payer)
        assert await stores.redis.ttl(keys.entry(ticket)) == -1
        done = Delivered(entry=entry, status="superseded", current_version=5)
        assert await stores.outbox.settle(payer, [done]) == 1
        assert await stores.outbox.settle(payer, [done]) == 0
        after = await stores.outbox.status(payer, ticket)

        assert before is not None
        assert (before["status"], before["authorization_id"], before["version"]) == (
            "waiting",
            "A1",
            3,
        )
        assert after is not None
        assert (after["status"], after["current_version"]) == ("superseded", 5)
        assert after["since"] == before["since"]
        assert 0 < await stores.redis.ttl(keys.done(ticket)) <= DONE_S
        assert await stores.outbox.status(f"{payer}-b", ticket) is None
        await put(stores, payer, version_of(3))
        assert await outcomes(stores.outbox, payer, [ticket]) == ["waiting"]

    ground.run(scenario)


def test_no_key_says_who_it_is_about(ground: Ground, payer: str) -> None:
    """Neither member nor authorization, nor can a ticket be guessed from them."""
    pushed = version_of(1, authorization_id="CANARY-A", member={"id": "CANARY-M"})

    async def scenario(stores: Stores) -> None:
        tickets = await put(stores, payer, pushed)
        queued = await stores.outbox.put_withdrawal(payer, "CANARY-B", 2, "CANARY-N")
        names = await keys_of(stores, payer)

        assert len(names) >= 6
        assert not [each for each in names if "CANARY" in each]
        other = on(ground, surrogate_key=type(ground.settings.surrogate_key)("another one"))
        async with other.stores() as foreign:
            keys = foreign.outbox.keys(payer)
            assert keys.ticket("withdrawal", "CANARY-B", 2) != queued.ticket
            assert (await put(foreign, f"{payer}-c", pushed)) != tickets

    ground.run(scenario)


def test_a_redis_that_may_forget_is_no_outbox(
    ground: Ground, payer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nor one that cannot be reached: then nobody has the push, and the caller is told."""
    folder = tmp_path_factory.mktemp("redis")

    async def scenario(stores: Stores) -> None:
        async with on(ground, redis_url=UNREACHABLE).stores() as cut:
            with pytest.raises(EngineUnavailable):
                await put(cut, payer, version_of(1))
        with RedisProcess(folder, appendfsync="everysec") as redis:
            async with on(ground, redis_url=redis.url).stores() as weak:
                with pytest.raises(NotDurable):
                    await put(weak, payer, version_of(1))
                assert await keys_of(weak, payer) == []

    ground.run(scenario)


def test_what_was_acknowledged_outlives_a_crash(
    ground: Ground, payer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A killed Redis comes back with all of it."""
    folder = tmp_path_factory.mktemp("redis")

    async def scenario() -> None:
        with RedisProcess(folder) as redis:
            async with on(ground, redis_url=redis.url).stores() as stores:
                tickets = []
                for each in range(50):
                    pushed = version_of(1, authorization_id=f"A{each}")
                    tickets += await put(stores, payer, pushed)
                redis.kill()
                redis.start()
                assert await outcomes(stores.outbox, payer, tickets) == ["waiting"] * 50

    asyncio.run(scenario())
