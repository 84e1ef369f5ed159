"""Claims in, answers out: one, a stream of many, and why an authorization does not cover a line."""

from collections import Counter as Count
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from service.api.batches import Answer, answer_claims, answer_lines
from service.api.body import (
    JSON,
    NDJSON,
    X12,
    BoundedStream,
    JsonBody,
    json_response,
    media_type_of,
    read_body,
    read_model,
)
from service.api.caller import Asking, needs
from service.api.problem import Refused
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application import claims, numbers
from service.application.claims import ClaimSent, WhyNotQuestion
from service.application.numbers import Populated, PopulatedFile
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim
from service.domain.claim_numbers import Responsibility

router = APIRouter(tags=["matching"], responses=problems())

WithBalances = Annotated[
    bool, Query(description="Say of every candidate what is used and left of it.")
]


@router.post(
    "/match",
    openapi_extra=takes(JSON, X12, model="Claim"),
    response_model=MatchAnswer,
    summary="Match a claim",
)
@needs("claims.match")
async def match(caller: Asking, request: Request, balances: WithBalances = False) -> Response:
    """Answer every line of a claim: class, candidates in order, evidence. Writes nothing.

    An 837 file may hold many claims: they are answered as a stream, one a line.
    """
    settings = caller.parts.settings
    if media_type_of(request) == X12:

        async def answer(claim: Claim, _: ClaimSent) -> MatchAnswer:
            return caller.shown(await claims.match(caller, claim, balances=balances))

        stream = BoundedStream(request, settings)
        answers = answer_claims(
            claims.sent_in(caller, stream), answer, settings.batch_claims_at_once
        )
        return StreamedResults(answers, stream)
    body = await read_body(request, settings.body_bytes_max)
    claim = read_model(Claim, body)
    return json_response(caller.shown(await claims.match(caller, claim, balances=balances)))


@router.post(
    "/match/batch",
    openapi_extra=takes(NDJSON, model="Claim"),
    summary="Match many claims, as a stream",
)
@needs("claims.match")
async def batch(caller: Asking, request: Request, balances: WithBalances = False) -> Response:
    """Take NDJSON in, one claim a line, and answer a line for each in the same order."""

    async def answer(line: bytes) -> MatchAnswer:
        claim = read_model(Claim, line)
        return caller.shown(await claims.match(caller, claim, balances=balances))

    settings = caller.parts.settings
    body = BoundedStream(request, settings)
    return StreamedResults(answer_lines(settings, body, answer), body)


@router.post("/match/why-not", summary="Why an authorization does not cover a claim line")
@needs("claims.match", "clinical.authorization.read")
async def explain(
    caller: Asking, asked: Annotated[WhyNotQuestion, Depends(JsonBody(WhyNotQuestion))]
) -> Response:
    """The first requirement that fails, then the criteria missed, with both values."""
    return json_response(await claims.explain(caller, asked))


@router.post(
    "/claims/populate",
    openapi_extra=takes(JSON, X12, model="Claim"),
    response_model=Populated,
    summary="Put authorization numbers on a claim",
)
@needs("claims.match", "billing.charge.read", "clinical.authorization.read")
async def populate(
    caller: Asking, request: Request, responsibility: Responsibility | None = None
) -> Response:
    """Give a claim back with the numbers of what covers its lines, and say why for each line.

    An 837 is answered as an 837: with `Accept: application/x-ndjson` as a line for each claim, and
    one with the file at the end. Writes nothing.
    """
    settings = caller.parts.settings
    if media_type_of(request) == X12:
        stream = BoundedStream(request, settings)
        file = PopulatedFile(caller)
        answers = answer_claims(file.sent_in(stream), file.populate, settings.batch_claims_at_once)
        if NDJSON in request.headers.get("accept", ""):
            return StreamedResults(_with_file(answers, file, stream), stream)
        return await _populated(answers, file, stream)
    claim = read_model(Claim, await read_body(request, settings.body_bytes_max))
    return json_response(await numbers.populate(caller, claim, responsibility))


async def _with_file(
    answers: AsyncIterator[Answer], file: PopulatedFile, stream: BoundedStream
) -> AsyncIterator[object]:
    """The answers, then the file, if all of it was read and no engine failed."""
    try:
        has_failed = False
        async for each in answers:
            has_failed = has_failed or _fault(each) is not None
            yield each
        if stream.excess is None and not has_failed:
            yield {"x12": file.text()}
    finally:
        file.close()


async def _populated(
    answers: AsyncIterator[Answer], file: PopulatedFile, stream: BoundedStream
) -> Response:
    """The file alone, with a header that counts what became of its claims."""
    try:
        told: Count[str] = Count()
        async for each in answers:
            if fault := _fault(each):
                raise fault
            answer: Any = each.get("answer")
            told[_became(answer)] += 1
        if stream.excess is not None:
            raise stream.excess
        if not told["changed"] + told["unchanged"]:
            raise Refused(422, "Not X12", "no claim in it can be read")
        content = file.content()
    finally:
        file.close()
    shown = ", ".join(f"{name}={count}" for name, count in sorted(told.items()) if count)
    return Response(content, media_type=X12, headers={"X-Results": shown})


def _became(answer: Populated | None) -> str:
    if answer is None:
        return "unread"
    return "changed" if answer["changed"] else "unchanged"


def _fault(answer: Answer) -> Refused | None:
    """An engine that failed for a claim: a file is not given back half done."""
    problem: Any = answer.get("problem")
    if problem is None or problem["status"] < HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    return Refused(problem["status"], problem["title"], problem["detail"])
