"""The books on a Redis Cluster: a primary that lost its data, or went back, grants nothing."""

from collections.abc import Iterable

import pytest

from service.application.maintenance import readiness
from service.application.parts import Stores, application
from service.stores.connection.faults import EngineFault
from service.stores.connection.replicas import Unconfirmed
from service.stores.ledger.epoch import AccumulatorsLost
from tests.cluster.lab import RedisCluster, wait_for
from tests.ground import Ground
from tests.movements import Mover

pytestmark = pytest.mark.cluster


async def units(stores: Stores, payers: Iterable[str]) -> str:
    """Move units of all payers; gives the digest of their books."""
    for number, payer in enumerate(payers):
        for member in ("M1", "M2"):
            await Mover(stores, payer, member=member).some_of_everything(number, steps=15)
    found = await stores.reconciliation.run(payers)
    assert found.differences == []
    return found.digest


def test_a_sound_cluster_is_rebuilt_by_force(ground: Ground, redis: RedisCluster) -> None:
    """All that was there is dropped and made anew, on every primary, as often as one likes."""
    payers = redis.payers()

    async def scenario(stores: Stores) -> None:
        digest = await units(stores, payers)
        for _ in range(2):
            made = await stores.rebuilding.run(payers, force=True)
            assert (made.digest, made.differences) == (digest, [])
        assert (await stores.reconciliation.run(payers)).digest == digest
        for payer in payers:
            await Mover(stores, payer).draw("C-after", 1)

    ground.run(scenario)


def test_a_primary_that_lost_its_data_grants_nothing_until_it_is_rebuilt(
    ground: Ground, redis: RedisCluster
) -> None:
    """Other payers go on; ready says so; claims that were there are a fault, not unknown."""
    payers = redis.payers()
    lost, *others = payers
    key = f"{{{lost}}}"

    async def scenario(stores: Stores) -> None:
        digest = await units(stores, payers)
        await stores.projection.sweep(payers)
        redis.ask(redis.primary_of(key), "FLUSHALL")
        async with ground.stores() as second:
            for each in (stores, second):
                with pytest.raises(AccumulatorsLost):
                    await Mover(each, lost).draw("C-again", 1)
                with pytest.raises(AccumulatorsLost):
                    await each.accumulators.read_claim(lost, "C/M1-0")
            for payer in others:
                await Mover(second, payer).draw("C-other", 1)
            assert "gone" in str(await second.guard.obstacle(payers))
            made = await second.rebuilding.run([lost])
            assert made.differences == []
            await Mover(second, lost).draw("C-again", 1)
        assert (await stores.reconciliation.run(payers)).differences == []
        assert digest

    ground.run(scenario)


def replicas_of(ground: Ground, count: int) -> Ground:
    """The same, where so many replicas must have what is moved."""
    settings = ground.settings.model_copy(update={"redis_replicas": count})
    return Ground(settings=settings, rules=ground.rules)


def test_a_replica_that_lacks_what_was_acknowledged_grants_nothing(
    ground: Ground, redis: RedisCluster, payer: str
) -> None:
    """Without being waited for it takes over with an older state: that is told, and mended."""
    key = f"{{{payer}}}"

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 3)
        primary = redis.primary_of(key)
        replica = redis.replica_of(primary)
        redis.wait_until_copied(primary)
        with replica.paused():
            await mover.draw("C2", 6)
            await stores.projection.project(payer)
            primary.kill()
            # What was on its way dies with the connection: the replica comes back without it.
            replica.kill()
        replica.start()
        redis.ask(replica, "CLUSTER", "FAILOVER", "TAKEOVER")
        wait_for(lambda: redis.is_primary(replica), "taking over")
        primary.start()
        redis.wait_until_whole()

        async with ground.stores() as second:
            for each in (stores, second):
                with pytest.raises(AccumulatorsLost, match="older state"):
                    await Mover(each, payer).draw("C3", 6)
            await second.rebuilding.run([payer], force=True)
            assert (await second.reconciliation.run([payer])).differences == []
            moved = await Mover(second, payer).draw("C3", 6)
            assert moved
            held = await second.accumulators.accounts(payer, "A1")
            assert held

    ground.run(scenario)


def test_what_too_few_replicas_have_is_not_acknowledged_and_told_again(
    ground: Ground, redis: RedisCluster, payer: str
) -> None:
    """It is a fault "unconfirmed"; with the replica back the claim is told as it was drawn."""
    strict = replicas_of(ground, 1)

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 3)
        with redis.replica_of(redis.primary_of(f"{{{payer}}}")).paused():
            with pytest.raises(Unconfirmed, match="unconfirmed"):
                await mover.draw("C2", 2)
            with pytest.raises(Unconfirmed):
                await mover.look_up("C2")
        redis.wait_until_whole()
        assert (await mover.look_up("C2")).claim.version == 1
        await mover.draw("C3", 1)
        assert (await stores.reconciliation.run([payer])).differences == []

    strict.run(scenario)


def test_without_any_server_everything_is_a_fault_and_nothing_ends(
    ground: Ground, redis: RedisCluster, payer: str
) -> None:
    """Reads and movements are faults; a worker that starts then starts, and goes on with them."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 3)
        for each in redis.servers:
            each.kill()
        for asked in (
            mover.draw("C2", 1),
            stores.accumulators.read_claim(payer, "C1"),
            stores.reconciliation.run([payer]),
            stores.durability.check(),
        ):
            with pytest.raises(EngineFault):
                await asked
        async with application(ground.settings, rules=ground.rules, serving=True) as parts:
            assert (await readiness(parts))["status"] == "degraded"
            for each in redis.servers:
                each.start()
            redis.wait_until_whole()
            await Mover(parts.stores, payer).draw("C3", 1)
        await mover.draw("C4", 1)

    ground.run(scenario)


def test_a_node_that_is_named_first_may_be_away(
    ground: Ground, redis: RedisCluster, payer: str
) -> None:
    """The setting names several; a worker that starts asks the next."""
    first = redis.servers[0]
    replica = redis.replica_of(first) if redis.is_primary(first) else None
    first.kill()
    if replica:
        wait_for(lambda: redis.is_primary(replica), "taking over")
    redis.wait_until_served()

    async def scenario(stores: Stores) -> None:
        await Mover(stores, payer).draw("C1", 1)

    ground.run(scenario)
