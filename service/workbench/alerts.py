"""Alerts: what somebody should know of authorizations, and of which he wants to be told."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.alerts import CALENDARS
from service.api.browser import origin
from service.api.caller import needs
from service.api.claims import After
from service.api.problem import Refused, refused_of
from service.application import alerts
from service.application.alerts import Dismissal, Wanted
from service.application.refusals import BadPart, Conflict
from service.domain.alert import AlertKind, AlertState
from service.domain.alert_choice import AlertChoice
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/alerts", include_in_schema=False)
SIZE = 50
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Kind = Annotated[AlertKind | None, Query()]


@router.get("")
@needs("clinical.authorization.read")
async def listing(
    visit: Visiting, kind: Kind = None, state: AlertState = "open", after: After = None
) -> Response:
    """Alerts as they are now, the newest first, and what whoever looks chose."""
    return await table(visit, kind, state, after)


@router.post("/choice")
@needs("clinical.authorization.read")
async def choose(visit: Visiting) -> Response:
    """Choose of which alerts to be told, and where."""
    given: dict[str, Any] = {
        "kinds": visit.fields.get("kinds", ()),
        **{name: visit.field(name) or None for name in ("email", "webhook")},
    }
    try:
        await alerts.choose(visit.caller, AlertChoice.model_validate(given))
    except (ValidationError, BadPart) as wrong:
        return await table(visit, refused=refused_of(wrong), typed=given, status=422)
    return RedirectResponse(f"{PREFIX}/alerts", 303)


@router.post("/calendar")
@needs("clinical.authorization.read")
async def calendar(visit: Visiting) -> Response:
    """Make the address of one's calendar, which is shown this once; or end it."""
    if visit.field("end"):
        await alerts.close_calendar(visit.caller)
        return RedirectResponse(f"{PREFIX}/alerts", 303)
    _, token = await alerts.open_calendar(visit.caller)
    base = origin(visit.request, visit.caller.parts) or str(visit.request.base_url).rstrip("/")
    return await table(visit, address=f"{base}{CALENDARS}/{token}.ics")


@router.post("/{alert_id}/dismiss")
@needs("clinical.authorization.write")
async def dismiss(visit: Visiting, alert_id: Name) -> Response:
    """See an alert no more, with a reason."""
    try:
        asked = Dismissal.model_validate({"reason": visit.field("reason")})
        await alerts.dismiss(visit.caller, alert_id, asked)
    except (ValidationError, Conflict) as wrong:
        refused = refused_of(wrong)
        return await table(visit, refused=refused, status=refused.status)
    return RedirectResponse(f"{PREFIX}/alerts", 303)


async def table(  # noqa: PLR0913 - what stands on the page
    visit: Visit,
    kind: AlertKind | None = None,
    state: AlertState = "open",
    after: str | None = None,
    *,
    refused: Refused | None = None,
    typed: dict[str, Any] | None = None,
    address: str = "",
    status: int = 200,
) -> Response:
    """The page, perhaps with what could not be done over it, and with what was typed."""
    wanted = Wanted(state=state, kinds=() if kind is None else (kind,))
    found, counts, chosen = await asyncio.gather(
        alerts.page(visit.caller, wanted, size=SIZE, after=after),
        alerts.counts(visit.caller),
        alerts.choice(visit.caller),
    )
    return page(
        visit,
        "alerts.html",
        status,
        found=found,
        counts=counts,
        kind=kind,
        state=state,
        choice=typed or chosen.as_answer(),
        has_calendar=chosen.calendar is not None,
        ways=alerts.ways(visit.caller),
        refused=refused,
        made=address,
    )
