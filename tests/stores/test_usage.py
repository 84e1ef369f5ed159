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
            mine = f"authmatch:{first.indices.prefix}*{{usage}}*"
            names = [str(key) async for key in first.redis.scan_iter(mine)]
            fields = [str(field) for key in names for field in await first.redis.hkeys(key)]
            assert names
            assert "CANARY" not in f"{names}{fields}"
            assert all([await first.redis.ttl(key) != -1 for key in names])  # -2: it has just gone

    ground.run(scenario)


def test_a_payer_is_known_after_its_key_has_gone(own: Ground) -> None:
    """Whoever begins later looks after it, too: what waits of it is delivered."""

    async def scenario(stores: Stores) -> None:
        await stores.known_payers.join(["P1", "P2"])
        later = ["P2", "P3"]
        await stores.known_payers.join(later)
        assert later == ["P2", "P3", "P1"]
        again = ["P4"]
        await stores.known_payers.join(again)
        assert sorted(again) == ["P1", "P2", "P3", "P4"]

    own.run(scenario)
