"""The prior authorization metrics of a year, to be published."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from service.api.body import json_response
from service.api.caller import Asking, needs
from service.api.schema import problems
from service.application import decision_metrics
from service.application.decision_metrics import (
    FIRST_YEAR,
    LAST_YEAR,
    Form,
    PriorAuthorizationMetrics,
)

router = APIRouter(tags=["authorizations"], responses=problems())


@router.get(
    "/prior-authorization-metrics",
    response_model=PriorAuthorizationMetrics,
    summary="Prior authorization metrics of a year (CMS-0057-F)",
)
@needs("clinical.authorization.read")
async def read_metrics(
    caller: Asking,
    year: Annotated[int, Query(ge=FIRST_YEAR, le=LAST_YEAR, description="Decided in this year.")],
    form: Annotated[Form, Query(description="JSON, CSV, or a page.")] = "json",
    small_cells: Annotated[
        bool, Query(description="Also counts below 11, which are not to be published.")
    ] = False,
) -> Response:
    """How requests were decided: approved, denied, after appeal, how soon, by service; no drugs.

    Made of what is stored, so that the same year is told again.
    """
    told = await decision_metrics.metrics(caller, year, small_cells=small_cells)
    if form == "csv":
        return Response(decision_metrics.as_csv(told), media_type="text/csv")
    if form == "html":
        return Response(decision_metrics.as_page(told), media_type="text/html")
    return json_response(told)
