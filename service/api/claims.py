"""A claim after it was adjudicated: its answer, its history, and the steps of its life."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.accounting.answers.answer import benefit_answer, complete
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.scale import written, written_amount
from service.api.adjudication_bodies import BenefitLimits
from service.api.body import json_response, read_body
from service.api.caller import application_of, payer_of
from service.api.ledger_view import entry_answer
from service.api.schema import json_body, problems
from service.application.parts import Application
from service.domain.adjudication import ClaimChange
from service.domain.answers import LineAnswer, StoredAnswer, UsedAuthorization
from service.flow.adjudicating.claim_life import Step, UnknownClaim, change_claim
from service.stores.connection.clock import now

router = APIRouter(
    prefix="/claims",
    tags=["claims"],
    responses=problems(
        status_404="No claim of this id was adjudicated.",
        status_409="The claim is not in a state for this.",
    ),
)

ClaimId = Annotated[str, Path(max_length=100)]
Size = Annotated[int, Query(ge=1, le=500, description="Entries a page.")]
After = Annotated[str | None, Query(description="Where to go on: `next` of the page before.")]


async def stored_answer(application: Application, payer: str, claim_id: str) -> StoredAnswer:
    """Give the answer of a claim's latest adjudication, and its status now.

    Raises UnknownClaim.
    """
    answer, _ = await _stored(application, payer, claim_id)
    return answer


async def held_answer(application: Application, payer: str, claim_id: str) -> StoredAnswer:
    """Give the same, but of a claim in force what it holds now, not what it drew then.

    Raises UnknownClaim.
    """
    answer, claim = await _stored(application, payer, claim_id)
    return {**answer, "lines": _as_held(answer["lines"], claim)} if claim.is_held else answer


async def _stored(
    application: Application, payer: str, claim_id: str
) -> tuple[StoredAnswer, ClaimState]:
    stores = application.stores
    claim = await stores.accumulators.read_claim(payer, claim_id)
    if not claim.is_known:
        raise UnknownClaim(claim_id)
    draft, moved = await stores.records.recorded(payer, claim.entries[claim.version])
    answer: StoredAnswer = {
        **complete(draft, moved),
        "status": claim.status,
        "versions": sorted(claim.entries),
        "replaced_by": claim.replaced_by,
    }
    return answer, claim


def _as_held(lines: list[LineAnswer], claim: ClaimState) -> list[LineAnswer]:
    """Write what was drawn anew, as far as it was not given back since."""
    held: dict[tuple[int, str, str, int], list[int]] = {}
    for row in claim.rows:
        key = row.line, row.kind, row.authorization_id, row.authorization_line
        sums = held.setdefault(key, [0, 0])
        sums[0] += row.units
        sums[1] += row.amount
    written_lines: list[LineAnswer] = []
    for line in lines:
        used: list[UsedAuthorization] = []
        for each in line["adjudicated_authorizations"]:
            key = line["line"], each["type"], each["authorization_id"], each["line"]
            if key in held:
                units, amount = held[key]
                used.append({**each, "units": written(units), "amount": written_amount(amount)})
        written_lines.append({**line, "adjudicated_authorizations": used})
    return written_lines


@router.get("/{claim_id}", summary="What became of a claim")
async def read_claim(request: Request, claim_id: ClaimId) -> Response:
    """Give the latest adjudication of a claim as it was answered, and its status now."""
    application, payer = application_of(request), payer_of(request)
    return json_response(await stored_answer(application, payer, claim_id))


@router.get("/{claim_id}/history", summary="Everything that happened to a claim")
async def read_history(
    request: Request, claim_id: ClaimId, size: Size = 100, after: After = None
) -> Response:
    """Give the audit of a claim, newest first: who moved what, when and why."""
    application, payer = application_of(request), payer_of(request)
    stores = application.stores
    if not (await stores.accumulators.read_claim(payer, claim_id)).is_known:
        raise UnknownClaim(claim_id)
    page = await stores.ledger.of_claim(payer, claim_id, size=size, after=after)
    entries = [entry_answer(each) for each in page.entries]
    return json_response({"entries": entries, "total": page.total, "next": page.next_})


async def _step(request: Request, claim_id: str, step: Step) -> Response:
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    change = ClaimChange.model_validate_json(body)
    stores = application.stores
    answer = await change_claim(step, claim_id, change, payer, stores.accumulators, now())
    return json_response(answer)


@router.post(
    "/{claim_id}/finalize", openapi_extra=json_body("ClaimChange"), summary="Make units final"
)
async def finalize(request: Request, claim_id: ClaimId) -> Response:
    """Use what was reserved; lines that name fewer units give the rest back."""
    return await _step(request, claim_id, "finalize")


@router.post(
    "/{claim_id}/release", openapi_extra=json_body("ClaimChange"), summary="Release reserved units"
)
async def release(request: Request, claim_id: ClaimId) -> Response:
    """Give back all that was reserved."""
    return await _step(request, claim_id, "release")


@router.post(
    "/{claim_id}/reverse", openapi_extra=json_body("ClaimChange"), summary="Reverse a claim"
)
async def reverse(request: Request, claim_id: ClaimId) -> Response:
    """Give back all that the claim drew."""
    return await _step(request, claim_id, "reverse")


@router.post(
    "/{claim_id}/adjust", openapi_extra=json_body("ClaimChange"), summary="Give a part back"
)
async def adjust(request: Request, claim_id: ClaimId) -> Response:
    """Lower the units of the lines named; what is over goes back."""
    return await _step(request, claim_id, "adjust")


@router.post(
    "/{claim_id}/benefit-limits",
    openapi_extra=json_body("BenefitLimits"),
    summary="Which benefit limits the authorization goes before",
)
async def benefit_limits(request: Request, claim_id: ClaimId) -> Response:
    """Take benefit limits off the lines that an authorization pays; moves nothing.

    For a benefit module that runs after the authorizations: it need not adjudicate again.
    """
    application, payer = application_of(request), payer_of(request)
    body = await read_body(request, application.settings.body_bytes_max)
    asked = BenefitLimits.model_validate_json(body)
    answer = await held_answer(application, payer, claim_id)
    is_held = answer["status"] in ("used", "reserved")
    lines = {each["line"]: each for each in answer["lines"]}
    paid = {number for number, each in lines.items() if each["adjudicated_authorizations"]}
    return json_response(
        {
            "claim_id": answer["claim_id"],
            "version": answer["version"],
            "lines": [
                {
                    "line": each.line,
                    **benefit_answer(
                        list(each.limit_adjustments),
                        override=is_held
                        and each.line in paid
                        and lines[each.line]["benefit"]["override"],
                        action=lines[each.line]["benefit"]["action"],
                    ),
                }
                for each in asked.of_lines(lines)
            ],
        }
    )
