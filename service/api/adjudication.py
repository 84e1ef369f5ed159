"""Claims in, decisions out: what is paid of every line, from which authorizations, and why not."""

import asyncio
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.api.batches import answer_claims, answer_lines
from service.api.body import (
    JSON,
    NDJSON,
    X12,
    BoundedStream,
    json_response,
    media_type_of,
    read_body,
    read_model,
)
from service.api.caller import Asking, needs
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application import claims
from service.application.claims import ClaimSent
from service.application.parts import Caller
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.domain.claim import Claim

router = APIRouter(
    tags=["adjudication"],
    responses=problems(
        status_409="The claim was adjudicated otherwise; nothing was moved.",
        status_410="The record of the answer is lost; its units stand. Readjudicate it.",
    ),
)

DryRun = Annotated[bool, Query(description="Give the same answer and move nothing.")]
Again = Annotated[
    bool,
    Query(description="Adjudicate this version anew: give back what it drew, and draw again."),
]


@router.post(
    "/adjudicate",
    openapi_extra=takes(JSON, X12, model="Adjudication"),
    response_model=AdjudicationAnswer,
    summary="Adjudicate a claim",
)
@needs("claims.adjudicate")
async def adjudicate_one(
    caller: Asking, request: Request, dry_run: DryRun = False, readjudicate: Again = False
) -> Response:
    """Match a claim, draw its units, and say what becomes of every line.

    The same claim and version again gives the same answer and draws nothing. An 837 file may hold
    many claims: they are answered as a stream, one a line, as those of `/adjudicate/batch`.
    """
    if media_type_of(request) == X12:
        return _answer_file(caller, request, dry_run, readjudicate)
    body = await read_body(request, caller.parts.settings.body_bytes_max)
    claim = read_model(Adjudication, body)
    done = await claims.adjudicate(caller, claim, dry=dry_run, again=readjudicate)
    return json_response(caller.shown(done.answer))


@router.post(
    "/adjudicate/batch",
    openapi_extra=takes(NDJSON, X12, model="Adjudication"),
    summary="Adjudicate many claims, as a stream",
)
@needs("claims.adjudicate")
async def adjudicate_many(
    caller: Asking, request: Request, dry_run: DryRun = False, readjudicate: Again = False
) -> Response:
    """Take NDJSON in, one claim a line, or an 837; answer a line for each in the same order.

    Claims of one member are adjudicated one after the other, in the order of the stream.
    """
    if media_type_of(request) == X12:
        return _answer_file(caller, request, dry_run, readjudicate)
    turns = _Turns()

    async def answer(line: bytes) -> AdjudicationAnswer:
        claim = read_model(Adjudication, line)
        async with turns.of(claim):
            done = await claims.adjudicate(caller, claim, dry=dry_run, again=readjudicate)
            return caller.shown(done.answer)

    settings = caller.parts.settings
    body = BoundedStream(request, settings)
    return StreamedResults(answer_lines(settings, body, answer), body)


def _answer_file(caller: Caller, request: Request, dry: bool, again: bool) -> Response:
    """Adjudicate the claims of an 837 file, those of one member one after the other."""
    turns = _Turns()

    async def answer(claim: Claim, sent: ClaimSent) -> AdjudicationAnswer:
        given = Adjudication.model_validate(dict(claim))
        async with turns.of(claim):
            is_dry = dry or sent.is_estimate
            done = await claims.adjudicate(caller, given, dry=is_dry, again=again)
            return caller.shown(done.answer)

    at_once = caller.parts.settings.batch_claims_at_once
    body = BoundedStream(request, caller.parts.settings)
    sent = claims.sent_in(caller, body, moves=True)
    return StreamedResults(answer_claims(sent, answer, at_once), body)


class _Turns:
    """Lets the claims of one member go one after the other, in the order in which they came."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, claim: Claim) -> asyncio.Lock:
        """The turn of a claim: the same for all of its member that wait or are at work."""
        return self._locks.setdefault(claim.member.id, asyncio.Lock())
