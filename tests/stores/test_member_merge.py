"""Two member ids are one person: one is merged into the other, and everything is found there."""

from typing import Any

import pytest

from service.application.parts import Stores
from service.stores.authorizations.reading import Filter
from service.stores.members.merge import MergeRefused
from tests.ground import Ground, push
from tests.stores.merging import found_for, merge, pushed

pytestmark = pytest.mark.cluster


def test_all_is_found_under_both_ids(ground: Ground, payer: str) -> None:
    """In a match, in a listing, and by id; the sender's version and content stay as they were."""

    async def scenario(stores: Stores) -> None:
        first = [pushed(f"A{number}", "M1") for number in range(5)]
        await push(stores, payer, *first, pushed("B1", "M2"), pushed("C1", "M3"))
        person = await merge(stores, payer, "M1", "M2")
        assert (person.member, person.ids) == ("M2", ("M2", "M1"))
        everything = [*(f"A{number}" for number in range(5)), "B1"]
        for member in ("M1", "M2"):
            assert await found_for(stores, payer, member) == everything
            page = await stores.reading.page(payer, Filter(member=member), size=50, after=None)
            names = sorted(each.source["authorization_id"] for each in page.entries)
            assert (page.total, names) == (6, everything)
        assert await found_for(stores, payer, "M3") == ["C1"]
        page = await stores.reading.page(payer, Filter(), size=50, after=None)
        assert page.total == 7
        stored = await stores.reading.get(payer, "A0")
        assert stored is not None
        assert (stored.state["version"], stored.state["member_id"]) == (1, "M1")
        assert stored.source["member"]["id"] == "M1"
        assert len(await stores.reading.versions(payer, "A0")) == 1

    ground.run(scenario)


def test_pushes_go_on_under_either_id(ground: Ground, payer: str) -> None:
    """The same version is unchanged, a higher one updates; a third member is another one."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"), pushed("A2", "M1"))
        await merge(stores, payer, "M1", "M2")
        assert await push(stores, payer, pushed("A1", "M1")) == ["unchanged"]
        assert await push(stores, payer, pushed("A1", "M2")) == ["conflict"]
        assert await push(stores, payer, pushed("A1", "M1", 2), pushed("A2", "M2", 2)) == [
            *("updated", "updated")
        ]
        assert await push(stores, payer, pushed("A3", "M1")) == ["created"]
        assert await push(stores, payer, pushed("A1", "M1", 1)) == ["superseded"]
        for member in ("M1", "M2"):
            assert await found_for(stores, payer, member) == ["A1", "A2", "A3"]
        assert await push(stores, payer, pushed("A1", "M3", 3)) == ["updated"]
        assert await found_for(stores, payer, "M1") == ["A2", "A3"]
        assert await found_for(stores, payer, "M3") == ["A1"]
        assert await push(stores, payer, pushed("A1", "M1", 4)) == ["updated"]
        assert await found_for(stores, payer, "M2") == ["A1", "A2", "A3"]
        assert await found_for(stores, payer, "M3") == []

    ground.run(scenario)


def test_what_is_void_or_superseded_stays_so(ground: Ground, payer: str) -> None:
    """Under either id: no claim finds it, its number leads on, and it can be read."""

    async def scenario(stores: Stores) -> None:
        withdrawn = pushed("A1", "M1")
        await push(stores, payer, withdrawn, pushed("A2", "M1"))
        await stores.authorizations.withdraw(payer, pushed("A1", "M1", 2))
        await push(stores, payer, pushed("A3", "M1", supersedes="A2"))
        await push(stores, payer, pushed("A4", "M1", decision={"action": "C"}))
        await merge(stores, payer, "M1", "M2")
        for member in ("M1", "M2"):
            assert await found_for(stores, payer, member) == ["A3"]
        states: Any = {
            name: (await stores.reading.get(payer, name)) for name in ("A1", "A2", "A3", "A4")
        }
        assert {name: (each.state["void"], each.state["current"]) for name, each in states.items()}
        assert states["A1"].state["void"]
        assert states["A2"].state["superseded_by"] == "A3"
        assert states["A4"].state["void"]
        assert await push(stores, payer, withdrawn) == ["superseded"]
        assert await found_for(stores, payer, "M1") == ["A3"]
        again = await stores.authorizations.withdraw(payer, pushed("A1", "M1", 2))
        assert again.status == "unchanged"

    ground.run(scenario)


def test_a_merge_again_does_nothing_more(ground: Ground, payer: str) -> None:
    """It says the same; a member of whom nothing is known can be merged, too."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"))
        first = await merge(stores, payer, "M1", "M2")
        before = await stores.members.records.read(payer, ["M1", "M2"])
        assert await merge(stores, payer, "M1", "M2") == first
        assert await stores.members.records.read(payer, ["M1", "M2"]) == before
        unknown = await merge(stores, payer, "M8", "M2")
        assert (unknown.member, set(unknown.ids)) == ("M2", {"M1", "M2", "M8"})
        assert await push(stores, payer, pushed("A8", "M8")) == ["created"]
        assert await found_for(stores, payer, "M2") == ["A1", "A8"]

    ground.run(scenario)


def test_chains_lead_to_their_end(ground: Ground, payer: str) -> None:
    """Whatever the order in which they were closed; a former id stands for the last one."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, *(pushed(f"A{each}", f"M{each}") for each in range(1, 6)))
        await merge(stores, payer, "M1", "M2")
        await merge(stores, payer, "M2", "M3")
        await merge(stores, payer, "M4", "M5")
        assert (await merge(stores, payer, "M3", "M4")).member == "M5"
        for each in range(1, 6):
            names = [f"A{number}" for number in range(1, 6)]
            assert await found_for(stores, payer, f"M{each}") == names
            person = await stores.members.person(payer, f"M{each}")
            assert (person.member, len(person.ids)) == ("M5", 5)
        assert (await merge(stores, payer, "M1", "M5")).member == "M5"

    ground.run(scenario)


def test_a_long_chain_has_an_end(ground: Ground, payer: str) -> None:
    """However often the id that stayed was given up."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A0", "M0"), pushed("A30", "M30"))
        for each in range(30):
            await merge(stores, payer, f"M{each}", f"M{each + 1}")
        for each in (0, 15, 30):
            assert await found_for(stores, payer, f"M{each}") == ["A0", "A30"]

    ground.run(scenario)


def test_a_name_with_commas_is_one_member(ground: Ground, payer: str) -> None:
    """A search names all ids of a person, with commas between them."""

    async def scenario(stores: Stores) -> None:
        names = [f"M,{each},," for each in range(6)]
        await push(stores, payer, *(pushed(f"A{each}", name) for each, name in enumerate(names)))
        for each, name in enumerate(names):
            assert await found_for(stores, payer, name) == [f"A{each}"]
        await merge(stores, payer, names[0], names[1])
        assert await found_for(stores, payer, names[1]) == ["A0", "A1"]

    ground.run(scenario)


@pytest.mark.parametrize(
    ("member", "into", "why"),
    [
        ("M1", "M1", "into itself"),
        ("M3", "M2", "merged into this one"),
        ("M3", "M1", "merged into this one"),
        ("M1", "M9", "merged into another one"),
    ],
)
def test_a_merge_that_cannot_be_meant_is_refused(
    ground: Ground, payer: str, member: str, into: str, why: str
) -> None:
    """A circle, and an id that leads elsewhere; nothing is changed."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"), pushed("A9", "M9"))
        await merge(stores, payer, "M1", "M2")
        await merge(stores, payer, "M2", "M3")
        with pytest.raises(MergeRefused, match=why):
            await merge(stores, payer, member, into)
        assert await found_for(stores, payer, "M3") == ["A1"]
        assert await found_for(stores, payer, "M9") == ["A9"]

    ground.run(scenario)


def test_other_payers_are_not_touched(ground: Ground, payer: str) -> None:
    """The same member ids mean other people there."""

    async def scenario(stores: Stores) -> None:
        for each in (payer, f"{payer}-other"):
            await push(stores, each, pushed("A1", "M1"), pushed("A2", "M2"))
        await merge(stores, payer, "M1", "M2")
        assert await found_for(stores, f"{payer}-other", "M1") == ["A1"]
        assert await found_for(stores, f"{payer}-other", "M2") == ["A2"]

    ground.run(scenario)


def test_what_redis_forgot_is_read_again(ground: Ground, payer: str) -> None:
    """A match is right at once, and so is one that cannot ask Redis at all."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1"), pushed("A2", "M2"))
        await merge(stores, payer, "M1", "M2")
        name = stores.visibility.keys.merged(payer)
        for _ in range(2):
            await stores.redis.delete(name)
            assert await found_for(stores, payer, "M1") == ["A1", "A2"]
            assert await stores.redis.ttl(name) > 0

    ground.run(scenario)
