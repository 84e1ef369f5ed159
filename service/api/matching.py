"""Claims in, answers out: one, a stream of many, and why an authorization does not cover a line."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import Counter
from pydantic import ValidationError
from starlette.responses import Response

from service.api.body import json_response, read_body
from service.api.caller import application_of, payer_of
from service.api.matching_bodies import WhyNotQuestion
from service.api.problem import Refused, of_fault, of_validation
from service.api.schema import json_body, ndjson_body, problems
from service.api.streams import StreamedResults
from service.bootstrap import Application
from service.domain.claim import Claim
from service.flow.intake import TooLong, split_lines
from service.flow.match import match_claim
from service.flow.why_not import Question, why_not
from service.requirement.faults import TableFault
from service.stores.faults import EngineFault

router = APIRouter(tags=["matching"], responses=problems())

RESULTS = Counter(
    "authmatch_results_total",
    "Results of claim lines by template and class.",
    ["template", "class"],
)


BATCH_PROBLEMS = Counter(
    "authmatch_batch_problems_total", "Lines of a batch that could not be answered.", ["status"]
)


async def answer_claim(application: Application, payer: str, claim: Claim) -> dict[str, Any]:
    """Match one claim, count its results, and perhaps check it a second time."""
    matched = await match_claim(
        claim, payer, rules=application.rules, source=application.stores.search
    )
    for each in matched.searches:
        RESULTS.labels(each.plan.template.id, each.ranked.match_class).inc()
    application.live_check.offer(matched)
    return matched.answer


@router.post("/match", openapi_extra=json_body("Claim"), summary="Match a claim")
async def match(request: Request) -> Response:
    """Answer every line of a claim: class, candidates in order, evidence. Writes nothing."""
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    claim = Claim.model_validate_json(body)
    return json_response(await answer_claim(application, payer, claim))


@router.post(
    "/match/batch", openapi_extra=ndjson_body("Claim"), summary="Match many claims, as a stream"
)
async def batch(request: Request) -> Response:
    """Take NDJSON in, one claim a line, and answer a line for each in the same order."""
    application, payer = application_of(request), payer_of(request)
    lines = split_lines(request.stream(), application.settings.line_bytes_max)
    return StreamedResults(_answers(application, payer, lines))


async def _answers(
    application: Application, payer: str, lines: AsyncIterator[bytes | TooLong]
) -> AsyncIterator[object]:
    """Keep a bounded number of claims at work, and give their answers in the order they came."""
    waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
    number = 0
    try:
        async for line in lines:
            number += 1
            if isinstance(line, bytes) and not line.strip():
                continue
            waiting.append(asyncio.create_task(_answer_line(application, payer, number, line)))
            if len(waiting) >= application.settings.batch_claims_at_once:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


async def _answer_line(
    application: Application, payer: str, number: int, line: bytes | TooLong
) -> dict[str, Any]:
    """Answer one line of a batch; what is wrong with it is said in its place."""
    if isinstance(line, TooLong):
        limit = application.settings.line_bytes_max
        refused = Refused(413, "Line too long", f"at most {limit} bytes")
    else:
        try:
            claim = Claim.model_validate_json(line)
            return await answer_claim(application, payer, claim)
        except ValidationError as error:
            refused = of_validation(error)
        except EngineFault as fault:
            refused = of_fault(fault)
        except TableFault:
            refused = Refused(503, "Decision table failed", "a decision table could not decide")
    BATCH_PROBLEMS.labels(str(refused.status)).inc()
    return {
        "input_line": number,
        "problem": {
            "status": refused.status,
            "title": refused.title,
            "detail": refused.detail,
            "errors": refused.errors or [],
        },
    }


@router.post(
    "/match/why-not",
    openapi_extra=json_body("WhyNotQuestion"),
    summary="Why an authorization does not cover a claim line",
)
async def explain(request: Request) -> Response:
    """Give the first requirement that fails, then the criteria missed, with both values."""
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    asked = WhyNotQuestion.model_validate_json(body)
    question = Question(claim=asked.claim, line=asked.line, number=asked.number, kind=asked.type)
    return json_response(
        await why_not(question, payer, rules=application.rules, source=application.stores.search)
    )
