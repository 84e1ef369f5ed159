"""Alerts: what somebody should know of authorizations before it is too late."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, Sought, needs
from service.api.claims import After
from service.api.schema import problems
from service.application import alerts
from service.application.alerts import Dismissal, Wanted
from service.domain.alert import AlertKind, AlertState

router = APIRouter(
    prefix="/alerts", tags=["alerts"], responses=problems(status_404="There is no such alert.")
)

PAGE_MAX = 200

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


@router.post("/{alert_id}/dismiss", responses=_DISMISSING, summary="Dismiss an alert")
@needs("clinical.authorization.write")
async def dismiss(
    caller: Asking, alert_id: Name, asked: Annotated[Dismissal, Depends(JsonBody(Dismissal))]
) -> Response:
    """See it no more, with a reason; the next period has an alert of its own."""
    return json_response((await alerts.dismiss(caller, alert_id, asked)).as_answer())
