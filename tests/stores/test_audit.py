"""The audit trail as it is kept: durable before an answer, once, in order, and no row unseen."""

import asyncio
import random
from typing import Any

import orjson
import pytest

from service.access.act import Act, acting, note, tell_notes
from service.access.chain import Head, read_head
from service.application.parts import Stores
from service.stores.audit.reading import Wanted
from service.stores.connection.faults import EngineFault
from tests.ground import Ground
from tests.movements import Mover
from tests.stores.tampering import (
    COUNT,
    STORED,
    Tamper,
    book_of,
    change_waiting,
    document_of,
    replay_head,
)
from tests.stores.test_projection import proxied


def act_of(stores: Stores, payer: str, **fields: Any) -> Act:
    """What a request does."""
    return Act(what="POST /match", trail=stores.trail, payer=payer, by="key:desk/1", **fields)


async def tell(stores: Stores, payer: str, *claims: str, member: str = "M1") -> None:
    """Write a row for each of some claims, one after the other."""
    for each in claims:
        with acting(act_of(stores, payer)) as act:
            note(claims=(each,), members=(member,))
            await act.tell()


async def problems(stores: Stores, payer: str, after: Head | None = None) -> list[str]:
    """What the verification says."""
    given = (after,) if after else ()
    return [each async for each in stores.verification.problems(payer, *given)]


async def rows(stores: Stores, payer: str, **wanted: Any) -> list[Any]:
    """All rows that fit, oldest first."""
    page = await stores.trail_reading.page(payer, Wanted(**wanted), size=500, after=None)
    return list(reversed(page.entries))


def test_rows_are_numbered_chained_and_copied_once(ground: Ground, payer: str) -> None:
    """By two workers at once, also when both copy; who wrote them all is told, nothing else is."""

    async def scenario(stores: Stores) -> None:
        written = [f"{name}{number}" for name in "ABC" for number in range(20)]
        async with ground.stores() as second:
            await asyncio.gather(
                tell(stores, payer, *written[:20]),
                tell(second, payer, *written[20:40]),
                tell(stores, payer, *written[40:]),
            )
            assert await problems(stores, payer) == []
            await asyncio.gather(
                *(each.trail_projection.project(payer) for each in (stores, second))
            )
        assert await stores.redis.xlen(book_of(stores, payer).trail) == 0
        assert await problems(stores, payer) == []
        found = await rows(stores, payer)
        assert [each["number"] for each in found] == list(range(1, 61))
        assert {each["claims"][0] for each in found} == {
            f"{n}{i}" for n in "ABC" for i in range(20)
        }
        assert len(await rows(stores, payer, claim="A7")) == 1

    ground.run(scenario)


def test_rows_that_wait_together_go_together(ground: Ground, payer: str) -> None:
    """Concurrent requests share a round trip; each is told only when its own row is there."""

    async def scenario(stores: Stores) -> None:
        await tell(stores, payer, "first")
        before: Any = await stores.redis.info("commandstats")
        await asyncio.gather(*(tell(stores, payer, f"C{number}") for number in range(100)))
        after: Any = await stores.redis.info("commandstats")
        calls = after["cmdstat_evalsha"]["calls"] - before["cmdstat_evalsha"]["calls"]
        assert calls < 20
        assert await stores.redis.xlen(book_of(stores, payer).trail) == 101

    ground.run(scenario)


def test_a_movement_has_its_row_in_the_same_step(ground: Ground, payer: str) -> None:
    """Also one of the service itself, which no request asked for; a dry one has none."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        with acting(act_of(stores, payer)) as act:
            note(members=("M7",))
            await mover.draw("C1", 1)
            assert act.is_told
            assert not act.has_notes
        await mover.draw("C2", 1)
        book = book_of(stores, payer)
        stream: Any = await stores.redis.xrange(book.trail)
        first, second = (orjson.loads(fields["r"]) for _, fields in stream)
        assert first["what"] == "POST /match"
        assert first["outcome"] == second["outcome"] == "moved"
        assert first["claims"] == ["C1"]
        assert book.owner("M7") in first["persons"]
        assert (second["what"], second["by"]) == ("jo", "jo")
        assert await stores.redis.xlen(book.ledger) == 2
        assert await problems(stores, payer) == []

    ground.run(scenario)


def test_rows_say_who_and_never_what(ground: Ground, payer: str) -> None:
    """A member is in no row and no key by id; what touched many has several rows."""

    async def scenario(stores: Stores) -> None:
        with acting(act_of(stores, payer, purpose="payment", request="R1", source="10.0.0.1")):
            note(members=("MEMBER-CANARY",), authorizations=map(str, range(1201)), why="asked")
            note(on_behalf_of="nurse")
            await tell_notes()
        found = await rows(stores, payer)
        assert [len(each["authorizations"]) for each in found] == [500, 500, 201]
        first = found[0]
        assert (first["why"], first["purpose"], first["request"]) == ("asked", "payment", "R1")
        assert (first["source"], first["on_behalf_of"]) == ("10.0.0.1", "nurse")
        assert b"CANARY" not in orjson.dumps(found)
        person = stores.trail_reading.person(payer, ["MEMBER-CANARY"])
        assert [each["number"] for each in await rows(stores, payer, persons=person)] == [1]

    ground.run(scenario)


# Faults -------------------------------------------------------------------------------------------


def test_a_row_that_is_not_durable_is_a_fault(ground: Ground, payer: str) -> None:
    """While Redis is away nothing is told, and the trail is whole when it is back."""

    async def scenario(stores: Stores) -> None:
        await tell(stores, payer, "C1")
        with proxied(ground.settings.redis_url) as proxy:
            changed = ground.settings.model_copy(update={"redis_url": proxy.url})
            async with ground.stores(changed) as cut_off:
                await tell(cut_off, payer, "C2")
                with proxy.failing("refuse"), pytest.raises(EngineFault, match="redis"):
                    await tell(cut_off, payer, "C3")
                await tell(cut_off, payer, "C4")
        found = await rows(stores, payer)
        claims = [each["claims"][0] for each in found]
        assert [each for each in claims if each != "C3"] == ["C1", "C2", "C4"]
        assert await problems(stores, payer) == []

    ground.run(scenario)


def test_an_answer_that_is_lost_after_the_append_leaves_a_whole_trail(
    ground: Ground, payer: str
) -> None:
    """A worker that is killed between the two has written a row of what it never answered."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as killed:
            task = asyncio.create_task(tell(killed, payer, "C1"))
            while not await stores.redis.exists(book_of(stores, payer).trail):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            task.cancel()
        await tell(stores, payer, "C2")
        assert [each["claims"] for each in await rows(stores, payer)] == [["C1"], ["C2"]]
        assert await problems(stores, payer) == []

    ground.run(scenario)


def test_rows_wait_while_elasticsearch_is_away(ground: Ground, payer: str) -> None:
    """Nothing is lost, and nothing is twice."""

    async def scenario(stores: Stores) -> None:
        await tell(stores, payer, "C1")
        with proxied(ground.settings.elasticsearch_url) as proxy:
            changed = ground.settings.model_copy(update={"elasticsearch_url": proxy.url})
            async with ground.stores(changed) as cut_off:
                await cut_off.trail_projection.project(payer)
                with proxy.failing("refuse"):
                    await tell(cut_off, payer, "C2", "C3")
                    with pytest.raises(EngineFault, match="elasticsearch"):
                        await cut_off.trail_projection.project(payer)
                    assert await stores.redis.xlen(book_of(stores, payer).trail) == 2
                await cut_off.trail_projection.project(payer)
        assert [each["claims"][0] for each in await rows(stores, payer)] == ["C1", "C2", "C3"]
        assert await problems(stores, payer) == []

    ground.run(scenario)


def test_a_redis_that_was_emptied_goes_on_where_the_copies_end(ground: Ground, payer: str) -> None:
    """What was copied is whole; what only Redis had is missed by those who had seen it."""

    async def scenario(stores: Stores) -> None:
        book = book_of(stores, payer)
        await tell(stores, payer, "C1", "C2")
        await stores.trail_projection.project(payer)
        await stores.redis.delete(book.trail, book.trail_head)
        assert await problems(stores, payer) == ["Redis does not know how far the trail goes"]
        await tell(stores, payer, "C3")
        assert await problems(stores, payer) == []
        await stores.redis.delete(book.trail, book.trail_head)
        await tell(stores, payer, "C4")
        assert await problems(stores, payer) == ["row 3: has seen row 3 as another one"]

    ground.run(scenario)


# Tampers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tamper", [*STORED, change_waiting], ids=lambda each: each.__name__)
def test_every_tamper_with_stored_rows_is_found(ground: Ground, payer: str, tamper: Tamper) -> None:
    """In either engine, with its own means; what nobody touched is told of by nothing."""

    async def scenario(stores: Stores) -> None:
        for seed in range(6):
            whose = f"{payer}-{seed}"
            for each in (whose, f"{whose}-other"):
                await tell(stores, each, *(f"C{number}" for number in range(COUNT)))
                if tamper is not change_waiting:
                    await stores.trail_projection.project(each)
                assert await problems(stores, each) == []
            await tamper(stores, whose, random.Random(seed))
            assert await problems(stores, whose), (tamper.__name__, seed)

    ground.run(scenario)


def test_a_head_that_was_kept_elsewhere_shows_what_both_engines_forgot(
    ground: Ground, payer: str
) -> None:
    """Both are put back to what they were before: only a head that neither has tells."""

    async def scenario(stores: Stores) -> None:
        await tell(stores, payer, *(f"C{number}" for number in range(COUNT)))
        await stores.trail_projection.project(payer)
        text = await stores.trail_reading.head(payer)
        kept = read_head(stores.trail.key, payer, text or "")
        assert kept is not None
        assert kept.number == COUNT
        assert await problems(stores, payer, kept) == []
        source = (await stores.elasticsearch.get(**(await document_of(stores, payer, 5))))[
            "_source"
        ]
        old = Head(5, source["link"])
        for number in range(6, COUNT + 1):
            await stores.elasticsearch.delete(**(await document_of(stores, payer, number)))
        await replay_head(stores, payer, old)
        await stores.redis.hset(
            book_of(stores, payer).trail_head, mapping={"n": 5, "h": source["link"]}
        )
        assert await problems(stores, payer) == []
        assert await problems(stores, payer, kept) != []
        await tell(stores, payer, "C-new")
        assert await problems(stores, payer) != []  # who wrote it had seen the rows that are gone

    ground.run(scenario)
