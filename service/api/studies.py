"""Studies, reports of what a draft of the rules would move on one, and suggested drafts."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from service.api.body import JSON, NDJSON, JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.claims import After
from service.api.schema import problems, takes
from service.application import reports, studies, suggestions
from service.application.parts import Caller
from service.application.reports import ReportAsked
from service.application.studies import StudyAsked, told
from service.application.suggestions import SuggestionAsked

router = APIRouter(tags=["tuning"], responses=problems(status_404="There is none of this id."))

PAGE_MAX = 200

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Size = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Study = Annotated[StudyAsked, Depends(JsonBody(StudyAsked))]
Report = Annotated[ReportAsked, Depends(JsonBody(ReportAsked))]
Suggestion = Annotated[SuggestionAsked, Depends(JsonBody(SuggestionAsked))]
Format = Annotated[
    Literal["json", "csv", "html"], Query(description="The report, its rows, or its page.")
]
_WAITING = problems(status_429="Too much long work waits on this worker.")


async def _listed(
    caller: Caller,
    kind: Literal["study", "report", "suggestion"],
    name: str,
    size: int,
    after: str | None,
) -> Response:
    """A page of heads of one kind, under the name that this kind has in the answer."""
    page = await studies.listing(caller, kind, size=size, after=after)
    listed = [told(head) for head in page.entries]
    return json_response({name: listed, "total": page.total, "next": page.next_})


@router.post(
    "/studies",
    status_code=202,
    openapi_extra=takes(JSON, model="StudyAsked"),
    responses=_WAITING,
    summary="Have a study made",
)
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def make_study(caller: Asking, asked: Study) -> Response:
    """Freeze claims with all that could cover them: claims that are kept, or those of the body.

    It is made beside the requests: ask for it by its id until its status is `done` or `failed`.
    """
    return json_response(told(await studies.begin(caller, asked)), status=202)


@router.get("/studies", summary="List studies")
@needs("rules.read")
async def list_studies(caller: Asking, size: Size = 50, after: After = None) -> Response:
    """A page, the newest first."""
    return await _listed(caller, "study", "studies", size, after)


@router.get("/studies/{study_id}", summary="Show a study")
@needs("rules.read")
async def show_study(caller: Asking, study_id: Id) -> Response:
    """How far it is; of one that is done what went into it, with the hashes of all parts."""
    return json_response(told(await studies.read(caller, study_id)))


@router.get("/studies/{study_id}/claims", summary="Read a study back")
@needs("rules.read", "clinical.authorization.read", "billing.charge.read")
async def read_study(caller: Asking, study_id: Id) -> Response:
    """The claims with all that could cover them, one a line, byte for byte as they were frozen."""
    head = await studies.read(caller, study_id)
    parts = studies.read_back(caller, head)
    first = await anext(parts, b"")

    async def written() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return StreamingResponse(written(), media_type=NDJSON)


@router.post(
    "/reports",
    status_code=202,
    openapi_extra=takes(JSON, model="ReportAsked"),
    responses=_WAITING,
    summary="Have a report made of a draft",
)
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def make_report(caller: Asking, asked: Report) -> Response:
    """Judge a study by the rules in force and by a draft: which lines move, how, and why.

    It is made beside the requests: ask for it by its id until its status is `done` or `failed`.
    """
    return json_response(told(await reports.begin(caller, asked)), status=202)


@router.get("/reports", summary="List reports")
@needs("rules.read")
async def list_reports(caller: Asking, size: Size = 50, after: After = None) -> Response:
    """A page, the newest first."""
    return await _listed(caller, "report", "reports", size, after)


@router.get("/reports/{report_id}", summary="Show how far a report is")
@needs("rules.read")
async def show_report(caller: Asking, report_id: Id) -> Response:
    """Its status; of one that is done the hash of its content and what it comes to."""
    return json_response(told(await reports.read(caller, report_id)))


@router.get("/reports/{report_id}/content", summary="Read a report")
@needs("rules.read", "clinical.authorization.read", "billing.charge.read")
async def read_report(caller: Asking, report_id: Id, format: Format = "json") -> Response:
    """The report as JSON, byte for byte as it was made; its rows as CSV; or its page as HTML."""
    made = await reports.bodies(caller, report_id)
    if format == "html":
        return Response(made.page, media_type="text/html", headers=_HEADERS)
    if format == "csv":
        text = "".join(reports.csv_of(orjson.loads(made.content)))
        return Response(text, media_type="text/csv; charset=utf-8", headers=_HEADERS)
    return Response(made.content, media_type=JSON, headers=_HEADERS)


@router.post(
    "/rules/suggestions",
    status_code=202,
    openapi_extra=takes(JSON, model="SuggestionAsked"),
    responses=_WAITING,
    summary="Have a draft suggested",
)
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def make_suggestion(caller: Asking, asked: Suggestion) -> Response:
    """Look for thresholds, leads and weights by which more labelled lines are taken rightly.

    It is made beside the requests: ask for it by its id until its status is `done` or `failed`.
    Where it holds on lines that it was not made from too, it names a draft, and a report of it.
    """
    return json_response(told(await suggestions.begin(caller, asked)), status=202)


@router.get("/rules/suggestions", summary="List suggestions")
@needs("rules.read")
async def list_suggestions(caller: Asking, size: Size = 50, after: After = None) -> Response:
    """A page, the newest first."""
    return await _listed(caller, "suggestion", "suggestions", size, after)


@router.get("/rules/suggestions/{suggestion_id}", summary="Show a suggestion")
@needs("rules.read")
async def show_suggestion(caller: Asking, suggestion_id: Id) -> Response:
    """How far it is; of one that is done what is right by now, by it, and on lines not seen."""
    return json_response(told(await suggestions.read(caller, suggestion_id)))


_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
