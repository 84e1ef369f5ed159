"""Writes a request as the Bundle that `Claim/$submit` of the PAS guide takes, or `$inquire`.

The Claim, and what it refers to, are entries; addresses are made of the trace number, so that the
same request has the same bytes.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from service.domain.request import (
    AuthorizationRequest,
    DocumentReference,
    PatientName,
    as_authorization,
)
from service.ingest.fhir.writing import _vocabulary as fhir
from service.ingest.fhir.writing._parts import Contained, request_of
from service.ingest.fhir.writing._vocabulary import (
    Json,
    coded,
    concept,
    extension,
    extensions,
    without_nothing,
)

TRACES = "urn:authmatch:trace"
"""The system of our trace numbers."""
_TYPES = {"professional": "professional", "dental": "oral"}
_PERIODS = {"day": "d", "week": "wk", "month": "mo", "year": "a"}
_CANCEL = "3"
_CATEGORIES = {"referral": "SC", "authorization": "HS"}
_ADMISSION = "AR"
_UPDATES = frozenset({"S", "4", "R", _CANCEL})
_SUPPORTING = f"{fhir.PAS.removesuffix('StructureDefinition/')}CodeSystem/PASSupportingInfoType"


def write_bundle(
    request: AuthorizationRequest,
    trace: str,
    at: datetime,
    *,
    payer_id: str,
    payer_name: str = "",
    told: str = "",
    is_inquiry: bool = False,
) -> bytes:
    """Write a Bundle (type collection); ``told`` is what is said in words."""
    contained = Contained()
    claim = _claim(request, trace, at, contained)
    claim["meta"] = {"profile": [f"{fhir.PAS}profile-claim{'-inquiry' if is_inquiry else ''}"]}
    claim["supportingInfo"] = _supporting(claim, request, told)
    payer = {
        "resourceType": "Organization",
        "id": "payer",
        "identifier": [{"value": payer_id}],
        "active": True,
        "name": payer_name or payer_id,
    }
    named = [_named(each, request.patient_name) for each in contained.resources]
    resources = [without_nothing(claim), *named, payer, *_orders(request)]
    return orjson.dumps(_bundled(resources, trace, at, is_inquiry=is_inquiry))


def _claim(request: AuthorizationRequest, trace: str, at: datetime, contained: Contained) -> Json:
    """Write the Claim; what it refers to is kept in ``contained``."""
    asked = as_authorization(request, trace=trace).model_copy(
        update={"requester_reference": trace, "received_at": at, "supersedes": None}
    )
    patient = contained.patient(request.member)
    member = request.member.model_copy(
        update={"subscriber_id": request.member.subscriber_id or request.member.id}
    )
    name = _TYPES.get(request.setting, "institutional")
    written = {
        "type": concept(f"{fhir.TERMINOLOGY}claim-type", name),
        "patient": patient,
        "requestor": contained.provider(request.requesting_provider, "Organization"),
        "insurance": contained.insurance(member),
    }
    claim = dict(request_of(asked, written) or {})
    team = _care_team(request, contained)
    claim |= {
        "identifier": [{"system": TRACES, "value": trace}],
        "insurer": {"reference": "#payer"},
        "careTeam": team,
        "priority": concept(
            f"{fhir.TERMINOLOGY}processpriority", "stat" if request.is_expedited else "normal"
        ),
        "insurance": [_insurance(each, request) for each in claim["insurance"]],
        "item": [_item(each, request, [one["sequence"] for one in team]) for each in _items(claim)],
    }
    if request.certification_type in _UPDATES:
        claim["related"] = _related(request)
    claim["extension"] = _certified(claim.get("extension", []), request)
    return claim


def _orders(request: AuthorizationRequest) -> Iterator[Json]:
    """The orders of services that are asked for so many a week: an item has no place for that."""
    for line in request.lines:
        rate = line.requested.per
        if rate is None:
            continue
        span = without_nothing({"value": rate.span, "code": _PERIODS.get(rate.span_unit or "")})
        repeat: Json = {"period": 1, "periodUnit": _PERIODS[rate.period]}
        yield {
            "resourceType": "ServiceRequest",
            "id": f"order-{line.line}",
            "status": "active",
            "intent": "order",
            "subject": {"reference": "#patient"},
            "quantityQuantity": fhir.quantity(rate.count, line.requested.unit),
            "occurrenceTiming": {
                "repeat": repeat | ({"boundsDuration": span} if rate.span else {})
            },
        }


def _items(claim: Json) -> list[Json]:
    """The items; one for the whole where no service is named."""
    whole = concept(f"{fhir.TERMINOLOGY}data-absent-reason", "not-applicable")
    return claim.get("item") or [{"sequence": 1, "productOrService": whole}]


def _item(item: Json, request: AuthorizationRequest, team: list[int]) -> Json:
    is_stay = request.setting == "inpatient" and request.kind == "authorization"
    category = _ADMISSION if is_stay else _CATEGORIES[request.kind]
    named = [
        each
        for each in item.get("extension", [])
        if not each["url"].endswith(("serviceItemRequestType", "certificationType"))
    ]
    asked = extensions(
        "valueCodeableConcept",
        serviceItemRequestType=coded("1525", category),
        certificationType=coded("1322", request.certification_type),
    )
    line = next((each for each in request.lines if each.line == item["sequence"]), None)
    if line and line.requested.per:
        order = {"reference": f"#order-{line.line}"}
        asked.append(extension("requestedService", valueReference=order))
    if request.certification_type == _CANCEL:
        asked.append(extension("infoCancelledFlag", valueBoolean=True))
    days = (line and line.requested_dates) or request.requested_dates
    sequences = [at for at, _ in enumerate(request.diagnoses, start=1)]
    return without_nothing(
        {
            **item,
            "extension": [*asked, *named],
            "careTeamSequence": team,
            "diagnosisSequence": sequences,
            "servicedPeriod": fhir.period(days),
        }
    )


def _care_team(request: AuthorizationRequest, contained: Contained) -> list[Json]:
    """Who gives the service (82), and where (the facility, 77), in the roles of element 98."""
    parties = (
        (request.servicing_provider, "Practitioner", "82"),
        (request.facility, "Organization", "77"),
    )
    found = []
    for party, kind, role in parties:
        resource = "Organization" if party and party.organization else kind
        if reference := contained.provider(party, resource):
            found.append({"provider": reference, "role": coded("98", role)})
    return [
        {"sequence": at, "extension": [extension("careTeamClaimScope", valueBoolean=True)], **each}
        for at, each in enumerate(found, start=1)
    ]


def _supporting(claim: Json, request: AuthorizationRequest, told: str) -> list[Json]:
    """The days, the stay, the documents by reference, and what is said in words."""
    found = [{**each} for each in claim.get("supportingInfo", [])]
    found += [_document(each) for each in request.documents]
    if told:
        category = concept(_SUPPORTING, "freeFormMessage")
        found.append({"category": category, "valueString": told})
    return [{**each, "sequence": at} for at, each in enumerate(found, start=1)]


def _document(document: DocumentReference) -> Json:
    """A document that comes by another way: what PWK says, as a reference by identifier."""
    identifier = without_nothing({"value": document.control_number})
    reference = {
        "type": "DocumentReference",
        "identifier": identifier,
        "display": document.description or document.type,
    }
    return {
        "category": concept(_SUPPORTING, "additionalInformation"),
        "code": coded("755", document.type),
        "valueReference": without_nothing(reference),
    }


def _insurance(insurance: Json, request: AuthorizationRequest) -> Json:
    number = request.previous_number
    return insurance | ({"preAuthRef": [number]} if number else {})


def _related(request: AuthorizationRequest) -> list[Json]:
    """The request that is changed: by the number it was given, or the payer's reference."""
    value = request.previous_number or request.previous_reference
    named = {"identifier": {"value": value}}
    relation = concept(f"{fhir.TERMINOLOGY}ex-relatedclaimrelationship", "prior")
    return [{"claim": named, "relationship": relation}]


def _certified(told: list[Json], request: AuthorizationRequest) -> list[Json]:
    kept = [each for each in told if not each["url"].endswith("certificationType")]
    asked = coded("1322", request.certification_type)
    return [*kept, *extensions("valueCodeableConcept", certificationType=asked)]


def _named(resource: Json, name: PatientName | None) -> Json:
    """Give what a profile demands a name its name, or say that it is not known."""
    unknown: Json = {"name": [{"extension": fhir.UNKNOWN}]}
    kind = resource["resourceType"]
    if kind == "Patient":
        given = [name.first] if name and name.first else []
        told = {"name": [without_nothing({"family": name.last, "given": given})]} if name else {}
        return {"gender": "unknown", **unknown, **resource, **told}
    if kind == "Organization":
        return {"active": True, "name": "unknown", **resource}
    if kind == "Practitioner":
        return unknown | resource
    return resource | {"payor": [{"reference": "#payer"}]}


def _bundled(resources: list[Json], trace: str, at: datetime, *, is_inquiry: bool) -> Json:
    addresses = {each["id"]: _address(trace, each["id"]) for each in resources}
    kind = "pas-inquiry-request-bundle" if is_inquiry else "pas-request-bundle"
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [f"{fhir.PAS}profile-{kind}"]},
        "identifier": {"system": TRACES, "value": trace},
        "type": "collection",
        "timestamp": at.isoformat(),
        "entry": [
            {"fullUrl": addresses[each["id"]], "resource": _linked(each, addresses)}
            for each in resources
        ],
    }


def _address(trace: str, name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{TRACES}/{trace}/{name}')}"


def _linked(value: Any, addresses: Mapping[str, str]) -> Any:
    """Turn references within one resource into those of a bundle."""
    if isinstance(value, list):
        return [_linked(each, addresses) for each in value]
    if not isinstance(value, dict):
        return value
    linked = {name: _linked(each, addresses) for name, each in value.items()}
    reference = linked.get("reference")
    if isinstance(reference, str) and reference.startswith("#"):
        linked["reference"] = addresses[reference[1:]]
    return linked
