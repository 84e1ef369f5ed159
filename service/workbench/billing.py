"""A claim in a file or as text: given its numbers and given back, or adjudicated."""

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.batches import AnswerClaim, answer_claims
from service.api.body import read_model
from service.api.caller import needs
from service.api.problem import Refused, refused_of
from service.application import claims, numbers
from service.application.claims import ClaimSent
from service.application.numbers import PopulatedFile
from service.application.reception import once
from service.application.refusals import BadPart, BadSelection, Conflict, NotPermitted
from service.domain.adjudication import Adjudication
from service.domain.claim import Claim
from service.workbench.rendering import PREFIX, address, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/claims", include_in_schema=False)
CLAIMS_MAX = 200
"""So many claims of a file a page answers; for more there are the API and the command line."""
_REFUSED = (Refused, ValidationError, BadPart, BadSelection, Conflict, NotPermitted, ValueError)
_FAULT = 500


@router.get("")
@needs("claims.match", "billing.charge.read", "clinical.authorization.read")
async def form(visit: Visiting) -> Response:
    """Where a claim is chosen as a file, or pasted."""
    return page(visit, "billing.html", **_NOTHING)


@router.post("/populate")
@needs("claims.match", "billing.charge.read", "clinical.authorization.read")
async def populate(visit: Visiting) -> Response:
    """Give the claim back with the numbers of what covers its lines, and why for each line."""
    try:
        content = _content(visit)
        found = await (_populated_x12 if _is_x12(content) else _populated)(visit, content)
    except _REFUSED as wrong:
        return _refused(visit, refused_of(wrong))
    return page(visit, "billing.html", **_NOTHING | found)


@router.post("/file")
@needs("claims.match", "billing.charge.read", "clinical.authorization.read")
async def file(visit: Visiting) -> Response:
    """What was given back, as a file."""
    try:
        content = base64.b64decode(visit.field("content"), validate=True)
    except ValueError as error:
        raise Refused(422, "Invalid content", "the form is not as it was given out") from error
    name = "claim.837" if _is_x12(content) else "claim.json"
    kind = "application/edi-x12" if _is_x12(content) else "application/json"
    said = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=said)


@router.post("/adjudicate")
@needs("claims.adjudicate", "billing.charge.read")
async def adjudicate(visit: Visiting) -> Response:
    """Adjudicate the claim; the same again draws nothing."""
    try:
        content = _content(visit)
        if not _is_x12(content):
            claim = read_model(Adjudication, content)
            await claims.adjudicate(visit.caller, claim)
            return RedirectResponse(address("claims", claim.claim_id), 303)
        done = await _adjudicated_x12(visit, content)
    except _REFUSED as wrong:
        return _refused(visit, refused_of(wrong))
    return page(visit, "billing.html", **_NOTHING | {"done": done})


_NOTHING: dict[str, Any] = {"refused": None, "told": None, "back": "", "done": None}


def _refused(visit: Visit, refused: Refused) -> Response:
    return page(visit, "billing.html", refused.status, **_NOTHING | {"refused": refused})


def _content(visit: Visit) -> bytes:
    """What was chosen, else what was pasted; raises Refused (413, 422)."""
    chosen = visit.file("file")
    content = chosen[1] if chosen else visit.field("text").encode()
    most = visit.caller.parts.settings.body_bytes_max
    if len(content) > most:
        raise Refused(413, "Content too large", f"at most {most} bytes")
    if not content.strip():
        raise Refused(422, "Invalid content", "choose a file, or paste a claim")
    return content


def _is_x12(content: bytes) -> bool:
    return content.lstrip()[:1] != b"{"


async def _populated(visit: Visit, content: bytes) -> dict[str, Any]:
    given = await numbers.populate(visit.caller, read_model(Claim, content))
    text = orjson.dumps(given["claim"], option=orjson.OPT_INDENT_2)
    return {"told": [{"claim_id": given["claim_id"], "answer": given}], "back": _back(text)}


async def _populated_x12(visit: Visit, content: bytes) -> dict[str, Any]:
    populated = PopulatedFile(visit.caller)
    try:
        sent = await _listed(populated.sent_in(once(content)))
        told = await _answers(sent, populated.populate, at_once=8)
        for each in told:
            if (problem := each.get("problem")) and problem["status"] >= _FAULT:
                raise Refused(problem["status"], problem["title"], problem["detail"])
        return {"told": told, "back": _back(populated.content())}
    finally:
        populated.close()


async def _adjudicated_x12(visit: Visit, content: bytes) -> list[Any]:
    """One after the other, in the order of the file."""

    async def one(claim: Claim, sent: ClaimSent) -> Any:
        given = Adjudication.model_validate(dict(claim))
        done = await claims.adjudicate(visit.caller, given, dry=sent.is_estimate)
        return visit.caller.shown(done.answer)

    sent = await _listed(claims.sent_in(visit.caller, once(content), moves=True))
    return await _answers(sent, one, at_once=1)


async def _listed(sent: AsyncIterator[ClaimSent]) -> list[ClaimSent]:
    """The claims of a file, before anything is done; raises Refused (413, 422)."""
    found = []
    async for each in sent:
        found.append(each)
        if len(found) > CLAIMS_MAX:
            most = f"more than {CLAIMS_MAX} claims: use the API, or authmatch claims populate"
            raise Refused(413, "Content too large", most)
    if not any(each.claim for each in found):
        reason = next((each.reason for each in found if each.reason), "no claim in it can be read")
        raise Refused(422, "Not X12", reason)
    return found


async def _answers(sent: Sequence[ClaimSent], answer: AnswerClaim, at_once: int) -> list[Any]:
    async def again() -> AsyncIterator[ClaimSent]:
        for each in sent:
            yield each

    return [each async for each in answer_claims(again(), answer, at_once)]


def _back(content: bytes) -> str:
    """The bytes as a form can hold them: a text in a page would have other ends of lines."""
    return base64.b64encode(content).decode()
