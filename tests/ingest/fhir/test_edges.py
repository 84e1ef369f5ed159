"""What is left out, and said: more than can be kept, and what cannot be."""

from typing import Any

import pytest

from service.ingest.fhir import read
from tests.ingest.fhir.papers import (
    MB,
    NPI,
    PATIENT,
    Json,
    added,
    bundle,
    coded,
    codes,
    detail,
    ext,
    item,
    line_of,
    packed,
    request,
    response,
    review,
    taken,
    x12,
)


def person(name: str, npi: str) -> Json:
    """A contained person."""
    identifier = {"system": NPI, "value": npi}
    return {"resourceType": "Practitioner", "id": name, "identifier": [identifier]}


def granted_to(*names: str) -> list[Json]:
    """The extensions that name these contained people."""
    return [
        ext(
            "itemAuthorizedProvider",
            extension=[{"url": "provider", "valueReference": {"reference": f"#{name}"}}],
        )
        for name in names
    ]


def order(**repeat: Any) -> Json:
    """A contained order that repeats."""
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "occurrenceTiming": {"repeat": repeat},
    }


ORDERED = ext("requestedService", valueReference={"reference": "#s1"})


def test_more_lines_than_can_be_kept_are_refused() -> None:
    """Half an authorization is none."""
    reading = read(packed(response(*(item(number=each) for each in range(1, 502)))))

    assert codes(reading, "error") == ["too-many"]


def test_more_values_than_can_be_kept_are_left_out() -> None:
    """The first ones stay."""
    traces = [ext("itemTraceNumber", valueIdentifier={"value": f"N{n}"}) for n in range(30)]
    modifiers = ext(
        "itemAuthorizedDetail",
        extension=[{"url": "productOrServiceCode", "valueCodeableConcept": coded("97110")}]
        + [{"url": "modifier", "valueCodeableConcept": coded(f"M{n}")} for n in range(9)],
    )
    reading = read(packed(response(item("A1", modifiers, *traces))))
    found = reading.authorizations[0].document

    assert len(found["trace_numbers"]) == 20
    assert len(found["lines"][0]["modifiers"]) == 8
    assert codes(reading, "warning") == ["too-many", "too-many"]


def test_all_providers_of_a_role_are_kept() -> None:
    """The same one twice is no other, and more than can be kept are told."""
    people = [person("a", "1111111111"), person("b", "2222222222")]
    several = read(packed(response(item("A1", *granted_to("a", "b")), contained=people)))
    same = read(packed(response(item("A1", *granted_to("a", "a")), contained=people)))

    (line,) = several.authorizations[0].document["lines"]
    assert line["servicing_provider"] == {"npi": "1111111111"}
    assert line["other_servicing_providers"] == [{"npi": "2222222222"}]
    assert (codes(several), codes(same)) == ([], [])
    assert "other_servicing_providers" not in same.authorizations[0].document["lines"][0]

    crowd = [person(f"p{each}", f"{1000000000 + each}") for each in range(30)]
    granted = granted_to(*(each["id"] for each in crowd))
    many = read(packed(response(item("A1", *granted), contained=crowd)))

    assert len(many.authorizations[0].document["lines"][0]["other_servicing_providers"]) == 20
    assert codes(many) == ["provider-left-out"]


def test_of_an_institution_the_house_is_the_place() -> None:
    """And the person gives the service."""
    house = {**person("h", "1477777779"), "resourceType": "Organization"}
    answer = response(
        item("A1", *granted_to("h", "a")),
        type={"coding": [{"code": "institutional"}]},
        contained=[person("a", "1111111111"), house],
    )
    found = line_of(answer)

    assert found["facility"] == {"npi": "1477777779", "organization": True}
    assert found["servicing_provider"] == {"npi": "1111111111"}
    assert found["other_servicing_providers"] == [found["facility"]]


def test_a_place_is_the_house_that_runs_it() -> None:
    """It rarely has a number of its own."""
    place = {
        "resourceType": "Location",
        "id": "l",
        "name": "East wing",
        "managingOrganization": {"reference": "#h"},
    }
    house = {**person("h", "1477777779"), "resourceType": "Organization"}
    asked = request({"sequence": 1}, facility={"reference": "#l"}, contained=[place, house])

    assert taken(packed(response(item()), asked))["facility"] == {
        "npi": "1477777779",
        "name": "East wing",
    }


@pytest.mark.parametrize(
    "repeat",
    [{"frequency": 2, "period": 2, "periodUnit": "wk"}, {"frequency": 2, "periodUnit": "h"},
     {"period": 1, "periodUnit": "wk"}],
)  # fmt: skip
def test_a_timing_that_cannot_be_kept_is_left_out(repeat: Json) -> None:
    """With a finding: every second week is no rate of a week."""
    asked = request({"sequence": 1, "extension": [ORDERED]}, contained=[order(**repeat)])
    reading = read(packed(response(item()), asked))

    assert "limits" not in reading.authorizations[0].document["lines"][0]
    assert "value-invalid" in codes(reading, "warning")


def test_a_timing_without_an_end_is_a_rate() -> None:
    """So many a month, as long as it is valid."""
    asked = request(
        {"sequence": 1, "extension": [ORDERED]},
        contained=[order(frequency=2, period=1, periodUnit="mo")],
    )

    assert line_of(response(item()), asked)["limits"] == {
        "per": {"count": "2", "period": "month"},
        "unit": "UN",
    }


def test_a_discharge_before_the_admission_is_left_out() -> None:
    """The admission stays."""
    found = line_of(
        response(
            item(
                "A1",
                ext("admissionDates", valueDate="2026-05-08"),
                ext("dischargeDate", valueDate="2026-05-03"),
            )
        )
    )

    assert found["admission"] == {"date": "2026-05-08"}


def test_a_request_for_information_is_no_diagnosis() -> None:
    """Nor is a group of diagnoses."""
    asked = request(
        {"sequence": 1},
        diagnosis=[
            {"diagnosisCodeableConcept": coded("18804-5"), "type": [coded("LOI")]},
            {"diagnosisCodeableConcept": coded("470", "urn:ms-drg")},
            {"diagnosisCodeableConcept": {"text": "Pain"}},
        ],
    )
    found = taken(packed(response(item()), asked))

    assert "diagnoses" not in found
    assert found["drg"] == "470"


def test_an_added_item_of_unknown_code_is_unknown() -> None:
    """Also beside an item that was approved."""
    found = line_of(response(item("A1"), addItem=[added("OTHER")]))

    assert "decision" not in found
    assert "limits" not in found


def test_an_error_beside_a_disposition_that_decides_is_no_rejection() -> None:
    """Of a payer that answers in words."""
    answer = response(disposition="Denied", error=[{"code": x12("15", "901")}], outcome="error")

    assert taken(packed(answer))["decision"]["action"] == "A3"


def test_an_explanation_of_benefit_is_not_read() -> None:
    """It says so, beside what is read."""
    reading = read(packed(response(item()), {"resourceType": "ExplanationOfBenefit"}))

    assert len(reading.authorizations) == 1
    assert codes(reading) == ["not-an-authorization"]


def test_the_only_coverage_of_the_patient_counts_unnamed() -> None:
    """That of somebody else does not."""
    cover = {"resourceType": "Coverage", "id": "v", "subscriberId": "S1"}
    own = {**cover, "beneficiary": {"reference": "Patient/p1"}}
    other = {**cover, "beneficiary": {"reference": "Patient/p2"}}
    second = {**PATIENT, "id": "p2", "identifier": [{"type": MB, "value": "M2"}]}

    assert taken(packed(response(item()), own))["member"]["subscriber_id"] == "S1"
    assert "subscriber_id" not in taken(packed(response(item()), other, second))["member"]


def test_a_time_without_its_zone_is_read_as_utc() -> None:
    """With a warning."""
    reading = read(packed(response(item(), created="2026-05-01T10:00:00.1234567")))

    assert codes(reading, "warning") == ["value-invalid"]
    assert reading.authorizations[0].document["source"]["event_time"].endswith("+00:00")


@pytest.mark.parametrize("number", ["--", "9" * 201])
def test_a_number_that_is_none_is_left_out(number: str) -> None:
    """It could never be found."""
    reading = read(packed(response(item(None, adjudication=[review("A1", number)]))))

    assert "number" not in reading.authorizations[0].document
    assert "value-invalid" in codes(reading, "warning")


def test_numbers_of_items_as_text_are_read() -> None:
    """And as decimals."""
    assert line_of(response({**item(), "itemSequence": "4"}))["line"] == 4
    assert line_of(response({**item(), "itemSequence": 3.0}))["line"] == 3
    assert line_of(response({**item(), "itemSequence": True}))["line"] == 1


def test_the_bundle_may_name_the_guide() -> None:
    """When the response does not."""
    profile = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-pas-response-bundle"
    document = bundle(response(item()), PATIENT, meta={"profile": [f"{profile}|2.0.1"]})

    assert taken(document)["attached"]["pas_version"] == "2.0"


@pytest.mark.parametrize(
    ("extension", "version"),
    [(ext("itemAuthorizedDate", valueDateTime="2026-05-01"), "1.1"),
     (ext("admissionDates", valueDate="2026-05-01"), "2.2"), (detail(), None)],
)  # fmt: skip
def test_what_only_one_guide_has_tells_which_it_is(extension: Json, version: str | None) -> None:
    """Where no profile names it."""
    found = taken(packed(response(item("A1", extension))))

    assert found["attached"].get("pas_version") == version
