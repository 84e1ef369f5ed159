"""Units on each Redis that there is: the one of this machine, and the one that is packaged."""

from pathlib import Path

import pytest

from authmatch_local.engines.redis_server import packaged_redis, redis_on_path
from service.accounting.books.books import Occasion
from service.application.parts import Stores
from service.stores.connection.faults import EngineRefused, EngineUnavailable
from tests.ground import Ground
from tests.movements import AT, Mover, forget
from tests.redis_process import RedisProcess

PROGRAMS = {"machine": redis_on_path(), "packaged": packaged_redis()}


@pytest.fixture(params=[name for name, program in PROGRAMS.items() if program])
def on_each(request: pytest.FixtureRequest, ground: Ground, tmp_path: Path) -> Ground:
    """The engines of this run, with this Redis in place of theirs."""
    redis = RedisProcess(tmp_path, program=PROGRAMS[request.param])
    redis.start()
    request.addfinalizer(redis.kill)
    settings = ground.settings.model_copy(update={"redis_url": redis.url})
    return Ground(settings=settings, rules=ground.rules)


def test_units_are_moved_lost_and_made_anew(on_each: Ground, payer: str) -> None:
    """Their whole life, and the same digest."""

    async def scenario(stores: Stores) -> None:
        assert await stores.durability.check() == []
        for seed in range(2):
            await Mover(stores, payer, member=f"M{seed}").some_of_everything(seed, steps=20)
        before = await stores.reconciliation.run([payer])
        await forget(stores, payer)
        made = await stores.rebuilding.run([payer])
        assert (before.difference_count, made.digest) == (0, before.digest)

    on_each.run(scenario)


def test_a_full_redis_is_unavailable_and_ready_says_so(on_each: Ground, payer: str) -> None:
    """Nothing is moved, and it is no request that was refused as wrong; with room all goes on."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 3)
        claim = await stores.accumulators.read_claim(payer, "C1")
        await stores.redis.config_set("maxmemory", "1")
        for asked in (
            stores.accumulators.change(payer, claim, (), "reversed", Occasion(kind="x", at=AT)),
            mover.draw("C2", 1),
            stores.guard.obstacle([payer]),
        ):
            with pytest.raises(EngineUnavailable, match="it is full"):
                await asked
        await stores.redis.config_set("maxmemory", "0")
        assert await stores.accumulators.read_claim(payer, "C1") == claim
        assert await stores.guard.obstacle([payer]) is None
        await mover.draw("C2", 1)

    on_each.run(scenario)


def test_what_the_script_refuses_is_no_outage(on_each: Ground, payer: str) -> None:
    """A number that cannot be counted is refused in the script's own words."""

    async def scenario(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 3)
        await stores.redis.hset(mover.keys.accounts("A1"), "H.uu", "ten")
        with pytest.raises(EngineRefused, match="not a whole number"):
            await mover.draw("C2", 1)

    on_each.run(scenario)
