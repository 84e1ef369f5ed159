"""The way back: an authorization as a ClaimResponse of the PAS guide, and pages of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from service.domain.authorization import Authorization, Decision
from service.ingest.fhir import utilization
from service.ingest.fhir.identity import OWN_SYSTEM
from service.ingest.fhir.vocabulary import (
    ABSENT,
    PAS,
    TERMINOLOGY,
    Json,
    concept,
    extension,
    fhir_id,
    without_nothing,
)
from service.ingest.fhir.written_lines import (
    Contained,
    added_item,
    adjudication,
    item,
    provider_extension,
)
from service.ingest.fhir.written_lines import period as period_of

_TYPES = {"professional": "professional", "dental": "oral"}
_UNKNOWN = [{"url": ABSENT, "valueCode": "unknown"}]


def to_claim_response(
    authorization: Authorization,
    statement: Sequence[Mapping[str, Any]] = (),
    *,
    insurer: str = "payer",
) -> Json:
    """Write an authorization, as it was pushed, with its balances.

    ``statement`` is that of the accounts (see ``service.accounting.statement``). A modified line
    stands twice: as item with what was asked for, and as added item with what was granted.
    """
    contained = Contained()
    lines = authorization.lines
    currency = authorization.limits.currency if authorization.limits else "USD"
    resource = {
        "resourceType": "ClaimResponse",
        "id": fhir_id(authorization.authorization_id),
        "meta": _meta(authorization),
        "extension": _extensions(authorization, contained),
        "identifier": _identifiers(authorization),
        "status": "cancelled" if authorization.is_void else "active",
        **_type(authorization),
        "use": "preauthorization",
        "patient": contained.patient(authorization.member),
        **_created(authorization),
        "insurer": {"display": authorization.brand or insurer},
        "requestor": contained.provider(authorization.requesting_provider, "Practitioner"),
        "request": _request(authorization),
        "outcome": "complete",
        "disposition": authorization.status,
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
        "total": [
            *utilization.eligible(authorization.limits),
            *utilization.totals(statement, [line.line for line in lines], currency),
        ],
        "processNote": _notes(authorization),
    }
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


def _notes(authorization: Authorization) -> list[Json]:
    texts = [each.text for each in authorization.messages if each.text]
    return [{"number": at, "text": text} for at, text in enumerate(texts, start=1)]


def _meta(authorization: Authorization) -> Json:
    event_time = authorization.source.event_time
    return without_nothing(
        {
            "versionId": str(authorization.version),
            "lastUpdated": event_time.isoformat() if event_time else None,
            "profile": [f"{PAS}profile-claimresponse"],
        }
    )


def _identifiers(authorization: Authorization) -> list[Json]:
    own = {"system": OWN_SYSTEM, "value": authorization.authorization_id}
    return [own, *({"value": each} for each in authorization.trace_numbers)]


def _type(authorization: Authorization) -> Json:
    name = _TYPES.get(authorization.setting, "institutional")
    written: Json = {"type": concept(f"{TERMINOLOGY}claim-type", name)}
    if authorization.setting == "inpatient":
        written["subType"] = {"coding": [{"code": "inpatient"}], "text": "inpatient"}
    return written


def _created(authorization: Authorization) -> Json:
    decision = authorization.decision or Decision()
    times = (authorization.source.event_time, decision.decided_at, authorization.received_at)
    time = next(filter(None, times), None)
    if time is not None:
        return {"created": time.isoformat()}
    if authorization.certification_date is not None:
        return {"created": authorization.certification_date.isoformat()}
    return {"_created": {"extension": _UNKNOWN}}


def _request(authorization: Authorization) -> Json:
    if authorization.requester_reference is None:
        return {"extension": _UNKNOWN}
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
