"""X12 in and out: 278 responses are taken in and acknowledged, inquiries are answered."""

from collections import Counter as Count
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.body import NDJSON, X12
from service.api.caller import Asking
from service.api.problem import Refused
from service.api.schema import problems, x12_body
from service.api.streams import StreamedResults
from service.application.inquiries import answers_to
from service.application.intake import counted
from service.application.parts import Application
from service.application.reception import acknowledgements, doors_of, reading_of
from service.flow.intake import Result, take_in
from service.ingest.submissions import read_submissions
from service.ingest.x12.wire.results import InquiryRead, InterchangeOutcome, Item

router = APIRouter(tags=["X12"], responses=problems())

RETRY_AFTER_S = 5


@dataclass(slots=True)
class _Seen:
    """What of a file is answered when all of it was read."""

    outcomes: list[InterchangeOutcome] = field(default_factory=list)
    inquiries: list[InquiryRead] = field(default_factory=list)

    def note(self, item: Item) -> None:
        if isinstance(item, InterchangeOutcome):
            self.outcomes.append(item)
        elif isinstance(item, InquiryRead):
            self.inquiries.append(item)


@dataclass(slots=True)
class _Told:
    """What became of the events of a file, and why the first was rejected."""

    statuses: Count[str] = field(default_factory=Count)
    reason: str | None = None

    @property
    def headers(self) -> dict[str, str] | None:
        told = ", ".join(f"{status}={count}" for status, count in sorted(self.statuses.items()))
        return {"X-Results": told} if told else None


@router.post("/x12", openapi_extra=x12_body(), summary="Send 278 interchanges")
async def exchange(caller: Asking, request: Request) -> Response:
    """Take 278 responses in; answer a 999, and a TA1 where it is wanted, for each interchange.

    Inquiries are answered with 278 responses, behind the acknowledgements. With
    `Accept: application/x-ndjson` the answer is a stream: a line for each event as it is stored,
    then the acknowledgements and answers. As X12 the answer comes when all is stored; when some of
    it could neither be stored nor kept it is 503, and the same file may be sent again.
    """
    application, payer = caller.parts, caller.payer
    seen = _Seen()
    reading = reading_of(application.settings, payer, form="x12", on_item=seen.note)
    results = counted(
        take_in(
            read_submissions(request.stream(), reading),
            doors_of(application, payer, "POST /x12"),
            batch=application.settings.bulk_batch,
        )
    )
    if NDJSON in request.headers.get("accept", ""):
        return StreamedResults(_lines(results, seen, application, payer))
    told = await _told(results)
    texts = [each for _, each in await _texts(seen, application, payer)]
    if not texts:
        raise Refused(422, "Not X12", told.reason or "there is nothing in it")
    return Response("".join(texts), media_type=X12, headers=told.headers)


async def _texts(seen: _Seen, application: Application, payer: str) -> list[tuple[str, str]]:
    """Write all that is answered to what was seen, each with what it is."""
    acknowledged = await acknowledgements(application, payer, seen.outcomes)
    answered = await answers_to(application, payer, seen.inquiries)
    return [
        *(("acknowledgement", each) for each in acknowledged),
        *(("answer", each) for each in answered),
    ]


async def _lines(
    results: AsyncIterator[Result], seen: _Seen, application: Application, payer: str
) -> AsyncIterator[Result]:
    async for each in results:
        yield each
    for what, text in await _texts(seen, application, payer):
        yield {what: text}


async def _told(results: AsyncIterator[Result]) -> _Told:
    """Count what became of all; raises Refused (503) where something is to be sent again."""
    told = _Told()
    async for each in results:
        told.statuses[each["status"]] += 1
        if each["status"] == "rejected" and told.reason is None:
            told.reason = each["reason"]
    failed = told.statuses["failed"]
    if failed:
        raise Refused(
            503,
            "Engine unavailable",
            f"{failed} could neither be stored nor kept: send the file again",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    return told
