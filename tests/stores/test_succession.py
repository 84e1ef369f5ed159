"""Authorizations that stand for older ones, in whatever order they arrive."""

import asyncio
from itertools import permutations

import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed
from service.stores.authorizations.reading import Filter
from tests.builders import build_claim
from tests.ground import Ground, as_pushed, found, match, push, version_of

FIRST = version_of(1, authorization_id="A1", number="N-1")
SECOND = version_of(1, authorization_id="A2", number="N-2", supersedes="A1")
THIRD = version_of(1, authorization_id="A3", number="N-3", supersedes="A2")
CHAIN = (FIRST, SECOND, THIRD)


async def fits(stores: Stores, payer: str, number: str) -> str | None:
    """The authorization that a submitted number leads to."""
    claim = build_claim(authorization_numbers=[{"value": number}])
    (line,) = await match(stores, payer, claim)
    (submitted,) = line["results"][0]["submitted_numbers"]
    fits: str | None = submitted["fits"]
    return fits


@pytest.mark.parametrize(
    "order",
    list(permutations(CHAIN)),
    ids=lambda order: "".join(each.authorization.authorization_id for each in order),
)
def test_an_old_number_finds_the_current_authorization(
    ground: Ground, payer: str, order: tuple[Pushed, ...]
) -> None:
    """Of a chain of three only the last is found, by all three numbers."""

    async def scenario(stores: Stores) -> None:
        for each in order:
            await push(stores, payer, each)

        assert await found(stores, payer, build_claim()) == ["A3"]
        assert [await fits(stores, payer, f"n{each}") for each in (1, 2, 3)] == ["A3"] * 3

    ground.run(scenario)


def test_a_chain_may_come_in_one_batch(ground: Ground, payer: str) -> None:
    """Versions that supersede one another may be pushed together."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, THIRD, FIRST, SECOND)

        assert await found(stores, payer, build_claim()) == ["A3"]
        assert [await fits(stores, payer, f"n{each}") for each in (1, 2, 3)] == ["A3"] * 3

    ground.run(scenario)


def test_a_new_version_of_a_superseded_one_does_not_bring_it_back(
    ground: Ground, payer: str
) -> None:
    """A late event of the old authorization changes it, and it stays superseded."""

    async def scenario(stores: Stores) -> None:
        for each in CHAIN:
            await push(stores, payer, each)
        late = version_of(2, authorization_id="A1", number="N-1", other_numbers=["N-1B"])
        await push(stores, payer, late)
        await push(stores, payer, version_of(2, authorization_id="A3", supersedes="A2"))

        assert await found(stores, payer, build_claim()) == ["A3"]
        assert await fits(stores, payer, "N-1b") == "A3"
        assert await fits(stores, payer, "N-1") == "A3"

    ground.run(scenario)


def test_an_old_number_goes_with_the_authorization_to_another_member(
    ground: Ground, payer: str
) -> None:
    """A version that changes the member, and names its predecessor no more, keeps the number."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, FIRST)
        await push(stores, payer, SECOND)
        await push(
            stores, payer, version_of(2, authorization_id="A2", number="N-2", member={"id": "M2"})
        )
        page = await stores.reading.page(
            payer, Filter(number="n1", member="M2"), size=5, after=None
        )

        assert [each.source["authorization_id"] for each in page.entries] == ["A2"]

    ground.run(scenario)


def test_old_and_new_that_arrive_at_once_see_each_other(ground: Ground, payer: str) -> None:
    """Pushed by two workers at the same moment, the old one is never left beside the new one."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            for turn in range(15):
                old = version_of(1, authorization_id=f"OLD-{turn}", number=f"O-{turn}")
                new = version_of(
                    1, authorization_id=f"NEW-{turn}", number=f"N-{turn}", supersedes=f"OLD-{turn}"
                )
                await asyncio.gather(push(stores, payer, old), push(second, payer, new))
            seen = await found(stores, payer, build_claim())

            assert sorted(seen) == sorted(f"NEW-{turn}" for turn in range(15))
            assert [await fits(stores, payer, f"o{turn}") for turn in range(15)] == [
                f"NEW-{turn}" for turn in range(15)
            ]

    ground.run(scenario)


@pytest.mark.parametrize(
    "circle",
    [
        [("A1", "A2"), ("A2", "A1")],
        [("A1", "A2"), ("A2", "A3"), ("A3", "A1")],
    ],
    ids=["of-two", "of-three"],
)
def test_a_circle_leaves_one_of_them(
    ground: Ground, payer: str, circle: list[tuple[str, str]]
) -> None:
    """Authorizations that supersede one another do not all disappear."""
    pushed = [version_of(1, authorization_id=new, supersedes=old) for new, old in circle]

    async def scenario(stores: Stores) -> None:
        for each in pushed:
            await push(stores, payer, each)
        one_by_one = await found(stores, payer, build_claim())
        await push(stores, f"{payer}-2", *pushed)
        together = await found(stores, f"{payer}-2", build_claim())

        assert len(one_by_one) >= 1
        assert len(together) >= 1

    ground.run(scenario)


def test_an_authorization_of_another_member_is_superseded_as_well(
    ground: Ground, payer: str
) -> None:
    """A merged member: the old authorization is not found with the old id any more."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, FIRST)
        await push(
            stores,
            payer,
            as_pushed(
                SECOND.authorization.model_copy(
                    update={
                        "member": SECOND.authorization.member.model_copy(update={"id": "M0002"})
                    }
                )
            ),
        )

        assert await found(stores, payer, build_claim()) == []
        assert await found(stores, payer, build_claim(member={"id": "M0002"})) == ["A2"]

    ground.run(scenario)


def test_two_that_supersede_the_same_one_have_its_number(ground: Ground, payer: str) -> None:
    """Pushed in one batch, each takes it over; the last one stands for it."""
    heirs = [version_of(1, authorization_id=each, supersedes="A1") for each in ("A2", "A3")]

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, FIRST)
        await push(stores, payer, *heirs)
        page = await stores.reading.page(payer, Filter(number="n1"), size=5, after=None)
        first = await stores.reading.get(payer, "A1")

        assert sorted(each.source["authorization_id"] for each in page.entries) == [
            "A1",
            "A2",
            "A3",
        ]
        assert first is not None
        assert first.state["superseded_by"] == "A3"
        assert sorted(await found(stores, payer, build_claim())) == ["A2", "A3"]

    ground.run(scenario)
