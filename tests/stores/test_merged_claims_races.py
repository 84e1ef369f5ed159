"""Claims are drawn, changed and sent twice under both ids while members are merged."""

import asyncio
from contextlib import suppress
from random import Random

import pytest

from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.claim_life import Step
from tests.ground import Ground, push, seeds
from tests.movements import forget
from tests.stores.merging import (
    UNITS,
    adjudicated,
    claimed,
    differences,
    merge,
    pushed,
    used,
)
from tests.stores.moving import Journey, fault_at, step, tries

pytestmark = pytest.mark.cluster

LIMIT = 10


async def held(stores: Stores, payer: str, known: list[str]) -> int:
    """The units that claims hold."""
    units, books = 0, stores.accumulators
    for claim_id in known:
        claim = await books.read_claim(payer, claim_id)
        if claim.is_held:
            units += sum(row.units for row in claim.rows)
    return units // SCALE


async def one_claim(
    stores: Stores, payer: str, claim_id: str, members: tuple[str, ...], chance: Random
) -> None:
    """Send a claim under one id or another, once or again, and perhaps change it."""
    for version in range(1, chance.randint(2, 4)):
        claim = claimed(claim_id, chance.choice(members), chance.randint(1, 2), version=version)
        try:
            await adjudicated(stores, payer, claim, again=chance.random() < 0.3)
            if chance.random() < 0.4:
                name: Step = chance.choice(("reverse", "finalize"))
                await step(Journey(stores, payer), name, claim_id)
        except Conflict:
            pass


@pytest.mark.parametrize("seed", seeds(1, 4))
def test_units_are_exact_while_members_are_merged(ground: Ground, payer: str, seed: int) -> None:
    """No claim is lost, none counts twice, and no unit beyond the limit is granted."""

    async def scenario(stores: Stores) -> None:
        chance = Random(seed)
        members = ("M1", "M2", "M3")
        await push(stores, payer, pushed("A1", "M1", **UNITS), pushed("A2", "M2", **UNITS))
        names = [f"C{number}" for number in range(12)]
        before = names[:4]
        for claim_id in before:
            await adjudicated(stores, payer, claimed(claim_id, chance.choice(members[:2])))
        async with ground.stores() as second:
            drawing = [
                asyncio.create_task(
                    one_claim(
                        (stores, second)[number % 2],
                        payer,
                        claim_id,
                        ("M1",) if number % 3 else ("M2",),
                        Random(f"{seed} {number // 2}"),
                    )
                )
                for number, claim_id in enumerate([*names, *names])
            ]
            await merge(stores, payer, "M1", "M2")
            await merge(second, payer, "M2", "M3")
            await asyncio.gather(*drawing)
            total = await used(stores, payer, "A1") + await used(stores, payer, "A2")
            assert (await held(stores, payer, names), await differences(stores, payer)) == (
                total,
                [],
            )
            for each in ("A1", "A2"):
                assert await used(stores, payer, each) <= LIMIT
            for claim_id in names:
                await step(Journey(second, payer), "reverse", claim_id)
            assert await used(stores, payer, "A1") + await used(stores, payer, "A2") == 0
            assert await differences(stores, payer) == []

    ground.run(scenario)


@pytest.mark.parametrize("seed", seeds(1, 3))
def test_what_is_rebuilt_is_what_was_lost(own: Ground, payer: str, seed: int) -> None:
    """After claims and merges, some of which stopped half-way and went on later."""

    async def scenario(stores: Stores) -> None:
        chance, known = Random(seed), []
        members = ["M1", "M2", "M3"]
        await push(stores, payer, *(pushed(f"A{each}", each, **UNITS) for each in members))
        for number in range(24):
            claim_id = f"C{number}"
            known.append(claim_id)
            await adjudicated(stores, payer, claimed(claim_id, chance.choice(members)))
            if number in (8, 16):
                into = members[number // 8]
                with fault_at(chance.randint(1, 6), is_done=chance.random() < 0.5):
                    await tries(merge(stores, payer, members[number // 8 - 1], into))
                await merge(stores, payer, members[number // 8 - 1], into)
            again = claimed(chance.choice(known), chance.choice(members), version=number + 2)
            with suppress(Conflict):  # of a member who is somebody else yet
                await adjudicated(stores, payer, again)
        units = await held(stores, payer, known)
        assert units == sum([await used(stores, payer, f"A{each}") for each in members]) > 0
        before = await stores.reconciliation.run([payer])
        assert [each for *_, each in before.differences] == []

        await forget(stores, payer)
        async with own.stores() as fresh:
            made = await fresh.rebuilding.run([])
            assert made.differences == []
            assert made.digest == before.digest
            assert await held(fresh, payer, known) == units
            assert (await adjudicated(fresh, payer, claimed("C99", "M1")))["member"] == {
                **{"id": "M1", "merged_into": "M3"}
            }
        assert await differences(stores, payer) == []

    own.run(scenario)
