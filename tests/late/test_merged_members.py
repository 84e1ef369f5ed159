"""Late authorizations, and pushes that wait, of a person who had two member ids."""

import asyncio

import pytest

from tests.builders import build_claim
from tests.ground import Ground, found, version_of
from tests.late.office import Office, dispositions, run
from tests.stores.merging import differences, merge

pytestmark = pytest.mark.cluster

OLD, NEW = "M0001", "M2"


async def has_merged(desk: Office, into: str = NEW) -> None:
    """Merge the member of the usual claim into another."""
    await merge(desk.stores, desk.payer, OLD, into)


async def waiting(desk: Office) -> list[str]:
    """The claims of the person that wait, under whichever id."""
    return [*await desk.waiting(OLD), *await desk.waiting(NEW)]


@pytest.mark.parametrize("sent_under", [OLD, NEW])
@pytest.mark.parametrize("pushed_under", [OLD, NEW])
def test_a_claim_of_before_a_merge_is_found_by_what_comes_after(
    ground: Ground, payer: str, sent_under: str, pushed_under: str
) -> None:
    """It waits under the id under which it came; a push under either id finds it."""

    async def scenario(desk: Office) -> None:
        assert dispositions(await desk.adjudicate(member={"id": sent_under})) == ["suspend"]
        await has_merged(desk)
        assert await desk.work() == []
        await desk.push(member={"id": pushed_under})
        assert await desk.work() == ["worklist"]
        item = await desk.item()
        assert item is not None
        assert (item.member_id, item.is_open) == (sent_under, True)
        assert await desk.stores.waiting.stand(payer, [item]) == [True]

    run(ground, payer, scenario)


@pytest.mark.parametrize(("waits", "has_it"), [(OLD, NEW), (NEW, OLD)])
def test_a_merge_itself_may_help_a_claim_that_waits(
    ground: Ground, payer: str, waits: str, has_it: str
) -> None:
    """The authorization was there all the time, under the other id."""

    async def scenario(desk: Office) -> None:
        await desk.push(member={"id": has_it})
        assert dispositions(await desk.adjudicate(member={"id": waits})) == ["suspend"]
        assert await desk.work() == []
        await has_merged(desk)
        assert await desk.work() == ["worklist"]

    run(ground, payer, scenario)


@pytest.mark.parametrize("is_sent_under", [OLD, NEW])
def test_a_claim_that_waits_goes_on_waiting(ground: Ground, payer: str, is_sent_under: str) -> None:
    """Once, when it is drawn anew; the books agree, and it is adjudicated in the end."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate(member={"id": OLD})
        await has_merged(desk)
        await desk.adjudicate(member={"id": is_sent_under}, version=2)
        assert await waiting(desk) == ["C-1"]
        assert await differences(desk.stores, payer) == []
        await desk.push(member={"id": NEW})
        assert await desk.work() == ["automatic"]
        assert await desk.stored() == ["pay"]
        assert await waiting(desk) == []
        assert await differences(desk.stores, payer) == []

    run(ground, payer, scenario, late_authorizations="automatic")


def test_a_claim_is_adjudicated_anew_where_its_person_is_now(ground: Ground, payer: str) -> None:
    """It waited under the old id until then, and what is offered closes."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate(member={"id": OLD})
        await has_merged(desk)
        await desk.push(member={"id": NEW})
        assert await desk.work() == ["automatic"]
        assert await desk.stored() == ["pay"]
        assert await desk.used() > 0
        assert await waiting(desk) == []
        assert await differences(desk.stores, payer) == []

    run(ground, payer, scenario, late_authorizations="automatic")


def test_an_offer_ends_when_its_claim_went_and_was_drawn_anew(ground: Ground, payer: str) -> None:
    """What it was before is not taken for it."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate(member={"id": OLD})
        await has_merged(desk)
        await desk.push(member={"id": NEW})
        assert await desk.work() == ["worklist"]
        item = await desk.item()
        assert item is not None
        assert await desk.stores.waiting.stand(payer, [item]) == [True]
        assert await waiting(desk) == ["C-1"]
        await desk.adjudicate(member={"id": OLD}, version=2)
        assert await desk.stores.waiting.stand(payer, [item]) == [False]

    run(ground, payer, scenario)


@pytest.mark.parametrize("claimed_under", [OLD, NEW])
@pytest.mark.parametrize("pushed_under", [OLD, NEW])
def test_a_push_that_waits_in_the_outbox_is_seen_under_both_ids(
    ground: Ground, payer: str, pushed_under: str, claimed_under: str
) -> None:
    """It stands there under the id with which it was sent, and is stored under that."""

    async def scenario(desk: Office) -> None:
        await has_merged(desk)
        await desk.stores.outbox.put(payer, [version_of(1, member={"id": pushed_under})])
        claim = build_claim(member={"id": claimed_under})
        assert await found(desk.stores, payer, claim) == ["A1"]
        stored = await desk.stores.reading.get(payer, "A1")
        assert stored is not None
        assert stored.state["member_id"] == pushed_under

    run(ground, payer, scenario)


def test_no_push_is_missed_by_a_claim_while_its_member_is_merged(
    ground: Ground, payer: str
) -> None:
    """Whatever comes first: in the end the claims are paid."""

    async def scenario(desk: Office) -> None:
        old, new = OLD, NEW
        await asyncio.gather(
            merge(desk.stores, payer, old, new),
            desk.adjudicate(member={"id": old}),
            desk.push(member={"id": old}),
            desk.adjudicate(member={"id": new}, claim_id="C-2"),
        )
        await desk.work()
        assert await desk.stored("C-1") == ["pay"]
        assert await desk.stored("C-2") == ["pay"]
        assert await differences(desk.stores, payer) == []

    run(ground, payer, scenario, late_authorizations="automatic")
