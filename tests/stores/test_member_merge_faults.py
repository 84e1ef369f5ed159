"""A merge that stops anywhere: nothing is missed meanwhile, and the same merge again goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from elastic_transport import ConnectionError as Lost

from service.application.parts import Stores
from service.querying.search import Search
from service.stores.authorizations.reading import Filter
from service.stores.connection.faults import EngineFault
from service.stores.members.alias import Wish
from tests.ground import Ground, push
from tests.proxy import Mode, Proxy
from tests.stores.merging import (
    UNITS,
    adjudicated,
    claimed,
    differences,
    found_for,
    hurried,
    merge,
    paid,
    pushed,
    used,
)
from tests.stores.moving import tries

REQUESTS_MAX = 90
"""More than the merge of one authorization takes."""


@contextmanager
def lost_at(stores: Stores, number: int, *, is_done: bool) -> Iterator[list[str]]:
    """Lose Elasticsearch at one request and after it; ``is_done``: the request, not its answer."""
    taken: list[str] = []
    perform = stores.elasticsearch.perform_request

    async def request(method: str, path: str, **more: Any) -> Any:
        taken.append(path)
        if len(taken) > number or (len(taken) == number and not is_done):
            raise Lost("lost")
        answer = await perform(method, path, **more)
        if len(taken) == number:
            raise Lost("lost")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores.elasticsearch, "perform_request", request)
        yield taken


@pytest.mark.parametrize("first", range(4))
def test_a_merge_that_stopped_goes_on(ground: Ground, payer: str, first: int) -> None:
    """At any request; claims are matched and drawn, and pushes taken, before it does."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as other:
            hurried(other)
            for number in range(1 + 2 * first, REQUESTS_MAX, 8):
                a1, a2, b1, m1, m2, c1, c2 = (
                    f"{each}-{number}" for each in ("A1", "A2", "B1", "M1", "M2", "C1", "C2")
                )
                await push(stores, payer, pushed(a1, m1, **UNITS), pushed(b1, m2))
                assert paid(await adjudicated(other, payer, claimed(c1, m1, 3))) == 3
                with lost_at(stores, number, is_done=number % 4 == 1) as taken:
                    is_whole = await tries(merge(stores, payer, m1, m2))
                assert is_whole == (len(taken) < number)
                assert a1 in await found_for(other, payer, m1)
                assert b1 in await found_for(other, payer, m2)
                assert paid(await adjudicated(other, payer, claimed(c2, m1, 2))) == 2
                assert await push(other, payer, pushed(a2, m1)) == ["created"]
                assert a2 in await found_for(other, payer, m1)
                await merge(other, payer, m1, m2)
                for member in (m1, m2):
                    assert await found_for(other, payer, member) == [a1, a2, b1]
                assert await used(other, payer, a1) == 5
                if is_whole:
                    assert await differences(other, payer) == []
                    return
            raise AssertionError("a merge takes more requests than were tried")

    ground.run(scenario)


@pytest.mark.parametrize("mode", ["refuse", "cut"])
def test_a_merge_without_redis_goes_on_when_it_is_back(
    ground: Ground, payer: str, mode: Mode
) -> None:
    """It is a fault; who matches meanwhile, and cannot ask Redis, asks Elasticsearch."""
    proxy = Proxy(str(ground.settings.redis_url))
    proxy.start()
    settings = ground.settings.model_copy(update={"redis_url": proxy.url})

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"), pushed("B1", "M2"))
        async with ground.stores(settings) as cut_off:
            with proxy.failing(mode):
                with pytest.raises(EngineFault):
                    await merge(cut_off, payer, "M1", "M2")
                for each in (cut_off, stores):
                    assert "A1" in await found_for(each, payer, "M1")
            done = await merge(stores, payer, "M1", "M2")
            assert (done.moved, done.total) == (1, 1)
        async with ground.stores(settings) as cut_off:
            with proxy.failing(mode):
                for member in ("M1", "M2"):
                    assert await found_for(cut_off, payer, member) == ["A1", "B1"]

    try:
        ground.run(scenario)
    finally:
        proxy.stop()


def test_a_member_with_many_authorizations_goes_in_batches(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress is told after each; a match finds them all, before and after."""
    monkeypatch.setattr("service.stores.merging.merge.BATCH", 20)
    names = [f"A{number:03}" for number in range(110)]

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, *(pushed(each, "M1") for each in names))
        told: list[tuple[int, int]] = []
        done = await hurried(stores).merging.run(
            payer, Wish(member="M1", into="M2"), lambda *progress: told.append(progress)
        )
        assert told == [(number, 110) for number in (20, 40, 60, 80, 100, 110)]
        assert (done.moved, done.total) == (110, 110)
        page = await stores.reading.page(payer, Filter(member="M1"), size=200, after=None)
        assert sorted(each.source["authorization_id"] for each in page.entries) == names

    ground.run(scenario)


def test_pages_are_whole_while_a_merge_is_under_way(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some stand under both ids, some under one, some were pushed anew: each comes once."""
    monkeypatch.setattr("service.stores.merging.merge.BATCH", 20)
    names = [f"A{number:03}" for number in range(90)]
    by_id = ({"authorization_id": {"order": "asc"}},)

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, *(pushed(each, "M1") for each in names))
        with lost_at(stores, 55, is_done=False):
            assert not await tries(merge(stores, payer, "M1", "M2"))
        async with ground.stores() as other:
            for each in names[::9]:
                await push(other, payer, pushed(each, "M1", 2))
            await other.authorizations.withdraw(payer, pushed(names[1], "M1", 3))
            expected = [(name, 2 if name in names[::9] else 1) for name in names]
            del expected[1]
            for member in ("M1", "M2"):
                person = await other.search.prepare(payer, member)
                assert person.members == ("M2", "M1")
                found: list[tuple[str, int]] = []
                after: tuple[object, ...] = ()
                while True:
                    search = Search(size=25, sort=by_id, after=after)
                    page = (await other.search.search(payer, person, search)).candidates
                    found += [(each.authorization_id, each.version) for each in page]
                    if len(page) < search.size:
                        break
                    after = page[-1].sort
                assert found == expected
            done = await merge(other, payer, "M1", "M2")
            assert 0 < done.moved < done.total == 90

    ground.run(scenario)


def test_an_index_rebuilt_after_a_merge_keeps_it(own: Ground, payer: str) -> None:
    """The source names the old id; the document stays with the new one."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"), pushed("A2", "M2"))
        await merge(stores, payer, "M1", "M2")
        await stores.migration.run(lambda *_: None)
        for member in ("M1", "M2"):
            assert await found_for(stores, payer, member) == ["A1", "A2"]
        assert await push(stores, payer, pushed("A1", "M1", 2)) == ["updated"]
        assert await found_for(stores, payer, "M2") == ["A1", "A2"]

    own.run(scenario)
