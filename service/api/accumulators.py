"""What was drawn on an authorization: balances, movements, claims, and how it went over time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.claims import After, Size
from service.api.schema import problems
from service.application import authorizations, corrections
from service.application.authorizations import Balances, RelatedClaims, TimeStep, Utilization
from service.application.corrections import Corrected
from service.application.ledger_view import LedgerEntries
from service.domain.correction import BalanceCorrection

router = APIRouter(
    prefix="/authorizations/{authorization_id}",
    tags=["accumulators"],
    responses=problems(status_404="No authorization of this id was pushed."),
)

AuthorizationId = Annotated[str, Path(max_length=100)]
Asked = Annotated[BalanceCorrection, Depends(JsonBody(BalanceCorrection))]


@router.get("/accumulators", response_model=Balances, summary="What is used, reserved and left")
@needs("clinical.authorization.read")
async def read_accumulators(caller: Asking, authorization_id: AuthorizationId) -> Response:
    """Every boundary of an authorization with its limit and balances, as they are now."""
    return json_response(await authorizations.balances(caller, authorization_id))


@router.post(
    "/accumulators/corrections",
    response_model=Corrected,
    responses=problems(status_409="The id was used for another correction, or it is void."),
    summary="Correct a balance",
)
@needs("balances.correct")
async def correct(caller: Asking, authorization_id: AuthorizationId, asked: Asked) -> Response:
    """Add to what is used of one account, or take from it: an opening balance, or a mistake.

    The same correction again corrects nothing.
    """
    return json_response(await corrections.correct(caller, authorization_id, asked))


@router.get("/ledger", response_model=LedgerEntries, summary="Every movement")
@needs("clinical.authorization.read", "billing.charge.read")
async def read_ledger(
    caller: Asking, authorization_id: AuthorizationId, size: Size = 100, after: After = None
) -> Response:
    """What moved or changed the units of an authorization, newest first."""
    page = await authorizations.ledger(caller, authorization_id, size=size, after=after)
    return json_response(page)


@router.get("/claims", response_model=RelatedClaims, summary="Related claims")
@needs("clinical.authorization.read", "billing.charge.read")
async def read_claims(
    caller: Asking,
    authorization_id: AuthorizationId,
    matched: Annotated[
        bool, Query(description="Also claims that found it and drew nothing, of any status.")
    ] = False,
    size: Size = 100,
    after: After = None,
) -> Response:
    """The claims that drew on the same accumulator, newest first, as they stand now."""
    return json_response(
        await authorizations.related_claims(
            caller, authorization_id, matched=matched, size=size, after=after
        )
    )


@router.get("/utilization", response_model=Utilization, summary="Utilization over time")
@needs("clinical.authorization.read")
async def read_utilization(
    caller: Asking,
    authorization_id: AuthorizationId,
    by: Annotated[TimeStep, Query(description="Step of time.")] = "month",
) -> Response:
    """By the time of adjudication, what was moved and how much was used and reserved then."""
    return json_response(await authorizations.utilization_over_time(caller, authorization_id, by))
