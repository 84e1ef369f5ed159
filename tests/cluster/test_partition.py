"""Servers of a Redis Cluster that do not hear of one another: two of them take writes of a book."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.stores.connection.replicas import Unconfirmed
from service.stores.ledger.epoch import AccumulatorsLost
from tests.cluster.lab import RedisCluster, redis_cluster, wait_for
from tests.ground import Ground
from tests.movements import Mover

pytestmark = pytest.mark.cluster

LIMIT = 10


@pytest.fixture(scope="module")
def divided(engine_progress: Callable[[str], None]) -> Iterator[RedisCluster]:
    """A cluster of its own, whose servers can be kept from one another."""
    with redis_cluster(engine_progress, cuttable=True) as servers:
        yield servers


def on(ground: Ground, url: str, replicas: int) -> Ground:
    """Another Redis, where so many replicas must have what is moved."""
    changes = {"redis_url": url, "redis_replicas": replicas}
    return Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)


def behind(ground: Ground, redis: RedisCluster, payer: str, replicas: int) -> Ground:
    """The same, as it is reached by way of the replica of a payer's book."""
    replica = redis.replica_of(redis.primary_of(f"{{{payer}}}"))
    return on(ground, f"redis://127.0.0.1:{replica.port}", replicas)


@contextmanager
def both_sides(redis: RedisCluster, payer: str) -> Iterator[None]:
    """Have the replica of a payer's book take over while its primary goes on, until both meet."""
    old = redis.primary_of(f"{{{payer}}}")
    new = redis.replica_of(old)
    redis.wait_until_copied(old)
    with redis.cut_apart():
        redis.ask(new, "CLUSTER", "FAILOVER", "TAKEOVER")
        wait_for(lambda: redis.is_primary(new), "taking over")
        assert redis.is_primary(old)
        yield
    wait_for(lambda: not redis.is_primary(old), "giving way")
    redis.wait_until_whole()


async def used(stores: Stores, payer: str) -> int:
    """The units used of the authorization."""
    state = await stores.accumulators.accounts(payer, "A1")
    return max(each.balances["units"].used // SCALE for each in state.accounts)


def test_neither_side_acknowledges_what_the_other_may_grant(
    ground: Ground, divided: RedisCluster, payer: str
) -> None:
    """Where a replica is waited for both are told 503; sent again, each claim is drawn once."""

    beyond = behind(ground, divided, payer, 1)

    async def scenario(stores: Stores) -> None:
        async with beyond.stores() as others:
            old, new = Mover(stores, payer), Mover(others, payer)
            await old.draw("C1", 3)
            with both_sides(divided, payer):
                for mover, claim in ((old, "C-old"), (new, "C-new")) * 2:
                    with pytest.raises(Unconfirmed):
                        await mover.draw(claim, 6)
                with pytest.raises(Unconfirmed):  # nor is it copied to the ledger
                    await stores.projection.project(payer)
            assert (await new.look_up("C-new")).claim.version == 1
            assert not (await old.look_up("C-old")).claim.is_known
            await old.draw("C-old", 6)
            assert await used(stores, payer) == LIMIT
            assert (await stores.reconciliation.run([payer])).differences == []

    on(ground, divided.url, 1).run(scenario)


@pytest.mark.parametrize("comes", ["before", "after"])
def test_what_one_side_lacks_closes_the_book(
    ground: Ground, divided: RedisCluster, payer: str, comes: str
) -> None:
    """Without waiting the old side acknowledges; the ledger, or whoever was told, tells of it."""

    beyond = behind(ground, divided, payer, 0)

    async def scenario(stores: Stores) -> None:
        async with beyond.stores() as others:
            old, new = Mover(stores, payer), Mover(others, payer)
            await old.draw("C1", 3)
            with both_sides(divided, payer):
                await old.draw("C-old", 6)
                if comes == "before":
                    await stores.projection.project(payer)
                    with pytest.raises(AccumulatorsLost, match="older state"):
                        await new.draw("C-new", 6)
                else:  # both have granted the same units
                    await new.draw("C-new", 6)
                    await stores.projection.project(payer)
            for mover in (old, new):
                with pytest.raises(AccumulatorsLost, match="older state"):
                    await mover.draw("C-more", 1)
            found = await stores.reconciliation.run([payer])
            assert "C-old" in str(found.differences)

    on(ground, divided.url, 0).run(scenario)
