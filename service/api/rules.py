"""Rules over HTTP: which are in force, drafts on their way, publish, roll back, history."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.claims import After
from service.api.schema import problems
from service.application import (
    reports,
    rules,
    rules_drafts,
    rules_publishing,
    rules_shadow,
    rules_stages,
)
from service.application import statistics as rule_statistics
from service.application.reports import EvaluationAsked
from service.application.rules import Asked
from service.application.rules_drafts import (
    ApprovalAsked,
    DraftEdited,
    DraftWanted,
    Tried,
    TryAsked,
)
from service.application.rules_publishing import PublishAsked, RollbackAsked
from service.application.rules_shadow import ShadowAsked
from service.application.rules_stages import StageAsked, WidenAsked

router = APIRouter(
    prefix="/rules",
    tags=["rules"],
    responses=problems(
        status_404="There is no such set, or no such draft.",
        status_409="The draft is not in a state for this, or somebody else was quicker.",
    ),
)

DraftId = Annotated[str, Path(pattern="^d[0-9a-f]{16}$")]
_WHICH = "^([1-9][0-9]{0,8}|d[0-9a-f]{16})$"
From = Annotated[str, Query(alias="from", pattern=_WHICH)]
To = Annotated[str, Query(alias="to", pattern=_WHICH)]
Size = Annotated[int, Query(ge=1, le=200, description="Entries a page.")]
Why = Annotated[Asked, Depends(JsonBody(Asked))]


@router.get("", summary="Sets of rules that are in force")
@needs("rules.read")
async def in_force(caller: Asking) -> Response:
    """The sets by first day of service, each active or scheduled; `own` if only of this payer.

    `stage` is a set that judges a share of the claims first, and how it does.
    """
    return json_response(await rules_stages.in_force(caller))


@router.get("/sets", summary="Sets of rules that were ever published")
@needs("rules.read")
async def versions(caller: Asking, size: Size = 50, after: After = None) -> Response:
    """A page, the newest first: of the payer, and of those that have no rules of their own."""
    return json_response(await rules.versions(caller, size=size, after=after))


@router.get("/sets/{number}", summary="A set of rules with its texts")
@needs("rules.read")
async def version(caller: Asking, number: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
    """How it came to be, whether it is in force, and the text of each of its files."""
    return json_response(await rules.version(caller, number))


@router.get("/diff", summary="What differs from one set or draft to another")
@needs("rules.read")
async def diff(caller: Asking, old: From, new: To) -> Response:
    """Key by key, each in words as well; a set is named by its number, a draft by its id."""
    return json_response(await rules.diff(caller, old, new))


@router.get("/statistics", summary="What claim lines came to, by set and template")
@needs("rules.read")
async def statistics(
    caller: Asking,
    first: Annotated[date | None, Query(alias="from", description="First day of answers.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last day of answers.")] = None,
    rule_set: Annotated[int | None, Query(alias="set", ge=1, lt=2**31)] = None,
    template: Annotated[str | None, Query(max_length=200, description="Its id.")] = None,
) -> Response:
    """Counts and percent of a period, of what was adjudicated and of the matches that are kept.

    `live` is what the workers of this service counted since they started. Without days it is the
    last week.
    """
    found = await rule_statistics.statistics(
        caller, first=first, last=last, rule_set=rule_set, template=template
    )
    return json_response(found)


@router.get("/history", summary="What was done with rules")
@needs("rules.read")
async def history(
    caller: Asking,
    draft: Annotated[str | None, Query(pattern="^d[0-9a-f]{16}$")] = None,
    size: Size = 50,
    after: After = None,
) -> Response:
    """Every step, by whom, when and why, the newest first."""
    return json_response(await rules.history(caller, draft, size=size, after=after))


@router.post("/rollback", status_code=201, summary="Put an older set in force, at once")
@needs("rules.approve")
async def rollback(
    caller: Asking, asked: Annotated[RollbackAsked, Depends(JsonBody(RollbackAsked))]
) -> Response:
    """Publish the texts of set `to`, else of the one before, as a new set in place of `over`.

    Without `over` it is the set of today. Nobody else has to approve it.
    """
    return json_response(await rules_publishing.rollback(caller, asked), status=201)


@router.post("/stage/widen", summary="Have a set in stages judge more claims, or all")
@needs("rules.approve")
async def widen(
    caller: Asking, asked: Annotated[WidenAsked, Depends(JsonBody(WidenAsked))]
) -> Response:
    """From `share` percent of the claims; of all of them it is in force. What is in force then."""
    return json_response(await rules_stages.widen(caller, asked))


@router.post("/stage/return", summary="Take a set in stages back")
@needs("rules.approve")
async def take_back(
    caller: Asking, asked: Annotated[StageAsked, Depends(JsonBody(StageAsked))]
) -> Response:
    """The set before judges all claims again, at once. What is in force then."""
    return json_response(await rules_stages.take_back(caller, asked))


@router.post("/drafts", status_code=201, summary="Begin a draft")
@needs("rules.edit")
async def begin(
    caller: Asking, wanted: Annotated[DraftWanted, Depends(JsonBody(DraftWanted))]
) -> Response:
    """Begin with the texts that it changes of a set; null takes a file out."""
    return json_response(await rules_drafts.begin(caller, wanted), status=201)


@router.get("/drafts", summary="Drafts of rules")
@needs("rules.read")
async def drafts(
    caller: Asking,
    is_open: Annotated[bool, Query(alias="open", description="Only those to be published.")] = True,
    size: Size = 50,
    after: After = None,
) -> Response:
    """A page, those that were touched last first."""
    return json_response(await rules_drafts.drafts(caller, is_open=is_open, size=size, after=after))


@router.get("/drafts/{draft_id}", summary="A draft with its texts")
@needs("rules.read")
async def draft(caller: Asking, draft_id: DraftId) -> Response:
    """What it changes, its state, and who did what with it."""
    return json_response(await rules_drafts.draft(caller, draft_id))


@router.put("/drafts/{draft_id}", summary="Change a draft")
@needs("rules.edit")
async def edit(
    caller: Asking,
    draft_id: DraftId,
    wanted: Annotated[DraftEdited, Depends(JsonBody(DraftEdited))],
) -> Response:
    """Take these texts in place of those before; evaluation and approval of others are gone."""
    return json_response(await rules_drafts.edit(caller, draft_id, wanted))


@router.post("/drafts/{draft_id}/check", summary="Check the set that a draft would make")
@needs("rules.edit")
async def check(caller: Asking, draft_id: DraftId) -> Response:
    """All that is wrong: texts, the templates' tests, the live mapping; nothing is changed."""
    return json_response(await rules_drafts.check(caller, draft_id))


@router.post("/drafts/{draft_id}/try", response_model=Tried, summary="Try a claim by a draft")
@needs("rules.edit", "claims.match", "clinical.authorization.read")
async def try_(
    caller: Asking, draft_id: DraftId, asked: Annotated[TryAsked, Depends(JsonBody(TryAsked))]
) -> Response:
    """What a claim is answered by the rules in force, and by the draft; nothing is kept or moved.

    By `changed`, where that is given, in place of what the draft changes. Null where more than
    tests of templates is wrong.
    """
    return json_response(await rules_drafts.tried(caller, draft_id, asked))


@router.post("/drafts/{draft_id}/evaluate", summary="Evaluate a draft")
@needs("rules.edit")
async def evaluate(
    caller: Asking,
    draft_id: DraftId,
    asked: Annotated[EvaluationAsked, Depends(JsonBody(EvaluationAsked))],
) -> Response:
    """Check it; where nothing is wrong, it is evaluated, with the `report` that is named."""
    return json_response(await reports.evaluated(caller, draft_id, asked))


@router.post("/drafts/{draft_id}/submit", summary="Ask for a review")
@needs("rules.edit")
async def submit(caller: Asking, draft_id: DraftId, asked: Why) -> Response:
    """Put an evaluated draft in review."""
    return json_response(await rules_drafts.submit(caller, draft_id, asked))


@router.post("/drafts/{draft_id}/approve", summary="Approve a draft")
@needs("rules.approve")
async def approve(
    caller: Asking,
    draft_id: DraftId,
    asked: Annotated[ApprovalAsked, Depends(JsonBody(ApprovalAsked))],
) -> Response:
    """Approve what somebody else wrote; with `content`, only if it is what was seen."""
    return json_response(await rules_drafts.approve(caller, draft_id, asked))


@router.post("/drafts/{draft_id}/reject", summary="Give a draft back")
@needs("rules.approve")
async def reject(caller: Asking, draft_id: DraftId, asked: Why) -> Response:
    """Give it back to its authors; what was evaluated stays so."""
    return json_response(await rules_drafts.reject(caller, draft_id, asked))


@router.post("/drafts/{draft_id}/publish", status_code=201, summary="Put a draft in force")
@needs("rules.approve")
async def publish(
    caller: Asking,
    draft_id: DraftId,
    asked: Annotated[PublishAsked, Depends(JsonBody(PublishAsked))],
) -> Response:
    """Publish it at once for all days of the set before, or schedule it for days of service.

    With `effective_from` it is for services from that day on, with `share` for so many percent of
    the claims first. What somebody else published
    meanwhile is kept; where the two overlap, nothing is published. Where no report of the draft
    holds the gates, `despite_gates` says why, and it is somebody who neither wrote nor approved it.
    """
    return json_response(await rules_publishing.publish(caller, draft_id, asked), status=201)


@router.post("/drafts/{draft_id}/drop", summary="Give a draft up")
@needs("rules.edit")
async def drop(caller: Asking, draft_id: DraftId, asked: Why) -> Response:
    """It stays to be read, and is never published."""
    return json_response(await rules_drafts.drop(caller, draft_id, asked))


@router.post("/drafts/{draft_id}/shadow", summary="Try a draft on live claims")
@needs("rules.edit")
async def shadow(
    caller: Asking,
    draft_id: DraftId,
    asked: Annotated[ShadowAsked, Depends(JsonBody(ShadowAsked))],
) -> Response:
    """Judge `share` percent of the claims by it as well, after their answer; nothing is moved."""
    return json_response(await rules_shadow.start(caller, draft_id, asked))


@router.get("/drafts/{draft_id}/shadow", summary="What live claims come to by a draft")
@needs("rules.read")
async def shadow_shown(caller: Asking, draft_id: DraftId) -> Response:
    """Lines that come out the same, with another authorization, or in another class."""
    return json_response(await rules_shadow.shown(caller, draft_id))


@router.post("/drafts/{draft_id}/shadow/stop", summary="Try a draft on live claims no more")
@needs("rules.edit")
async def unshadow(caller: Asking, draft_id: DraftId, asked: Why) -> Response:
    """What was counted stays to be read."""
    return json_response(await rules_shadow.stop(caller, draft_id, asked))
