"""Claims in, answers out: one, a stream of many, and why an authorization does not cover a line."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from service.api.batches import answer_claims, answer_lines
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
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application import claims
from service.application.claims import ClaimSent, WhyNotQuestion
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim

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
