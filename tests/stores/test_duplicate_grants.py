"""One number is one grant of a person, whichever feed names it, and in whatever order."""

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.grant_identity import grant_id
from service.domain.submission import Pushed, PushResult, Ruling
from service.stores.members.merge import Wish
from tests.builders import build_claim
from tests.ground import Ground, found, push, version_of

MADE = grant_id("authorization", "M0001", "AU-1")
UM = version_of(1, authorization_id="UM-1", number="AU-1")
FEED = version_of(1_772_000_000_000_500, authorization_id=MADE, number="AU-1")
LATER: dict[str, Any] = {"effective": {"from": "2026-06-01", "to": "2026-08-31"}}
SCAN: dict[str, Any] = {"line": {"procedure": {"from": "70551"}, "modifiers": []}}


async def result(stores: Stores, payer: str, pushed: Pushed) -> PushResult:
    """What becomes of one push."""
    (told,) = await stores.authorizations.push(payer, [pushed])
    return told


def um(version: int = 1, name: str = "UM-2", **changes: Any) -> Pushed:
    """A grant of the same number under an id of its sender."""
    return version_of(version, authorization_id=name, **({"number": "AU-1"} | changes))


@pytest.mark.parametrize("order", list(permutations((UM, FEED))), ids=["UM first", "feed first"])
def test_a_number_of_two_feeds_grants_its_units_once(
    ground: Ground, payer: str, order: tuple[Pushed, Pushed]
) -> None:
    """The second is held, and says which one is on file; also in one batch, and again."""

    async def scenario(stores: Stores) -> None:
        first, second = order
        await push(stores, payer, first)
        told = await result(stores, payer, second)
        again = await push(stores, payer, second, first)
        together = await push(stores, f"{payer}-2", first, second)

        assert (told.status, told.code) == ("conflict", "duplicate-grant")
        assert told.on_file == first.authorization.authorization_id
        assert again == ["conflict", "unchanged"]
        assert together == ["created", "conflict"]
        assert await found(stores, payer, build_claim()) == [told.on_file]

    ground.run(scenario)


def test_two_pushes_at_one_moment_are_one_grant(ground: Ground, payer: str) -> None:
    """Whoever is first; and no store of another worker misses it."""

    async def scenario(stores: Stores) -> None:
        for turn in range(6):
            pushed = [um(name=f"UM-{turn}-{each}", number=f"N-{turn}") for each in range(4)]
            told = await asyncio.gather(*(result(stores, payer, each) for each in pushed))

            assert sorted(each.status for each in told) == ["conflict"] * 3 + ["created"]
            (first,) = (each for each in told if each.status == "created")
            assert {each.on_file for each in told} == {None, first.authorization_id}

    ground.run(scenario)


@pytest.mark.parametrize(
    ("other", "is_another"),
    [
        (um(number=" au 1 "), False),
        (um(number=None, other_numbers=["AU-1"]), False),
        (um(number=None, line={"number": "AU-1"}), False),
        (um(decision={"action": "A3"}), False),
        (um(decision={"action": "A4"}), False),
        (um(effective={"from": "2026-05-31", "to": "2026-12-31"}), False),
        (um(setting="outpatient"), False),
        (um(number="AU-2"), True),
        (um(number="AU-2", previous_numbers=["AU-1"]), True),
        (um(supersedes="UM-1"), True),
        (um(kind="referral", setting="professional"), True),
        (um(member={"id": "M0001N"}), True),
        (um(**LATER), True),
        (um(**SCAN), True),
        (um(line={"modifiers": ["GO"]}), True),
        (um(distinct=True), True),
        (um(decision={"action": "C"}), True),
        # Asks to change the grant, and was not granted: it is no second one.
        (um(certification_type="S", decision={"action": "A3"}), True),
    ],
)
def test_what_is_another_grant(ground: Ground, payer: str, other: Pushed, is_another: bool) -> None:
    """Of another kind, person, service or time, or said to be one; whichever comes first."""

    async def scenario(stores: Stores) -> None:
        for turn, order in enumerate(permutations((UM, other))):
            told = [await result(stores, f"{payer}-{turn}", each) for each in order]

            assert told[0].status == "created"
            assert (told[1].status in ("created", "superseded")) is is_another, told[1]

    ground.run(scenario)


async def withdrawn(stores: Stores, payer: str) -> None:
    """The one on file is withdrawn."""
    await stores.entrance.withdraw(payer, "UM-1", 2)


async def cancelled(stores: Stores, payer: str) -> None:
    """The one on file is cancelled."""
    await push(stores, payer, um(2, "UM-1", decision={"action": "C"}))


async def replaced(stores: Stores, payer: str) -> None:
    """Another one stands for it."""
    await push(stores, payer, um(name="UM-9", number="AU-9", supersedes="UM-1"))


async def renumbered(stores: Stores, payer: str) -> None:
    """It has another number now."""
    await push(stores, payer, version_of(2, authorization_id="UM-1", number="AU-7"))


async def moved_on(stores: Stores, payer: str) -> None:
    """It is for other days now."""
    await push(stores, payer, um(2, "UM-1", **LATER))


@pytest.mark.parametrize("gone", [withdrawn, cancelled, replaced, renumbered, moved_on])
def test_what_grants_this_no_more_is_in_nobodys_way(ground: Ground, payer: str, gone: Any) -> None:
    """The number may be given anew."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, UM)
        assert await push(stores, payer, um()) == ["conflict"]
        await gone(stores, payer)

        assert await push(stores, payer, um()) == ["created"]

    ground.run(scenario)


def test_a_version_that_takes_the_number_of_another_is_held(ground: Ground, payer: str) -> None:
    """It is the number that counts, not whether the id is new; what stood goes on."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, UM, um(number="AU-2"), um(name="UM-3", **LATER))

        assert await push(stores, payer, um(2)) == ["conflict"]
        assert await push(stores, payer, um(2, "UM-3")) == ["conflict"]
        assert sorted(await found(stores, payer, build_claim())) == ["UM-1", "UM-2"]

    ground.run(scenario)


def test_somebody_says_that_it_is_a_version_of_the_one_on_file(ground: Ground, payer: str) -> None:
    """Then it is the next version of that one; of no other can it be one."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, UM)
        nowhere = replace(FEED, ruling=Ruling(into="UM-8"))
        into = replace(FEED, ruling=Ruling(into="UM-1"))
        refused, taken = [await result(stores, payer, each) for each in (nowhere, into)]

        assert (refused.status, refused.on_file) == ("conflict", "UM-1")
        assert (taken.authorization_id, taken.status, taken.version) == ("UM-1", "updated", 2)
        assert await found(stores, payer, build_claim()) == ["UM-1"]
        assert await push(stores, payer, FEED) == ["conflict"]
        assert await push(stores, payer, um(3, "UM-1")) == ["updated"]

    ground.run(scenario)


def test_somebody_says_that_it_is_another_grant(ground: Ground, payer: str) -> None:
    """That holds for all its versions, and the same message again is the same."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, UM)
        apart = replace(FEED, ruling=Ruling(is_distinct=True))
        newer = um(FEED.authorization.version + 1, MADE)

        assert await push(stores, payer, apart) == ["created"]
        assert await push(stores, payer, FEED) == ["unchanged"]
        assert await push(stores, payer, newer) == ["updated"]
        assert await push(stores, payer, um(2, "UM-1")) == ["updated"]
        assert len(await found(stores, payer, build_claim())) == 2

    ground.run(scenario)


def test_either_id_of_a_merged_person_is_the_same_person(ground: Ground, payer: str) -> None:
    """What is made of a number is the grant on file; what has an id of its own is held."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, FEED)
        await stores.merging.run(payer, Wish(member="M0001", into="M2"))
        later = version_of(
            FEED.authorization.version + 1,
            authorization_id=grant_id("authorization", "M2", "AU-1"),
            number="AU-1",
            member={"id": "M2"},
        )
        told = await result(stores, payer, later)
        other = await result(stores, payer, um(member={"id": "M2"}))

        assert (told.authorization_id, told.status) == (MADE, "updated")
        assert (other.code, other.on_file) == ("duplicate-grant", MADE)
        for member in ("M0001", "M2"):
            assert await found(stores, payer, build_claim(member={"id": member})) == [MADE]

    ground.run(scenario)


def born(version: int, day: str) -> Pushed:
    """A message under the id of the mother's grant, for who was born on a day."""
    member = {"id": "M0001", "birth_date": day}
    return um(version, MADE, member=member)


def test_a_message_takes_nothing_from_another_person(ground: Ground, payer: str) -> None:
    """By no id that was made of a message; who sends an id of its own may correct its member."""

    async def scenario(stores: Stores) -> None:
        child = born(6, "2026-03-01")
        other: dict[str, Any] = {"member": {"id": "M2"}}
        await push(stores, payer, born(5, "1990-01-01"), um(number="X"))
        shared = await result(stores, payer, child)
        moved = await result(stores, payer, um(7, MADE, **other))
        message = await result(
            stores, payer, replace(um(2, number="X", **other), keeps_person=True)
        )

        for told in (shared, moved, message):
            assert (told.status, told.code) == ("conflict", "other-person")
        assert await push(stores, payer, replace(child, ruling=Ruling(into=MADE))) == ["updated"]
        assert await push(stores, payer, um(3, number="X", **other)) == ["updated"]
        await stores.entrance.withdraw(payer, MADE, 8)
        assert await push(stores, payer, um(9, MADE, **other)) == ["updated"]

    ground.run(scenario)


def test_a_corrected_member_leaves_the_number_free(ground: Ground, payer: str) -> None:
    """What went to another person is in nobody's way."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, UM)
        await push(stores, payer, um(2, "UM-1", member={"id": "M2"}))

        assert await push(stores, payer, um()) == ["created"]
        assert await push(stores, payer, um(name="UM-3", member={"id": "M2"})) == ["conflict"]

    ground.run(scenario)
