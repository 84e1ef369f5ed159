"""Guided resolution: a line that waits, what was found for it, and what applying would do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.caller import needs
from service.api.problem import Refused, refused_of
from service.application import claims, overview, resolutions, worklist
from service.application.refusals import (
    BadPart,
    BadSelection,
    Conflict,
    NotPermitted,
    Stale,
)
from service.application.resolutions import Resolved
from service.domain.answers import AdjudicationAnswer, LineAnswer, ResultAnswer
from service.domain.decision import Asked, Resolution, Skip
from service.domain.work_item import WorkItem
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visit, Visiting
from service.workbench.worklist import Queue, Queued

router = APIRouter(prefix=f"{PREFIX}/worklist", include_in_schema=False)
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Yes = Annotated[bool, Query()]
_PICK = "order:"
_REFUSALS = (Refused, ValidationError, BadPart, BadSelection, Conflict, NotPermitted, Stale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a form: what it said, why it was refused, or what would come out."""

    typed: Mapping[str, str] = field(default_factory=dict)
    refused: Refused | None = None
    dry: AdjudicationAnswer | None = None


@router.get("/{item_id}")
@needs("worklist.work", "billing.charge.read")
async def item(
    visit: Visiting, item_id: Name, queue: Queued, everything: Yes = False, by_rest: Yes = False
) -> Response:
    """An item with all that is needed to decide; ``everything``: all that the member has."""
    return await _shown(visit, item_id, queue, Told(), everything=everything, by_rest=by_rest)


@router.post("/{item_id}")
@needs("worklist.work", "billing.charge.read")
async def decide(
    visit: Visiting, item_id: Name, queue: Queued, everything: Yes = False, by_rest: Yes = False
) -> Response:
    """Try a decision, or make it; what is refused is shown over the form as it was sent."""
    is_dry = visit.field("step") not in ("apply", "override")
    typed = {name: values[-1] for name, values in visit.fields.items()}
    try:
        asked = _resolution(visit)
        done = await resolutions.resolve(visit.caller, item_id, asked, _seen(visit), dry=is_dry)
    except _REFUSALS as refusal:
        told = Told(typed=typed, refused=refused_of(refusal))
    else:
        if not is_dry:
            return RedirectResponse(f"{PREFIX}/worklist/{item_id}{queue.query()}", 303)
        told = Told(typed=typed, dry=_answer(done))
    return await _shown(visit, item_id, queue, told, everything=everything, by_rest=by_rest)


@router.post("/{item_id}/undo")
@needs("worklist.work", "billing.charge.read")
async def undo(visit: Visiting, item_id: Name, queue: Queued) -> Response:
    """Take back what was decided last, while nothing followed."""
    try:
        await resolutions.undo(visit.caller, item_id, Asked(), _seen(visit))
    except _REFUSALS as refusal:
        return await _shown(visit, item_id, queue, Told(refused=refused_of(refusal)))
    return RedirectResponse(f"{PREFIX}/worklist/{item_id}{queue.query()}", 303)


@router.post("/{item_id}/skip")
@needs("worklist.work", "billing.charge.read")
async def skip(visit: Visiting, item_id: Name, queue: Queued) -> Response:
    """Leave it to others, with a reason, and go back to the queue."""
    try:
        asked = Skip.model_validate({"reason": visit.field("reason") or None})
        await worklist.skip(visit.caller, item_id, asked)
    except _REFUSALS as refusal:
        return await _shown(visit, item_id, queue, Told(refused=refused_of(refusal)))
    return RedirectResponse(f"{PREFIX}/worklist{queue.query()}", 303)


def _answer(done: Resolved) -> AdjudicationAnswer | None:
    return None if done.done is None else done.done.answer


def _seen(visit: Visit) -> str:
    """The ETag of the item that a form showed; raises Refused (428)."""
    if not (seen := visit.field("etag")):
        raise Refused(428, "Precondition required", "the form does not say what was seen")
    return seen


def _resolution(visit: Visit) -> Resolution:
    """What a form asks for; raises ValidationError."""
    picks = sorted(
        (_rank(values[-1]), name.removeprefix(_PICK))
        for name, values in visit.fields.items()
        if name.startswith(_PICK) and values[-1].strip()
    )
    texts = ("action", "type", "event", "until", "asked", "reason_code", "reason")
    given: dict[str, Any] = {name: text for name in texts if (text := visit.field(name))}
    if visit.field("step") == "override":
        given["action"] = "override"
    given["authorizations"] = [{"authorization_id": each} for _, each in picks]
    if deny_with := visit.field("deny_with"):
        given["deny_with"] = _json(deny_with)
    return Resolution.model_validate(given)


def _rank(text: str) -> int:
    """A place in an order; what is no number comes last."""
    return int(text) if text.strip().isdecimal() and len(text) < 5 else 10_000


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


async def _shown(
    visit: Visit,
    item_id: str,
    queue: Queue,
    told: Told,
    *,
    everything: bool = False,
    by_rest: bool = False,
) -> Response:
    caller = visit.caller
    one = (await worklist.read(caller, item_id)).item
    values: dict[str, Any] = {"line": None, "sent": None, "results": [], "others": None}
    if one.claim_id is not None:
        values |= await _of_claim(visit, one.claim_id, one, everything=everything)
    if by_rest:
        for result in values["results"]:
            result["candidates"].sort(key=_rest, reverse=True)
    return page(
        visit,
        "resolution.html",
        told.refused.status if told.refused else 200,
        item=one,
        actions=resolutions.actions_of(caller, one),
        told=told,
        outcome=_line(told.dry, one.line) if told.dry and one.line else None,
        queue=queue,
        everything=everything,
        by_rest=by_rest,
        **values,
    )


async def _of_claim(
    visit: Visit, claim_id: str, one: WorkItem, *, everything: bool
) -> dict[str, Any]:
    """The claim as it stands and was sent, and what is found for the line now."""
    caller = visit.caller
    answer, sent = await claims.as_sent(caller, claim_id)
    values: dict[str, Any] = {
        "claim": caller.shown(answer),
        "sent": sent,
        "asked": next((each for each in sent.lines if each.line == one.line), None),
        "line": _line(caller.shown(answer), one.line) if one.line else None,
    }
    may_see = visit.may("claims.match", "clinical.authorization.read")
    if one.is_open and one.line is not None and may_see:
        matched = await claims.match(caller, sent, balances=True)
        found = next(each for each in matched["lines"] if each["line"] == one.line)
        values["results"] = [dict(each) for each in found["results"] if each["required"]]
        if everything:
            known = [name for each in values["results"] for name in _names(each)]
            values["others"] = await overview.left_out(caller, sent, one.line, known)
    return values


def _names(result: ResultAnswer) -> list[str]:
    return [each["authorization_id"] for each in result["candidates"]]


def _line(answer: Any, number: int | None) -> LineAnswer | None:
    lines: list[LineAnswer] = answer["lines"]
    return next((each for each in lines if each["line"] == number), None)


def _rest(candidate: Any) -> float:
    """What is left of the tightest limit; what has none comes first."""
    left = [each["remaining"] for each in candidate.get("balances", ())]
    return min((float(each) for each in left if each is not None), default=float("inf"))
