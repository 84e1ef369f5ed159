"""What a person has twice under different numbers is stored, and told."""

import asyncio
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed
from service.stores.authorizations.overlaps import SEEN_AT_ONCE_MAX, Asked
from service.stores.members.merge import Wish
from tests.ground import Ground, push, version_of

FIRST = version_of(1, authorization_id="A1", number="N-1")


def second(version: int = 1, **changes: Any) -> Pushed:
    """Another one under another number."""
    return version_of(version, **({"authorization_id": "A2", "number": "N-2"} | changes))


async def told(stores: Stores, payer: str, *pushed: Pushed) -> list[tuple[str, ...]]:
    """What is told of each push."""
    results = await stores.authorizations.push(payer, pushed)
    assert {each.status for each in results} <= {"created", "updated"}
    return [each.overlaps for each in results]


async def read(stores: Stores, payer: str, pushed: Pushed) -> tuple[str, ...]:
    """What is told to who reads it."""
    authorization = pushed.authorization
    ids = (await stores.members.person(payer, authorization.member.id)).ids
    found = await stores.overlaps.of(payer, [Asked(authorization, ids)])
    return found.get(authorization.authorization_id, ())


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (second(), True),
        (second(number=None), True),
        (second(effective={"from": "2026-05-31", "to": "2026-12-31"}), True),
        (second(servicing_provider={"npi": "1234567893"}), True),
        (second(servicing_provider=None), True),
        (second(decision={"action": "A6"}), True),
        (second(servicing_provider={"npi": "1999999984"}), False),
        (second(effective={"from": "2026-06-01"}), False),
        (second(line={"procedure": {"from": "70551"}}), False),
        (second(member={"id": "M2"}), False),
        (second(kind="referral"), False),
        (second(decision={"action": "A3"}), False),
        (second(decision={"action": "A4"}), False),
        (second(decision={"action": "C"}), False),
        (second(supersedes="A1"), False),
        (second(number="N-1", distinct=True), False),
    ],
)
def test_who_grants_the_same_again_is_told_so(
    ground: Ground, payer: str, other: Pushed, overlaps: bool
) -> None:
    """By the same provider on the same days; in the result, and to who reads either of them."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, FIRST)
        expected = ("A1",) if overlaps else ()

        assert await told(stores, payer, other) == [expected]
        assert await read(stores, payer, other) == expected
        if "supersedes" not in other.source:  # what is superseded stands no more
            assert await read(stores, payer, FIRST) == (("A2",) if overlaps else ())

    ground.run(scenario)


def test_what_comes_in_one_batch_sees_each_other(ground: Ground, payer: str) -> None:
    """However large it is; the member of another one is not looked at."""

    async def scenario(stores: Stores) -> None:
        many = [
            second(authorization_id=f"B{each}", number=f"N{each}", member={"id": f"M{each}"})
            for each in range(SEEN_AT_ONCE_MAX)
        ]

        assert await told(stores, payer, FIRST, second(), *many) == [
            ("A2",), ("A1",), *[()] * len(many),
        ]  # fmt: skip

    ground.run(scenario)


def test_more_members_are_pushed_at_once_than_an_address_can_name(
    ground: Ground, payer: str
) -> None:
    """Then all shards are asked; each is told of his own."""
    members = [f"M{number:099}" for number in range(SEEN_AT_ONCE_MAX * 3)]

    def of_each(letter: str) -> list[Pushed]:
        return [
            second(authorization_id=f"{letter}{at}", number=f"{letter}{at}", member={"id": each})
            for at, each in enumerate(members)
        ]

    async def scenario(stores: Stores) -> None:
        assert set(await told(stores, payer, *of_each("B"))) == {()}
        await stores.visibility.ensure_all()
        found = await told(stores, payer, *of_each("C"))
        assert found == [(f"B{at}",) for at in range(len(members))]

    ground.run(scenario)


def test_either_id_of_a_person_is_looked_at(ground: Ground, payer: str) -> None:
    """A merged member has what both ids have."""

    async def scenario(stores: Stores) -> None:
        other = second(member={"id": "M2"})
        await push(stores, payer, FIRST, other)
        assert await read(stores, payer, other) == ()
        await stores.merging.run(payer, Wish(member="M0001", into="M2"))

        assert await read(stores, payer, other) == ("A1",)
        assert await told(stores, payer, second(2, member={"id": "M2"})) == [("A1",)]

    ground.run(scenario)


def test_what_is_delivered_later_waits_for_nobody(ground: Ground, payer: str) -> None:
    """A push looks for others while pushes of its own member wait in the outbox."""

    async def scenario(stores: Stores) -> None:
        await stores.outbox.put(payer, [FIRST, second()])
        count = await asyncio.wait_for(stores.courier.deliver(payer), 60)

        assert count == 2
        assert await read(stores, payer, FIRST) == ("A2",)

    ground.run(scenario)
