"""The worklist: what waits for a person, who has it, and what examiners decide."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, Sought, needs
from service.api.claims import After
from service.api.problem import Refused
from service.api.schema import problems
from service.application import resolutions, worklist
from service.application.parts import Caller
from service.application.resolutions import Resolved
from service.application.worklist import FilterDropped, NamedFilter, Sorting, Wanted
from service.domain.claim import ClaimType
from service.domain.decision import (
    Asked,
    Assignment,
    Hold,
    Raised,
    Resolution,
    Skip,
    Watch,
)
from service.domain.values import Counted, Day
from service.domain.work_item import ItemKind, ItemState, Listed

router = APIRouter(
    prefix="/worklist",
    tags=["worklist"],
    responses=problems(status_404="There never was an item of this id, or nothing waits."),
)

PAGE_MAX = 200

Name = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Amount = Annotated[Counted | None, Query()]
Size = Annotated[int, Query(ge=1, le=PAGE_MAX)]
_TAKING = problems(status_409="It was decided already, or somebody else has it.")
_DECIDING = problems(
    status_409="It was decided already, or the claim was changed since.",
    status_412="The item is not the one of If-Match any more.",
    status_428="If-Match is missing.",
)


async def wanted_of(  # noqa: PLR0913 - the filters of a list
    state: ItemState | None = None,
    kind: ItemKind | None = None,
    event: Sought = None,
    claim_type: ClaimType | None = None,
    claim: Sought = None,
    authorization: Sought = None,
    member: Sought = None,
    assignee: Sought = None,
    team: Sought = None,
    watcher: Sought = None,
    unassigned: bool = False,
    held: bool | None = None,
    amount_from: Amount = None,
    amount_to: Amount = None,
    since_from: Day | None = None,
    since_to: Day | None = None,
    due_to: Day | None = None,
) -> Wanted:
    """The filters of a list of items."""
    return Wanted(
        state=state,
        kind=kind,
        event=event,
        claim_type=claim_type,
        claim_id=claim,
        authorization_id=authorization,
        member_id=member,
        assignee=assignee,
        team=team,
        watcher=watcher,
        unassigned=unassigned,
        held=held,
        amount_from=_text(amount_from),
        amount_to=_text(amount_to),
        since_from=_text(since_from),
        since_to=_text(since_to),
        due_to=_text(due_to),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


Filters = Annotated[Wanted, Depends(wanted_of)]


@router.get("", summary="List what waits for a person")
@needs("worklist.work")
async def listing(
    caller: Asking, wanted: Filters, sort: Sorting = "due", size: Size = 50, after: After = None
) -> Response:
    """A page; items whose claim was changed since close by then.

    So a page may have fewer than there are in `total`.
    """
    page = await worklist.page(caller, wanted, sort=sort, size=size, after=after)
    items = [listed.as_answer() for listed in page.entries]
    return json_response(caller.shown({"items": items, "total": page.total, "next": page.next_}))


@router.get("/counts", summary="Count what waits, by queue")
@needs("worklist.work")
async def counts(caller: Asking, wanted: Filters) -> Response:
    """How many items fit the filters, how many are overdue or held, and how many by each queue."""
    return json_response(asdict(await worklist.counts(caller, wanted)))


@router.post("", status_code=201, responses=_TAKING, summary="Put something on the worklist")
@needs("worklist.work")
async def raise_item(
    caller: Asking, asked: Annotated[Raised, Depends(JsonBody(Raised))]
) -> Response:
    """Have a claim reviewed, or put authorizations or a dead letter there; the same is one item."""
    return _shown(caller, await worklist.raise_item(caller, asked), status=201)


@router.post("/next", summary="Take the next item")
@needs("worklist.work")
async def take_next(
    caller: Asking, wanted: Filters, asked: Annotated[Asked, Depends(JsonBody(Asked))]
) -> Response:
    """The most urgent one that fits, that nobody has, that is not held and was not skipped."""
    return _shown(caller, await worklist.take_next(caller, wanted, asked))


@router.post("/assign", summary="Give items to a person or a team")
@needs("worklist.assign")
async def assign(
    caller: Asking, asked: Annotated[Assignment, Depends(JsonBody(Assignment))]
) -> Response:
    """Give up to 1000 items away, whoever has them; each says what became of it."""
    return json_response({"items": await worklist.assign(caller, asked)})


@router.get("/filters", summary="List the filters that one saved")
@needs("worklist.work")
async def filters(caller: Asking) -> Response:
    """Those of whoever asks, by name, as the page of the worklist has them."""
    return await _filters(caller)


@router.post("/filters", status_code=201, summary="Save a filter under a name")
@needs("worklist.work")
async def save_filter(
    caller: Asking, asked: Annotated[NamedFilter, Depends(JsonBody(NamedFilter))]
) -> Response:
    """For whoever asks alone, in place of one of that name; answers all of them."""
    await worklist.save_filter(caller, asked)
    return await _filters(caller, 201)


@router.post("/filters/drop", summary="Drop a saved filter")
@needs("worklist.work")
async def drop_filter(
    caller: Asking, asked: Annotated[FilterDropped, Depends(JsonBody(FilterDropped))]
) -> Response:
    """Have it no more, if there is one of that name; answers those that are left."""
    await worklist.drop_filter(caller, asked.name)
    return await _filters(caller)


async def _filters(caller: Caller, status: int = 200) -> Response:
    saved = await worklist.saved_filters(caller)
    told = [{"name": name, "filters": each} for name, each in saved.items()]
    return json_response({"filters": told}, status=status)


@router.get("/{item_id}", summary="Show an item, and what may be decided")
@needs("worklist.work")
async def read(caller: Asking, item_id: Name) -> Response:
    """The item, open or decided, with the actions that it allows; its ETag is needed to decide."""
    return _shown(caller, await worklist.read(caller, item_id))


@router.post("/{item_id}/take", responses=_TAKING, summary="Take an item")
@needs("worklist.work")
async def take(
    caller: Asking, item_id: Name, asked: Annotated[Asked, Depends(JsonBody(Asked))]
) -> Response:
    """Have it; of two who want it one gets it."""
    return _shown(caller, await worklist.take(caller, item_id, asked))


@router.post("/{item_id}/release", responses=_TAKING, summary="Give an item back")
@needs("worklist.work")
async def release(
    caller: Asking, item_id: Name, asked: Annotated[Asked, Depends(JsonBody(Asked))]
) -> Response:
    """Have it no more; that of somebody else needs worklist.assign."""
    return _shown(caller, await worklist.release(caller, item_id, asked))


@router.post("/{item_id}/skip", responses=_TAKING, summary="Skip an item")
@needs("worklist.work")
async def skip(
    caller: Asking, item_id: Name, asked: Annotated[Skip, Depends(JsonBody(Skip))]
) -> Response:
    """Leave it to others, and say why: it is not given to who asks as the next one."""
    return _shown(caller, await worklist.skip(caller, item_id, asked))


@router.post("/{item_id}/hold", responses=_TAKING, summary="Hold an item until a day")
@needs("worklist.work")
async def hold(
    caller: Asking, item_id: Name, asked: Annotated[Hold, Depends(JsonBody(Hold))]
) -> Response:
    """Give it out to nobody before `until`; without that, give it out again."""
    return _shown(caller, await worklist.hold(caller, item_id, asked))


@router.post("/{item_id}/watch", responses=_TAKING, summary="Watch an item")
@needs("worklist.work")
async def watch(
    caller: Asking, item_id: Name, asked: Annotated[Watch, Depends(JsonBody(Watch))]
) -> Response:
    """Be among its watchers, or no more."""
    return _shown(caller, await worklist.watch(caller, item_id, asked))


@router.post("/{item_id}/resolve", responses=_DECIDING, summary="Decide about an item")
@needs("worklist.work")
async def resolve(
    caller: Asking,
    request: Request,
    item_id: Name,
    asked: Annotated[Resolution, Depends(JsonBody(Resolution))],
    dry_run: bool = False,
) -> Response:
    """Take one of the actions that the item allows; with `dry_run` nothing is moved or written."""
    seen = _seen(request)
    done = await resolutions.resolve(caller, item_id, asked, seen, dry=dry_run)
    return _resolved(caller, done)


@router.post("/{item_id}/undo", responses=_DECIDING, summary="Undo the last decision")
@needs("worklist.work")
async def undo(
    caller: Asking,
    request: Request,
    item_id: Name,
    asked: Annotated[Asked, Depends(JsonBody(Asked))],
) -> Response:
    """Adjudicate the claim anew without it, while nothing followed; or have the item back."""
    return _resolved(caller, await resolutions.undo(caller, item_id, asked, _seen(request)))


def _seen(request: Request) -> str | None:
    """Read which item was seen; None is whatever stands. Raises Refused (428)."""
    given = request.headers.get("if-match", "").strip()
    if not given:
        raise Refused(428, "Precondition required", "If-Match needs the ETag of the item")
    return None if given == "*" else given.removeprefix("W/")


def _shown(caller: Caller, listed: Listed, status: int = 200) -> Response:
    answer = caller.shown(listed.as_answer())
    answer["actions"] = resolutions.actions_of(caller, listed.item)
    return json_response(answer, status=status, headers={"ETag": listed.item.tag})


def _resolved(caller: Caller, done: Resolved) -> Response:
    answer = {
        "proposed": done.proposed,
        "item": done.listed.as_answer(),
        "adjudication": done.done.answer if done.done else None,
    }
    headers = {"ETag": done.listed.item.tag}
    return json_response(
        caller.shown(answer), status=202 if done.proposed else 200, headers=headers
    )
