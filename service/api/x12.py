"""X12 in and out: 278 responses are taken in and acknowledged, inquiries are answered."""

from collections import Counter as Count
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.body import NDJSON, X12, BoundedStream
from service.api.caller import Asking, needs
from service.api.problem import Refused
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application.inquiries import answers_to
from service.application.intake import take
from service.application.parts import Caller
from service.application.reception import WRITE, Stream, acknowledgements
from service.domain.submission import Notice
from service.flow.intake import Result, Taken
from service.ingest.x12.wire.results import InquiryRead, InterchangeOutcome

router = APIRouter(tags=["X12"], responses=problems())

RETRY_AFTER_S = 5


@dataclass(slots=True)
class _Told:
    """What became of the events of a file, why the first was rejected, and what is answered."""

    statuses: Count[str] = field(default_factory=Count)
    reason: str | None = None
    notices: list[object] = field(default_factory=list)

    def take(self, each: Taken | Notice) -> Result | None:
        """Count a result and give it; keep a notice until all of the file was read."""
        if isinstance(each, Notice):
            self.notices.append(each.item)
            return None
        result = each.result
        self.statuses[result["status"]] += 1
        if result["status"] == "rejected" and self.reason is None:
            self.reason = result["reason"]
        return result

    @property
    def headers(self) -> dict[str, str] | None:
        told = ", ".join(f"{status}={count}" for status, count in sorted(self.statuses.items()))
        return {"X-Results": told} if told else None

    async def texts(self, caller: Caller) -> list[tuple[str, str]]:
        """Write all that is answered, each with what it is; raises EngineFault."""
        outcomes = [each for each in self.notices if isinstance(each, InterchangeOutcome)]
        inquiries = [each for each in self.notices if isinstance(each, InquiryRead)]
        acknowledged = await acknowledgements(caller.parts, caller.payer, outcomes)
        answered = await answers_to(caller.parts, caller.payer, inquiries)
        return [
            *(("acknowledgement", each) for each in acknowledged),
            *(("answer", each) for each in answered),
        ]


@router.post("/x12", openapi_extra=takes(X12), summary="Send 278 interchanges")
@needs("clinical.authorization.request")
async def exchange(caller: Asking, request: Request) -> Response:
    """Take 278 responses in; answer a 999, and a TA1 where it is wanted, for each interchange.

    Inquiries are answered with 278 responses, behind the acknowledgements. With
    `Accept: application/x-ndjson` the answer is a stream: a line for each event as it is stored,
    then the acknowledgements and answers. As X12 the answer comes when all is stored; when some of
    it could neither be stored nor kept it is 503, and the same file may be sent again.
    """
    body = BoundedStream(request, caller.parts.settings)
    taken = take(caller, Stream(chunks=body, origin="POST /x12", form="x12"))
    if NDJSON in request.headers.get("accept", ""):
        caller.subject.demand(WRITE, "an answer as a stream")
        return StreamedResults(_lines(taken, caller), body)
    told = _Told()
    async for each in taken:
        told.take(each)
    if body.excess is not None:
        raise body.excess
    if failed := told.statuses["failed"]:
        raise Refused(
            503,
            "Engine unavailable",
            f"{failed} could neither be stored nor kept: send the file again",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    texts = [text for _, text in await told.texts(caller)]
    if not texts:
        raise Refused(422, "Not X12", told.reason or "there is nothing in it")
    return Response("".join(texts), media_type=X12, headers=told.headers)


async def _lines(taken: AsyncIterator[Taken | Notice], caller: Caller) -> AsyncIterator[Result]:
    told = _Told()
    async for each in taken:
        if result := told.take(each):
            yield result
    for what, text in await told.texts(caller):
        yield {what: text}
