"""Claims in, answers out: one, a stream of many, and why an authorization does not cover a line."""

from collections.abc import AsyncIterable, AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.api.batches import Answer, answer_in_order, answer_lines
from service.api.body import JSON, NDJSON, X12, JsonBody, json_response, media_type_of, read_body
from service.api.caller import Asking
from service.api.problem import Refused
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application import claims
from service.application.claims import WhyNotQuestion
from service.application.parts import Caller
from service.application.reception import aliases_of, policy_of
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim
from service.ingest.x12.submissions import ClaimSent, claims_sent

router = APIRouter(tags=["matching"], responses=problems())


@router.post(
    "/match",
    openapi_extra=takes(JSON, X12, model="Claim"),
    response_model=MatchAnswer,
    summary="Match a claim",
)
async def match(caller: Asking, request: Request) -> Response:
    """Answer every line of a claim: class, candidates in order, evidence. Writes nothing.

    An 837 file may hold many claims: they are answered as a stream, one a line.
    """
    settings = caller.parts.settings
    if media_type_of(request) == X12:
        return StreamedResults(_answer_file(caller, request.stream()))
    claim = Claim.model_validate_json(await read_body(request, settings.body_bytes_max))
    return json_response(await claims.match(caller, claim))


@router.post(
    "/match/batch",
    openapi_extra=takes(NDJSON, model="Claim"),
    summary="Match many claims, as a stream",
)
async def batch(caller: Asking, request: Request) -> Response:
    """Take NDJSON in, one claim a line, and answer a line for each in the same order."""

    async def answer(line: bytes) -> MatchAnswer:
        return await claims.match(caller, Claim.model_validate_json(line))

    return StreamedResults(answer_lines(caller.parts.settings, request.stream(), answer))


@router.post("/match/why-not", summary="Why an authorization does not cover a claim line")
async def explain(
    caller: Asking, asked: Annotated[WhyNotQuestion, Depends(JsonBody(WhyNotQuestion))]
) -> Response:
    """The first requirement that fails, then the criteria missed, with both values."""
    return json_response(await claims.explain(caller, asked))


def _answer_file(caller: Caller, chunks: AsyncIterable[bytes]) -> AsyncIterator[Answer]:
    """Answer the claims of an 837 file as if each had come alone; one that is unreadable, too."""

    async def one(sent: ClaimSent) -> Answer:
        if sent.claim is None:
            raise Refused(422, "Claim not answered", sent.reason or "it cannot be read")
        return {**sent.beside, "answer": await claims.match(caller, sent.claim)}

    settings = caller.parts.settings
    aliases = aliases_of(settings, caller.payer)
    claims_of_file = claims_sent(chunks, policy_of(settings), aliases)
    asked = ((partial(one, sent), sent.beside) async for sent in claims_of_file)
    return answer_in_order(asked, settings.batch_claims_at_once)
