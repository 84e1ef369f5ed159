"""Authorizations that are entered by hand, their documents, and the second look at both."""

from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.caller import needs
from service.api.problem import Refused, refused_of
from service.application import documents
from service.application.documents import Paper, Refusal
from service.application.refusals import Conflict, DocumentRefused
from service.domain.decision import Asked
from service.domain.document import DocumentKind
from service.domain.manual_entry import ManualEntry
from service.domain.values import Identifier
from service.workbench.authorizations import shown_page
from service.workbench.rendering import PREFIX, address, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=PREFIX, include_in_schema=False)
_KINDS: dict[str, DocumentKind] = {
    "letter": "letter",
    "fax": "fax",
    "portal": "portal",
    "other": "other",
}
_REFUSED = (ValidationError, Conflict, DocumentRefused)


@router.get("/entry")
@needs("clinical.authorization.enter")
async def form(visit: Visiting) -> Response:
    """Where an authorization is entered by hand, with the payer's letter."""
    return _form(visit)


@router.post("/entry")
@needs("clinical.authorization.enter")
async def enter(visit: Visiting) -> Response:
    """Enter it; what is wrong is said, and what was typed stays."""
    try:
        entry = ManualEntry.model_validate({"authorization": _authorization(visit)})
        entered = await documents.enter(visit.caller, entry, _paper(visit))
    except _REFUSED as wrong:
        return _form(visit, refused_of(wrong))
    return RedirectResponse(address("authorizations", entered.authorization_id), 303)


@router.post("/authorizations/{authorization_id}/documents")
@needs("clinical.authorization.enter")
async def add(visit: Visiting, authorization_id: Identifier) -> Response:
    """Add a document; what is none is refused, with the reason."""
    paper = _paper(visit) or Paper(content=b"")
    try:
        await documents.add(visit.caller, authorization_id, paper)
    except DocumentRefused as wrong:
        return await shown_page(visit, authorization_id, refused_of(wrong))
    return RedirectResponse(address("authorizations", authorization_id), 303)


@router.post("/authorizations/{authorization_id}/entry")
@needs("clinical.authorization.enter")
async def look(visit: Visiting, authorization_id: Identifier) -> Response:
    """Confirm an entry as the second person, or refuse it with a reason."""
    reason = {"reason": visit.field("reason") or None}
    try:
        if visit.field("do") == "refuse":
            await documents.refuse(visit.caller, authorization_id, Refusal.model_validate(reason))
        else:
            await documents.confirm(visit.caller, authorization_id, Asked.model_validate(reason))
    except (ValidationError, Conflict) as wrong:
        return await shown_page(visit, authorization_id, refused_of(wrong))
    return RedirectResponse(address("authorizations", authorization_id), 303)


def _form(visit: Visit, refused: Refused | None = None) -> Response:
    return page(
        visit,
        "entry.html",
        refused.status if refused else 200,
        refused=refused,
        typed={name: visit.field(name) for name in visit.fields},
    )


def _paper(visit: Visit) -> Paper | None:
    """The file that was chosen, if any was."""
    found = visit.file("document")
    if found is None:
        return None
    said, content = found
    return Paper(content=content, said=said, kind=_KINDS.get(visit.field("kind"), "other"))


def _authorization(visit: Visit) -> dict[str, Any]:
    """What the fields of the form say; what is empty is not said."""
    number, codes = visit.field("number"), visit.words("codes")
    units, unit = visit.field("units"), visit.field("unit")
    span = {name: visit.field(name) for name in ("from", "to") if visit.field(name)}
    said: dict[str, Any] = {
        "authorization_id": visit.field("authorization_id"),
        "kind": visit.field("of") or "authorization",
        "setting": visit.field("setting") or "professional",
        "number": number,
        "member": {"id": visit.field("member")},
        "effective": span,
        "servicing_provider": {"npi": visit.field("npi")} if visit.field("npi") else None,
        "limits": {"units": units, "unit": unit} if units else None,
        "remarks": visit.field("remarks"),
        "lines": [
            {"line": line, "procedure": {"from": code}} for line, code in enumerate(codes, start=1)
        ],
    }
    return {name: each for name, each in said.items() if each}
