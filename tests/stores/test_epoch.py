"""An emptied Redis is not taken for one in which nothing was ever used."""

import asyncio

import pytest
from pydantic import SecretStr

from service.application.parts import Stores
from service.stores.connection.faults import EngineUnavailable
from service.stores.ledger import epoch
from service.stores.ledger.epoch import AccumulatorsLost, OtherKey
from tests.ground import Ground
from tests.movements import Mover, names_of


@pytest.fixture
def own(own: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """The same, and nothing is trusted for long."""
    monkeypatch.setattr(epoch, "TRUSTED_S", 0.0)
    return own


def test_workers_that_begin_together_agree(own: Ground) -> None:
    """The mark is made once, in both engines."""

    async def scenario(stores: Stores) -> None:
        async with own.stores() as second:
            workers = (stores.epoch, second.epoch)
            assert stores.epoch.value is None
            await asyncio.gather(*(each.verify() for each in workers * 5))

            assert stores.epoch.value == second.epoch.value
            assert await stores.redis.get(names_of(stores).epoch) == stores.epoch.value

    own.run(scenario)


def test_a_redis_that_was_never_used_may_be_replaced(own: Ground) -> None:
    """As long as the ledger is empty an empty Redis is the truth."""

    async def scenario(stores: Stores) -> None:
        await stores.epoch.verify()
        await stores.redis.delete(names_of(stores).epoch)
        await stores.epoch.verify()

        assert await stores.redis.get(names_of(stores).epoch) == stores.epoch.value

    own.run(scenario)


def test_lost_accumulators_are_refused_until_they_are_rebuilt(own: Ground, payer: str) -> None:
    """Also by a worker that trusted them before; afterwards it goes on by itself."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1")
        await stores.projection.project(mover.payer)
        await uninstalled_redis(stores)

        async with own.stores() as second:
            for each in (stores, second):
                with pytest.raises(AccumulatorsLost, match="authmatch accumulators rebuild"):
                    await each.epoch.verify()
            await second.rebuilding.run([])
            await stores.epoch.verify()
            await second.epoch.verify()

    own.run(scenario)


async def uninstalled_redis(stores: Stores) -> None:
    """Drop all keys of this prefix."""
    prefix = names_of(stores).prefix
    for key in [key async for key in stores.redis.scan_iter(f"{prefix}*", count=1000)]:
        await stores.redis.delete(key)


def test_another_redis_is_refused(own: Ground) -> None:
    """Its mark is not that of the ledger."""

    async def scenario(stores: Stores) -> None:
        await stores.epoch.verify()
        await stores.redis.set(names_of(stores).epoch, "another")
        with pytest.raises(AccumulatorsLost, match="right Redis"):
            await stores.epoch.verify()

    own.run(scenario)


def test_an_elasticsearch_that_forgot_is_refused(own: Ground, payer: str) -> None:
    """A ledger without its mark, and a Redis with a mark of which the ledger knows nothing."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1")
        await stores.projection.project(mover.payer)
        await stores.elasticsearch.delete(index=stores.indices.accounting, id="epoch")
        with pytest.raises(AccumulatorsLost, match="does not know"):
            await stores.epoch.ensure()
        await stores.redis.delete(names_of(stores).epoch)
        with pytest.raises(AccumulatorsLost, match="gone"):
            await stores.epoch.ensure()
        await stores.elasticsearch.indices.delete(index=stores.indices.accounting)
        with pytest.raises(EngineUnavailable, match="not installed"):
            await stores.epoch.ensure()

    own.run(scenario)


def test_another_surrogate_key_is_refused(own: Ground, payer: str) -> None:
    """Under it no unit would be found, and all would look unused; a rebuild refuses it, too."""
    changes = {"surrogate_key": SecretStr("another")}
    other = Ground(settings=own.settings.model_copy(update=changes), rules=own.rules)

    async def scenario(stores: Stores) -> None:
        await Mover(stores, payer).draw("C1")
        async with other.stores() as changed:
            with pytest.raises(OtherKey, match="AUTHMATCH_SURROGATE_KEY"):
                await changed.guard.ensure()
            with pytest.raises(OtherKey):
                await changed.rebuilding.run([f"{payer}-new"])
        await stores.epoch.verify()

    own.run(scenario)


def test_what_was_just_asked_is_not_asked_again(
    own: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a second an adjudication costs nothing.

    Whoever asks finds no mark and an empty ledger, and makes the mark anew.
    """
    monkeypatch.setattr(epoch, "TRUSTED_S", 30.0)

    async def scenario(stores: Stores) -> None:
        await stores.epoch.verify()
        await stores.redis.delete(names_of(stores).epoch)
        await stores.epoch.verify()

        assert await stores.redis.get(names_of(stores).epoch) is None

    own.run(scenario)
