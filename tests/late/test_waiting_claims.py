"""Which claims wait, until when, and that Redis, the ledger and a rebuild agree on it."""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import pytest

from service.domain.adjudication import Adjudication, content_of
from service.domain.candidate import Found
from service.domain.person import Person
from service.querying.search import Search
from tests.flow.random_papers import Papers
from tests.ground import Ground
from tests.late.office import Office, dispositions, run
from tests.movements import forget

Step = dict[str, Any]
"""A claim that is sent (``claim_id`` and what it says), or a step of the life of C-1."""

VOID, REPLACED = (
    {"claim_id": "C-2", "frequency": each, "original_claim_id": "C-1"} for each in ("8", "7")
)


@pytest.mark.parametrize(
    ("steps", "waiting"),
    [
        ([], ["C-1"]),
        ([{"stage": "preliminary", "version": 2}], ["C-1"]),
        ([{"stage": "preliminary", "version": 2}, {"stage": "final", "version": 2}], ["C-1"]),
        ([{"stage": "preliminary", "version": 2}, {"step": "release"}], []),
        ([{"step": "reverse"}], []),
        ([{"step": "reverse"}, {"version": 2}], ["C-1"]),
        ([{"version": 2, "line": {"procedure": "99999"}}], []),
        ([VOID], []),
        ([REPLACED], ["C-2"]),
    ],
)
def test_a_claim_waits_as_long_as_it_is_in_force(
    ground: Ground, payer: str, steps: list[Step], waiting: list[str]
) -> None:
    """Not once it is reversed, released, void or replaced, or needs nothing any more."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        for each in steps:
            given = dict(each)
            if step := given.pop("step", None):
                await desk.change(step)
            else:
                await desk.adjudicate(**given)
        assert await desk.waiting() == waiting

    run(ground, payer, scenario)


def test_a_push_that_comes_while_a_claim_is_matched_is_not_missed(
    ground: Ground, payer: str
) -> None:
    """It does not see the claim waiting yet: the claim sees the mark, and is matched anew."""

    async def scenario(desk: Office) -> None:
        search, pushed = desk.stores.search.search, list[str]()

        async def push_after(payer: str, person: Person, wanted: Search) -> Found:
            found = await search(payer, person, wanted)
            if not pushed:
                pushed.append(await desk.push())
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(desk.stores.search, "search", push_after)
            answer = await desk.adjudicate()
        assert (pushed, dispositions(answer)) == (["created"], ["pay"])
        assert (await desk.waiting(), await desk.queued()) == ([], 0)

    run(ground, payer, scenario)


def test_whoever_is_quicker_no_claim_is_missed(ground: Ground, payer: str) -> None:
    """Claims and their authorizations come at the same time: each is paid, or found."""
    members = [f"M{each:02}" for each in range(30)]
    chance = random.Random(7)

    async def scenario(desk: Office) -> None:
        async def soon(work: Awaitable[Any]) -> Any:
            await asyncio.sleep(chance.uniform(0, 0.02))
            return await work

        answers = await asyncio.gather(
            *(soon(desk.adjudicate(claim_id=f"C-{each}", member={"id": each})) for each in members),
            *(
                soon(desk.push(authorization_id=f"A-{each}", number="AU-1", member={"id": each}))
                for each in members
            ),
        )
        early = [
            answer["claim_id"]
            for answer in answers[: len(members)]
            if dispositions(answer) == ["suspend"]
        ]
        assert await desk.work() == ["worklist"] * len(early)
        assert all([await desk.item(each) for each in early])

    run(ground, payer, scenario)


@pytest.mark.parametrize("seed", range(50))
def test_a_claim_is_kept_as_it_was_sent(seed: int) -> None:
    """What is kept says the same, and once more the same when it is kept again."""
    claim = Papers(seed).claim("C-1", "M0001").model_dump(by_alias=True)
    sent = claim | {"stage": "preliminary", "by": "jo", "reason": "because"}
    kept = content_of(Adjudication.model_validate(sent))

    assert content_of(Adjudication.model_validate_json(kept)) == kept
    assert b"because" not in kept


def test_claims_that_wait_are_made_anew_from_the_ledger(own: Ground, payer: str) -> None:
    """After Redis has lost them, with what stood in the queue; the books agree before and after."""
    claims = {"C-1": "M0001", "C-2": "M0001", "C-3": "M0002", "C-4": "M0001"}

    async def scenario(desk: Office) -> None:
        for name, member in claims.items():
            await desk.adjudicate(claim_id=name, member={"id": member})
        await desk.change("reverse", "C-4")
        before = await desk.stores.reconciliation.run([payer])
        assert (before.difference_count, await desk.waiting()) == (0, ["C-1", "C-2"])

        await desk.push()
        await forget(desk.stores, payer)
        assert (await desk.waiting(), await desk.queued()) == ([], 0)
        made = await desk.stores.rebuilding.run([])
        assert (made.digest, made.differences) == (before.digest, [])
        await desk.stores.visibility.refresh()
        await desk.stores.late_queue.note_all(made.waiting)
        assert await desk.work() == ["worklist", "worklist"]
        assert (await desk.waiting(), await desk.waiting("M0002")) == (["C-1", "C-2"], ["C-3"])
        assert (await desk.stores.reconciliation.run([payer])).difference_count == 0

        await desk.push(authorization_id="A2", member={"id": "M0002"})
        assert await desk.work() == ["worklist"]

    run(own, payer, scenario)


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_claim_that_should_wait_or_should_not_is_named(
    ground: Ground, payer: str, is_lost: bool
) -> None:
    """By a comparison of the books."""

    async def scenario(desk: Office) -> None:
        ground.spoiled.add(payer)
        await desk.adjudicate()
        book = desk.stores.visibility.keys.book(payer)
        waiting = book.waiting(book.owner("M0001"))
        if is_lost:
            await desk.stores.redis.zrem(waiting, "C-1")
        else:
            await desk.stores.redis.zadd(waiting, {"C-9": 0})
        found = await desk.stores.reconciliation.run([payer])
        (difference,) = [each for *_, each in found.differences]
        told = difference.field, difference.expected, difference.found
        assert told == (("C-1", "0", "nothing") if is_lost else ("C-9", "nothing", "0"))

    run(ground, payer, scenario)
