"""The way back: an authorization as a ClaimResponse of the PAS guide, and pages of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.domain import codes
from service.domain.authorization import Authorization, Decision
from service.ingest.fhir.base.vocabulary import (
    PAS,
    TERMINOLOGY,
    UNKNOWN,
    Json,
    concept,
    extension,
    without_nothing,
)
from service.ingest.fhir.reading.identity import OWN_SYSTEM
from service.ingest.fhir.writing import utilization
from service.ingest.fhir.writing.contained import Contained
from service.ingest.fhir.writing.written_lines import (
    added_item,
    adjudication,
    item,
    provider_extension,
)
from service.ingest.fhir.writing.written_lines import period as period_of
from service.ingest.fhir.writing.written_request import request_of

_TYPES = {"professional": "professional", "dental": "oral"}
_OUTCOMES = ("queued", "complete", "error", "partial")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsStored:
    """What became of an authorization since it was pushed; ``stored_at`` is when it was stored."""

    is_void: bool = False
    is_superseded: bool = False
    superseded_by: str | None = None
    stored_at: str | None = None


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
        "extension": _extensions(authorization, contained),
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
        "preAuthPeriod": period_of(authorization.effective),
        "insurance": contained.insurance(authorization.member),
        "item": [
            item(line, authorization, contained, utilization.of_line(statement, line.line))
            for line in lines
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
    used = utilization.totals(statement, numbers, limits.currency if limits else "USD")
    return [*utilization.eligible(limits), *used]


def _status(authorization: Authorization, state: AsStored) -> str:
    is_gone = authorization.is_void or state.is_void or state.is_superseded
    return "cancelled" if is_gone else "active"


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
            "profile": [f"{PAS}profile-claimresponse"],
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
    written: Json = {"type": concept(f"{TERMINOLOGY}claim-type", name)}
    if authorization.setting == "inpatient":
        written["subType"] = {"coding": [{"code": "inpatient"}], "text": "inpatient"}
    return written


def _created(authorization: Authorization) -> Json:
    made_at = authorization.made_at
    return {"created": made_at.isoformat()} if made_at else {"_created": {"extension": UNKNOWN}}


def _request(authorization: Authorization) -> Json:
    if authorization.requester_reference is None:
        return {"extension": UNKNOWN}
    return {"type": "Claim", "identifier": {"value": authorization.requester_reference}}


def _adjudication(decision: Decision | None, number: str | None) -> list[Json]:
    if decision is None or decision.action is None:
        return []
    return [adjudication(decision, decision.action, number)]


def _extensions(authorization: Authorization, contained: "Contained") -> list[Json]:
    found: list[Json] = []
    decision = authorization.decision or Decision()
    if decision.human_reviewed is not None:
        reviewed: list[Json] = [
            {"url": "wasHumanReviewedFlag", "valueBoolean": decision.human_reviewed}
        ]
        if decision.reviewer is not None:
            reviewed.append({"url": "reviewerNPI", "valueIdentifier": {"value": decision.reviewer}})
        found.append(extension("claimResponseReviewer", extension=reviewed))
    found += [
        extension("authorizationNumber", valueString=each)
        for each in authorization.previous_numbers[:1]
    ]
    if authorization.administrative_reference is not None:
        reference = authorization.administrative_reference
        found.append(extension("administrationReferenceNumber", valueString=reference))
    for provider, kind in (
        (authorization.servicing_provider, "Practitioner"),
        (authorization.facility, "Organization"),
    ):
        if provider is not None:
            found.append(provider_extension(provider, kind, contained))
    return found
