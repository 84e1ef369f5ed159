"""Alerts: what somebody should know of authorizations before it is too late."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, Parts, Sought, count_failure, needs
from service.api.claims import After
from service.api.schema import problems
from service.application import alerts
from service.application.alerts import MEDIA_TYPE, Dismissal, Wanted
from service.application.refusals import NotFound
from service.domain.alert import AlertKind, AlertState
from service.domain.alert_choice import AlertChoice

router = APIRouter(
    prefix="/alerts", tags=["alerts"], responses=problems(status_404="There is no such alert.")
)

feed = APIRouter(tags=["alerts"], include_in_schema=False)
"""For calendars, which send no credential: who has the address may fetch."""

PAGE_MAX = 200
CALENDARS = "/calendars"
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{43}$")]

Name = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Size = Annotated[int, Query(ge=1, le=PAGE_MAX)]
_DISMISSING = problems(status_409="It was dismissed already, or is not so any more.")


@router.get("", summary="List alerts of authorizations")
@needs("clinical.authorization.read")
async def listing(
    caller: Asking,
    state: AlertState = "open",
    kind: AlertKind | None = None,
    authorization: Sought = None,
    member: Sought = None,
    size: Size = 50,
    after: After = None,
) -> Response:
    """A page, the newest first, with the figures of now; those that are not so any more end."""
    wanted = Wanted(
        state=state,
        kinds=() if kind is None else (kind,),
        authorization_id=authorization,
        member_id=member,
    )
    page = await alerts.page(caller, wanted, size=size, after=after)
    shown = [each.as_answer() for each in page.entries]
    return json_response({"alerts": shown, "total": page.total, "next": page.next_})


@router.get("/choice", summary="Show of which alerts one is told, and how")
@needs("clinical.authorization.read")
async def choice(caller: Asking, by: Sought = None) -> Response:
    """The choice of whoever asks; nothing is sent before one is made."""
    return json_response((await alerts.choice(caller, by)).as_answer())


@router.put("/choice", summary="Choose of which alerts to be told, and how")
@needs("clinical.authorization.read")
async def choose(
    caller: Asking, asked: Annotated[AlertChoice, Depends(JsonBody(AlertChoice))]
) -> Response:
    """Kinds, an e-mail address, a webhook; what is left out is not wanted."""
    return json_response((await alerts.choose(caller, asked)).as_answer())


@router.post("/choice/calendar", status_code=201, summary="Make an address of one's calendar")
@needs("clinical.authorization.read")
async def open_calendar(caller: Asking, by: Sought = None) -> Response:
    """A secret address, shown this once, from which a calendar fetches; a former one ends."""
    chosen, token = await alerts.open_calendar(caller, by)
    place = f"{CALENDARS}/{token}.ics"
    return json_response({**chosen.as_answer(), "address": place}, status=201)


@router.delete("/choice/calendar", summary="End the address of one's calendar")
@needs("clinical.authorization.read")
async def close_calendar(caller: Asking, by: Sought = None) -> Response:
    """Nobody can fetch it any more."""
    return json_response((await alerts.close_calendar(caller, by)).as_answer())


@feed.get(f"{CALENDARS}/{{token}}.ics", summary="Fetch a calendar of alerts")
async def calendar(request: Request, parts: Parts, token: Token) -> Response:
    """Days and times of alerts (iCalendar), of nobody; the address alone lets one fetch it."""
    try:
        _, content = await alerts.calendar(parts, token)
    except NotFound:
        count_failure(request)
        raise
    return Response(content, media_type=MEDIA_TYPE, headers={"Cache-Control": "private, no-store"})


@router.post("/{alert_id}/dismiss", responses=_DISMISSING, summary="Dismiss an alert")
@needs("clinical.authorization.write")
async def dismiss(
    caller: Asking, alert_id: Name, asked: Annotated[Dismissal, Depends(JsonBody(Dismissal))]
) -> Response:
    """See it no more, with a reason; the next period has an alert of its own."""
    return json_response((await alerts.dismiss(caller, alert_id, asked)).as_answer())
