"""Charges: whether one needs an authorization, which are valid for it, attached and detached."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from service.api.body import JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.schema import problems
from service.application import charges
from service.application.charges import (
    AttachAnswer,
    Attachment,
    ChargeAnswer,
    ChargeDetached,
    Detachment,
)
from service.domain.charge import Charge

router = APIRouter(prefix="/charges", tags=["charges"], responses=problems())


@router.post("/check", response_model=ChargeAnswer, summary="What a charge needs")
@needs("claims.match", "billing.charge.read")
async def check(
    caller: Asking,
    asked: Annotated[Charge, Depends(JsonBody(Charge))],
    show_all: Annotated[
        bool, Query(description="Also those that are not valid, with the reason.")
    ] = False,
) -> Response:
    """Whether a charge needs an authorization, and which of the member's are valid for it.

    Those with the most left come first. Nothing is moved.
    """
    return json_response(caller.shown(await charges.check(caller, asked, show_all=show_all)))


@router.post(
    "/attach",
    response_model=AttachAnswer,
    responses=problems(status_409="It is not valid for the charge, or the charge was billed."),
    summary="Attach an authorization to a charge",
)
@needs("clinical.authorization.write", "billing.charge.read")
async def attach(
    caller: Asking, asked: Annotated[Attachment, Depends(JsonBody(Attachment))]
) -> Response:
    """Reserve its units for the charge, all of them, or move nothing.

    The same again changes nothing; another one takes the place of what is attached.
    """
    return json_response(caller.shown(await charges.attach(caller, asked)))


@router.post(
    "/{charge_id}/detach",
    response_model=ChargeDetached,
    responses=problems(
        status_404="Nothing was ever attached to the charge.", status_409="The charge was billed."
    ),
    summary="Detach what is attached to a charge",
)
@needs("clinical.authorization.write", "billing.charge.read")
async def detach(
    caller: Asking,
    charge_id: Annotated[str, Path(max_length=90)],
    asked: Annotated[Detachment, Depends(JsonBody(Detachment))],
) -> Response:
    """Give its units back; the same again changes nothing."""
    return json_response(caller.shown(await charges.detach(caller, charge_id, asked)))
