"""The member of an authorization changes while claims draw on it, and in any order of faults."""

import asyncio
from random import Random
from typing import Any

import pytest

from service.accounting.books.books import AuthorizationChanged, ClaimMoved
from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.domain.person import Person
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.claim_life import Step
from tests.ground import Ground, seeds
from tests.movements import Mover, forget
from tests.stores.moving import ID, LIMIT, Journey, fault_at, limits, step, tries

pytestmark = pytest.mark.cluster

MEMBERS = ("M1", "M2", "M3")


async def claims(journey: Journey, name: str, ended: asyncio.Event, chance: Random) -> list[str]:
    """Draw one unit after the other for a member with whom it stands, and give some back."""
    known: list[str] = []
    while not ended.is_set():
        member, claim_id = chance.choice(MEMBERS), f"{name}-{len(known)}"
        standing = await journey.stores.reading.standing(journey.payer, Person.of(member), [ID])
        if ID not in standing or not standing[ID].current:
            continue
        await asyncio.sleep(chance.random() / 100)
        mover = Mover(journey.stores, journey.payer, member)
        mover.version = standing[ID].authorization.version
        known.append(claim_id)
        try:
            await mover.draw(claim_id, 1, of=limits(), state="reserved")
            if chance.random() < 0.7:
                name_of_step: Step = chance.choice(("finalize", "reverse"))
                await step(journey, name_of_step, claim_id)
        except (AuthorizationChanged, ClaimMoved, Conflict):
            pass
    return known


async def held(journey: Journey, known: list[str]) -> int:
    """The units that claims hold."""
    units, books = 0, journey.stores.accumulators
    for claim_id in known:
        claim = await books.read_claim(journey.payer, claim_id)
        if claim.is_held:
            units += sum(row.units for row in claim.rows)
    return units // SCALE


@pytest.mark.parametrize("seed", seeds(1, 4))
def test_units_are_never_over_the_limit_while_the_member_changes(
    ground: Ground, payer: str, seed: int
) -> None:
    """Whatever was matched a moment ago is drawn; the sum of what is held is what is used."""

    async def scenario(stores: Stores) -> None:
        chance, ended = Random(seed), asyncio.Event()
        async with ground.stores() as second:
            journey = Journey(stores, payer)
            await journey.to("M1")
            drawing = [
                asyncio.create_task(
                    claims(Journey(each, payer), f"C{number}", ended, Random(f"{seed} {number}"))
                )
                for number, each in enumerate((stores, second) * 4)
            ]
            for number in range(8):
                await journey.to(
                    chance.choice([each for each in MEMBERS if each != journey.member])
                )
                assert sum(await journey.balance()) <= LIMIT
                if number % 2:
                    await asyncio.sleep(0.05)
                    assert sum(await journey.balance()) <= LIMIT
            ended.set()
            known = [name for names in await asyncio.gather(*drawing) for name in names]
            units = await held(journey, known)
            assert sum(await journey.balance()) == units > 0
            assert await journey.differences() == []

    ground.run(scenario)


@pytest.mark.parametrize("seed", seeds(1, 3))
def test_pushes_at_once_keep_the_balances_together(ground: Ground, payer: str, seed: int) -> None:
    """Versions of several members overtake one another; all is with the newest at the end."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            journey, other = Journey(stores, payer), Journey(second, payer)
            chance = Random(seed)
            await journey.to("M1")
            assert await journey.draw("C1", 3) == 3
            for round_ in range(4):
                members = [chance.choice(MEMBERS) for _ in range(3)]
                pushes = []
                for number, member in enumerate(members, start=1):
                    version = journey.version + number
                    worker = Journey((stores, second)[number % 2], payer, member, version)
                    pushes.append(worker.again())
                await asyncio.gather(*pushes)
                journey.member, journey.version = members[-1], journey.version + 3
                other.member, other.version = journey.member, journey.version
                assert await journey.balance() == (3 + round_, 0)
                assert await other.draw(f"C-{round_}", 1) == 1
            assert await journey.draw("C9", 9) == LIMIT - 7
            assert await journey.differences() == []

    ground.run(scenario)


@pytest.mark.parametrize("seed", seeds(1, 4))
def test_what_is_rebuilt_is_what_was_lost(own: Ground, payer: str, seed: int) -> None:
    """After claims and moves in any order, some of which stopped half-way and went on later."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M0")
        known = await some_of_everything(journey, Random(seed))
        assert await held(journey, known) > 0
        balance = await journey.balance()
        assert sum(balance) <= LIMIT
        before = await stores.reconciliation.run([payer])
        assert [each for *_, each in before.differences] == []

        await forget(stores, payer)
        async with own.stores() as fresh:
            made = await fresh.rebuilding.run([])
            assert made.differences == []
            assert made.digest == before.digest
        after = await stores.reconciliation.run([payer])
        assert (after.difference_count, after.digest) == (0, before.digest)
        await journey.to("M9")
        assert await journey.balance() == balance
        assert await journey.differences() == []

    own.run(scenario)


async def some_of_everything(journey: Journey, chance: Random) -> list[str]:
    """Draw, change and push with other members, a third of it with a fault at some step."""
    known: list[str] = []
    for number in range(40):
        action = chance.choice(("draw", "draw", "change", "change", "push"))
        faulty = chance.randint(1, 6) if chance.random() < 0.35 else 0
        with fault_at(faulty, is_done=chance.random() < 0.5):
            if action == "draw":
                days = tuple(f"2026-11-{chance.randint(1, 4):02}" for _ in range(2))
                debit: Any = chance.choice(({}, {"day_tokens": days[:1]}, {"unit_tokens": days}))
                state, want = chance.choice(("used", "reserved")), chance.randint(1, 3)
                await tries(journey.draw(f"C{number}", want, state=state, **debit))
                known.append(f"C{number}")
            elif action == "change" and known:
                await tries(changed(journey, chance))
            elif action == "push":
                is_whole = await tries(journey.to(f"M{chance.randint(0, 3)}"))
        if action == "push":
            while not is_whole:
                again = journey.again() if chance.random() < 0.5 else journey.to("M2")
                is_whole = await tries(again)
    return known


async def changed(journey: Journey, chance: Random) -> None:
    """Take a step with one of the claims that were drawn, if it is in a state for it."""
    claim_id = f"C{chance.randint(0, 39)}"
    if (await journey.stores.accumulators.read_claim(journey.payer, claim_id)).is_known:
        name: Step = chance.choice(("finalize", "reverse", "release"))
        try:
            await step(journey, name, claim_id)
        except Conflict:
            return
