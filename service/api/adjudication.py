"""Claims in, decisions out: what is paid of every line, from which authorizations, and why not."""

import asyncio
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import APIRouter, Query, Request
from prometheus_client import Counter
from starlette.responses import Response

from service.api.batches import answer_lines
from service.api.body import json_response, read_body
from service.api.caller import application_of, payer_of
from service.api.schema import json_body, ndjson_body, problems
from service.api.streams import StreamedResults
from service.application.parts import Application, run_claim
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.flow.adjudicating.adjudicate import Adjudicated
from service.ingest.cutting import LineCutter, cut

router = APIRouter(
    tags=["adjudication"],
    responses=problems(status_409="The claim was adjudicated otherwise; nothing was moved."),
)

DISPOSITIONS = Counter(
    "authmatch_dispositions_total",
    "Claim lines adjudicated, by what became of them.",
    ["disposition"],
)
REPLAYS = Counter(
    "authmatch_replays_total", "Claims that were sent again and answered from their record."
)

DryRun = Annotated[bool, Query(description="Give the same answer and move nothing.")]
Again = Annotated[
    bool,
    Query(description="Adjudicate this version anew: give back what it drew, and draw again."),
]


async def answer_claim(
    application: Application, payer: str, claim: Adjudication, *, dry: bool, again: bool
) -> AdjudicationAnswer:
    """Adjudicate one claim, and count what became of its lines."""
    done = await run_claim(application, payer, claim, dry=dry, again=again)
    count_answer(done)
    return done.answer


def count_answer(done: Adjudicated) -> None:
    """Count what became of the lines of a claim, or that it was sent again."""
    if done.replayed:
        REPLAYS.inc()
    elif not done.answer["dry_run"]:
        for line in done.answer["lines"]:
            DISPOSITIONS.labels(line["disposition"]).inc()


@router.post("/adjudicate", openapi_extra=json_body("Adjudication"), summary="Adjudicate a claim")
async def adjudicate_one(
    request: Request, dry_run: DryRun = False, readjudicate: Again = False
) -> Response:
    """Match a claim, draw its units, and say what becomes of every line.

    The same claim and version again gives the same answer and draws nothing.
    """
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    claim = Adjudication.model_validate_json(body)
    return json_response(
        await answer_claim(application, payer, claim, dry=dry_run, again=readjudicate)
    )


@router.post(
    "/adjudicate/batch",
    openapi_extra=ndjson_body("Adjudication"),
    summary="Adjudicate many claims, as a stream",
)
async def adjudicate_many(
    request: Request, dry_run: DryRun = False, readjudicate: Again = False
) -> Response:
    """Take NDJSON in, one claim a line, and answer a line for each in the same order.

    Claims of one member are adjudicated one after the other, in the order of the stream.
    """
    application, payer = application_of(request), payer_of(request)
    turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(line: bytes) -> AdjudicationAnswer:
        claim = Adjudication.model_validate_json(line)
        turn = turns.setdefault(claim.member.id, asyncio.Lock())
        async with turn:
            return await answer_claim(application, payer, claim, dry=dry_run, again=readjudicate)

    lines = cut(request.stream(), LineCutter(application.settings.line_bytes_max))
    return StreamedResults(answer_lines(application.settings, lines, answer))
