"""Every row that reads the header, with a resource that has just that."""

from typing import Any

import pytest

from service.domain.grant_identity import grant_id, named_id
from service.ingest.fhir import read
from service.ingest.fhir.reading import header
from service.ingest.fhir.reading.identity import OWN_SYSTEM
from tests.ingest.fhir.papers import (
    MB,
    NPI,
    PATIENT,
    PERIOD,
    Json,
    bundle,
    coded,
    codes,
    ext,
    item,
    packed,
    request,
    response,
    review,
    taken,
    x12,
)

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
HOUSE = {
    "resourceType": "Organization",
    "id": "o1",
    "name": "House",
    "identifier": [
        {"system": NPI, "value": "1477777779"},
        {"system": "urn:oid:2.16.840.1.113883.4.4", "value": "75-1112223"},
    ],
}
STAY = {
    "resourceType": "Encounter",
    "id": "e1",
    "type": [coded("2")],
    "hospitalization": {"admitSource": coded("5")},
    "extension": [ext("patientStatus", valueCodeableConcept=coded("30"))],
}
REVIEWER = ext(
    "claimResponseReviewer",
    extension=[
        {"url": "wasHumanReviewedFlag", "valueBoolean": True},
        {"url": "reviewerNPI", "valueIdentifier": {"system": NPI, "value": "1999999999"}},
    ],
)


def info(category: str, **timing: Any) -> Json:
    """A supporting information of a request."""
    return {"category": {"coding": [{"code": category}]}, **timing}


def asked(**more: Any) -> Json:
    """A request of one item."""
    return request({"sequence": 1}, **more)


def typed(request_type: str) -> Json:
    """A request of one item of this type."""
    code = ext("serviceItemRequestType", valueCodeableConcept=x12(request_type, "1525"))
    return request({"sequence": 1, "extension": [code]})


A1 = response(item())
INSTITUTIONAL = {"coding": [{"code": "institutional"}]}

CASES: list[tuple[str, Json, tuple[Json, ...], Any]] = [
    ("authorization_id", A1, (), named_id("authorization", "M0001", ("response", "T-1"))),
    ("authorization_id", response(item(), preAuthRef="PA-7"), (),
     grant_id("authorization", "M0001", "PA-7")),
    ("aliases", response(item(), preAuthRef="PA-7"), (),
     [named_id("authorization", "M0001", ("response", "T-1"))]),
    ("version", A1, (), 1777629600000500),
    ("kind", A1, (), "authorization"),
    ("kind", A1, (typed("SC"),), "referral"),
    ("kind", A1, (typed("IN"),), "authorization"),
    ("setting", A1, (), "professional"),
    ("setting", response(item(), type=INSTITUTIONAL), (), "outpatient"),
    ("setting", response(item(), type=INSTITUTIONAL), (typed("AR"),), "inpatient"),
    ("setting", response(item(), type={"coding": [{"code": "oral"}]}), (), "dental"),
    ("setting", response(item(), type=None), (request(type=INSTITUTIONAL),), "outpatient"),
    ("number", response(item(), preAuthRef="PA-7"), (), "PA-7"),
    ("number", response(item(), adjudication=[review("A1", "PA-8")]), (), "PA-8"),
    ("number", response(item(None, adjudication=[review("A1", "PA-9")])), (), "PA-9"),
    ("previous_numbers",
     response(item(), preAuthRef="N2", extension=[ext("authorizationNumber", valueString="N1")]),
     (), ["N1"]),
    ("previous_numbers", A1,
     (asked(insurance=[{"preAuthRef": ["N0"], "coverage": {"display": "x"}}]),), ["N0"]),
    ("supersedes",
     A1, (asked(related=[{"claim": {"identifier": {"system": OWN_SYSTEM, "value": "UM-1"}}}]),),
     "UM-1"),
    ("administrative_reference",
     response(item("A4", ext("administrationReferenceNumber", valueString="PEND-1"))), (),
     "PEND-1"),
    ("requester_reference", A1, (asked(identifier=[{"value": "REQ-1"}]),), "REQ-1"),
    ("trace_numbers",
     response(item("A1", ext("itemTraceNumber", valueIdentifier={"value": "T-2"}))), (),
     ["T-1", "T-2"]),
    ("member", A1, (), {"id": "M0001", "birth_date": "1980-02-29", "gender": "F"}),
    ("status", response(item(), disposition="Under way"), (), "Under way"),
    ("status", A1, (), "complete"),
    ("decision", response(adjudication=[review("A3", None, "0U")]), (),
     {"action": "A3", "reasons": ["0U"], "decided_at": "2026-05-01T10:00:00+00:00"}),
    ("decision", response(item(), extension=[REVIEWER]), (),
     {"reviewer": "1999999999", "human_reviewed": True,
      "decided_at": "2026-05-01T10:00:00+00:00"}),
    ("effective", response(item(), preAuthPeriod=PERIOD), (),
     {"from": "2026-05-01", "to": "2026-06-30"}),
    ("requested_dates", A1,
     (asked(supportingInfo=[info("patientEvent", timingDate="2026-05-02")]),),
     {"from": "2026-05-02", "to": "2026-05-02"}),
    ("requested_dates", A1, (asked(billablePeriod={"start": "2026-05-03"}),),
     {"from": "2026-05-03"}),
    ("admission", A1, (asked(
        supportingInfo=[info("admissionDates", timingPeriod=PERIOD),
                        info("dischargeDates", timingDate="2026-05-09")],
        extension=[ext("Claim.encounter", valueReference={"reference": "Encounter/e1"})]), STAY),
     {"date": "2026-05-01", "discharge_date": "2026-05-09", "type": "2", "source": "5",
      "patient_status": "30"}),
    ("diagnoses", A1, (asked(diagnosis=[
        {"sequence": 2, "diagnosisCodeableConcept": coded("M54.5", ICD10)},
        {"sequence": 1, "diagnosisCodeableConcept": coded("G89.4", ICD10),
         "type": [coded("principal")]}]),),
     [{"code": "G89.4", "type": "ABK"}, {"code": "M54.5"}]),
    ("diagnoses", A1, (asked(diagnosis=[
        {"diagnosisCodeableConcept": coded("7242", ICD9), "type": [coded("principal")]}]),),
     [{"code": "7242", "type": "BK"}]),
    ("diagnoses", A1,
     (asked(diagnosis=[{"diagnosisReference": {"reference": "Condition/k1"}}]),
      {"resourceType": "Condition", "id": "k1", "code": coded("I10", ICD10)}), [{"code": "I10"}]),
    ("drg", A1, (asked(diagnosis=[{"packageCode": coded("470")}]),), "470"),
    ("urgency", A1, (asked(priority={"coding": [{"code": "stat"}]}),), "U"),
    ("urgency", A1,
     (asked(extension=[ext("levelOfServiceCode", valueCodeableConcept=x12("U", "1338"))]),), "U"),
    ("certification_type", A1,
     (asked(extension=[ext("certificationType", valueCodeableConcept=x12("R", "1322"))]),), "R"),
    ("requesting_provider", response(item(), requestor={"reference": "Organization/o1"}), (HOUSE,),
     {"npi": "1477777779", "tin": "751112223", "name": "House", "organization": True}),
    ("requesting_provider", A1, (asked(provider={"reference": "Organization/o1"}), HOUSE),
     {"npi": "1477777779", "tin": "751112223", "name": "House", "organization": True}),
    ("servicing_provider", response(item(), extension=[ext(
        "itemAuthorizedProvider",
        extension=[{"url": "provider", "valueReference": {"reference": "Organization/o1"}}])]),
     (HOUSE,), {"npi": "1477777779", "tin": "751112223", "name": "House", "organization": True}),
    ("facility", A1, (asked(facility={"reference": "Organization/o1"}), HOUSE),
     {"npi": "1477777779", "tin": "751112223", "name": "House", "organization": True}),
    ("other_servicing_providers", response(item(), extension=[
        ext("itemAuthorizedProvider", extension=[{"url": "provider", "valueReference": named}])
        for named in ({"reference": "Organization/o1"}, {"identifier": {
            "system": NPI, "value": "1234567893"}})]),
     (HOUSE,), [{"npi": "1234567893"}]),
    ("other_facilities", response(item(), extension=[
        ext("itemAuthorizedProvider", extension=[
            {"url": "provider", "valueReference": {"identifier": {"system": NPI, "value": npi}}},
            {"url": "providerType", "valueCodeableConcept": x12("FA", "98")}])
        for npi in ("1477777779", "1588888887")]),
     (), [{"npi": "1588888887"}]),
    ("limits", response(item(), adjudication=[review("A1")], total=[
        {"category": coded("benefit"), "amount": {"value": 900}}]), (), {"amount": "900"}),
    ("messages", response(item(), disposition="Fine", processNote=[{"number": 4, "text": "Call"}]),
     (), [{"code": "disposition", "text": "Fine"}, {"code": "note 4", "text": "Call"}]),
    ("received_at", A1, (asked(created="2026-04-30T08:00:00-05:00"),),
     "2026-04-30T13:00:00+00:00"),
    ("source", response(item(), meta={"source": "urn:um"}), (),
     {"system": "urn:um", "reference": "urn:trnorg:1|T-1",
      "event_time": "2026-05-01T10:00:00+00:00"}),
    ("attached", response(item(), meta={"profile": [
        "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-claimresponse|2.1.0"]}),
     (), {"pas_version": "2.1", "fhir_id": "r1"}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "answered", "others", "expected"), CASES)
def test_a_row_reads_its_field(
    field: str, answered: Json, others: tuple[Json, ...], expected: Any
) -> None:
    """Of the part of the resource that the row names."""
    assert taken(packed(answered, *others))[field] == expected


def test_every_row_has_a_resource_of_its_own() -> None:
    """A new row comes with its test."""
    assert {row.field for row in header.ROWS} == {field for field, *_ in CASES}


@pytest.mark.parametrize(
    ("patient", "coverage", "expected"),
    [
        ({}, {"subscriberId": "S1"}, {"id": "S1", "subscriber_id": "S1"}),
        ({}, {"subscriberId": "S1", "dependent": "02"}, {"id": "S1", "suffix": "02"}),
        ({}, {"identifier": [{"type": MB, "value": "S2"}]}, {"id": "S2"}),
        ({"identifier": [{"type": MB, "value": "M9"}]}, {"subscriberId": "S1"}, {"id": "M9"}),
        ({"identifier": [{"value": "U1"}]}, {"subscriberId": "S1"}, {"id": "S1"}),
        ({"identifier": [{"system": "urn:x", "value": "U1"}]}, {}, {"id": "U1"}),
        ({"identifier": [{"use": "old", "type": MB, "value": "M1"},
                         {"type": MB, "value": "M2"}]}, {}, {"id": "M2"}),
    ],
)  # fmt: skip
def test_the_member_is_named_by_the_card(patient: Json, coverage: Json, expected: Json) -> None:
    """The Patient's own number first, then that of the subscriber."""
    found = taken(
        bundle(
            response(item(), insurance=[{"coverage": {"reference": "Coverage/v1"}}]),
            {"resourceType": "Patient", "id": "p1", **patient},
            {"resourceType": "Coverage", "id": "v1", **coverage},
        )
    )["member"]

    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "identifiers",
    [
        [],
        [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123456789"}],
        [{"value": "A1"}, {"value": "A2"}],
        [{"type": MB, "value": "with/slash"}],
    ],
)
def test_without_a_number_of_the_member_nothing_is_read(identifiers: list[Json]) -> None:
    """Neither the id of a resource nor a number of another kind is one."""
    patient = {**PATIENT, "identifier": identifiers}
    reading = read(bundle(response(item()), patient))

    assert reading.authorizations == ()
    assert "member-unknown" in codes(reading, "error")


def test_several_numbers_of_the_member_are_a_warning() -> None:
    """The first stands."""
    patient = {**PATIENT, "identifier": [{"type": MB, "value": each} for each in ("M1", "M2")]}
    reading = read(bundle(response(item()), patient))

    assert reading.authorizations[0].document["member"]["id"] == "M1"
    assert codes(reading, "warning") == ["member-uncertain"]


@pytest.mark.parametrize("priority", [{"coding": [{"code": "normal"}]}, {"text": "stat"}])
@pytest.mark.parametrize("level", ["E", None])
def test_what_is_not_stat_is_standard(priority: Json, level: str | None) -> None:
    """The level of service says more, and stands before the priority."""
    coded_ = [ext("levelOfServiceCode", valueCodeableConcept=x12(level, "1338"))] if level else []
    for said in (priority, {"coding": [{"code": "stat"}]}) if level else (priority,):
        reading = read(packed(A1, asked(priority=said, extension=coded_)))
        assert reading.authorizations[0].document.get("urgency") == level


def test_a_role_is_its_person_and_its_organization() -> None:
    """The number of the person, the tax number of the house, the taxonomy of the role."""
    role = {
        "resourceType": "PractitionerRole",
        "id": "x1",
        "practitioner": {"reference": "Practitioner/d1"},
        "organization": {"reference": "Organization/o1"},
        "specialty": [coded("207RC0000X", "http://nucc.org/provider-taxonomy")],
    }
    person = {
        "resourceType": "Practitioner",
        "id": "d1",
        "name": [{"family": "Watson", "given": ["Susan"]}],
        "identifier": [{"system": NPI, "value": "1234567893"}],
    }
    found = taken(
        packed(
            response(item(), requestor={"reference": "PractitionerRole/x1"}), role, person, HOUSE
        )
    )

    assert found["requesting_provider"] == {
        "npi": "1234567893",
        "tin": "751112223",
        "name": "Watson Susan",
        "taxonomy": ["207RC0000X"],
    }


def test_an_npi_that_is_none_is_left_out() -> None:
    """With its name the provider stays."""
    house = {**HOUSE, "identifier": [{"system": NPI, "value": "789312"}]}
    reading = read(packed(response(item(), requestor={"reference": "Organization/o1"}), house))

    assert reading.authorizations[0].document["requesting_provider"] == {
        "name": "House",
        "organization": True,
    }
    assert "value-invalid" in codes(reading, "warning")
