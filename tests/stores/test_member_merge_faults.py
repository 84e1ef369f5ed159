"""A merge that stops anywhere: nothing is missed meanwhile, and the same merge again goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from elastic_transport import ConnectionError as Lost

from service.application.parts import Stores
from service.stores.authorizations.reading import Filter
from service.stores.connection.faults import EngineFault
from service.stores.members.merge import MergeRefused
from tests.ground import Ground, push
from tests.proxy import Mode, Proxy
from tests.stores.merging import (
    UNITS,
    adjudicated,
    claimed,
    differences,
    found_for,
    merge,
    paid,
    pushed,
    used,
)
from tests.stores.moving import fault_at, tries

REQUESTS_MAX = 30
"""More than a merge takes."""


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


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_a_merge_that_stopped_goes_on(ground: Ground, payer: str, is_done: bool) -> None:
    """At any request; claims are matched and drawn, and pushes taken, before it does."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as other:
            for number in range(1, REQUESTS_MAX):
                own = f"{payer}-{number}"  # of which no member was ever merged
                await push(stores, own, pushed("A1", "M1", **UNITS), pushed("B1", "M2"))
                assert paid(await adjudicated(other, own, claimed("C1", "M1", 3))) == 3
                with lost_at(stores, number, is_done=is_done) as taken:
                    is_whole = await tries(merge(stores, own, "M1", "M2"))
                assert is_whole == (len(taken) < number)
                assert "A1" in await found_for(other, own, "M1")
                assert "B1" in await found_for(other, own, "M2")
                assert paid(await adjudicated(other, own, claimed("C2", "M1", 2))) == 2
                assert await push(other, own, pushed("A2", "M1")) == ["created"]
                assert "A2" in await found_for(other, own, "M1")
                await merge(other, own, "M1", "M2")
                for member in ("M1", "M2"):
                    assert await found_for(other, own, member) == ["A1", "A2", "B1"]
                assert await used(other, own, "A1") == 5
                assert await differences(other, own) == []
                if is_whole:
                    assert number > 4
                    return
            raise AssertionError("a merge takes more requests than were tried")

    ground.run(scenario)


def test_a_merge_that_stopped_says_nothing_of_others(ground: Ground, payer: str) -> None:
    """The id that was to stay is named first; if the other went elsewhere, it is nobody's there."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, *(pushed(f"A{each}", f"M{each}") for each in range(4)))
        await merge(stores, payer, "M0", "M1")
        taken = 0
        while True:
            taken += 1
            with lost_at(stores, taken, is_done=False):
                assert not await tries(merge(stores, payer, "M1", "M9"))
            if "M9" in await stores.members.records.read(payer, ["M9"]):
                break
        async with ground.stores() as other:
            await merge(other, payer, "M1", "M2")
            for member in ("M0", "M1", "M2"):
                assert await found_for(other, payer, member) == ["A0", "A1", "A2"]
            assert await found_for(other, payer, "M9") == []
            assert (await other.members.person(payer, "M9")).ids == ("M9",)
            with pytest.raises(MergeRefused, match="merged into another one"):
                await merge(other, payer, "M1", "M9")

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
            assert (await merge(stores, payer, "M1", "M2")).ids == ("M2", "M1")
        async with ground.stores(settings) as cut_off:
            with proxy.failing(mode):
                for member in ("M1", "M2"):
                    assert await found_for(cut_off, payer, member) == ["A1", "B1"]

    try:
        ground.run(scenario)
    finally:
        proxy.stop()


def test_a_member_with_many_authorizations_is_merged_at_once(ground: Ground, payer: str) -> None:
    """It takes no more requests than another; a match and a listing find them all."""
    names = [f"A{number:03}" for number in range(110)]

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, *(pushed(each, "M1") for each in names), pushed("B1", "M3"))
        with lost_at(stores, REQUESTS_MAX, is_done=False) as taken:
            await merge(stores, payer, "M1", "M2")
            many = len(taken)
            await merge(stores, payer, "M3", "M4")
        assert len(taken) - many <= many <= 12
        page = await stores.reading.page(payer, Filter(member="M1"), size=200, after=None)
        assert sorted(each.source["authorization_id"] for each in page.entries) == names
        assert await found_for(stores, payer, "M4") == ["B1"]

    ground.run(scenario)


def test_each_comes_once_while_one_goes_from_one_id_to_another(ground: Ground, payer: str) -> None:
    """A push that named another id of the person stopped: both versions may be searchable."""
    names = [f"A{number}" for number in range(8)]

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, *(pushed(each, "M1") for each in names))
        await merge(stores, payer, "M1", "M2")
        for number, name in enumerate(names[::2], start=1):
            with fault_at(number, is_done=number % 2 == 0):
                await tries(push(stores, payer, pushed(name, "M2", 2)))
        for member in ("M1", "M2"):
            assert await found_for(stores, payer, member) == names
            page = await stores.reading.page(payer, Filter(member=member), size=50, after=None)
            assert sorted(each.source["authorization_id"] for each in page.entries) == names
            person = await stores.search.prepare(payer, member)
            assert sorted(await stores.reading.standing(payer, person, names)) == names
        await push(stores, payer, *(pushed(each, "M2", 2) for each in names[::2]))
        page = await stores.reading.page(payer, Filter(member="M1"), size=50, after=None)
        versions = {each.source["authorization_id"]: each.state["version"] for each in page.entries}
        assert (page.total, versions) == (
            8,
            {name: 1 + (number % 2 == 0) for number, name in enumerate(names)},
        )

    ground.run(scenario)


def test_an_index_rebuilt_after_a_merge_keeps_it(own: Ground, payer: str) -> None:
    """Each authorization stays where it is, and is found under both ids."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"), pushed("A2", "M2"))
        await merge(stores, payer, "M1", "M2")
        await stores.migration.run(lambda *_: None)
        for member in ("M1", "M2"):
            assert await found_for(stores, payer, member) == ["A1", "A2"]
        assert await push(stores, payer, pushed("A1", "M1", 2)) == ["updated"]
        assert await found_for(stores, payer, "M2") == ["A1", "A2"]

    own.run(scenario)
