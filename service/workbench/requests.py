"""Requests for authorization: typed, sent, how they stand, and what may be done about them.

A form is written from what is asked so far, and read over it: what it has no field for stays.
"""

import asyncio
import secrets
from datetime import UTC, datetime
from itertools import count
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import ConfigDict, ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.caller import needs
from service.api.claims import After
from service.api.problem import Refused, refused_of
from service.application import charges, requests
from service.application.charges import Attachment, ChargeAnswer, Detachment
from service.application.refusals import (
    BadPart,
    BadSelection,
    Conflict,
    NotFound,
    RequestConflict,
)
from service.application.requests import CopyAsked, WantedRequests
from service.domain.charge import Charge
from service.domain.request import AuthorizationRequest, Certification, Used
from service.domain.request_life import RequestStatus
from service.domain.values import Day, Frozen, Identifier, Number, Text
from service.workbench.rendering import PREFIX, address, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/requests", include_in_schema=False)
SIZE = 50
CHARGES_SHOWN = 20
_DEEP_MAX = 4
_ATTACHING = ("clinical.authorization.write", "billing.charge.read")
_EDITED = (
    "kind", "setting", "member", "patient_name", "service_type", "place_of_service", "bill_type",
    "urgency", "requested_dates", "admission", "requesting_provider", "servicing_provider",
    "facility", "lines", "documents", "note",
)  # fmt: skip
"""Parts of a request that have fields; each field is named by its place (RFC 6901)."""
_WORDS = "modifiers"
_REFUSED = (
    ValidationError, BadPart, BadSelection, Conflict, NotFound, RequestConflict, Refused,
)  # fmt: skip
Item = Annotated[str | None, Query(pattern=r"^[0-9a-f]{24}$")]


@router.get("")
@needs("clinical.authorization.request")
async def listing(
    visit: Visiting,
    status: RequestStatus | None = None,
    follow_up_to: Day | None = None,
    after: After = None,
) -> Response:
    """Requests, the newest first; those of a status, or to be followed up."""
    wanted = WantedRequests(
        status=status, follow_up_to=follow_up_to.isoformat() if follow_up_to else None
    )
    found = await requests.page(visit.caller, wanted, size=SIZE, after=after)
    shown = [requests.told(each.request) for each in found.entries]
    return page(
        visit,
        "requests.html",
        shown=shown,
        total=found.total,
        next_=found.next_,
        which=status,
        follow_up_to=follow_up_to,
        today=datetime.now(UTC).date(),
    )


@router.get("/new")
@needs("clinical.authorization.request")
async def new(
    visit: Visiting, item: Item = None, of: Identifier | None = None, again: Certification = "R"
) -> Response:
    """The form of a request: empty, for a claim line that waits, or for an authorization again."""
    if item is not None:
        return asking(visit, await requests.for_item(visit.caller, item))
    return asking(visit, await requests.again(visit.caller, of, again) if of else {})


@router.post("")
@needs("clinical.authorization.request")
async def put(visit: Visiting) -> Response:
    """Keep what is asked for, and have it sent; what is wrong is said, and what was typed stays."""
    asked: dict[str, Any] = {}
    try:
        asked = _asked(visit)
        request = AuthorizationRequest.model_validate(asked)
        await requests.put(visit.caller, request.request_id, request)
    except _REFUSED as wrong:
        return asking(visit, asked, refused_of(wrong))
    if visit.field("step") == "send":
        return await step(visit, request.request_id)
    return RedirectResponse(address("requests", request.request_id), 303)


@router.get("/{request_id}")
@needs("clinical.authorization.request")
async def one(visit: Visiting, request_id: Identifier) -> Response:
    """How a request stands, what the payer said, and the charges that it is for."""
    return await _shown(visit, request_id)


@router.get("/{request_id}/change")
@needs("clinical.authorization.request")
async def change(visit: Visiting, request_id: Identifier) -> Response:
    """The form of a request that was not sent yet, as it is."""
    return asking(visit, (await requests.read(visit.caller, request_id))["request"])


@router.post("/{request_id}")
@needs("clinical.authorization.request")
async def step(visit: Visiting, request_id: Identifier) -> Response:
    """Send it, have the payer asked, or attach a charge, by the button that was pressed."""
    caller, charge_id, pressed = visit.caller, visit.field("charge_id"), visit.field("step")
    try:
        for scope in _ATTACHING if pressed in ("attach", "detach") else ():
            caller.subject.demand(scope, "charge_id")
        match pressed:
            case "send":
                await requests.send(caller, request_id)
            case "inquire":
                await requests.inquire(caller, request_id)
            case "attach":
                await _attach(visit, request_id, charge_id)
            case "detach":
                await charges.detach(caller, charge_id, Detachment())
            case _:
                raise Refused(422, "Invalid content", "none of the buttons of the page")
    except _REFUSED as wrong:
        return await _shown(visit, request_id, refused_of(wrong))
    return RedirectResponse(address("requests", request_id), 303)


@router.post("/{request_id}/copy")
@needs("clinical.authorization.request", "clinical.authorization.read")
async def copy(visit: Visiting, request_id: Identifier) -> Response:
    """Make the message that follows on it, to be looked at and sent."""
    given = {name: visit.field(name) for name in ("request_id", "certification_type")}
    try:
        made = await requests.copy(visit.caller, request_id, CopyAsked.model_validate(given))
    except _REFUSED as wrong:
        return await _shown(visit, request_id, refused_of(wrong))
    return RedirectResponse(
        address("requests", made.answer["request"]["request_id"], "change"), 303
    )


async def _attach(visit: Visit, request_id: str, charge_id: str) -> None:
    """Attach a charge of a request to what was granted for it."""
    told = await requests.read(visit.caller, request_id)
    known = [each for each in told["request"].get("charges", ()) if each["charge_id"] == charge_id]
    if not known or told["authorization_id"] is None:
        raise NotFound("the request has no such charge, or nothing was granted for it")
    given = {"charge": known[0], "authorization_id": told["authorization_id"]}
    await charges.attach(visit.caller, Attachment.model_validate(given))


async def _shown(visit: Visit, request_id: str, refused: Refused | None = None) -> Response:
    told = await requests.read(visit.caller, request_id)
    return page(
        visit,
        "request.html",
        refused.status if refused else 200,
        told=told,
        new_id=_new_id(),
        asked=told["request"],
        offers={each["charge_id"]: each["is"] for each in told["offers"] if "charge_id" in each},
        waiting=[each for each in told["offers"] if "claim_id" in each],
        checked=await _checked(visit, told),
        refused=refused,
    )


async def _checked(visit: Visit, told: Any) -> dict[str, Any]:
    """What its first charges need now, and how what was granted stands to each of them."""
    if not visit.may("claims.match", "billing.charge.read", "clinical.authorization.read"):
        return {}
    asked = told["request"].get("charges", ())[:CHARGES_SHOWN]

    async def looked(each: Any) -> ChargeAnswer:
        return await charges.check(visit.caller, Charge.model_validate(each), show_all=True)

    answers = await asyncio.gather(*map(looked, asked))
    name = told["authorization_id"]
    return {
        answer["charge_id"]: {
            **answer,
            "granted": next(
                (one for one in answer["authorizations"] if one["authorization_id"] == name), None
            ),
        }
        for answer in answers
    }


def asking(visit: Visit, asked: dict[str, Any], refused: Refused | None = None) -> Response:
    """The form of a request, with what is asked so far in its fields."""
    asked = {"request_id": _new_id(), **asked}
    return page(
        visit,
        "asking.html",
        refused.status if refused else 200,
        asked=asked,
        base=orjson.dumps(asked).decode(),
        at=_flat(_tree(asked)),
        rows=min(len(asked.get("lines", ())) + 1, 99),
        refused=refused,
    )


class _Kept(Frozen):
    """Parts of a request that have no fields, and come back with its form."""

    model_config = ConfigDict(extra="ignore")

    certification_type: Certification = "I"
    previous_number: Number | None = None
    previous_reference: Text | None = None
    charges: tuple[Charge, ...] = ()
    copied_from: Identifier | None = None
    evidence: tuple[Used, ...] = ()


def _new_id() -> str:
    """An id for a request, given with the form: who sends that twice asks for it once."""
    return f"R-{secrets.token_hex(5).upper()}"


def _asked(visit: Visit) -> dict[str, Any]:
    """What the form was made from, with what its fields say now; raises Refused (422)."""
    try:
        asked = orjson.loads(visit.field("base") or "{}")
        tree = _tree({name: asked.get(name) for name in _EDITED})
        _Kept.model_validate(asked)
    except (ValueError, AttributeError, RecursionError) as error:
        raise Refused(422, "Invalid content", "the form is not as it was given out") from error
    for name in visit.fields:
        path = name.split("/")[1 : _DEEP_MAX + 1]
        if path and path[0] in _EDITED:
            _put(tree, path, (visit.words if path[-1] == _WORDS else visit.field)(name))
    edited = {name: _json(tree.get(name)) for name in _EDITED}
    edited["lines"] = _numbered([each for each in _rows(edited["lines"]) if _is_asked(each)])
    edited["documents"] = [each for each in _rows(edited["documents"]) if "type" in each]
    known = {each.get("code"): each for each in _rows(asked.get("diagnoses"))}
    codes = visit.words("diagnoses")
    edited["diagnoses"] = [known.get(each, {"code": each}) for each in codes]
    edited["request_id"] = visit.field("request_id")
    return _filled({**asked, **edited})


def _filled(said: dict[str, Any]) -> dict[str, Any]:
    """What is not empty of it."""
    return {name: each for name, each in said.items() if each not in (None, "", {}, [])}


def _rows(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_asked(line: dict[str, Any]) -> bool:
    """Whether a row says more than in what its units are counted."""
    names = ("procedure", "revenue_code", "service_type")
    return any(each in line for each in names) or "units" in (line.get("requested") or {})


def _numbered(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that are new get the numbers after those of the others."""
    taken = [each["line"] for each in lines if isinstance(each.get("line"), int)]
    numbers = count(max(taken, default=0) + 1)
    return [each if "line" in each else {"line": next(numbers), **each} for each in lines]


def _tree(value: Any) -> Any:
    """The same with lists as what stands at which place, so that fields can be put into it."""
    if isinstance(value, list):
        return {str(place): _tree(each) for place, each in enumerate(value)}
    return {name: _tree(each) for name, each in value.items()} if isinstance(value, dict) else value


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    first, *rest = path
    if not rest:
        tree[first] = value
        return
    inner = tree.get(first)
    if not isinstance(inner, dict):
        inner = tree[first] = {}
    _put(inner, rest, value)


def _json(tree: Any) -> Any:
    """What a tree says; what is empty is not said."""
    if not isinstance(tree, dict):
        return tree
    kept = _filled({name: _json(each) for name, each in tree.items()})
    is_list = bool(kept) and all(each.isdecimal() for each in kept)
    return [kept[each] for each in sorted(kept, key=int)] if is_list else kept


def _flat(tree: Any, path: str = "") -> dict[str, Any]:
    """Each leaf by its place; a list of words as one text."""
    if not isinstance(tree, dict):
        return {path: tree}
    if path.endswith(f"/{_WORDS}"):
        return {path: " ".join(map(str, tree.values()))}
    return {
        name: leaf
        for key, each in tree.items()
        for name, leaf in _flat(each, f"{path}/{key}").items()
    }
