"""Requests for authorization: checked, sent to the payer's trading partner, followed, copied on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from service.access.act import note
from service.access.subject import BadPart
from service.accounting.books.claim_state import BILLED, ClaimState
from service.application import authorizations, claims, worklist
from service.application.intake import NotFound
from service.application.parts import Application, Caller
from service.application.reception import numbers_for
from service.application.worklist import NotOffered, Wanted
from service.domain.actor import Actor
from service.domain.answers import StatementAnswer
from service.domain.authorization import Authorization
from service.domain.charge import Charge, held_as
from service.domain.grant_identity import CHANGING
from service.domain.request import (
    AuthorizationRequest,
    Certification,
    Json,
    Used,
    as_authorization,
    asked_again,
    asked_for,
    copied_forward,
    differences,
    form_of,
)
from service.domain.request_life import FOLLOWING, GRANTED, UNDECIDED, Request, sent
from service.domain.submission import Pushed
from service.domain.values import Frozen, Identifier, JsonObject
from service.ingest.fhir.writing.request import write_bundle
from service.ingest.x12.reply.requesting import Address, texts, write_inquiry, write_request
from service.settings import TradingPartner
from service.stores.connection.clock import today
from service.stores.connection.reading import Listing
from service.stores.intake.requests import ATTEMPTS_MAX, Kept
from service.stores.intake.requests import WantedRequests as WantedRequests

OFFERED_MAX = 20
"""So many claims that wait are offered to an authorization, the most urgent first."""
_UNKNOWN = "there is no such request"
_ROWS_FOR = frozenset({"I", "R"})
"""What changes something has a row already: that of what it changes."""
_AMENDMENT = "S"
_UNNAMED = "-"


class RequestConflict(Exception):
    """What is asked of a request does not go with how it stands; the text says what would."""


class CopyAsked(Frozen):
    """The next message: its id, what it is (UM02), and what is otherwise (RFC 7396)."""

    request_id: Identifier
    certification_type: Certification
    changes: JsonObject = Field(default_factory=dict, max_length=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A request that was put, and whether it is new."""

    answer: Json
    is_new: bool


async def put(caller: Caller, request_id: str, asked: AuthorizationRequest) -> Made:
    """Keep a request that was checked; nothing is sent. One that was not sent yet is replaced.

    Raises BadPart for another id than that of the address, RequestConflict where it was sent with
    other content, EngineFault.
    """
    if asked.request_id != request_id:
        raise BadPart("/request_id", "it is not the id of the address")
    charges = [held_as(each.charge_id) for each in asked.charges]
    note(members=(asked.member.id,), others=(request_id,), claims=charges)
    store, payer = caller.stores.requests, caller.payer
    trace = store.trace(payer, request_id)
    new = Request(
        asked=asked,
        trace=trace,
        made_at=datetime.now(UTC).replace(microsecond=0),
        made_by=caller.subject.title,
    )
    for _ in range(ATTEMPTS_MAX):
        kept = await store.by_trace(payer, trace)
        if kept is not None:
            if kept.request.asked == asked:
                return Made(answer=await _shown(caller, kept.request), is_new=False)
            if kept.request.status != "DRAFT":
                raise RequestConflict(
                    "this request was sent with other content: give this one an id of its own"
                )
        if await store.write(payer, new, kept.seen if kept else None):
            return Made(answer=await _shown(caller, new), is_new=kept is None)
    raise RequestConflict("the request is being changed: try again")


async def read(caller: Caller, request_id: str) -> Json:
    """A request, how it stands, what the payer said, and what may follow; raises NotFound."""
    return await _shown(caller, (await _kept(caller, request_id)).request)


def for_charge(charge: Charge) -> Json:
    """What is to be asked for a charge, as far as it says it; it is attached once it is granted."""
    note(claims=(held_as(charge.charge_id),), members=(charge.member.id,))
    stated = charge.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return asked_for(charge.as_claim(), charge.line) | {"charges": [stated]}


async def for_item(caller: Caller, item_id: str) -> Json:
    """What is to be asked for a claim line on the worklist; raises NotOffered, EngineFault."""
    caller.subject.demand("worklist.work", "item")
    caller.subject.demand("billing.charge.read", "item")
    item = (await worklist.read(caller, item_id)).item
    if item.claim_id is None or item.line is None:
        raise NotOffered("the item is of no claim line")
    _, sent = await claims.as_sent(caller, item.claim_id)
    return asked_for(sent, item.line)


async def page(
    caller: Caller, wanted: WantedRequests, *, size: int, after: str | None
) -> Listing[Kept]:
    """A page of requests, the newest first; raises BadCursor, EngineFault."""
    found = await caller.stores.requests.page(caller.payer, wanted, size=size, after=after)
    _note(each.request for each in found.entries)
    return found


async def send(caller: Caller, request_id: str) -> Json:
    """Have a request sent; one that was sent already stays as it is.

    Raises NotFound, RequestConflict without a trading partner, EngineFault: then nothing was sent.
    """
    store, payer = caller.stores.requests, caller.payer
    partner = partner_of(caller.parts, payer)
    for _ in range(ATTEMPTS_MAX):
        kept = await _kept(caller, request_id)
        request = kept.request
        if request.status != "DRAFT":
            return await _shown(caller, request)
        message = await message_of(caller.parts, payer, partner, request)
        row = await _push_row(caller, request)
        going = sent(request, message, row, datetime.now(UTC))
        if await store.write(payer, going, kept.seen):
            return await _shown(caller, going)
    raise RequestConflict("the request is being changed: try again")


async def inquire(caller: Caller, request_id: str) -> Json:
    """Have the payer asked how a request stands; raises NotFound, RequestConflict, EngineFault."""
    partner_of(caller.parts, caller.payer)
    kept = await _kept(caller, request_id)
    if kept.request.status not in UNDECIDED or kept.request.delivered_at is None:
        raise RequestConflict(
            "nothing is asked of a request that is not with the payer, or was decided"
        )

    def asked(request: Request) -> Request:
        if request.status not in UNDECIDED or request.step == "send":
            return request
        return request.put(step="inquire", due=datetime.now(UTC))

    changed = await caller.stores.requests.change(caller.payer, kept.request.trace, asked)
    return await _shown(caller, changed or kept.request)


async def copy(caller: Caller, request_id: str, asked: CopyAsked) -> Made:
    """Make the message that follows on a request: all of it again, with the changes; a draft.

    Raises NotFound, RequestConflict where it may not follow, ValidationError.
    """
    former = (await _kept(caller, request_id)).request
    allowed = FOLLOWING.get(former.status, ())
    if asked.certification_type not in allowed:
        told = ", ".join(allowed) or "nothing"
        raise RequestConflict(f"on a request that is {former.status} may follow (UM02): {told}")
    form = form_of(former.asked)
    evidence: list[Used] = []
    if former.status in GRANTED and former.authorization_id is not None:
        authorization, evidence = await _with_use(caller, former.authorization_id)
        if asked.certification_type in CHANGING and authorization is not None:
            form |= {"requested_dates": asked_again(authorization, ())["requested_dates"]}
    number, reference = former.number, former.reference
    copied = _copied(asked, form, evidence, request_id, (number, reference))
    return await _put_copy(caller, copied)


async def renew(caller: Caller, authorization_id: str, asked: CopyAsked) -> Made:
    """Make a request from an authorization as it stands, with what was used of it; a draft.

    A revision (S) asks for what was used beyond what was granted. Raises NotFound, RequestConflict
    where there is nothing to amend, ValidationError where something is missing, EngineFault.
    """
    copied, over = await _again(caller, authorization_id, asked)
    if asked.certification_type == _AMENDMENT and not over and not asked.changes:
        raise RequestConflict("nothing was used beyond what was granted: say what is to be changed")
    return await _put_copy(caller, copied)


async def again(caller: Caller, authorization_id: str, certification: Certification) -> Json:
    """What ``renew`` would ask for, to be completed first; nothing is kept. Raises NotFound."""
    caller.subject.demand("clinical.authorization.read", "authorization_id")
    asked = CopyAsked(request_id=_UNNAMED, certification_type=certification)
    copied, _ = await _again(caller, authorization_id, asked)
    del copied["request_id"]
    return copied


async def _again(
    caller: Caller, authorization_id: str, asked: CopyAsked
) -> tuple[Json, list[Used]]:
    """What asks for an authorization again, and what was used beyond it."""
    authorization, evidence = await _with_use(caller, authorization_id)
    if authorization is None:
        raise NotFound("there is no such authorization")
    over = [each for each in evidence if each.granted is not None and each.used > each.granted]
    form = asked_again(authorization, over if asked.certification_type == _AMENDMENT else ())
    numbers = (authorization.number, *(each.number for each in authorization.lines))
    named = (next(filter(None, numbers), None), authorization.administrative_reference)
    return _copied(asked, form, evidence, None, named), over


def _copied(
    asked: CopyAsked,
    form: Json,
    evidence: list[Used],
    of: str | None,
    named: tuple[str | None, str | None],
) -> Json:
    own: Json = {"request_id": asked.request_id}
    if of is not None:
        own["copied_from"] = of
    if evidence:
        own["evidence"] = [each.model_dump(mode="json", exclude_none=True) for each in evidence]
    return copied_forward(
        form,
        {**asked.changes, **own},
        certification=asked.certification_type,
        number=named[0],
        reference=named[1],
        today=today(),
    )


async def _put_copy(caller: Caller, copied: Json) -> Made:
    made = AuthorizationRequest.model_validate(copied)
    return await put(caller, made.request_id, made)


async def _with_use(
    caller: Caller, authorization_id: str
) -> tuple[Authorization | None, list[Used]]:
    """An authorization with what was used of it; what is reserved counts, it may be used yet."""
    try:
        stored = await authorizations.read(caller, authorization_id)
        balances = await authorizations.balances(caller, authorization_id)
    except NotFound:
        return None, []
    authorization = Authorization.model_validate(stored.source)
    return authorization, list(_uses(balances["accounts"]))


def _uses(accounts: list[StatementAnswer]) -> Iterator[Used]:
    for each in accounts:
        units: Mapping[str, Any] = each["units"]
        used = Decimal(units["used"]) + Decimal(units["reserved"])
        if each["boundary"] == "total" and each["unit"] and used:
            limit = units["limit"]
            granted = Decimal(limit) if limit is not None else None
            yield Used(line=each["line"], unit=each["unit"], granted=granted, used=used)


def partner_of(parts: Application, payer: str) -> TradingPartner:
    """Where requests of a payer go; raises RequestConflict where that is not configured."""
    partner = parts.settings.trading_partners.get(payer)
    if partner is None:
        raise RequestConflict("no trading partner is configured for this payer")
    return partner


async def message_of(
    parts: Application,
    payer: str,
    partner: TradingPartner,
    request: Request,
    *,
    is_inquiry: bool = False,
) -> str:
    """Write a request as of now, or the question how it stands; raises EngineFault."""
    at = datetime.now(UTC)
    if partner.format == "fhir":
        return write_bundle(
            request.asked,
            request.trace,
            at,
            payer_id=partner.payer_id,
            payer_name=partner.payer_name,
            told=texts(request.asked),
            is_inquiry=is_inquiry,
        ).decode()
    (numbers,) = await numbers_for(parts, payer, 1)
    write = write_inquiry if is_inquiry else write_request
    return write(request.asked, request.trace, _address(partner), numbers, at)


def _address(partner: TradingPartner) -> Address:
    return Address(
        sender=partner.sender,
        sender_qualifier=partner.sender_qualifier,
        receiver=partner.receiver,
        receiver_qualifier=partner.receiver_qualifier,
        payer_id=partner.payer_id,
        payer_name=partner.payer_name,
        is_test=partner.is_test,
    )


async def _push_row(caller: Caller, request: Request) -> str | None:
    """Let the request stand among the authorizations of its member: pending (seed 000)."""
    if request.asked.certification_type not in _ROWS_FOR:
        return None
    row = as_authorization(request.asked, trace=request.trace, action="A4")
    source = row.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    pushed = Pushed(
        authorization=row,
        source=source,
        keeps_person=True,
        actor=Actor(by=caller.subject.title),
    )
    note(authorizations=(row.authorization_id,))
    await caller.stores.entrance.push_or_queue(caller.payer, [pushed])
    return row.authorization_id


async def _kept(caller: Caller, request_id: str) -> Kept:
    kept = await caller.stores.requests.read(caller.payer, request_id)
    if kept is None:
        raise NotFound(_UNKNOWN)
    _note((kept.request,))
    return kept


def _note(requests: Any) -> None:
    for each in requests:
        note(
            members=(each.asked.member.id,),
            others=(each.asked.request_id,),
            authorizations=filter(None, (each.authorization_id, each.row)),
        )


_HELD_BACK = {"asked", "message"}


def told(request: Request) -> Json:
    """A request as a list shows it; the message itself is shown nowhere."""
    shown = request.model_dump(mode="json", by_alias=True, exclude=_HELD_BACK)
    return {"request": form_of(request.asked), **shown}


async def _shown(caller: Caller, request: Request) -> Json:
    """A request with what may follow, the charges it is for, and how it differs from the last."""
    of = request.asked.copied_from
    former = await caller.stores.requests.read(caller.payer, of) if of else None
    differing = (
        list(differences(form_of(former.request.asked), form_of(request.asked))) if former else []
    )
    return {
        **told(request),
        "differences": differing,
        "may_follow": list(FOLLOWING.get(request.status, ())),
        "offers": await _offers(caller, request),
    }


async def _offers(caller: Caller, request: Request) -> list[Json]:
    """What the answer is for (seed 000: suggested charges): its charges, and claims that wait."""
    name = request.authorization_id
    if request.status not in GRANTED or name is None:
        return []
    ids = [each.charge_id for each in request.asked.charges]
    held = list(map(held_as, ids))
    states = await caller.stores.accumulators.read_claims(caller.payer, held) if held else []
    offers: list[Json] = [
        {"charge_id": each, "authorization_id": name, "is": _is(state, name)}
        for each, state in zip(ids, states, strict=True)
    ]
    if "worklist.work" not in caller.subject.scopes:
        return offers
    waiting = Wanted(kind="late-authorization", authorization_id=name)
    page = await worklist.page(caller, waiting, size=OFFERED_MAX, after=None)
    return offers + [
        {"claim_id": each.item.claim_id, "authorization_id": name, "item_id": each.item.item_id}
        for each in page.entries
    ]


def _is(state: ClaimState, authorization_id: str) -> str:
    """How a charge stands to an authorization."""
    if state.status == BILLED:
        return "billed"
    if not state.is_held:
        return "offered"
    return "attached" if authorization_id in state.authorizations else "attached to another"
