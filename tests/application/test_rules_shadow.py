"""A draft judges live claims beside the rules in force: counted, in a budget, never answered."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from service.application import (
    _shadows,
    claims,
    rules,
    rules_drafts,
    rules_shadow,
    rules_stages,
)
from service.application.parts import application
from service.application.rules import RulesRefused
from service.application.rules_shadow import ShadowAsked
from service.domain.adjudication import Adjudication
from service.domain.claim import Claim
from service.flow.matching.match import match_claim
from service.rules.life import StepRefused
from service.rules.texts import load_texts
from service.tuning.shadow import SAME, answer_to, as_asked, compare, outcomes_of
from tests.api.bodies import claim_body
from tests.application.office import TEXTS, TITLE, WEIGHT, WHY, Edit, Office, in_office, texts_with
from tests.ground import Ground, push, separate, version_of
from tests.ground import ground as ground
from tests.ground import payer as payer

NARROW: Edit = ("base.yaml", "match_days: {before: 7, after: 7", "match_days: {before: 6, after: 6")
WIDE: Edit = ("base.yaml", "match_days: {before: 7, after: 7", "match_days: {before: 9, after: 9")
STRICT: Edit = ("base.yaml", "non_exact: {min: 60", "non_exact: {min: 80")
POISON: Edit = (
    "reference/number-forms.yaml",
    'version: "2026.1"',
    'version: "2026.1"\nown: "(A+)+B"',
)
"""A pattern that takes longer than any life for a number of many A's."""


@pytest.fixture(scope="module")
def shared(ground: Ground) -> Iterator[Ground]:
    """Indices of their own for all tests here: each leaves drafts and sets."""
    with separate(ground) as made:
        yield made


async def authorized(people: Office) -> None:
    """One authorization in full, and one of another member that begins seven days late."""
    late: Any = {
        "effective": {"from": "2026-03-19", "to": "2026-05-31"},
        "member": {"id": "M-LATE"},
    }
    await push(
        people.parts.stores,
        people.payer,
        version_of(authorization_id="A-1", number="AU-1"),
        version_of(authorization_id="A-2", **late),
    )


async def tried(people: Office, *edits: Edit, **more: Any) -> str:
    """A draft that is tried on live claims."""
    draft = await people.drafted(*edits)
    await rules_shadow.start(people.of("ann"), draft, ShadowAsked(reason="a look", **more))
    return draft


async def matched(people: Office, name: str, **more: Any) -> Mapping[str, Any]:
    """A claim is matched; what was answered."""
    claim = Claim.model_validate(claim_body(claim_id=name, **more))
    return await claims.match(people.of("ann"), claim)


async def shown(people: Office, draft: str) -> dict[str, Any]:
    """What the draft came to, after all that waits was judged."""
    await people.parts.shadows.look()
    await people.parts.stores.elasticsearch.indices.refresh(index=people.parts.stores.indices.rules)
    return await rules_shadow.shown(people.of("kim"), draft)


LATE = {"member": {"id": "M-LATE"}}


def test_a_draft_is_tried_on_claims_and_answers_none(shared: Ground, payer: str) -> None:
    """Matched and adjudicated ones; each line as it comes out, with examples; then stopped."""

    async def work(people: Office) -> None:
        await authorized(people)
        before = await matched(people, "C-0", **LATE)
        draft = await tried(people, NARROW)

        late = await matched(people, "C-0", **LATE)
        assert late["lines"] == before["lines"]
        await matched(people, "C-1")
        claim = Adjudication.model_validate(claim_body(claim_id="C-2"))
        done = await claims.adjudicate(people.of("ann"), claim)
        assert done.answer["rules"]["set"] == late["rules"]["set"]
        dry = await claims.adjudicate(people.of("ann"), claim, dry=True, again=True)
        assert dry.answer["dry_run"]

        found = await shown(people, draft)
        assert (found["state"], found["share"], found["claims"]) == ("running", 100, 3)
        assert found["lines"] == {SAME: 2, "non-exact > none": 1}
        assert found["examples"] == {"non-exact > none": [{"claim_id": "C-0", "line": 1}]}
        with pytest.raises(StepRefused, match="stop that first"):
            await rules_drafts.drop(people.of("ann"), draft, WHY)

        ended = await rules_shadow.stop(people.of("ann"), draft, WHY)
        assert (ended["state"], ended["claims"]) == ("stopped", 3)
        await matched(people, "C-3")
        assert (await shown(people, draft))["claims"] == 3
        history = await rules.history(people.of("ann"), draft, size=2, after=None)
        assert [each["action"] for each in history["items"]] == ["unshadow", "shadow"]

    in_office(shared, payer, work)


def test_what_would_look_further_is_not_compared(shared: Ground, payer: str) -> None:
    """Nothing is searched for again; what is not known is said, not guessed."""

    async def work(people: Office) -> None:
        await authorized(people)
        draft = await tried(people, WIDE)
        await matched(people, "C-1")
        found = await shown(people, draft)
        assert (found["claims"], found["not_comparable"]) == (1, {"wider search": 1})
        assert (found["lines"], found["examples"]) == ({}, {})

    in_office(shared, payer, work)


@pytest.mark.parametrize("edit", [NARROW, WEIGHT, STRICT, TITLE], ids=lambda edit: edit[2][:30])
def test_what_is_compared_is_what_a_search_would_say(
    shared: Ground, payer: str, edit: Edit
) -> None:
    """Judged beside, a claim comes out as by the draft on the engine."""
    book = load_texts(TEXTS | {k: v or "" for k, v in texts_with(edit).items()}).book

    async def work(people: Office) -> list[tuple[bytes, Any]]:
        await authorized(people)
        source, found = people.parts.stores.search, []
        for query in ("professional", "inpatient", "outpatient", "referral", "dental"):
            for more in ({}, LATE, {"authorization_numbers": [{"value": "NO-A-2"}]}):
                claim = Claim.model_validate(claim_body(query, **more))
                by_now, by_draft = [
                    await match_claim(claim, people.payer, rules=each, source=source)
                    for each in (shared.rules, book)
                ]
                outcomes = [outcomes_of(each.searches) for each in (by_now, by_draft)]
                found.append((as_asked(claim, by_now), compare(*outcomes)))
        return found

    judged = in_office(shared, payer, work)
    assert [answer_to(line, book) for line, _ in judged] == [
        {"lines": expected} for _, expected in judged
    ]


def test_a_draft_that_takes_too_long_is_stopped(
    shared: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claims are ended by their budget, then the draft by the system; answers go on."""
    monkeypatch.setattr(_shadows, "CLAIM_S", 0.1)

    async def work(people: Office) -> None:
        draft = await tried(people, POISON)
        for number in range(_shadows.OVERRUNS_MAX + 2):
            await matched(people, f"C-{number}", authorization_numbers=[{"value": "A" * 45}])
        found = await shown(people, draft)
        assert (found["state"], found["claims"], found["stopped"]) == ("stopped", 0, 3)
        history = await rules.history(people.of("ann"), draft, size=1, after=None)
        (step,) = history["items"]
        assert (step["action"], step["who"]["by"]) == ("unshadow", "installation")
        assert step["reason"].startswith("3 claims in a row took over 0.1 s")

    in_office(shared, payer, work)


def test_what_the_budget_has_no_room_for_is_dropped(
    shared: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By time, and where too many wait; it is counted."""
    monkeypatch.setattr(_shadows, "WAITING_MAX", 2)
    monkeypatch.setattr(_shadows, "BUDGET", 0.0)

    async def work(people: Office) -> None:
        monkeypatch.setattr(people.parts.shadows, "_saved_s", 0.0)
        draft = await tried(people, WEIGHT)
        for number in range(5):
            await matched(people, f"C-{number}")
        found = await shown(people, draft)
        assert (found["claims"], found["dropped"]) == (0, 5)

    in_office(shared, payer, work)


def test_a_share_of_the_claims_is_always_the_same(shared: Ground, payer: str) -> None:
    """And what several workers counted is added; a draft that changed is counted anew."""

    async def work(people: Office) -> None:
        draft = await tried(people, WEIGHT, share=50)
        for number in range(6):
            await matched(people, f"C-{number}")
        once = (await shown(people, draft))["claims"]
        assert 0 < once < 6
        async with application(shared.settings) as parts:
            other = Office(parts, people.payer)
            for number in range(6):
                await matched(other, f"C-{number}")
            assert (await shown(other, draft))["claims"] == 2 * once

        edited = rules_drafts.DraftEdited(reason="more", changed=texts_with(TITLE))
        await rules_drafts.edit(people.of("ann"), draft, edited)
        assert (await shown(people, draft))["is_current"] is False
        again = ShadowAsked(reason="as it is now")
        started = await rules_shadow.start(people.of("ann"), draft, again)
        assert (started["claims"], started["is_current"]) == (0, True)

    in_office(shared, payer, work)


def test_a_draft_that_cannot_be_tried_is_refused(shared: Ground, payer: str) -> None:
    """One that is wrong, a second one, one that is not tried, one that was dropped."""

    async def work(people: Office) -> None:
        ann = people.of("ann")
        with pytest.raises(RulesRefused):
            await tried(people, ("dental.yaml", "weight: 8", "weight: none"))
        first = await tried(people, WEIGHT)
        with pytest.raises(StepRefused, match=f"draft {first} is tried on live claims already"):
            await tried(people, TITLE)
        other = await people.drafted(TITLE)
        with pytest.raises(StepRefused, match="is not tried on live claims"):
            await rules_shadow.stop(ann, other, WHY)
        await rules_drafts.drop(ann, other, WHY)
        with pytest.raises(StepRefused, match="the draft is dropped"):
            await rules_shadow.start(ann, other, ShadowAsked(reason="r"))

    in_office(shared, payer, work)


def test_a_set_in_stages_is_held_against_the_set_before(shared: Ground, payer: str) -> None:
    """Claims that it judges are judged by both; where they differ is a rate with a band."""

    async def work(people: Office) -> None:
        await authorized(people)
        await people.publish(await people.approved(WEIGHT), share=99)
        for number in range(4):
            await matched(people, f"C-{number}")
        await people.parts.shadows.look()
        await people.parts.stages.look()
        stage = (await rules_stages.in_force(people.of("ann")))["stage"]
        assert stage["judged"]["claims"] == 4
        assert stage["judged"]["bands"][-1]["percent"] == 0

    in_office(shared, payer, work)


def test_nothing_is_judged_where_nothing_is_tried(shared: Ground, payer: str) -> None:
    """No claim is kept for it, and no process begins."""

    async def work(people: Office) -> None:
        await matched(people, "C-1")
        shadows = people.parts.shadows
        assert (len(shadows._waiting), shadows._judges, shadows._tallies) == (0, {}, {})

    in_office(shared, payer, work)
