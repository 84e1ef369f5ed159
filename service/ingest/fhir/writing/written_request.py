"""What was asked for, as the Claim that a ClaimResponse answers: it has places that that has not.

Diagnoses, the stay, teeth and places of service stand in the request only, in FHIR. We have no
address for requests; so the response carries its own, with what is known of it.
"""

from service.domain.authorization import (
    GRANTING_ACTIONS,
    Admission,
    Authorization,
    AuthorizationLine,
)
from service.domain.effective import effective_action
from service.ingest.fhir.base.vocabulary import (
    DRG,
    PAS,
    SURFACE,
    TERMINOLOGY,
    TOOTH,
    UNKNOWN,
    X12,
    Json,
    concept,
    extension,
    money,
    quantity,
    without_nothing,
)
from service.ingest.fhir.reading.identity import OWN_SYSTEM
from service.ingest.fhir.writing.written_lines import diagnosis, period, place, service

_PAS_SUPPORTING = f"{PAS.removesuffix('StructureDefinition/')}CodeSystem/PASSupportingInfoType"
_RELATIONSHIP = f"{TERMINOLOGY}ex-relatedclaimrelationship"
_REFERRAL = "SC"
_CANCELLATION = "3"


def request_of(authorization: Authorization, written: Json) -> Json | None:
    """Write the Claim that was answered; None where nothing is known but its number.

    ``written`` is the response: type, patient and requestor are the same.
    """
    known = without_nothing(
        {
            "extension": _extensions(authorization),
            "diagnosis": _diagnoses(authorization),
            "supportingInfo": _supporting(authorization),
            "item": [_item(line, authorization) for line in authorization.lines],
        }
    )
    is_told = any(len(each) > 2 for each in known.get("item", []))
    if not is_told and not known.keys() - {"item"} and authorization.supersedes is None:
        return None
    received_at = authorization.received_at
    number = authorization.requester_reference
    coverage = written.get("insurance", [{}])[0].get("coverage", {"display": "payer"})
    return without_nothing(
        {
            "resourceType": "Claim",
            "id": "request",
            "identifier": [{"value": number}] if number else [],
            "status": "active",
            "type": written["type"],
            "subType": written.get("subType"),
            "use": "preauthorization",
            "patient": {"reference": "#patient"},
            "created": received_at.isoformat() if received_at else None,
            "_created": None if received_at else {"extension": UNKNOWN},
            "provider": written.get("requestor") or {"extension": UNKNOWN},
            "priority": concept(f"{TERMINOLOGY}processpriority", "normal"),
            "related": _related(authorization),
            "insurance": [{"sequence": 1, "focal": True, "coverage": coverage}],
            **known,
        }
    )


def _related(authorization: Authorization) -> list[Json]:
    if authorization.supersedes is None:
        return []
    named = {"system": OWN_SYSTEM, "value": authorization.supersedes}
    return [{"claim": {"identifier": named}, "relationship": concept(_RELATIONSHIP, "prior")}]


def _extensions(authorization: Authorization) -> list[Json]:
    found = []
    if authorization.urgency:
        code = concept(f"{X12}1338", authorization.urgency)
        found.append(extension("levelOfServiceCode", valueCodeableConcept=code))
    # A cancellation is said by the status: here it would make void what was only asked to be.
    certification = authorization.certification_type
    if certification and certification != _CANCELLATION:
        code = concept(f"{X12}1322", certification)
        found.append(extension("certificationType", valueCodeableConcept=code))
    return found


def _diagnoses(authorization: Authorization) -> list[Json]:
    found: list[Json] = []
    for at, each in enumerate(authorization.diagnoses, start=1):
        coded: Json = {"sequence": at, "diagnosisCodeableConcept": diagnosis(each.code, each.type)}
        if each.type:
            coded["type"] = [concept(f"{X12}1270", each.type)]
        found.append(coded)
    if authorization.drg:
        group = concept(DRG, authorization.drg)
        if found:
            found[0]["packageCode"] = group
        else:
            found.append({"sequence": 1, "diagnosisCodeableConcept": group})
    return found


def _supporting(authorization: Authorization) -> list[Json]:
    found: list[Json] = []
    if asked := period(authorization.requested_dates):
        found.append({"category": concept(_PAS_SUPPORTING, "patientEvent"), "timingPeriod": asked})
    stay = authorization.admission or Admission()
    if authorization.setting == "inpatient":
        for name, on in (
            ("admissionDates", stay.date),
            ("dischargeDates", stay.discharge_date),
        ):
            if on:
                category = concept(_PAS_SUPPORTING, name)
                found.append({"category": category, "timingDate": on.isoformat()})
    return [{"sequence": at, **each} for at, each in enumerate(found, start=1)]


def _item(line: AuthorizationLine, authorization: Authorization) -> Json:
    """Write an item; a quantity that was asked for stands where it does not look granted."""
    coded: list[tuple[str, str, str]] = []
    if authorization.kind == "referral":
        coded.append(("serviceItemRequestType", "1525", _REFERRAL))
    if line.certification_type and line.certification_type != _CANCELLATION:
        coded.append(("certificationType", "1322", line.certification_type))
    if level := line.level_of_care or authorization.level_of_care:
        coded.append(("nursingHomeLevelOfCare", "1337", level))
    type_ = line.service_type or authorization.service_type
    is_granted = effective_action(line, authorization) in GRANTING_ACTIONS
    is_told = not is_granted or (line.limits is not None and line.limits.units is not None)
    asked = line.requested if is_told else None
    return without_nothing(
        {
            "extension": [
                extension(name, valueCodeableConcept=concept(f"{X12}{element}", code))
                for name, element, code in coded
            ],
            "sequence": line.line,
            "category": concept(f"{X12}1365", type_) if type_ else None,
            "productOrService": service(line)
            or concept(f"{TERMINOLOGY}data-absent-reason", "not-applicable"),
            "locationCodeableConcept": place(line, authorization),
            "bodySite": concept(TOOTH, line.tooth) if line.tooth else None,
            "subSite": [concept(SURFACE, each) for each in line.surfaces],
            "quantity": quantity(asked.units, asked.unit) if asked and asked.units else None,
            "net": money(asked.amount, asked.currency) if asked and asked.amount else None,
        }
    )
