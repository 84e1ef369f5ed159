"""Sessions in Redis: for so long, under hashes of their ids."""

import pytest

from service.access.sessions import Session, Sessions, new_id
from service.application.parts import Stores
from service.stores.connection.key_names import KeyNames
from tests.ground import Ground

ONE = Session(name="jo", payers=("P1", "P2"), may=("role:examiner",))


def sessions_on(stores: Stores, *, idle_s: int = 60, whole_s: int = 3600) -> Sessions:
    """Sessions as a worker has them."""
    return Sessions(stores.sessions, secret=b"a secret", idle_s=idle_s, whole_s=whole_s)


@pytest.mark.parametrize(("whole_s", "is_there"), [(3600, True), (5, True), (0, False)])
def test_a_session_ends_after_its_hours(ground: Ground, whole_s: int, is_there: bool) -> None:
    """However often it is used."""

    async def scenario(stores: Stores) -> bool:
        of = sessions_on(stores, whole_s=whole_s)
        session_id = await of.open(ONE)
        return await of.look(session_id) is not None

    assert ground.run(scenario) == is_there


def test_a_session_ends_where_nobody_uses_it(ground: Ground) -> None:
    """Each use keeps it for so long from then; Redis knows nobody's id."""

    async def scenario(stores: Stores) -> None:
        of = sessions_on(stores)
        session_id = await of.open(ONE)
        names = KeyNames(
            prefix=f"authmatch:{ground.settings.index_prefix}",
            secret=ground.settings.surrogate_key.get_secret_value().encode(),
        )
        key = names.session("id", session_id)
        assert session_id not in f"{key}{await stores.redis.get(key)!r}"
        await stores.redis.expire(key, 5)
        assert await of.look(session_id) is not None
        assert await stores.redis.ttl(key) > 30
        await stores.redis.expire(key, 0)
        assert await of.look(session_id) is None
        await of.choose(session_id, ONE, "P1")
        assert await of.look(session_id) is None, "what has ended does not come back"

    ground.run(scenario)


@pytest.mark.parametrize("written", ["", "x", "A" * 44, "é" * 43, "*" * 43, "\x00" * 43])
def test_what_is_no_id_is_not_asked_for(ground: Ground, written: str) -> None:
    """Nor what was never given out."""

    async def scenario(stores: Stores) -> None:
        of = sessions_on(stores)
        for each in (written, new_id()):
            assert await of.look(each) is None
            assert await of.by_ticket(each) is None

    ground.run(scenario)
