"""The parts of a response: its lines, and the request that it answers with places of its own.

Diagnoses, the stay, teeth and places of service stand in the request only, in FHIR. We have no
address for requests; so the response carries its own, with what is known of it.
"""

from service.domain import codes
from service.domain.authorization import (
    GRANTING_ACTIONS,
    Admission,
    Authorization,
    AuthorizationLine,
    Decision,
    Limits,
    Member,
)
from service.domain.decision_clock import EXPEDITED
from service.domain.effective import effective_action
from service.domain.provider import AuthorizedProvider
from service.ingest.fhir.reading.identity import OWN_SYSTEM
from service.ingest.fhir.writing import _vocabulary as fhir
from service.ingest.fhir.writing._vocabulary import (
    Json,
    coded,
    concept,
    day,
    extension,
    extensions,
    without_nothing,
)

_MODIFIED = "A6"
_CANCELLATION = "3"
_REFERRAL = "SC"
_ICD9_TYPES = frozenset({"BK", "BF", "BJ"})
_GENDERS = {"M": "male", "F": "female"}
_PAS_SUPPORTING = f"{fhir.PAS.removesuffix('StructureDefinition/')}CodeSystem/PASSupportingInfoType"
_RELATIONSHIP = f"{fhir.TERMINOLOGY}ex-relatedclaimrelationship"


class Contained:
    """The resources that a response carries itself, since no server keeps them for us."""

    def __init__(self) -> None:
        self.resources: list[Json] = []

    def patient(self, member: Member) -> Json:
        """Keep the member, and refer to it; no name, for we have none."""
        identifier = {"type": concept(f"{fhir.TERMINOLOGY}v2-0203", "MB"), "value": member.id}
        patient = {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [identifier],
            "gender": _GENDERS.get(member.gender or ""),
            "birthDate": day(member.birth_date),
        }
        self.resources.append(without_nothing(patient))
        return {"reference": "#patient", "identifier": identifier}

    def insurance(self, member: Member) -> list[Json]:
        """Keep the coverage where there is a number of the subscriber."""
        if member.subscriber_id is None:
            return []
        coverage = {
            "resourceType": "Coverage",
            "id": "coverage",
            "status": "active",
            "subscriberId": member.subscriber_id,
            "dependent": member.suffix,
            "beneficiary": {"reference": "#patient"},
            "payor": [{"display": "payer"}],
        }
        self.resources.append(without_nothing(coverage))
        return [{"sequence": 1, "focal": True, "coverage": {"reference": "#coverage"}}]

    def provider(self, provider: AuthorizedProvider | None, kind: str) -> Json | None:
        """Keep a provider, once, and refer to it."""
        if provider is None:
            return None
        systems = ((fhir.NPI, provider.npi), (fhir.TIN, provider.tin))
        resource: Json = {
            "resourceType": kind,
            "identifier": [{"system": system, "value": each} for system, each in systems if each],
        }
        if provider.name:
            resource["name"] = (
                provider.name if kind == "Organization" else [{"text": provider.name}]
            )
        if provider.taxonomy and kind == "Practitioner":
            resource["qualification"] = [
                {"code": concept(fhir.TAXONOMY, each)} for each in provider.taxonomy
            ]
        resource = without_nothing(resource)
        for known in self.resources:
            if {name: value for name, value in known.items() if name != "id"} == resource:
                return {"reference": f"#{known['id']}"}
        name = f"provider-{len(self.resources)}"
        self.resources.append({**resource, "id": name})
        return {"reference": f"#{name}"}


def item(
    line: AuthorizationLine,
    authorization: Authorization,
    contained: Contained,
    balances: list[Json],
) -> Json:
    """Write the item of a line; of a modified one it says what was asked for."""
    action = effective_action(line, authorization)
    is_modified = action == _MODIFIED
    limits = line.requested if is_modified else line.limits
    found = _dates(line, authorization)
    found += [
        extension("communicatedDiagnosis", valueCodeableConcept=_diagnosis(each.code, each.type))
        for each in line.diagnoses
    ]
    if not is_modified:
        found += providers(line, contained)
    detail = _detail(line, limits, with_service=not is_modified)
    if detail:
        found.append(extension("itemAuthorizedDetail", extension=detail))
    return without_nothing(
        {
            "extension": found,
            "itemSequence": line.line,
            "adjudication": [
                adjudication(line.decision or Decision(), action, line.number),
                *_eligible(None if is_modified else line.limits),
                *balances,
            ],
        }
    )


def added_item(
    line: AuthorizationLine, authorization: Authorization, contained: Contained
) -> Json | None:
    """Write what was granted in place of what was asked for; None where nothing was modified."""
    action = effective_action(line, authorization)
    if action != _MODIFIED:
        return None
    found = [
        *_dates(line, authorization),
        *extensions(
            "valueCodeableConcept",
            itemCategory=coded("1365", line.service_type),
            certificationType=coded("1322", line.certification_type),
            **_end_and_revenue(line),
        ),
    ]
    providers = [contained.provider(each, _kind_of(each)) for each in line.servicing_providers]
    return without_nothing(
        {
            "extension": found,
            "itemSequence": [line.line],
            "provider": providers,
            **_service_and_place(line, authorization),
            "modifier": _modifiers(line),
            "quantity": _quantity(line.limits),
            "unitPrice": fhir.money(line.unit_price) if line.unit_price is not None else None,
            "net": _amount(line.limits),
            "adjudication": [adjudication(line.decision or Decision(), action, line.number)],
        }
    )


def adjudication(decision: Decision, action: str | None, review_number: str | None) -> Json:
    """Write a review: action, number, reasons."""
    parts: list[Json] = []
    if review_number:
        parts.append({"url": "number", "valueString": review_number})
    parts += extensions("valueCodeableConcept", reviewActionCode=coded("306", action))
    parts += [
        {"url": "reasonCode", "valueCodeableConcept": coded("886", reason)}
        for reason in decision.reasons
    ]
    review = [extension("reviewAction", extension=parts)] if parts else []
    category = concept(f"{fhir.TERMINOLOGY}adjudication", "submitted")
    return without_nothing({"extension": review, "category": category})


def providers(scope: AuthorizationLine | Authorization, contained: Contained) -> list[Json]:
    """Write who was authorized, and where, each with its role."""
    return [
        extension(
            "itemAuthorizedProvider",
            extension=[
                {"url": "provider", "valueReference": contained.provider(provider, kind)},
                extension("authorizedProviderType", valueCodeableConcept=coded("98", role)),
            ],
        )
        for provider, kind, role in (
            *((each, _kind_of(each), "SJ") for each in scope.servicing_providers),
            *((each, "Organization", "FA") for each in scope.facilities),
        )
    ]


def _kind_of(provider: AuthorizedProvider) -> str:
    return "Organization" if provider.organization else "Practitioner"


def _dates(line: AuthorizationLine, header: Authorization) -> list[Json]:
    stay = line.admission or Admission()
    issued_on = line.certification_date or header.certification_date
    return [
        *extensions("valueDate", itemPreAuthIssueDate=day(issued_on)),
        *extensions(
            "valuePeriod",
            itemPreAuthPeriod=fhir.period(line.effective),
            itemRequestedServiceDate=fhir.period(line.requested_dates),
        ),
        *extensions(
            "valueDate", admissionDates=day(stay.date), dischargeDate=day(stay.discharge_date)
        ),
        *(extension("authorizationNumber", valueString=each) for each in line.other_numbers[:1]),
    ]


def _end_and_revenue(line: AuthorizationLine) -> dict[str, Json | None]:
    procedure = line.procedure
    last = procedure.to if procedure else None
    return {
        "productOrServiceCodeEnd": _procedure(last, procedure.code_system)
        if procedure and last
        else None,
        "revenueCode": concept(fhir.REVENUE, line.revenue_code) if line.revenue_code else None,
    }


def _modifiers(line: AuthorizationLine) -> list[Json]:
    return [concept(fhir.PROCEDURES["HCPCS"], each) for each in line.modifiers]


def _service_and_place(line: AuthorizationLine, header: Authorization) -> Json:
    """Write what the line is for, and where: the place of service or the bill type."""
    absent = concept(f"{fhir.TERMINOLOGY}data-absent-reason", "not-applicable")
    where: Json | None = None
    if place_of_service := line.place_of_service or header.place_of_service:
        where = concept(fhir.PLACE, codes.place_of_service(place_of_service))
    elif bill_type := line.bill_type or header.bill_type:
        where = concept(fhir.BILL_TYPE, bill_type)
    return {
        "productOrService": _service(line) or absent,
        "locationCodeableConcept": where,
        "bodySite": concept(fhir.TOOTH, line.tooth) if line.tooth else None,
        "subSite": [concept(fhir.SURFACE, each) for each in line.surfaces],
    }


def _detail(line: AuthorizationLine, limits: Limits | None, *, with_service: bool) -> list[Json]:
    found: list[Json] = []
    if with_service:
        more = _end_and_revenue(line)
        if named := _service(line):
            found.append({"url": "productOrServiceCode", "valueCodeableConcept": named})
        last = {"productOrServiceCodeEnd": more["productOrServiceCodeEnd"]}
        found += extensions("valueCodeableConcept", **last)
        found += [
            {"url": "modifier", "valueCodeableConcept": modifier} for modifier in _modifiers(line)
        ]
        if line.unit_price is not None:
            found.append({"url": "unitPrice", "valueMoney": fhir.money(line.unit_price)})
        found += extensions("valueCodeableConcept", revenueCode=more["revenueCode"])
    if written := _quantity(limits):
        found.append({"url": "quantity", "valueQuantity": written})
    return found


def _quantity(limits: Limits | None) -> Json | None:
    if limits is None or limits.units is None:
        return None
    return fhir.quantity(limits.units, limits.unit)


def _amount(limits: Limits | None) -> Json | None:
    if limits is None or limits.amount is None:
        return None
    return fhir.money(limits.amount, limits.currency)


def _eligible(limits: Limits | None) -> list[Json]:
    amount = _amount(limits)
    category = concept(f"{fhir.TERMINOLOGY}adjudication", "eligible")
    return [{"category": category, "amount": amount}] if amount else []


def _service(line: AuthorizationLine) -> Json | None:
    """Write a procedure, a group of procedures, or a type of service."""
    if line.procedure and line.procedure.from_:
        return _procedure(line.procedure.from_, line.procedure.code_system)
    if line.procedure and line.procedure.group:
        return {"text": line.procedure.group}
    return coded("1365", line.service_type)


def _procedure(code: str, declared: str | None) -> Json:
    system = codes.code_system(code, declared)
    name = "CPT" if system == "HCPCS" and code[:1].isdigit() else system
    return concept(fhir.PROCEDURES.get(name, f"urn:authmatch:code-system:{name}"), code)


def _diagnosis(code: str, type_: str | None) -> Json:
    """Write a diagnosis; its type tells ICD-9 from ICD-10."""
    system = fhir.ICD9 if type_ in _ICD9_TYPES else fhir.ICD10
    return concept(system, codes.diagnosis(code) if system == fhir.ICD10 else code)


def request_of(authorization: Authorization, written: Json) -> Json | None:
    """Write the Claim that was answered; None where nothing is known but its number.

    ``written`` is the response: type, patient and requestor are the same.
    """
    known = without_nothing(
        {
            "extension": extensions(
                "valueCodeableConcept",
                levelOfServiceCode=coded("1338", authorization.urgency),
                certificationType=_certification(authorization),
            ),
            "diagnosis": _diagnoses(authorization),
            "supportingInfo": _supporting(authorization),
            "item": [_item(line, authorization) for line in authorization.lines],
        }
    )
    is_told = any(len(each) > 2 for each in known.get("item", []))
    if not is_told and not known.keys() - {"item"} and authorization.supersedes is None:
        return None
    received_at, urgency = authorization.received_at, authorization.urgency
    is_expedited = urgency is not None and codes.bare(urgency) in EXPEDITED
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
            "_created": None if received_at else {"extension": fhir.UNKNOWN},
            "provider": written.get("requestor") or {"extension": fhir.UNKNOWN},
            "priority": concept(
                f"{fhir.TERMINOLOGY}processpriority", "stat" if is_expedited else "normal"
            ),
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


def _certification(scope: AuthorizationLine | Authorization) -> Json | None:
    """Write UM02; a cancellation is said by the status: here it would make void what is asked."""
    asked = scope.certification_type
    return coded("1322", asked) if asked != _CANCELLATION else None


def _diagnoses(authorization: Authorization) -> list[Json]:
    found: list[Json] = []
    for at, each in enumerate(authorization.diagnoses, start=1):
        named = _diagnosis(each.code, each.type)
        type_ = {"type": [coded("1270", each.type)]} if each.type else {}
        found.append({"sequence": at, "diagnosisCodeableConcept": named, **type_})
    if authorization.drg:
        group = concept(fhir.DRG, authorization.drg)
        if found:
            found[0]["packageCode"] = group
        else:
            found.append({"sequence": 1, "diagnosisCodeableConcept": group})
    return found


def _supporting(authorization: Authorization) -> list[Json]:
    found: list[Json] = []
    if asked := fhir.period(authorization.requested_dates):
        found.append({"category": concept(_PAS_SUPPORTING, "patientEvent"), "timingPeriod": asked})
    stay = authorization.admission or Admission()
    if authorization.setting == "inpatient":
        for name, on in (
            ("admissionDates", stay.date),
            ("dischargeDates", stay.discharge_date),
        ):
            if on:
                category = concept(_PAS_SUPPORTING, name)
                found.append({"category": category, "timingDate": day(on)})
    return [{"sequence": at, **each} for at, each in enumerate(found, start=1)]


def _item(line: AuthorizationLine, authorization: Authorization) -> Json:
    """Write an item; a quantity that was asked for stands where it does not look granted."""
    is_referral = authorization.kind == "referral"
    is_granted = effective_action(line, authorization) in GRANTING_ACTIONS
    is_told = not is_granted or (line.limits is not None and line.limits.units is not None)
    asked = line.requested if is_told else None
    return without_nothing(
        {
            "extension": extensions(
                "valueCodeableConcept",
                serviceItemRequestType=coded("1525", _REFERRAL if is_referral else None),
                certificationType=_certification(line),
                nursingHomeLevelOfCare=coded(
                    "1337", line.level_of_care or authorization.level_of_care
                ),
            ),
            "sequence": line.line,
            "category": coded("1365", line.service_type or authorization.service_type),
            **_service_and_place(line, authorization),
            "quantity": _quantity(asked) if asked and asked.units else None,
            "net": _amount(asked) if asked and asked.amount else None,
        }
    )
