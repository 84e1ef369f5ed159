"""The audit trail: who saw or changed whose data."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from service.api.body import json_response
from service.api.caller import Asking, needs
from service.api.schema import problems
from service.application import audit
from service.application.audit import Rows, Wanted
from service.domain.member_ids import MemberId

router = APIRouter(prefix="/audit", tags=["access"], responses=problems())

PAGE_MAX = 500

Time = Annotated[datetime | date | None, Query(description="A time, or a day.")]


@router.get("", response_model=Rows, summary="List the audit trail")
@needs("audit.read")
async def listing(  # noqa: PLR0913 - one parameter for each filter of the address
    caller: Asking,
    member: MemberId | None = None,
    by: Annotated[str | None, Query(max_length=200)] = None,
    claim: Annotated[str | None, Query(max_length=100)] = None,
    authorization: Annotated[str | None, Query(max_length=100)] = None,
    since: Time = None,
    until: Time = None,
    size: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    after: str | None = None,
) -> Response:
    """A page of rows, newest first; `member` asks who saw or changed what is of that person."""
    wanted = Wanted(
        by=by,
        claim=claim,
        authorization=authorization,
        since=since.isoformat() if since else None,
        until=until.isoformat() if until else None,
    )
    found = await audit.page(caller, wanted, member=member, size=size, after=after)
    return json_response(found)
