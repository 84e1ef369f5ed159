"""The way back: an authorization as a ClaimResponse of the PAS guide, and pages of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from service.domain import codes
from service.domain.authorization import Authorization, Decision, Limits
from service.ingest.fhir.reading.identity import OWN_SYSTEM
from service.ingest.fhir.writing import _vocabulary as fhir
from service.ingest.fhir.writing._parts import (
    Contained,
    added_item,
    adjudication,
    item,
    providers,
    request_of,
)
from service.ingest.fhir.writing._vocabulary import (
    Json,
    concept,
    extension,
    extensions,
    without_nothing,
)

_TYPES = {"professional": "professional", "dental": "oral"}
_OUTCOMES = ("queued", "complete", "error", "partial")
_ADJUDICATION = f"{fhir.PDEX}CodeSystem/PDexAdjudicationDiscriminator"
_AMOUNTS = f"{fhir.PDEX}CodeSystem/PriorAuthorizationValueCodes"
_UTILIZATION = f"{fhir.PDEX}StructureDefinition/PriorAuthorizationUtilization"
STATUS = "urn:authmatch:status"
"""An extension of our own: FHIR knows no more than active and cancelled."""

Account = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsStored:
    """What became of an authorization since it was pushed; ``stored_at`` is when it was stored.

    ``status`` is how it stands on the day on which it is given out.
    """

    is_void: bool = False
    is_superseded: bool = False
    superseded_by: str | None = None
    stored_at: str | None = None
    status: str | None = None


def to_claim_response(
    authorization: Authorization,
    statement: Sequence[Mapping[str, Any]] = (),
    *,
    insurer: str = "payer",
    state: AsStored | None = None,
) -> Json:
    """Write an authorization, as it was pushed, with its balances.

    ``statement`` is that of the accounts (``accounting.answers``). A modified line stands
    twice: as item with what was asked for, and as added item with what was granted.
    """
    state = state or AsStored()
    contained = Contained()
    lines = authorization.lines
    resource = {
        "resourceType": "ClaimResponse",
        "id": codes.fhir_id(authorization.authorization_id),
        "meta": _meta(authorization, state),
        "extension": [*_extensions(authorization, contained), *_standing(state)],
        "identifier": _identifiers(authorization),
        "status": _status(authorization, state),
        **_type(authorization),
        "use": "preauthorization",
        "patient": contained.patient(authorization.member),
        **_created(authorization),
        "insurer": {"display": authorization.brand or insurer},
        "requestor": contained.provider(authorization.requesting_provider, "Practitioner"),
        "request": _request(authorization),
        "outcome": "complete",
        "disposition": None if authorization.status in _OUTCOMES else authorization.status,
        "preAuthRef": authorization.number,
        "preAuthPeriod": fhir.period(authorization.effective),
        "insurance": contained.insurance(authorization.member),
        "item": [
            item(line, authorization, contained, _units_of(statement, line.line)) for line in lines
        ],
        "addItem": [
            added for line in lines if (added := added_item(line, authorization, contained))
        ],
        "adjudication": _adjudication(authorization.decision, authorization.number),
        "total": _totals(authorization, statement),
        "processNote": _notes(authorization, state),
    }
    if claim := request_of(authorization, without_nothing(resource)):
        contained.resources.append(claim)
        resource["request"] = {"reference": "#request"}
    return without_nothing({**resource, "contained": contained.resources})


def searchset(
    responses: Iterable[Json],
    *,
    total: int,
    base: str,
    links: Mapping[str, str] | None = None,
    made_at: datetime | None = None,
) -> Json:
    """Write a page of ClaimResponses as the answer of a search; ``base`` is the address of FHIR."""
    entries = [
        {
            "fullUrl": f"{base.rstrip('/')}/ClaimResponse/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in responses
    ]
    return without_nothing(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "timestamp": made_at.isoformat() if made_at else None,
            "link": [{"relation": name, "url": url} for name, url in (links or {}).items()],
            "entry": entries,
        }
    ) | {"total": total}


def _totals(authorization: Authorization, statement: Sequence[Mapping[str, Any]]) -> list[Json]:
    limits, numbers = authorization.limits, [line.line for line in authorization.lines]
    used = _totals_used(statement, numbers, limits.currency if limits else "USD")
    return [*_eligible(limits), *used]


def _status(authorization: Authorization, state: AsStored) -> str:
    is_gone = authorization.is_void or state.is_void or state.is_superseded
    return "cancelled" if is_gone else "active"


def _standing(state: AsStored) -> list[Json]:
    return [{"url": STATUS, "valueCode": state.status}] if state.status else []


def _notes(authorization: Authorization, state: AsStored) -> list[Json]:
    texts = [each.text for each in authorization.messages if each.text]
    if state.is_superseded:
        texts.append(f"Superseded by {state.superseded_by or 'another authorization'}.")
    return [{"number": at, "text": text} for at, text in enumerate(texts, start=1)]


def _meta(authorization: Authorization, state: AsStored) -> Json:
    event_time = authorization.source.event_time
    return without_nothing(
        {
            "versionId": str(authorization.version),
            "lastUpdated": state.stored_at or (event_time.isoformat() if event_time else None),
            "profile": [f"{fhir.PAS}profile-claimresponse"],
        }
    )


def _identifiers(authorization: Authorization) -> list[Json]:
    own = {"system": OWN_SYSTEM, "value": authorization.authorization_id}
    system, _, value = (authorization.source.reference or "").rpartition("|")
    return [
        own,
        *(
            {"system": system, "value": each} if system and each == value else {"value": each}
            for each in authorization.trace_numbers
        ),
    ]


def _type(authorization: Authorization) -> Json:
    name = _TYPES.get(authorization.setting, "institutional")
    written: Json = {"type": concept(f"{fhir.TERMINOLOGY}claim-type", name)}
    if authorization.setting == "inpatient":
        written["subType"] = {"coding": [{"code": "inpatient"}], "text": "inpatient"}
    return written


def _created(authorization: Authorization) -> Json:
    made_at = authorization.made_at
    return (
        {"created": made_at.isoformat()} if made_at else {"_created": {"extension": fhir.UNKNOWN}}
    )


def _request(authorization: Authorization) -> Json:
    if authorization.requester_reference is None:
        return {"extension": fhir.UNKNOWN}
    return {"type": "Claim", "identifier": {"value": authorization.requester_reference}}


def _adjudication(decision: Decision | None, number: str | None) -> list[Json]:
    if decision is None or decision.action is None:
        return []
    return [adjudication(decision, decision.action, number)]


def _extensions(authorization: Authorization, contained: Contained) -> list[Json]:
    decision = authorization.decision or Decision()
    reviewed: list[Json] = []
    if decision.human_reviewed is not None:
        reviewed.append({"url": "wasHumanReviewedFlag", "valueBoolean": decision.human_reviewed})
        if decision.reviewer is not None:
            reviewed.append({"url": "reviewerNPI", "valueIdentifier": {"value": decision.reviewer}})
    return [
        *extensions("extension", claimResponseReviewer=reviewed),
        *(
            extension("authorizationNumber", valueString=each)
            for each in authorization.previous_numbers[:1]
        ),
        *extensions(
            "valueString", administrationReferenceNumber=authorization.administrative_reference
        ),
        *providers(authorization, contained),
    ]


def _units_of(statement: Sequence[Account], line: int) -> list[Json]:
    """Write the units of a line that were granted and those that were used, as adjudications."""
    accounts = _accounts(statement, line)
    if not accounts:
        return []
    written = [_counted("consumedunits", _used(accounts, "units"))]
    limit = accounts[0]["units"]["limit"]
    if limit is not None:
        written.insert(0, _counted("allowedunits", Decimal(limit)))
    return written


def _eligible(limits: Limits | None) -> list[Json]:
    """Write the money and the units that were granted for all lines together."""
    if limits is None or (limits.amount is None and limits.units is None):
        return []
    amount: Json = {"extension": fhir.UNKNOWN}
    if limits.amount is not None:
        amount = fhir.money(limits.amount, limits.currency)
    total: Json = {"category": concept(_AMOUNTS, "eligible"), "amount": amount}
    if limits.units is not None:
        units = fhir.quantity(limits.units, limits.unit)
        total["extension"] = [{"url": _UTILIZATION, "valueQuantity": units}]
    return [total]


def _totals_used(statement: Sequence[Account], lines: Sequence[int], currency: str) -> list[Json]:
    """Write what was used of the whole: money, and units where they are of one kind."""
    accounts = _accounts(statement, None)
    spread = [_accounts(statement, line) for line in lines]
    if not accounts:
        accounts = [each for line in spread for each in line]
    if not accounts:
        return []
    units = {each["unit"] for each in accounts if each["unit"]}
    units = units or {each["unit"] for line in spread for each in line}
    total: Json = {
        "category": concept(_AMOUNTS, "utilized"),
        "amount": fhir.money(_used(accounts, "amount"), currency),
    }
    if len(units) == 1:
        used = fhir.quantity(_used(accounts, "units"), next(iter(units)))
        total["extension"] = [{"url": _UTILIZATION, "valueQuantity": used}]
    return [total]


def _accounts(statement: Sequence[Account], line: int | None) -> list[Account]:
    """The account of the total, else those of all renewal periods; rates add nothing."""
    own = [each for each in statement if each["line"] == line]
    total = [each for each in own if each["boundary"] == "total"]
    return total or [each for each in own if each["boundary"] == "renewal"]


def _used(accounts: Sequence[Account], measure: str) -> Decimal:
    return sum((Decimal(each[measure]["used"]) for each in accounts), Decimal(0))


def _counted(category: str, count: Decimal) -> Json:
    return {"category": concept(_ADJUDICATION, category), "value": fhir.number(count)}
