"""Small FHIR resources to read, and what became of them."""

from typing import Any

from service.domain.authorization import Authorization
from service.ingest.fhir import Reading, read

Json = dict[str, Any]
PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-"
X12 = "https://codesystem.x12.org/005010/"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
NPI = "http://hl7.org/fhir/sid/us-npi"
PERIOD = {"start": "2026-05-01", "end": "2026-06-30"}
MB = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}]}
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"type": MB, "value": "M0001"}],
    "gender": "female",
    "birthDate": "1980-02-29",
}


def coded(code: str, system: str = CPT) -> Json:
    """A concept of one code."""
    return {"coding": [{"system": system, "code": code}]}


def x12(code: str, element: str) -> Json:
    """A concept of an X12 element."""
    return coded(code, X12 + element)


def ext(name: str, **value: Any) -> Json:
    """An extension of the guide."""
    return {"url": PAS + name, **value}


def review(action: str | None, number: str | None = None, *reasons: str) -> Json:
    """An adjudication with its review."""
    parts: list[Json] = [{"url": "number", "valueString": number}] if number else []
    if action:
        parts.append(ext("reviewActionCode", valueCodeableConcept=x12(action, "306")))
    parts += [{"url": "reasonCode", "valueCodeableConcept": x12(each, "886")} for each in reasons]
    return {
        "extension": [ext("reviewAction", extension=parts)],
        "category": {"coding": [{"code": "submitted"}]},
    }


def detail(**parts: Any) -> Json:
    """What was authorized of an item: short names with their values."""
    values = {
        "code": ("productOrServiceCode", "valueCodeableConcept"),
        "modifier": ("modifier", "valueCodeableConcept"),
        "price": ("unitPrice", "valueMoney"),
        "quantity": ("quantity", "valueQuantity"),
        "revenue": ("revenue", "valueCodeableConcept"),
        "service": ("authorizedService", "valueReference"),
        "end": (PAS + "productOrServiceCodeEnd", "valueCodeableConcept"),
        "level": (PAS + "nursingHomeLevelOfCare", "valueCodeableConcept"),
    }
    inner = [{"url": values[name][0], values[name][1]: each} for name, each in parts.items()]
    return ext("itemAuthorizedDetail", extension=inner)


def valid(period: Json = PERIOD) -> Json:
    """The validity of an item."""
    return ext("itemPreAuthPeriod", valuePeriod=period)


def item(action: str | None = "A1", *extensions: Json, number: int = 1, **more: Any) -> Json:
    """An answered item, valid in May and June 2026."""
    made = {"itemSequence": number, "extension": [valid(), *extensions], **more}
    return {"adjudication": [review(action)], **made} if action else made


def added(action: str | None = "A1", *extensions: Json, number: int = 1, **more: Any) -> Json:
    """An added item."""
    return {**item(action, *extensions, **more), "itemSequence": [number]}


def response(*items: Json, **more: Any) -> Json:
    """A response that answers with these items."""
    made: Json = {
        "resourceType": "ClaimResponse",
        "id": "r1",
        "identifier": [{"system": "urn:trnorg:1", "value": "T-1"}],
        "status": "active",
        "type": {"coding": [{"code": "professional"}]},
        "use": "preauthorization",
        "patient": {"reference": "Patient/p1"},
        "created": "2026-05-01T10:00:00Z",
        "outcome": "complete",
        **({"item": list(items)} if items else {}),
    }
    return {name: each for name, each in (made | more).items() if each is not None}


def request(*items: Json, **more: Any) -> Json:
    """A request for these items."""
    return {
        "resourceType": "Claim",
        "id": "c1",
        "use": "preauthorization",
        "type": {"coding": [{"code": "professional"}]},
        "patient": {"reference": "Patient/p1"},
        "item": list(items),
        **more,
    }


def bundle(*resources: Json, type_: str = "collection", **more: Any) -> Json:
    """A bundle of resources, called by type and id."""
    entries = [
        {"fullUrl": f"http://x.test/{each['resourceType']}/{each.get('id', at)}", "resource": each}
        for at, each in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": type_, "entry": entries, **more}


def packed(answer: Json, *others: Json) -> Json:
    """A response with its patient and more; it refers to the request among them."""
    if any(each["resourceType"] == "Claim" for each in others):
        answer = {"request": {"reference": "Claim/c1"}, **answer}
    return bundle(answer, PATIENT, *others)


def taken(document: Json) -> Json:
    """The one authorization that a document gives; the model takes it."""
    reading = read(document)
    assert len(reading.authorizations) == 1, reading.issues
    found = reading.authorizations[0].document
    Authorization.model_validate(found)
    return found


def line_of(answer: Json, *others: Json) -> Json:
    """The only line of the authorization that a response gives."""
    (line,) = taken(packed(answer, *others))["lines"]
    return dict(line)


def codes(reading: Reading, severity: str | None = None) -> list[str]:
    """The codes of the findings, of one severity or of all."""
    return [each.code for each in reading.issues if severity in (None, each.severity)]
