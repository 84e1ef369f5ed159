"""Claims in, answers out: one, a stream of many, and why an authorization does not cover a line."""

from fastapi import APIRouter, Request
from prometheus_client import Counter
from starlette.responses import Response

from service.api.batches import answer_lines
from service.api.body import X12, json_response, media_type_of, read_body
from service.api.caller import application_of, payer_of
from service.api.matching_bodies import WhyNotQuestion
from service.api.schema import claim_body, json_body, ndjson_body, problems
from service.api.streams import StreamedResults
from service.api.x12_claims import answer_file
from service.application.parts import Application
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim
from service.flow.matching.match import match_claim
from service.flow.matching.why_not import Question, why_not
from service.ingest.cutting import LineCutter, cut

router = APIRouter(tags=["matching"], responses=problems())

RESULTS = Counter(
    "authmatch_results_total",
    "Results of claim lines by template and class.",
    ["template", "class"],
)


async def answer_claim(application: Application, payer: str, claim: Claim) -> MatchAnswer:
    """Match one claim, count its results, and perhaps check it a second time."""
    matched = await match_claim(
        claim, payer, rules=application.rules, source=application.stores.search
    )
    for each in matched.searches:
        RESULTS.labels(each.plan.template.id, each.ranked.match_class).inc()
    application.live_check.offer(matched)
    return matched.answer


@router.post("/match", openapi_extra=claim_body("Claim"), summary="Match a claim")
async def match(request: Request) -> Response:
    """Answer every line of a claim: class, candidates in order, evidence. Writes nothing.

    An 837 file may hold many claims: they are answered as a stream, one a line.
    """
    application, payer = application_of(request), payer_of(request)
    if media_type_of(request) == X12:

        async def answer(claim: Claim) -> MatchAnswer:
            return await answer_claim(application, payer, claim)

        return StreamedResults(answer_file(application.settings, payer, request.stream(), answer))
    body = await read_body(request, application.settings.body_bytes_max)
    claim = Claim.model_validate_json(body)
    return json_response(await answer_claim(application, payer, claim))


@router.post(
    "/match/batch", openapi_extra=ndjson_body("Claim"), summary="Match many claims, as a stream"
)
async def batch(request: Request) -> Response:
    """Take NDJSON in, one claim a line, and answer a line for each in the same order."""
    application, payer = application_of(request), payer_of(request)
    lines = cut(request.stream(), LineCutter(application.settings.line_bytes_max))

    async def answer(line: bytes) -> MatchAnswer:
        return await answer_claim(application, payer, Claim.model_validate_json(line))

    return StreamedResults(answer_lines(application.settings, lines, answer))


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
