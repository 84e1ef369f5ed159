"""A member: authorizations as they stand, what is left of them, and claims that found them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from service.api.caller import needs
from service.application import overview
from service.application.overview import MemberOverview, Overview
from service.domain.member_ids import MemberId
from service.workbench import words
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visiting

router = APIRouter(prefix=f"{PREFIX}/members", include_in_schema=False)


@router.get("/{member_id}")
@needs("clinical.authorization.read")
async def member(
    visit: Visiting, member_id: Annotated[MemberId, Path()], after: str | None = None
) -> Response:
    """Authorizations of a person under all ids, newest first; the other pages by a cursor."""
    found = await overview.of_member(visit.caller, member_id, after=after)
    return page(visit, "member.html", found=found, spans=spans(found))


def spans(found: MemberOverview) -> dict[str, Any] | None:
    """Where the days of each authorization lie between the first and the last of all."""
    dated = [each for each in found.authorizations if _days(each)]
    days = [date.fromisoformat(day) for each in dated for day in _days(each)]
    if not days:
        return None
    first, last = min(days), max(days)
    return {"first": first, "last": last, "rows": [_span(each, first, last) for each in dated]}


def _days(one: Overview) -> Sequence[str]:
    effective = one.authorization.effective
    ends = (effective.from_, effective.to) if effective else ()
    return [each.isoformat() for each in ends if each is not None]


def _span(one: Overview, first: date, last: date) -> dict[str, Any]:
    effective = one.authorization.effective
    begin, end = (effective.from_, effective.to) if effective else (None, None)
    x = words.position(begin.isoformat(), first, last) if begin else 0.0
    until = words.position(end.isoformat() if end else None, first, last)
    return {"one": one, "x": x, "width": max(0.8, until - x)}
