"""A draft that is kept, judged on a study, and evaluated with the report of it."""

import orjson
import pytest

from service.application import reports, rules_drafts, studies
from service.application.reports import EvaluationAsked, ReportAsked
from service.application.rules import RulesRefused
from service.application.rules_drafts import DraftEdited
from service.application.studies import StudyAsked, read
from tests.application.office import WEIGHT, Office, in_office, texts_with
from tests.builders import build_claim
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import own as own

WIDER = ("base.yaml", "{before: 7, after: 7, max: 30}", "{before: 10, after: 10, max: 30}")


def test_a_draft_is_evaluated_with_its_report(own: Ground) -> None:
    """Which names both sets; a report of other texts is refused, and the draft stays one."""

    async def work(people: Office) -> None:
        ann = people.of("ann")
        study = studies.new_head(ann, StudyAsked(name="s", claims=(build_claim(),)))
        asked = StudyAsked(name="s", claims=(build_claim(),))
        await studies.recorded(ann, study, lambda tell: studies.make(ann, study, asked, tell))
        assert (await read(ann, study.id)).said["rules"]["number"] == 1
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

    in_office(own, "demo", work)
