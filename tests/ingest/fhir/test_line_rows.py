"""Every row that reads a line, with a resource that has just that."""

from typing import Any

import pytest

from service.ingest.fhir.reading import lines
from tests.ingest.fhir.papers import (
    CPT,
    HCPCS,
    NPI,
    Json,
    added,
    coded,
    detail,
    ext,
    item,
    line_of,
    request,
    response,
    review,
    valid,
    x12,
)

PLACES = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
TEETH = "http://terminology.hl7.org/CodeSystem/ADAUniversalToothDesignationSystem"
ISO_TEETH = "http://terminology.hl7.org/CodeSystem/ex-tooth"
DOCTOR = {
    "resourceType": "Practitioner",
    "id": "d1",
    "identifier": [{"system": NPI, "value": "1234567893"}],
}
SECOND = {**DOCTOR, "id": "d2", "identifier": [{"system": NPI, "value": "1477777779"}]}
ORDER = {
    "resourceType": "ServiceRequest",
    "id": "s1",
    "quantityQuantity": {"value": 3, "code": "VS"},
    "occurrenceTiming": {
        "repeat": {
            "period": 1,
            "periodUnit": "wk",
            "boundsDuration": {"value": 2, "code": "mo"},
        }
    },
}

Case = tuple[str, Json, tuple[Json, ...], Any]


def ask(**more: Any) -> Json:
    """A request of one item."""
    return request({"sequence": 1, **more})


def answer(*extensions: Json, action: str = "A1", **more: Any) -> Json:
    """A response with one item."""
    return response(item(action, *extensions, **more))


def changed(*extensions: Json, **more: Any) -> Json:
    """A response with one modified item and what was granted in its place."""
    return response(item("A6"), addItem=[added("A6", *extensions, **more)])


def ordered(**timing: Any) -> tuple[Json, Json]:
    """A request of one item with an order of that timing."""
    order = {**ORDER, "occurrenceTiming": timing}
    reference = {"reference": "ServiceRequest/s1"}
    return ask(extension=[ext("requestedService", valueReference=reference)]), order


def provided(role: str, name: str = "d1") -> Json:
    """The extension that names the provider of an item."""
    inner = [
        {"url": "provider", "valueReference": {"reference": f"Practitioner/{name}"}},
        {"url": "providerType", "valueCodeableConcept": x12(role, "98")},
    ]
    return ext("itemAuthorizedProvider", extension=inner)


CASES: list[Case] = [
    ("line", response(item(number=7)), (), 7),
    ("line", response(addItem=[added(number=9)]), (), 9),
    ("decision.action", answer(action="A2"), (), "A2"),
    ("decision.action", answer(action="CT"), (), "CT"),
    ("decision.reasons", response(item(None, adjudication=[review("A3", None, "0U", "93")])), (),
     ["0U", "93"]),
    ("number", response(item(None, adjudication=[review("A1", "AUTH-1")])), (), "AUTH-1"),
    ("other_numbers", answer(ext("authorizationNumber", valueString="OLD-1")), (), ["OLD-1"]),
    ("other_numbers", answer(), (ask(extension=[ext("authorizationNumber", valueString="O2")]),),
     ["O2"]),
    ("certification_date", answer(ext("itemPreAuthIssueDate", valueDate="2026-04-30")), (),
     "2026-04-30"),
    ("certification_date", changed(ext("itemPreAuthIssueDate", valueDate="2026-04-29")), (),
     "2026-04-29"),
    ("effective", answer(), (), {"from": "2026-05-01", "to": "2026-06-30"}),
    ("effective", response(item(None, adjudication=[review("A1")],
                                extension=[valid({"start": "2026-05-01"})])), (),
     {"from": "2026-05-01"}),
    ("effective", response(item(None, adjudication=[review("A1")], extension=[
        ext("itemAuthorizedDate", valuePeriod={"start": "2026-05", "end": "2026-06"})])), (),
     {"from": "2026-05-01", "to": "2026-06-30"}),
    ("requested_dates", answer(ext("itemRequestedServiceDate", valueDateTime="2026-05-04")), (),
     {"from": "2026-05-04", "to": "2026-05-04"}),
    ("requested_dates", changed(servicedDate="2026-05-05"), (),
     {"from": "2026-05-05", "to": "2026-05-05"}),
    ("requested_dates", answer(), (ask(servicedPeriod={"start": "2026-05-06"}),),
     {"from": "2026-05-06"}),
    ("procedure", answer(detail(code=coded("97110"))), (),
     {"from": "97110", "code_system": "CPT"}),
    ("procedure", changed(productOrService=coded("E1390", HCPCS)), (),
     {"from": "E1390", "code_system": "HCPCS"}),
    ("procedure", answer(), (ask(productOrService=coded("70450")),),
     {"from": "70450", "code_system": "CPT"}),
    ("procedure", answer(detail(code=coded("97110"), end=coded("97140"))), (),
     {"from": "97110", "to": "97140", "code_system": "CPT"}),
    ("procedure", answer(), (ask(productOrService=coded("B4184", HCPCS), extension=[
        ext("productOrServiceCodeEnd", valueCodeableConcept=coded("B4190", HCPCS))]),),
     {"from": "B4184", "to": "B4190", "code_system": "HCPCS"}),
    ("modifiers", answer(detail(code=coded("97110"), modifier=coded("GP"))), (), ["GP"]),
    ("modifiers", answer(), (ask(productOrService=coded("70450"), modifier=[coded("26")]),),
     ["26"]),
    ("modifiers", changed(productOrService=coded("70450"), modifier=[coded("tc")]), (), ["TC"]),
    ("revenue_code", answer(detail(revenue=coded("0420", "https://www.nubc.org/x"))), (), "0420"),
    ("revenue_code", changed(ext("revenueCode", valueCodeableConcept=coded("0202"))), (), "0202"),
    ("revenue_code", answer(), (ask(revenue=coded("0300")),), "0300"),
    ("service_type", answer(), (ask(category=x12("42", "1365")),), "42"),
    ("service_type", changed(ext("itemCategory", valueCodeableConcept=x12("3", "1365"))), (), "3"),
    ("service_type", answer(detail(code=x12("1", "1365"))), (), "1"),
    ("certification_type", answer(),
     (ask(extension=[ext("certificationType", valueCodeableConcept=x12("I", "1322"))]),), "I"),
    ("level_of_care", answer(detail(level=x12("2", "1337"))), (), "2"),
    ("level_of_care", answer(),
     (ask(extension=[ext("nursingHomeLevelOfCare", valueCodeableConcept=x12("4", "1337"))]),), "4"),
    ("place_of_service", answer(), (ask(locationCodeableConcept=coded("11", PLACES)),), "11"),
    ("place_of_service", changed(locationCodeableConcept=coded("22", "")), (), "22"),
    ("bill_type", answer(), (ask(locationCodeableConcept=coded(
        "13", "https://www.nubc.org/CodeSystem/TypeOfBill")),), "13"),
    ("drg", answer(), (ask(productOrService=coded("470", "urn:ms-drg")),), "470"),
    ("diagnoses", answer(ext("communicatedDiagnosis", valueCodeableConcept=coded(
        "G89.4", "http://hl7.org/fhir/sid/icd-10-cm"))), (), [{"code": "G89.4"}]),
    ("admission", answer(ext("admissionDates", valuePeriod={"start": "2026-05-03"}),
                         ext("dischargeDate", valueDate="2026-05-08")), (),
     {"date": "2026-05-03", "discharge_date": "2026-05-08"}),
    ("servicing_provider", answer(provided("SJ")), (DOCTOR,), {"npi": "1234567893"}),
    ("servicing_provider", changed(provider=[{"reference": "Practitioner/d1"}]), (DOCTOR,),
     {"npi": "1234567893"}),
    ("facility", answer(provided("FA")), (DOCTOR,), {"npi": "1234567893"}),
    ("other_servicing_providers", changed(provider=[
        {"reference": "Practitioner/d1"}, {"reference": "Practitioner/d2"}]), (DOCTOR, SECOND),
     [{"npi": "1477777779"}]),
    ("other_facilities", answer(provided("FA"), provided("FA", "d2")), (DOCTOR, SECOND),
     [{"npi": "1477777779"}]),
    ("other_settings", answer(provided("FA")), (DOCTOR,), ["outpatient"]),
    ("other_settings", answer(provided("FA")), (ask(locationCodeableConcept=coded("21", PLACES)),
     DOCTOR), ["inpatient"]),
    ("other_settings", response(item("A1", provided("SJ")), type=coded("institutional")),
     (ask(productOrService=coded("27447", CPT)), DOCTOR), ["professional"]),
    ("days_of_week", answer(), ordered(extension=[ext(
        "timingcalendarpattern", valueCodeableConcept=x12("A", "678"))]),
     ["monday", "tuesday", "wednesday", "thursday", "friday"]),
    ("days_of_week", answer(), ordered(repeat={"dayOfWeek": ["mon", "wed"]}),
     ["monday", "wednesday"]),
    ("days_of_week", answer(), ordered(
        repeat={"dayOfWeek": ["mon", "sat"]},
        extension=[ext("timingcalendarpattern", valueCodeableConcept=x12("A", "678"))]),
     ["monday"]),
    ("days_of_week", answer(), ordered(
        repeat={"dayOfWeek": ["sat"]},
        extension=[ext("calendarPattern", valueCodeableConcept=x12("A", "678"))]), ["other"]),
    ("days_of_week", answer(), ordered(extension=[ext(
        "timingcalendarpattern", valueCodeableConcept=x12("1", "678"))]), ["other"]),
    ("days_of_week", answer(), ordered(repeat={"dayOfWeek": ["feast"]}), ["other"]),
    ("attached", answer(), ordered(extension=[
        ext("timingcalendarpattern", valueCodeableConcept=x12("1", "678")),
        ext("timingdeliverypattern", valueCodeableConcept=x12("D", "679"))]),
     {"calendar_pattern": "1", "delivery_pattern": "D"}),
    ("unit_price", answer(detail(price={"value": 100.5, "currency": "USD"})), (), "100.5"),
    ("unit_price", changed(unitPrice={"value": 7}), (), "7"),
    ("limits", answer(detail(quantity={"value": 12, "code": "VS"})), (),
     {"units": "12", "unit": "VS"}),
    ("limits", changed(quantity={"value": 5, "code": "DY"}), (), {"units": "5", "unit": "DY"}),
    ("limits", answer(), (ask(quantity={"value": 2}),), {"units": "2", "unit": "UN"}),
    ("limits", answer(), (ask(extension=[ext("requestedService", valueReference={
        "reference": "ServiceRequest/s1"})]), ORDER),
     {"unit": "VS", "per": {"count": "3", "period": "week", "span": 2, "span_unit": "month"}}),
    ("limits", changed(net={"value": 250, "currency": "EUR"}), (),
     {"amount": "250", "currency": "EUR"}),
    ("limits", response(item(None, adjudication=[
        review("A1"), {"category": {"coding": [{"code": "eligible"}]}, "amount": {"value": 80}}])),
     (), {"amount": "80"}),
    ("requested", changed(quantity={"value": 5, "code": "VS"}),
     (ask(quantity={"value": 9, "code": "VS"}),), {"units": "9", "unit": "VS"}),
    ("requested", answer(detail(quantity={"value": 4}), action="A3"), (),
     {"units": "4", "unit": "UN"}),
    ("requested", answer(), (ask(net={"value": 99}),), {"amount": "99"}),
    ("tooth", answer(), (ask(bodySite=coded("14", TEETH)),), "14"),
    ("tooth", changed(bodySite=coded("k", TEETH)), (ask(bodySite=coded("14", TEETH)),), "K"),
    ("tooth", answer(), (ask(bodySite=coded("26", ISO_TEETH)),), "14"),
    ("tooth", answer(), (ask(bodySite={"coding": [{"code": "14"}]}),), "14"),
    ("surfaces", answer(), (ask(subSite=[coded("M"), coded("O")]),), ["M", "O"]),
    ("surfaces", changed(subSite=[coded("MOD")]), (ask(subSite=[coded("B")]),), ["M", "O", "D"]),
]  # fmt: skip


@pytest.mark.parametrize(("field", "answered", "others", "expected"), CASES)
def test_a_row_reads_its_field(
    field: str, answered: Json, others: tuple[Json, ...], expected: Any
) -> None:
    """Of the part of the resource that the row names."""
    value: Any = line_of(answered, *others)
    for name in field.split("."):
        value = value[name]

    assert value == expected


def test_every_row_has_a_resource_of_its_own() -> None:
    """A new row comes with its test."""
    assert {row.field for row in lines.ROWS} == {field for field, *_ in CASES}


def test_diagnoses_that_an_item_points_to_are_its_own() -> None:
    """The others stay with the header."""
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    found = line_of(
        answer(),
        request(
            {"sequence": 1, "diagnosisSequence": [2]},
            diagnosis=[
                {"sequence": 1, "diagnosisCodeableConcept": coded("M54.5", icd)},
                {"sequence": 2, "diagnosisCodeableConcept": coded("G89.4", icd)},
            ],
        ),
    )

    assert found["diagnoses"] == [{"code": "G89.4"}]


def test_modifiers_are_those_of_the_part_that_names_the_service() -> None:
    """The code of one part with the modifier of another is a service that nobody asked for."""
    found = line_of(
        changed(productOrService=coded("70460", CPT)),
        ask(productOrService=coded("70450"), modifier=[coded("26")]),
    )

    assert found["procedure"]["from"] == "70460"
    assert "modifiers" not in found


def test_the_care_team_of_an_item_stands_in_where_nobody_else_was_authorized() -> None:
    """But not those who refer."""
    team = [
        {
            "sequence": 1,
            "provider": {
                "identifier": {"system": NPI, "value": "1111111111"},
            },
            "role": x12("DN", "98"),
        },
        {
            "sequence": 2,
            "provider": {"reference": "Practitioner/d1"},
            "qualification": coded("207RC0000X", "http://nucc.org/provider-taxonomy"),
        },
    ]
    found = line_of(
        answer(),
        request({"sequence": 1, "careTeamSequence": [1, 2]}, careTeam=team),
        DOCTOR,
    )

    assert found["servicing_provider"] == {"npi": "1234567893", "taxonomy": ["207RC0000X"]}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ({"value": 2, "code": "d", "system": "http://unitsofmeasure.org"}, ("2", "DA")),
        ({"value": 2.5, "code": "h"}, ("2.5", "HS")),
        ({"value": 1, "code": "1", "unit": "visit"}, ("1", "VS")),
        ({"value": 1, "unit": "days"}, ("1", "DA")),
        ({"value": "3", "code": "FL"}, ("3", "FL")),
        ({"value": 1, "code": "bag"}, ("1", "BAG")),
        ({"value": 10.0}, ("10", "UN")),
    ],
)
def test_units_are_written_as_x12_has_them(quantity: Json, expected: tuple[str, str]) -> None:
    """Those of UCUM are translated, an unknown one is kept."""
    limits = line_of(answer(detail(quantity=quantity)))["limits"]

    assert (limits["units"], limits["unit"]) == expected


@pytest.mark.parametrize("value", [-1, True, "many", 1e300, 10**400, float("nan"), 1.1234567])
def test_a_quantity_that_cannot_be_counted_is_left_out(value: Any) -> None:
    """With a finding; the line stays."""
    assert "limits" not in line_of(answer(detail(quantity={"value": value})))


def test_a_rate_of_other_units_is_left_out() -> None:
    """Hours in all and visits a week cannot be one limit."""
    order = ext("requestedService", valueReference={"reference": "ServiceRequest/s1"})
    asked = ask(quantity={"value": 20, "code": "HS"}, extension=[order])

    assert line_of(answer(), asked, ORDER)["limits"] == {"units": "20", "unit": "HS"}
