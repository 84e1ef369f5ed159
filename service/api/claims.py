"""A claim after it was adjudicated: its answer, its history, and the steps of its life."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.schema import problems
from service.application import claims
from service.application.claims import BenefitLimits, Compared
from service.application.ledger_view import LedgerEntries
from service.domain.adjudication import ClaimChange
from service.domain.answers import StepAnswer, StoredAnswer

router = APIRouter(
    prefix="/claims/{claim_id}",
    tags=["claims"],
    responses=problems(
        status_404="No claim of this id was adjudicated.",
        status_409="The claim is not in a state for this.",
        status_410="The record of the answer is lost; its units stand. Readjudicate it.",
    ),
)

ClaimId = Annotated[str, Path(max_length=100)]
Size = Annotated[int, Query(ge=1, le=500, description="Entries a page.")]
After = Annotated[str | None, Query(description="Where to go on: `next` of the page before.")]
Entry = Annotated[str, Query(pattern=r"^\d{13}-\d{1,9}$", description="`entry` of the history.")]
Change = Annotated[ClaimChange, Depends(JsonBody(ClaimChange))]


@router.get("", response_model=StoredAnswer, summary="What became of a claim")
@needs("billing.charge.read")
async def read_claim(caller: Asking, claim_id: ClaimId) -> Response:
    """The latest adjudication of a claim as it was answered, and its status now."""
    return json_response(caller.shown(await claims.as_answered(caller, claim_id)))


@router.get("/history", response_model=LedgerEntries, summary="Everything that happened to a claim")
@needs("billing.charge.read", "clinical.authorization.read")
async def read_history(
    caller: Asking, claim_id: ClaimId, size: Size = 100, after: After = None
) -> Response:
    """The audit of a claim, newest first: who moved what, when and why."""
    return json_response(await claims.history(caller, claim_id, size=size, after=after))


@router.get("/compare", response_model=Compared, summary="Compare two adjudications")
@needs("billing.charge.read", "clinical.authorization.read")
async def compare(caller: Asking, claim_id: ClaimId, one: Entry, other: Entry) -> Response:
    """What the claim was answered by both, the older one first, and what differs, by its place."""
    return json_response(await claims.compared(caller, claim_id, one, other))


@router.post("/finalize", response_model=StepAnswer, summary="Make units final")
@needs("claims.adjudicate")
async def finalize(caller: Asking, claim_id: ClaimId, asked: Change) -> Response:
    """Use what was reserved; lines that name fewer units give the rest back."""
    return json_response(caller.shown(await claims.change(caller, "finalize", claim_id, asked)))


@router.post("/release", response_model=StepAnswer, summary="Release reserved units")
@needs("claims.reverse")
async def release(caller: Asking, claim_id: ClaimId, asked: Change) -> Response:
    """Give back all that was reserved."""
    return json_response(caller.shown(await claims.change(caller, "release", claim_id, asked)))


@router.post("/reverse", response_model=StepAnswer, summary="Reverse a claim")
@needs("claims.reverse")
async def reverse(caller: Asking, claim_id: ClaimId, asked: Change) -> Response:
    """Give back all that the claim drew."""
    return json_response(caller.shown(await claims.change(caller, "reverse", claim_id, asked)))


@router.post("/adjust", response_model=StepAnswer, summary="Give a part back")
@needs("claims.reverse")
async def adjust(caller: Asking, claim_id: ClaimId, asked: Change) -> Response:
    """Lower the units of the lines named; what is over goes back."""
    return json_response(caller.shown(await claims.change(caller, "adjust", claim_id, asked)))


@router.post("/benefit-limits", summary="Which benefit limits the authorization goes before")
@needs("billing.charge.read")
async def benefit_limits(
    caller: Asking,
    claim_id: ClaimId,
    asked: Annotated[BenefitLimits, Depends(JsonBody(BenefitLimits))],
) -> Response:
    """Take benefit limits off the lines that an authorization pays; moves nothing.

    For a benefit module that runs after the authorizations: it need not adjudicate again.
    """
    return json_response(await claims.benefit_limits(caller, claim_id, asked))
