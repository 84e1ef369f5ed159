"""A draft that is kept, judged on a study, and evaluated with the report of it."""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest

from service.application import reports, rules_drafts, studies
from service.application.parts import Caller
from service.application.reports import EvaluationAsked, ReportAsked
from service.application.rules import RulesRefused
from service.application.rules_drafts import DraftEdited
from service.application.studies import NoSuchStudy, StudyAsked, Tell
from service.domain.misfits import Misfit
from service.rules.book import EVERYBODY
from service.stores.studies.studies import Head
from tests.application.office import TITLE, WEIGHT, WHY, Office, in_office, texts_with
from tests.builders import build_claim
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import own as own

WIDER = ("base.yaml", "{before: 7, after: 7, max: 30}", "{before: 10, after: 10, max: 30}")


async def studied(caller: Caller) -> Head:
    """A study of one claim."""
    asked = StudyAsked(name="s", claims=(build_claim(),))
    head = studies.new_head(caller, asked)
    return await studies.recorded(
        caller, head, lambda tell: studies.make(caller, head, asked, tell)
    )


async def reported(caller: Caller, draft: dict[str, str | None]) -> Head:
    """A report of these texts on a study of the payer."""
    study = await studied(caller)
    head = await reports.begin(caller, ReportAsked(study=study.id, texts=draft))
    await caller.parts.jobs.idle()
    return await reports.read(caller, head.id)


@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
def test_how_far_it_is_never_stands_over_what_came_of_it(
    own: Ground, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """Elasticsearch may take a request in although its sender waits for the answer no more."""

    async def work(people: Office) -> None:
        ann = people.of("ann")
        kept = people.parts.stores.studies
        head = studies.new_head(ann, StudyAsked(name="s", claims=(build_claim(),)))
        on_its_way, write = asyncio.Event(), kept.write

        async def slowly(payer: str, each: Head) -> None:
            if each.status == "running":
                on_its_way.set()
                await asyncio.sleep(0.05)
            await write(payer, each)

        async def slow(payer: str, each: Head) -> None:
            await asyncio.shield(slowly(payer, each))

        async def made(_: Tell) -> Head:
            await on_its_way.wait()
            if fails:
                raise Misfit("it does not fit", "claims")
            return replace(head, status="done")

        async def store(done: Head) -> None:
            await write(ann.payer, done)

        monkeypatch.setattr(kept, "write", slow)
        with suppress(Misfit):
            await studies.recorded(ann, head, made, store)
        await asyncio.sleep(0.1)
        assert (await studies.read(ann, head.id)).status == ("failed" if fails else "done")

    in_office(own, EVERYBODY, work)


def test_a_draft_for_all_is_evaluated_with_reports_of_payers_that_have_it(own: Ground) -> None:
    """Their hashes are one; a payer with rules of its own, or none at all, speaks for nobody."""

    async def work(people: Office) -> None:
        ann = people.of("ann")
        draft = await people.drafted(WIDER)
        theirs = [replace(ann, payer=each) for each in ("demo", "elsewhere")]
        made = [await reported(each, texts_with(WIDER)) for each in theirs]
        named = [("demo", made[0].id), ("elsewhere", made[1].id)]
        with pytest.raises(NoSuchStudy):
            await reports.evaluated_for_all(ann, draft, WHY, named=[("nobody", made[0].id)])
        other = await reported(theirs[0], texts_with(WEIGHT))
        with pytest.raises(RulesRefused, match="other texts"):
            await reports.evaluated_for_all(ann, draft, WHY, named=[*named, ("demo", other.id)])
        done = await reports.evaluated_for_all(ann, draft, WHY, named=named)
        hashes = "\n".join(each.said["hash"] for each in made)
        assert done["state"] == "evaluated"
        assert done["evaluation"]["report"] == f"demo:{made[0].id} elsewhere:{made[1].id}"
        assert done["evaluation"]["report_hash"] == hashlib.sha256(hashes.encode()).hexdigest()
        assert done["evaluation"]["gates_hold"] is True
        alone = await reports.evaluated_for_all(ann, draft, WHY, named=named[:1])
        assert alone["evaluation"]["report_hash"] == made[0].said["hash"]

        office = Office(people.parts, "elsewhere")
        await office.publish(await office.approved(TITLE))
        with pytest.raises(RulesRefused, match="elsewhere has rules of its own"):
            await reports.evaluated_for_all(ann, draft, WHY, named=named)

    in_office(own, EVERYBODY, work)


def test_a_draft_is_evaluated_with_its_report(own: Ground) -> None:
    """Which names both sets; a report of other texts is refused, and the draft stays one."""

    async def work(people: Office) -> None:
        ann = people.of("ann")
        study = await studied(ann)
        assert study.said["rules"]["number"] == 1
        draft = await people.drafted(WIDER)
        wanted = ReportAsked(study=study.id, draft=draft)
        head = await reports.begin(ann, wanted)
        await ann.parts.jobs.idle()
        done = await reports.read(ann, head.id)
        assert done.status == "done"
        report = orjson.loads((await reports.bodies(ann, head.id)).content)
        assert report["rules"]["before"]["number"] == 1
        assert [each["file"] for each in report["changes"]] == ["base.yaml", "base.yaml"]

        naming = EvaluationAsked(reason="seen", report=head.id)
        other = await people.drafted(WEIGHT)
        with pytest.raises(RulesRefused, match="other texts") as refused:
            await reports.evaluated(ann, other, naming)
        assert refused.value.is_conflict
        evaluated = await reports.evaluated(ann, draft, naming)
        assert evaluated["state"] == "evaluated"
        evaluation = evaluated["evaluation"]
        assert (evaluation["report"], evaluation["report_hash"]) == (head.id, done.said["hash"])
        edit = DraftEdited(reason="r", changed=texts_with(WIDER, WEIGHT))
        assert (await rules_drafts.edit(ann, draft, edit))["state"] == "draft"

        stores = ann.parts.stores
        found = await stores.elasticsearch.search(
            index=stores.indices.all_studies, query={"term": {"id": study.id}}
        )
        (hit,) = found["hits"]["hits"]
        await stores.elasticsearch.delete(index=hit["_index"], id=hit["_id"])
        # The month of the study was dropped: the report is there all the same.
        assert orjson.loads((await reports.bodies(ann, head.id)).content) == report

    in_office(own, "demo", work)
