"""Claims in, decisions out: what is paid of every line, from which authorizations, and why not."""

import asyncio
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.api.batches import answer_lines
from service.api.body import JSON, NDJSON, json_response, read_body
from service.api.caller import Asking
from service.api.schema import problems, takes
from service.api.streams import StreamedResults
from service.application import claims
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer

router = APIRouter(
    tags=["adjudication"],
    responses=problems(status_409="The claim was adjudicated otherwise; nothing was moved."),
)

DryRun = Annotated[bool, Query(description="Give the same answer and move nothing.")]
Again = Annotated[
    bool,
    Query(description="Adjudicate this version anew: give back what it drew, and draw again."),
]


@router.post(
    "/adjudicate",
    openapi_extra=takes(JSON, model="Adjudication"),
    response_model=AdjudicationAnswer,
    summary="Adjudicate a claim",
)
async def adjudicate_one(
    caller: Asking, request: Request, dry_run: DryRun = False, readjudicate: Again = False
) -> Response:
    """Match a claim, draw its units, and say what becomes of every line.

    The same claim and version again gives the same answer and draws nothing.
    """
    body = await read_body(request, caller.parts.settings.body_bytes_max)
    claim = Adjudication.model_validate_json(body)
    done = await claims.adjudicate(caller, claim, dry=dry_run, again=readjudicate)
    return json_response(done.answer)


@router.post(
    "/adjudicate/batch",
    openapi_extra=takes(NDJSON, model="Adjudication"),
    summary="Adjudicate many claims, as a stream",
)
async def adjudicate_many(
    caller: Asking, request: Request, dry_run: DryRun = False, readjudicate: Again = False
) -> Response:
    """Take NDJSON in, one claim a line, and answer a line for each in the same order.

    Claims of one member are adjudicated one after the other, in the order of the stream.
    """
    turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(line: bytes) -> AdjudicationAnswer:
        claim = Adjudication.model_validate_json(line)
        turn = turns.setdefault(claim.member.id, asyncio.Lock())
        async with turn:
            done = await claims.adjudicate(caller, claim, dry=dry_run, again=readjudicate)
            return done.answer

    return StreamedResults(answer_lines(caller.parts.settings, request.stream(), answer))
