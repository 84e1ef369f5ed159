"""A set judges a share of the claims first, is widened or taken back, by people or by its bands."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.application import claims, rules, rules_stages
from service.application.parts import application
from service.application.rules_stages import StageAsked, WidenAsked
from service.domain.claim import Claim
from service.rules.book import EVERYBODY
from service.rules.life import StepRefused
from tests.api.bodies import claim_body
from tests.application.office import TITLE, WEIGHT, Edit, Office, in_office, office
from tests.ground import Ground, push, separate, version_of
from tests.ground import ground as ground
from tests.ground import payer as payer

CLAIMS = 40
FEW: Edit = ("reference/bands.yaml", "", 'kind: bands\nversion: "1"\nclaims_min: 8\n')


@pytest.fixture(scope="module")
def shared(ground: Ground) -> Iterator[Ground]:
    """Indices of their own for all tests here: some change the rules of all payers."""
    with separate(ground) as made:
        yield made


async def judged(
    people: Office, names: range = range(CLAIMS), **changes: Any
) -> dict[str, set[int]]:
    """By the number of a set, the claims that it judges."""
    found: dict[str, set[int]] = {}
    for name in names:
        claim = Claim.model_validate(claim_body(claim_id=f"C-{name}"))
        answer = await claims.match(people.of("ann"), claim)
        found.setdefault(answer["rules"]["set"].partition(":")[0], set()).add(name)
    return found


async def stage_of(people: Office) -> dict[str, Any] | None:
    """The set in stages, and how it does."""
    found: dict[str, Any] | None = (await rules_stages.in_force(people.of("ann")))["stage"]
    return found


async def widened(people: Office, share: int, **more: Any) -> dict[str, Any]:
    """The set in stages judges so many percent."""
    asked = WidenAsked(reason="it does well", share=share, **more)
    return await rules_stages.widen(people.of("lee"), asked)


async def actions(people: Office) -> list[tuple[str, str, int | None]]:
    """What was done, by whom, with which set; the last three, the newest last."""
    history = await rules.history(people.of("ann"), None, size=3, after=None)
    return [
        (each["action"], each["who"]["by"], each["number"]) for each in reversed(history["items"])
    ]


def test_a_set_judges_a_share_then_more_then_all(shared: Ground, payer: str) -> None:
    """Claims that it judged stay with it; each worker agrees; rolled back, all is as before."""

    async def work(people: Office) -> None:
        made = await people.publish(await people.approved(WEIGHT), share=30)
        number, before = str(made["number"]), str(made["over"])
        assert (made["state"], made["made"]["action"]) == ("staged", "stage")
        few = await judged(people)
        assert few.keys() == {before, number}
        assert await judged(people) == few
        async with application(shared.settings) as other:
            assert await judged(Office(other, people.payer)) == few

        await widened(people, 60)
        more = await judged(people)
        assert few[number] < more[number]
        shown = await widened(people, 100)
        assert shown["stage"] is None
        assert await judged(people) == {number: set(range(CLAIMS))}
        assert (await people.sets()) == [(made["number"], None, "active")]
        assert await actions(people) == [
            ("stage", "key:pat", made["number"]),
            ("widen", "key:lee", made["number"]),
            ("widen", "key:lee", made["number"]),
        ]
        assert (await people.rollback())["restores"] == made["over"]

    in_office(shared, payer, work)


def test_a_set_is_taken_back(shared: Ground, payer: str) -> None:
    """If it is the one that was seen: all claims are judged as before; it can be restored."""

    async def work(people: Office) -> None:
        before = await judged(people)
        made = await people.publish(await people.approved(WEIGHT), share=50)
        number = made["number"]
        with pytest.raises(StepRefused, match=rf"set {number} is in stages by now"):
            await widened(people, 100, number=number - 1)
        with pytest.raises(StepRefused, match=rf"set {number} is in stages by now"):
            await rules_stages.take_back(people.of("lee"), StageAsked(reason="x", number=1))
        back = StageAsked(reason="too many reviews", number=number)
        await rules_stages.take_back(people.of("lee"), back)

        assert await judged(people) == before
        known = await rules.version(people.of("ann"), made["number"])
        assert known["state"] == "retired"
        with pytest.raises(StepRefused, match="no set is on its way in stages"):
            await widened(people, 50)
        again = await people.rollback(to=made["number"])
        assert again["hash"] == made["hash"]

    in_office(shared, payer, work)


def test_one_payer_comes_first(shared: Ground, payer: str) -> None:
    """Of all that have no rules of their own; then everybody."""

    async def work(people: Office) -> None:
        everybody = people
        one, other = (Office(people.parts, name) for name in (f"{payer}-1", f"{payer}-2"))
        made = await everybody.publish(await everybody.approved(TITLE), only=one.payer)
        number = str(made["number"])
        few = range(3)
        assert (await judged(one, few)).keys() == {number}
        assert number not in await judged(other, few)
        assert (await stage_of(one) is not None, await stage_of(other)) == (True, None)

        await widened(everybody, 100, everybody=True)
        assert (await judged(other, few)).keys() == {number}
        assert (await everybody.rollback())["restores"] == made["over"]

    in_office(shared, EVERYBODY, work)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"share": 10, "effective_from": "2999-01-01"}, "a set in stages is for all days"),
        ({"only": "q"}, "the set is of one payer alone"),
    ],
)
def test_what_cannot_be_staged_is_refused(
    shared: Ground, payer: str, more: dict[str, Any], said: str
) -> None:
    """Then nothing of it is seen."""

    async def work(people: Office) -> None:
        draft = await people.approved(WEIGHT)
        before = await judged(people)
        with pytest.raises(StepRefused, match=said):
            await people.publish(draft, **more)
        assert await judged(people) == before

    in_office(shared, payer, work)


def test_nothing_is_published_beside_a_stage_but_a_way_back(shared: Ground, payer: str) -> None:
    """Two sets that were never tried together would be in force; a rollback ends the stage."""

    async def work(people: Office) -> None:
        first = await people.publish(await people.approved(TITLE))
        await people.publish(await people.approved(WEIGHT), share=50)
        other = await people.approved(("outpatient.yaml", "title: ", "title: New "))
        for more in ({}, {"share": 10}):
            with pytest.raises(StepRefused, match="is on its way in stages"):
                await people.publish(other, **more)
        await people.rollback()
        assert await stage_of(people) is None
        assert first["number"] not in {each[0] for each in await people.sets()}
        assert (await people.publish(other))["state"] == "active"

    in_office(shared, payer, work)


BLIND: Edit = ("base.yaml", "match_days: {before: 7, after: 7", "match_days: {before: 6, after: 6")


def test_a_set_that_finds_less_is_taken_back_by_itself(shared: Ground, payer: str) -> None:
    """By the system, which says why; after enough claims, and in every worker."""

    async def work(people: Office) -> None:
        late = version_of(effective={"from": "2026-03-19", "to": "2026-05-31"})
        await push(people.parts.stores, people.payer, late)
        await people.publish(await people.approved(FEW))
        made = await people.publish(await people.approved(BLIND), share=50)
        async with office(shared, people.payer) as other:
            await judged(people, range(4))
            await people.parts.stages.look()
            told = (await stage_of(other) or {})["judged"]
            assert {each["outcome"] for each in told["bands"]} == {"unknown"}

            await judged(people)
            await people.parts.stages.look()
            for each in (people, other):
                assert each.parts.in_force is not None
                await each.parts.in_force.look()
                assert str(made["number"]) not in await judged(each)
        assert (await actions(people))[-1] == ("return", "installation", made["number"])
        history = await rules.history(people.of("ann"), None, size=1, after=None)
        assert history["items"][0]["reason"].startswith("no match 100 %, 0 % by the set before")

    in_office(shared, payer, work)
