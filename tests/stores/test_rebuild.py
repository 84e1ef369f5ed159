"""Redis is lost, and made anew from the ledger: the same state, field by field."""

import pytest

from service.application.parts import Stores
from service.stores.ledger.epoch import AccumulatorsLost
from service.stores.ledger.rebuilding import NotEmpty
from tests.ground import Ground, seeds
from tests.movements import Mover, forget, names_of

pytestmark = pytest.mark.cluster

Hashes = dict[str, object]


async def everything(stores: Stores, payer: str) -> Hashes:
    """All that Redis holds of a payer's units, by key."""
    start = names_of(stores).book(payer).prefix
    kinds = ("accounts", "tokens", "claim", "waiting", "ledger")
    keys = [f"{start}:{kind}*" for kind in kinds]
    found: Hashes = {}
    for key in [key for each in keys async for key in stores.redis.scan_iter(each, count=1000)]:
        match await stores.redis.type(key):
            case "hash":
                found[key] = await stores.redis.hgetall(key)
            case "zset":
                found[key] = await stores.redis.zrange(key, 0, -1, withscores=True)
            case "string":
                found[key] = await stores.redis.get(key)
            case "stream":
                info = await stores.redis.xinfo_stream(key)
                found[key] = info["last-generated-id"]
    return found


@pytest.mark.parametrize("seed", seeds(1, 3))
def test_what_is_rebuilt_is_what_was_lost(own: Ground, payer: str, seed: int) -> None:
    """Every field of every hash, and the last id of the stream; then work goes on."""

    async def scenario(stores: Stores) -> None:
        movers = [Mover(stores, payer, member=f"M{each}") for each in range(3)]
        for each, mover in enumerate(movers):
            await mover.some_of_everything(seed=10 * seed + each, steps=30)
        before = await stores.reconciliation.run([payer])
        assert [each for *_, each in before.differences] == []
        was = await everything(stores, payer)
        assert [key for key in was if ":waiting:" in key]

        await forget(stores, payer)
        async with own.stores() as fresh:
            with pytest.raises(AccumulatorsLost, match="accumulators rebuild"):
                await fresh.guard.ensure(payer)
            made = await fresh.rebuilding.run([])

            assert made.differences == []
            assert made.digest == before.digest
            assert await everything(fresh, payer) == was
            await fresh.guard.ensure(payer)
        await movers[0].draw("C-after", 1)
        after = await stores.reconciliation.run([payer])
        assert (after.difference_count, after.entries) == (0, before.entries + 1)

    own.run(scenario)


def test_accumulators_that_are_there_are_not_written_over(own: Ground, payer: str) -> None:
    """Unless forced to; what waits in the streams is copied first, so nothing is lost."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 3)
        with pytest.raises(NotEmpty, match="reconcile"):
            await stores.rebuilding.run([payer])
        for key in [key async for key in stores.redis.scan_iter(f"{mover.keys.prefix}:[act]*")]:
            await stores.redis.delete(key)
        with pytest.raises(NotEmpty, match="accumulators project"):
            await stores.rebuilding.run([payer])

        await stores.redis.set(mover.keys.claim("C-alien") + ":x", "not ours")
        made = await stores.rebuilding.run([payer], force=True)
        assert made.entries == 1
        assert (await stores.reconciliation.run([payer])).difference_count == 0
        await stores.guard.ensure(payer)

    own.run(scenario)


def test_one_payer_of_several_opens_his_book_alone(own: Ground, payer: str) -> None:
    """Of others, who are missing still, nothing may be drawn: it would look unused."""
    other = f"{payer}-b"

    async def scenario(stores: Stores) -> None:
        for each in (payer, other):
            await Mover(stores, each).draw("C1")
            await stores.projection.sweep([each])
        for each in (payer, other):
            await forget(stores, each)

        async with own.stores() as fresh:
            await fresh.rebuilding.run([payer])
            await fresh.guard.ensure(payer)
            with pytest.raises(AccumulatorsLost):
                await fresh.guard.ensure(other)
            await fresh.rebuilding.run([other])
            await fresh.guard.ensure(other)
            assert (await fresh.reconciliation.run([payer, other])).difference_count == 0

    own.run(scenario)


def test_an_empty_ledger_makes_empty_books(own: Ground, payer: str) -> None:
    """Nothing was ever drawn: nothing is written, and work may begin."""

    async def scenario(stores: Stores) -> None:
        made = await stores.rebuilding.run([payer])
        assert made.hashes == 0
        await stores.guard.ensure(payer)

    own.run(scenario)
