"""Counters of a member: kept, rested, rebuilt and compared as all that claims hold."""

import asyncio
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.adjudication import Adjudication
from tests.api.bodies import claim_body
from tests.ground import Ground
from tests.movements import Mover, forget
from tests.stores.merging import adjudicated, differences, merge
from tests.stores.test_archive import in_redis, rest


def visiting(claim_id: str, *days: int, member: str = "M1", **claim: Any) -> Adjudication:
    """A claim of visits for nutrition counseling on days of March."""
    body = claim_body(claim_id=claim_id, member={"id": member}) | claim
    usual = {**body["lines"][0], "procedure": "97802", "units": "1"}
    body["lines"] = [
        {**usual, "line": at, "from": f"2026-03-{day:02}"} for at, day in enumerate(days, start=1)
    ]
    return Adjudication.model_validate(body)


async def number_of(stores: Stores, payer: str, claim: Adjudication, **run: Any) -> Any:
    """Which visit of the year the last line is."""
    answer = await adjudicated(stores, payer, claim, **run)
    requirement = answer["lines"][-1]["requirement"]
    assert requirement is not None
    return requirement["counted"]["nutrition_visits"]


def test_counters_at_rest_come_back(ground: Ground, payer: str) -> None:
    """A year of visits is counted on, also where nobody came for long."""

    async def scenario(stores: Stores) -> None:
        assert await number_of(stores, payer, visiting("C1", 1, 2, 3)) == 3
        assert await rest(stores, payer) == 2
        assert await in_redis(stores, payer) == set()
        assert await number_of(stores, payer, visiting("C2", 4), dry=True) == 4
        assert await number_of(stores, payer, visiting("C2", 4)) == 4
        assert await rest(stores, payer) == 2
        # What it was counted before comes back with the claim, and is not counted twice.
        assert await number_of(stores, payer, visiting("C1", 1, 2, 3, version=2)) == 4
        assert await differences(stores, payer) == []

    ground.run(scenario)


def test_counters_are_rebuilt(own: Ground, payer: str) -> None:
    """From the ledger, with what steps and replacements gave back."""

    async def scenario(stores: Stores) -> None:
        await adjudicated(stores, payer, visiting("C1", 1, 2, 3))
        await adjudicated(stores, payer, visiting("C2", 3, 4, stage="preliminary"))
        await adjudicated(stores, payer, visiting("C2", 4, 5, stage="preliminary", version=2))
        await adjudicated(stores, payer, visiting("C3", 6, frequency="7", original_claim_id="C1"))
        await Mover(stores, payer).change("C2", "released")
        await adjudicated(stores, payer, visiting("C4", 7, 8))
        before = await stores.reconciliation.run([payer])
        assert before.difference_count == 0
        await forget(stores, payer)
        async with own.stores() as fresh:
            made = await fresh.rebuilding.run([])
            assert (made.differences, made.digest) == ([], before.digest)
            assert await number_of(fresh, payer, visiting("C5", 9), dry=True) == 4

    own.run(scenario)


def test_one_person_has_one_count(ground: Ground, payer: str) -> None:
    """Visits that were billed under an id that was merged count on."""

    async def scenario(stores: Stores) -> None:
        assert await number_of(stores, payer, visiting("C1", 1, 2, member="OLD")) == 2
        assert await number_of(stores, payer, visiting("C2", 2, 3, member="NEW")) == 2
        await merge(stores, payer, "OLD", "NEW")
        assert await number_of(stores, payer, visiting("C3", 4, member="NEW"), dry=True) == 4
        assert await number_of(stores, payer, visiting("C3", 4, member="OLD")) == 4
        assert await number_of(stores, payer, visiting("C1", 1, 2, member="NEW", version=2)) == 4
        assert await differences(stores, payer) == []

    ground.run(scenario)


@pytest.mark.parametrize("members", [1, 6])
def test_claims_at_once_are_numbered_one_after_the_other(
    ground: Ground, payer: str, members: int
) -> None:
    """Each number is given once to a member, however many claims come together."""

    async def scenario(stores: Stores) -> None:
        claims = [
            visiting(f"C{day}-{member}", day, member=f"M{member}")
            for day in range(1, 7)
            for member in range(members)
        ]
        numbers = await asyncio.gather(*(number_of(stores, payer, each) for each in claims))
        assert sorted(numbers) == sorted([*range(1, 7)] * members)
        assert await differences(stores, payer) == []

    ground.run(scenario)
