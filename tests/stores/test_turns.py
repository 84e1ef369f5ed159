"""What is done every so often is done by one worker, and for every payer."""

import uuid

import pytest

from service.application.parts import Stores
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.turns import by_turns, is_first
from tests.ground import Ground


def test_the_fault_of_one_payer_keeps_no_other_waiting(ground: Ground) -> None:
    """It is said when all had their turn; only what failed is done again by the next worker."""
    done: list[str] = []
    broken = {"P1"}
    run = uuid.uuid4().hex

    async def work(payer: str) -> None:
        if payer in broken:
            raise EngineUnavailable("elasticsearch", "away")
        done.append(payer)

    async def scenario(stores: Stores) -> None:
        keys = {payer: f"turns:{run}:{payer}" for payer in ("P1", "P2")}
        with pytest.raises(EngineUnavailable):
            await by_turns(stores.redis, keys, 60, work)
        assert done == ["P2"]
        broken.clear()
        await by_turns(stores.redis, keys, 60, work)
        await by_turns(stores.redis, keys, 60, work)
        assert done == ["P2", "P1"]
        assert [await is_first(stores.redis, f"turns:{run}", 60) for _ in range(2)] == [True, False]
        assert all([0 < await stores.redis.pttl(key) <= 54_000 for key in keys.values()])

    ground.run(scenario)
