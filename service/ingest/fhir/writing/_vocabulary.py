"""Addresses and small parts that all that is written out needs."""

from datetime import date
from decimal import Decimal
from typing import Any

from service.domain.values import DateSpan

PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/"
PDEX = "http://hl7.org/fhir/us/davinci-pdex/"
X12 = "https://codesystem.x12.org/005010/"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
NPI = "http://hl7.org/fhir/sid/us-npi"
TIN = "urn:oid:2.16.840.1.113883.4.4"
TAXONOMY = "http://nucc.org/provider-taxonomy"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
PLACE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
BILL_TYPE = "https://www.nubc.org/CodeSystem/TypeOfBill"
REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
DRG = "http://terminology.hl7.org/CodeSystem/MSDRG"
TOOTH = f"{TERMINOLOGY}ADAUniversalToothDesignationSystem"
SURFACE = f"{TERMINOLOGY}ADAToothSurfaceCodes"
UNKNOWN = [{"url": ABSENT, "valueCode": "unknown"}]
PROCEDURES = {
    "CPT": "http://www.ama-assn.org/go/cpt",
    "HCPCS": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "CDT": "http://www.ada.org/cdt",
    "ICD10PCS": "http://www.cms.gov/Medicare/Coding/ICD10",
    "NDC": "http://hl7.org/fhir/sid/ndc",
}

Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    """Write a concept of one code."""
    return {"coding": [{"system": system, "code": code}]}


def extension(name: str, **value: Any) -> Json:
    """Write an extension of the PAS guide."""
    return {"url": f"{PAS}extension-{name}", **value}


def extensions(kind: str, **named: Any) -> list[Json]:
    """Write extensions of the PAS guide with values of one kind; one of nothing is left out."""
    return [extension(name, **{kind: value}) for name, value in named.items() if value]


def coded(element: str, code: str | None) -> Json | None:
    """Write a code of an element of X12, where there is one."""
    return concept(f"{X12}{element}", code) if code else None


def day(on: date | None) -> str | None:
    """Write a day."""
    return on.isoformat() if on else None


def period(span: DateSpan | None) -> Json | None:
    """Write days as a Period."""
    return without_nothing({"start": day(span.from_), "end": day(span.to)}) if span else None


def number(quantity: Decimal) -> int | float:
    """Write a decimal as a number of JSON."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def money(amount: Decimal, currency: str = "USD") -> Json:
    """Write an amount of money."""
    return {"value": number(amount), "currency": currency}


def quantity(count: Decimal, unit: str | None) -> Json:
    """Write a quantity with its unit, a code of X12 element 673."""
    written: Json = {"value": number(count)}
    return written | ({"system": f"{X12}673", "code": unit} if unit else {})


def without_nothing(resource: Json) -> Json:
    """Leave out what is empty: FHIR has no empty lists and no nulls."""
    return {name: value for name, value in resource.items() if value not in (None, [], {}, "")}
