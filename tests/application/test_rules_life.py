"""The way of a change of rules on real engines: drafted, evaluated, approved, published, undone."""

import asyncio
from datetime import timedelta

import pytest

from service.application import rules, rules_drafts, rules_publishing, rules_stages
from service.application.refusals import NotFound
from service.application.rules import Asked, RulesRefused
from service.application.rules_drafts import ApprovalAsked, DraftEdited
from service.application.rules_publishing import RollbackAsked
from service.rules.book import EVERYBODY
from service.rules.life import StepRefused
from service.rules.rule_set import RuleSet
from service.stores.connection.clock import today
from tests.application.office import (
    RESULTS,
    TEXTS,
    TITLE,
    WEIGHT,
    WHY,
    Edit,
    Office,
    in_office,
    office,
    texts_with,
)
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import own as own
from tests.ground import payer as payer


def test_a_change_from_draft_to_force_and_back(own: Ground) -> None:
    """Each step by whoever may take it, all of it kept, and the answers as before in the end."""

    async def work(people: Office) -> None:
        before = await people.answer()
        assert before["rules"]["set"].startswith("1:")
        draft = await people.approved(WEIGHT)
        made = await people.publish(draft)
        assert (made["number"], made["over"], made["state"]) == (2, 1, "active")
        assert await people.sets() == [(2, None, "active")]
        assert (await people.answer())["rules"]["set"] == f"2:{made['hash'][:12]}"

        undone = await people.rollback()
        assert (undone["number"], undone["restores"]) == (3, 1)
        assert undone["hash"] == RuleSet(TEXTS).hash
        again = await people.answer()
        assert again | {"rules": None} == before | {"rules": None}
        assert again["rules"]["set"].partition(":")[2] == before["rules"]["set"].partition(":")[2]

        history = await rules.history(people.of("ann"), None, size=50, after=None)
        steps = [each["action"] for each in reversed(history["items"])]
        assert steps == ["seed", "begin", "evaluate", "submit", "approve", "publish", "rollback"]
        assert all(each["who"]["by"] and each["reason"] for each in history["items"])
        known = await rules_drafts.draft(people.of("ann"), draft)
        assert (known["state"], known["number"]) == ("published", 2)

    in_office(own, EVERYBODY, work)


def test_drafts_of_two_templates_are_published_each_alone(ground: Ground, payer: str) -> None:
    """The second is put on the first, and keeps its approval: nobody wrote anything else."""

    async def work(people: Office) -> None:
        first, second = [await people.approved(each) for each in (WEIGHT, TITLE)]
        one = await people.publish(first)
        other = await people.publish(second)

        assert (one["over"], other["over"]) == (1, one["number"])
        texts = (await rules.version(people.of("ann"), other["number"]))["texts"]
        assert texts == TEXTS | texts_with(WEIGHT, TITLE)

    in_office(ground, payer, work)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (WEIGHT, ("professional.yaml", "version: 1\n", "version: 2\n")),
        (WEIGHT, RESULTS),
        (RESULTS, TITLE),
    ],
    ids=["one file", "what it extends", "what extends it"],
)
def test_drafts_that_overlap_are_told(
    ground: Ground, payer: str, first: Edit, second: Edit
) -> None:
    """Nothing of the second is seen; on the set of today it goes on, once it is approved anew."""

    async def work(people: Office) -> None:
        one, other = [await people.approved(each) for each in (first, second)]
        made = await people.publish(one)
        with pytest.raises(RulesRefused, match="edit the draft on set") as refused:
            await people.publish(other)
        assert refused.value.is_conflict
        assert (refused.value.problems[0].path, refused.value.problems[0].file) == (
            "/base",
            second[0],
        )
        assert await people.sets() == [(made["number"], None, "active")]
        page = await rules.versions(people.of("ann"), size=1, after=None)
        assert page["items"][0]["number"] == made["number"]

        now = made["number"]
        with pytest.raises(RulesRefused, match="edit the draft on set"):
            wanted = DraftEdited(reason="r", changed=texts_with(second), base=now)
            await rules_drafts.edit(people.of("ann"), other, wanted)
        texts = texts_with(second, of=TEXTS | {k: str(v) for k, v in texts_with(first).items()})
        texts |= texts_with(("referral.yaml", "title: ", "title: N "))
        wanted = DraftEdited(reason="r", changed=texts, base=now)
        edited = await rules_drafts.edit(people.of("ann"), other, wanted)
        assert (edited["state"], edited["base"], edited["approved"]) == ("draft", now, None)

    in_office(ground, payer, work)


def test_of_two_publishers_one_wins_and_the_other_is_told(ground: Ground, payer: str) -> None:
    """In one moment: one draft becomes one set, and of two that overlap one is told."""

    async def work(people: Office) -> None:
        draft = await people.approved(WEIGHT)
        done = await asyncio.gather(
            *(people.publish(draft) for _ in range(2)), return_exceptions=True
        )
        made = [each for each in done if isinstance(each, dict)]
        told = [each for each in done if isinstance(each, StepRefused)]
        assert (len(made), len(told)) == (1, 1)
        assert told[0].path == "/state"

        drafts = [
            await people.approved(("dental.yaml", "title: ", f"title: {each} ")) for each in "AB"
        ]
        done = await asyncio.gather(*map(people.publish, drafts), return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["RulesRefused", "dict"]

    in_office(ground, payer, work)


def test_who_wrote_does_not_approve_and_a_change_takes_approval_away(
    ground: Ground, payer: str
) -> None:
    """Whoever wrote any of it; and what nobody evaluated is not reviewed."""

    async def work(people: Office) -> None:
        draft = await people.drafted(WEIGHT)
        with pytest.raises(StepRefused, match="evaluate it first"):
            await rules_drafts.submit(people.of("ann"), draft, WHY)
        changed = DraftEdited(reason="r", changed=texts_with(WEIGHT, TITLE))
        await rules_drafts.edit(people.of("bob"), draft, changed)
        await rules_drafts.evaluate(people.of("ann"), draft, WHY)
        await rules_drafts.submit(people.of("ann"), draft, WHY)
        for author in ("ann", "bob"):
            with pytest.raises(StepRefused, match="who wrote a draft"):
                await rules_drafts.approve(people.of(author), draft, ApprovalAsked(reason="r"))
        await rules_drafts.approve(people.of("kim"), draft, ApprovalAsked(reason="r"))
        again = DraftEdited(reason="r", changed=texts_with(WEIGHT))
        assert (await rules_drafts.edit(people.of("ann"), draft, again))["state"] == "draft"
        with pytest.raises(StepRefused, match="evaluate it first"):
            await people.publish(draft)
        assert await people.sets() == [(1, None, "active")]

    in_office(ground, payer, work)


def test_a_claim_is_matched_by_the_rules_of_its_day(ground: Ground, payer: str) -> None:
    """Of services from a day on by the new set, of those before by the old one, whenever asked."""
    first, later = today(), today() + timedelta(days=40)

    async def work(people: Office) -> None:
        with pytest.raises(StepRefused, match="not scheduled for days past") as refused:
            await people.publish(await people.drafted(WEIGHT), effective_from=first - timedelta(1))
        assert refused.value.path == "/effective_from"
        now = await people.publish(await people.approved(WEIGHT), effective_from=first)
        then = await people.publish(
            await people.approved(TITLE, base=now["number"]), effective_from=later
        )
        one, two = now["number"], then["number"]
        assert await people.sets() == [
            (1, None, "active"),
            (one, first.isoformat(), "active"),
            (two, later.isoformat(), "scheduled"),
        ]
        for day, number in (
            (first - timedelta(1), 1), (first, one), (later - timedelta(1), one), (later, two),
        ):  # fmt: skip
            line = {"line": 1, "procedure": "97110", "from": day.isoformat()}
            told = (await people.answer(lines=[line]))["rules"]["set"]
            assert told.startswith(f"{number}:"), day

        undone = await people.rollback(over=two, to=1)
        assert [each[0] for each in await people.sets()] == [1, one, undone["number"]]

    in_office(ground, payer, work)


def test_a_payer_sees_its_own_rules_and_those_of_all(ground: Ground, payer: str) -> None:
    """Another payer's sets and drafts are as if they were not there."""

    async def work(people: Office) -> None:
        draft = await people.approved(WEIGHT)
        made = await people.publish(draft)
        other = Office(people.parts, f"{payer}-2").of("ann")
        assert (await rules_stages.in_force(other))["own"] is False
        assert (await rules_stages.in_force(people.of("ann")))["own"] is True
        for which in (str(made["number"]), draft):
            with pytest.raises(NotFound):
                await rules.diff(other, "1", which)
        with pytest.raises(NotFound):
            await rules_drafts.submit(other, draft, WHY)
        with pytest.raises(NotFound):
            await rules_publishing.rollback(other, RollbackAsked(reason="r", to=made["number"]))
        page = await rules.versions(other, size=9, after=None)
        assert [each["number"] for each in page["items"]] == [1]
        history = await rules.history(other, None, size=9, after=None)
        assert [each["action"] for each in history["items"]] == ["seed"]

    in_office(ground, payer, work)


@pytest.mark.parametrize(
    ("asked", "path"),
    [({"over": 99_999}, "/over"), ({}, "/to")],
    ids=["a set that is not in force", "nothing before it"],
)
def test_a_rollback_that_cannot_be_is_told(
    ground: Ground, payer: str, asked: dict[str, int], path: str
) -> None:
    """With what to name, and nothing is in force but before."""

    async def work(people: Office) -> None:
        with pytest.raises(RulesRefused) as refused:
            await people.rollback(**asked)
        assert refused.value.problems[0].path == path
        assert refused.value.problems[0].hint
        assert await people.sets() == [(1, None, "active")]

    in_office(ground, payer, work)


def test_what_a_crash_left_out_is_written_by_the_next(own: Ground) -> None:
    """The pointer alone was changed: version, draft and history follow with the next look."""

    async def work(people: Office) -> None:
        kept = people.parts.stores.rules
        complete, kept.complete = kept.complete, _nothing  # type: ignore[method-assign,assignment]
        draft = await people.approved(WEIGHT)
        await people.publish(draft)
        kept.complete = complete  # type: ignore[method-assign]
        assert await kept.version(2) is None

        with pytest.raises(StepRefused, match="published"):
            await people.publish(draft)
        assert (await rules.version(people.of("ann"), 2))["title"] == "t"
        listed = await rules.versions(people.of("ann"), size=9, after=None)
        assert [each["number"] for each in listed["items"]] == [2, 1]
        history = await rules.history(people.of("ann"), draft, size=9, after=None)
        assert history["items"][0]["action"] == "publish"

    in_office(own, EVERYBODY, work)


async def _nothing(_: object) -> None:
    """End before it is done, as a crash would."""


def test_sets_take_over_what_a_rebuild_changed(own: Ground) -> None:
    """Of every payer, with the rest as it was; workers that store otherwise keep their set."""
    changed = texts_with(("reference/attached.yaml", "fields:", "fields:\n  plan: keyword"))
    texts = TEXTS | {name: str(text) for name, text in changed.items()}

    async def work(people: Office) -> None:
        mine = Office(people.parts, "payer-one")
        await mine.publish(await mine.approved(WEIGHT))
        everybody = people.of("ann")
        asked = Asked(reason="a new field")
        assert await rules_publishing.adopt_stored(everybody, texts, asked, dry=True) == []
        assert await people.sets() == [(1, None, "active")]
        assert await rules_publishing.adopt_stored(everybody, texts, asked) == [3, 4]
        assert (await people.sets(), await mine.sets()) == (
            [(3, None, "active")],
            [(4, None, "active")],
        )
        of_mine = (await rules.version(mine.of("ann"), 4))["texts"]
        assert of_mine == texts | texts_with(WEIGHT)
        assert (await people.answer())["rules"]["set"].startswith("1:")

    async def after() -> None:
        async with office(own, EVERYBODY) as people:
            assert (await people.answer())["rules"]["set"].startswith("3:")

    in_office(own, EVERYBODY, work)
    asyncio.run(after())
