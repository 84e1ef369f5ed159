"""A charge: whether it needs an authorization, which are valid for it, attached and detached."""

from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from service.api.caller import needs
from service.api.problem import Refused, refused_of
from service.application import charges, requests
from service.application.charges import Attachment, Detachment
from service.application.refusals import BadSelection, Conflict, NotFound
from service.domain.charge import Charge
from service.workbench.rendering import PREFIX, page
from service.workbench.requests import asking
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/charges", include_in_schema=False)
_REFUSED = (ValidationError, BadSelection, Conflict, NotFound)
_PROVIDERS = ("billing_provider", "rendering_provider")
_TEXTS = (
    "charge_id", "type", "procedure", "revenue_code", "from", "to", "units", "unit", "charge",
    "place_of_service",
)  # fmt: skip


@router.get("")
@needs("claims.match", "billing.charge.read")
async def form(visit: Visiting) -> Response:
    """Where a charge is typed as a billing system has it."""
    return _form(visit)


@router.post("")
@needs("claims.match", "billing.charge.read")
async def check(visit: Visiting) -> Response:
    """Say what it needs, and which authorizations are valid for it; nothing is moved."""
    return await _checked(visit)


@router.post("/attach")
@needs("claims.match", "clinical.authorization.write", "billing.charge.read")
async def attach(visit: Visiting) -> Response:
    """Reserve units of the authorization whose button was pressed; the same again is nothing."""
    try:
        given = {"charge": _charge(visit), "authorization_id": visit.field("authorization_id")}
        await charges.attach(visit.caller, Attachment.model_validate(given))
    except _REFUSED as wrong:
        return await _checked(visit, refused_of(wrong))
    return await _checked(visit)


@router.post("/detach")
@needs("claims.match", "clinical.authorization.write", "billing.charge.read")
async def detach(visit: Visiting) -> Response:
    """Give back what is reserved for it; the same again is nothing."""
    try:
        charge = Charge.model_validate(_charge(visit))
        await charges.detach(visit.caller, charge.charge_id, Detachment())
    except _REFUSED as wrong:
        return await _checked(visit, refused_of(wrong))
    return await _checked(visit)


@router.post("/ask")
@needs("claims.match", "billing.charge.read", "clinical.authorization.request")
async def ask(visit: Visiting) -> Response:
    """Ask for an authorization for it: the form of a request, with what the charge says."""
    try:
        charge = Charge.model_validate(_charge(visit))
    except ValidationError as wrong:
        return _form(visit, refused_of(wrong))
    return asking(visit, requests.for_charge(charge))


async def _checked(visit: Visit, refused: Refused | None = None) -> Response:
    """The charge as it stands, perhaps with what could not be done over it."""
    try:
        charge = Charge.model_validate(_charge(visit))
    except ValidationError as wrong:
        return _form(visit, refused or refused_of(wrong))
    everything = bool(visit.field("show_all"))
    checked = await charges.check(visit.caller, charge, show_all=everything)
    return _form(visit, refused, visit.caller.shown(checked))


def _form(visit: Visit, refused: Refused | None = None, checked: Any = None) -> Response:
    return page(
        visit, "charge.html", refused.status if refused else 200, refused=refused, checked=checked
    )


def _charge(visit: Visit) -> dict[str, Any]:
    """What the fields say; what is empty is not said."""
    said: dict[str, Any] = {name: visit.field(name) for name in _TEXTS}
    member = {"id": visit.field("member"), "birth_date": visit.field("birth_date")}
    said["member"] = {name: each for name, each in member.items() if each}
    said["modifiers"] = visit.words("modifiers")
    said["diagnoses"] = [{"code": each} for each in visit.words("diagnoses")]
    for name in _PROVIDERS:
        said[name] = {"npi": visit.field(name)} if visit.field(name) else None
    return {name: each for name, each in said.items() if each}
