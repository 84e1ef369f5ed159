"""What nobody moved for long leaves Redis, and comes back by itself: the same, and never twice."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from service.application.parts import Stores
from service.flow.adjudicating.adjudicate import Conflict
from service.stores.connection.faults import EngineFault
from service.stores.ledger.resting import moved
from tests.ground import Ground, push
from tests.movements import Mover, bounds, forget
from tests.proxy import Proxy
from tests.stores.merging import UNITS, adjudicated, claimed, differences, paid, pushed, used
from tests.stores.moving import Journey, step

DAY_MS = 24 * 3600 * 1000


async def rest(stores: Stores, payer: str, *, days: int = 61) -> int:
    """Let so many days go by; says how much was taken out of Redis."""
    await stores.projection.project(payer)
    return await stores.resting.rest(payer, now_ms=int(time.time() * 1000) + days * DAY_MS)


async def in_redis(stores: Stores, payer: str) -> set[str]:
    """The claims and accounts that Redis holds, by kind."""
    start = f"{Mover(stores, payer).keys.prefix}:"
    names = [str(key).removeprefix(start) async for key in stores.redis.scan_iter(f"{start}*")]
    kinds = {name.partition(":")[0] for name in names}
    return kinds & {"claim", "accounts", "tokens"}


async def a_claim_at_rest(stores: Stores, payer: str) -> None:
    """Claim C1 used four of ten units of A1, long ago."""
    await push(stores, payer, pushed("A1", "M1", **UNITS))
    assert paid(await adjudicated(stores, payer, claimed("C1", "M1", 4))) == 4
    assert await rest(stores, payer) == 2
    assert await in_redis(stores, payer) == set()


def test_what_was_moved_of_late_stays(ground: Ground, payer: str) -> None:
    """Only after sixty days without a movement, and again only after sixty more."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 2)
        assert await rest(stores, payer, days=59) == 0
        assert await rest(stores, payer) == 2
        assert await rest(stores, payer) == 0
        await mover.draw("C2", 3)
        assert await in_redis(stores, payer) == {"claim", "accounts"}
        assert await rest(stores, payer, days=59) == 0
        assert await rest(stores, payer) == 2
        assert (await stores.reconciliation.run([payer])).archived == 3

    ground.run(scenario)


def test_what_is_not_in_elasticsearch_yet_stays(ground: Ground, payer: str) -> None:
    """However old it is."""

    async def scenario(stores: Stores) -> None:
        await Mover(stores, payer).draw("C1", 2)
        later = int(time.time() * 1000) + 1000 * DAY_MS
        assert await stores.resting.rest(payer, now_ms=later) == 0
        assert await in_redis(stores, payer) == {"claim", "accounts"}

    ground.run(scenario)


async def sent_again(stores: Stores, payer: str) -> Any:
    """The same answer, and nothing is drawn."""
    answer = await adjudicated(stores, payer, claimed("C1", "M1", 4))
    assert (answer["replayed"], answer["status"], paid(answer)) == (True, "used", 4)
    return 4


async def sent_otherwise(stores: Stores, payer: str) -> Any:
    """The same refusal."""
    with pytest.raises(Conflict, match="other content"):
        await adjudicated(stores, payer, claimed("C1", "M1", 5))
    return 4


async def sent_for_another(stores: Stores, payer: str) -> Any:
    """Its id is still taken."""
    with pytest.raises(Conflict, match="another member"):
        await adjudicated(stores, payer, claimed("C1", "M2", 4))
    return 4


async def next_version(stores: Stores, payer: str) -> Any:
    """What it held is given back first."""
    answer = await adjudicated(stores, payer, claimed("C1", "M1", 9, version=2))
    assert paid(answer) == 9
    return 9


async def replaced(stores: Stores, payer: str) -> Any:
    """Another claim takes its place."""
    corrected = claimed("C2", "M1", 7, frequency="7", original_claim_id="C1")
    assert paid(await adjudicated(stores, payer, corrected)) == 7
    return 7


async def voided(stores: Stores, payer: str) -> Any:
    """It gives back everything."""
    await adjudicated(stores, payer, claimed("C2", "M1", 4, frequency="8", original_claim_id="C1"))
    return 0


async def reversed_(stores: Stores, payer: str) -> Any:
    """By a step of its life."""
    answer = await step(Journey(stores, payer), "reverse", "C1")
    assert (answer["status"], answer["lines"][0]["held_before"]) == ("reversed", "4")
    return 0


async def asked_for(stores: Stores, payer: str) -> Any:
    """It is there, and so is its record."""
    claim = await stores.accumulators.read_claim(payer, "C1")
    assert claim.is_held
    draft, _ = await stores.records.recorded(payer, claim.entries[1])
    assert draft["claim"]["claim_id"] == "C1"
    return 4


async def another_claim(stores: Stores, payer: str) -> Any:
    """Draws what is left, and not what was used."""
    answer = await adjudicated(stores, payer, claimed("C2", "M1", 8))
    assert paid(answer) == 6
    return 10


async def withdrawn(stores: Stores, payer: str) -> Any:
    """A version that lowers the limit is taken by accounts at rest, too."""
    lowered = pushed("A1", "M1", 2, **UNITS | {"limits": {"units": "5", "unit": "UN"}})
    await push(stores, payer, lowered)
    assert paid(await adjudicated(stores, payer, claimed("C2", "M1", 8))) == 1
    return 5


@pytest.mark.parametrize(
    "happens",
    [
        sent_again, sent_otherwise, sent_for_another, next_version, replaced, voided, reversed_,
        asked_for, another_claim, withdrawn,
    ],
    ids=lambda each: each.__name__.strip("_"),
)  # fmt: skip
def test_a_claim_at_rest_is_what_it_was(
    ground: Ground, payer: str, happens: Callable[[Stores, str], Awaitable[int]]
) -> None:
    """Whatever happens to it then; the books are sound before it, after it, and at rest again."""

    async def scenario(stores: Stores) -> None:
        await a_claim_at_rest(stores, payer)
        assert await differences(stores, payer) == []
        expected = await happens(stores, payer)
        assert await used(stores, payer, "A1") == expected
        assert await differences(stores, payer) == []
        await rest(stores, payer)
        assert await in_redis(stores, payer) == set()
        assert await used(stores, payer, "A1") == expected
        assert await differences(stores, payer) == []

    ground.run(scenario)


def test_without_elasticsearch_a_claim_at_rest_is_a_fault(ground: Ground, payer: str) -> None:
    """Never a new claim, nor an authorization that nobody used."""
    proxy = Proxy(str(ground.settings.elasticsearch_url))
    proxy.start()
    behind = ground.settings.model_copy(update={"elasticsearch_url": proxy.url})

    async def scenario(stores: Stores) -> None:
        await a_claim_at_rest(stores, payer)
        async with ground.stores(behind) as cut_off:
            await cut_off.guard.ensure(payer)
            with proxy.failing("refuse"):
                for asks in (sent_again, reversed_, asked_for, another_claim):
                    with pytest.raises(EngineFault):
                        await asks(cut_off, payer)
                with pytest.raises(EngineFault):
                    await Mover(cut_off, payer).draw("C9", 1, of={"A1": bounds()})
            assert await in_redis(stores, payer) == set()
            assert await sent_again(cut_off, payer) == 4
        assert await used(stores, payer, "A1") == 4

    try:
        ground.run(scenario)
    finally:
        proxy.stop()


def test_the_background_archives_and_outlives_a_fault(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once an engine that failed answers again; then it looks again only after a while."""
    proxy = Proxy(str(ground.settings.elasticsearch_url))
    proxy.start()
    changes = {"elasticsearch_url": proxy.url, "default_payer": payer}
    behind = ground.settings.model_copy(update=changes)
    in_a_year = time.time() + 365 * DAY_MS / 1000

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 2)
        await stores.projection.project(payer)
        async with ground.stores(behind) as worker:
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", lambda: in_a_year)
                with proxy.failing("refuse"):
                    worker.resting.start()
                    await asyncio.sleep(0.3)
                    assert await in_redis(stores, payer) == {"claim", "accounts"}
                deadline = time.monotonic() + 20
                while await in_redis(stores, payer):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
            await worker.resting.close()
        assert await stores.redis.exists(mover.keys.resting)

    try:
        ground.run(scenario)
    finally:
        proxy.stop()


def test_what_is_rebuilt_leaves_at_rest_what_is(own: Ground, payer: str) -> None:
    """The rest comes into Redis, and both together are what the ledger says."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.some_of_everything(seed=3, steps=30)
        await rest(stores, payer)
        await mover.some_of_everything(seed=4, steps=12)
        before = await stores.reconciliation.run([payer])
        assert before.differences == []
        assert 0 < before.archived < before.hashes

        await forget(stores, payer)
        async with own.stores() as fresh:
            made = await fresh.rebuilding.run([])
            after = await fresh.reconciliation.run([payer])
        assert (made.digest, made.differences) == (before.digest, [])
        assert made.archived > 0
        assert (after.digest, after.difference_count) == (before.digest, 0)

    own.run(scenario)


def test_an_archive_that_was_lost_is_a_fault(own: Ground, payer: str) -> None:
    """Also when it was made anew, empty: until all is made anew from the ledger."""

    async def scenario(stores: Stores) -> None:
        await a_claim_at_rest(stores, payer)
        await stores.elasticsearch.indices.delete(index=stores.indices.archive)
        for number in range(2):
            for asks in (sent_again, asked_for, another_claim):
                with pytest.raises(EngineFault):
                    await asks(stores, payer)
            # Of what was never at rest nothing is asked.
            assert await Mover(stores, payer).draw(f"N{number}", 1, of={"A9": bounds()})
            await stores.installation.install()
        with pytest.raises(EngineFault, match="the archive is gone"):
            await stores.reconciliation.run([payer])
        made = await stores.rebuilding.run([], force=True)
        assert (made.differences, made.archived) == ([], 0)
        assert await sent_again(stores, payer) == 4
        assert await another_claim(stores, payer) == 10
        assert await differences(stores, payer) == []

    own.run(scenario)


def test_what_is_at_rest_and_not_known_to_be_is_named(own: Ground, payer: str) -> None:
    """It would be taken for new; a rebuild lets it be found again."""

    async def scenario(stores: Stores) -> None:
        await a_claim_at_rest(stores, payer)
        await stores.redis.delete(*Mover(stores, payer).keys.archived_pages)
        found = await stores.reconciliation.run([payer])
        assert found.claims == {(payer, "C1"): "ledger"}
        assert "accounts A1" in {each.what for _, each in found.differences}
        made = await stores.rebuilding.run([], force=True)
        assert made.archived == 2
        assert await differences(stores, payer) == []
        assert await in_redis(stores, payer) == set()
        assert await sent_again(stores, payer) == 4
        assert await another_claim(stores, payer) == 10

    own.run(scenario)


def test_what_merely_shares_a_bit_is_new(ground: Ground, payer: str) -> None:
    """The archive is asked for it, in vain: the claim is drawn, and told the same."""

    async def scenario(stores: Stores) -> None:
        keys = Mover(stores, payer).keys
        await push(stores, payer, pushed("A1", "M1", **UNITS))
        names = (keys.claim("C1"), keys.claim("C2"), keys.accounts("A1"))
        for name in names:
            await stores.redis.setbit(*keys.archived_bit(name), 1)
        assert paid(await adjudicated(stores, payer, claimed("C1", "M1", 4))) == 4
        assert await another_claim(stores, payer) == 10
        assert await sent_again(stores, payer) == 10 - 6
        assert await differences(stores, payer) == []

    ground.run(scenario)


def test_a_redis_without_memory_lets_go_what_is_at_rest(own: Ground, payer: str) -> None:
    """And knows that it did."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1", **UNITS))
        await adjudicated(stores, payer, claimed("C1", "M1", 4))
        await stores.projection.project(payer)
        await stores.ledger.refresh()
        candidates = [
            each
            async for _, fields in stores.ledger.moved_between(payer, 0, 2**52)
            for each in moved(fields)
        ]
        await stores.redis.config_set("maxmemory", "1")
        try:
            assert await stores.archive.rest(payer, candidates) == 2
        finally:
            await stores.redis.config_set("maxmemory", "0")
        assert await in_redis(stores, payer) == set()
        assert await sent_again(stores, payer) == 4

    own.run(scenario)


def test_an_archive_that_was_tampered_with_is_named(ground: Ground, payer: str) -> None:
    """Field by field, like what Redis holds."""

    async def scenario(stores: Stores) -> None:
        ground.spoiled.add(payer)
        await a_claim_at_rest(stores, payer)
        await stores.elasticsearch.update(
            index=stores.indices.archive,
            id=f"{payer}|claim|C1",
            doc={"fields": '{"n":"1","s":"released"}'},
        )
        (found,) = [each for each in await differences(stores, payer) if each.field == "s"]
        assert (found.what, found.expected, found.found) == ("claims C1", "used", "released")

    ground.run(scenario)


def test_two_workers_that_archive_and_claims_that_move_lose_nothing(
    ground: Ground, payer: str
) -> None:
    """What moved after it was read is not dropped."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 2)
        await stores.projection.project(payer)
        archive = stores.archive
        candidates = [
            each
            async for _, fields in stores.ledger.moved_between(payer, 0, 2**52)
            for each in moved(fields)
        ]
        await mover.draw("C1", 3)
        assert await archive.rest(payer, candidates) == 0
        async with ground.stores() as second:
            await stores.projection.project(payer)
            counts = [await rest(each, payer) for each in (stores, second)]
        assert sorted(counts) == [0, 2]
        claim = await stores.accumulators.read_claim(payer, "C1")
        assert (claim.sequence, claim.version) == (2, 2)
        assert await differences(stores, payer) == []

    ground.run(scenario)
