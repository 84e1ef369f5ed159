"""What callers asked of all workers: told through Redis, under names that tell nothing."""

from service.access.limits import Asker
from service.application.parts import Stores
from tests.ground import Ground

ONE: Asker = ("key", "CANARY-desk", frozenset({"CANARY-P1"}))
OTHER: Asker = ("token", "CANARY-sub", frozenset({"CANARY-P1", "P2"}))


def test_workers_add_up(ground: Ground) -> None:
    """Each is told its own and that of all; of the other callers nothing."""

    async def scenario(first: Stores) -> None:
        async with ground.stores() as second:
            assert await first.usage.told({ONE: 30}) == {ONE: (30, 30)}
            assert await second.usage.told({ONE: 10, OTHER: 1}) == {ONE: (10, 40), OTHER: (1, 1)}
            assert await first.usage.told({ONE: 5}) == {ONE: (35, 45)}
            names = [str(key) async for key in first.redis.scan_iter("*{usage}*")]
            fields = [str(field) for key in names for field in await first.redis.hkeys(key)]
            assert names
            assert "CANARY" not in f"{names}{fields}"
            assert all([0 < await first.redis.ttl(key) <= 10 for key in names])

    ground.run(scenario)
