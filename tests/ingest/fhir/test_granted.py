"""Requested and granted: added items, what the detail means in which guide, and codes."""

import pytest

from service.ingest.fhir import read
from tests.ingest.fhir.papers import (
    CPT,
    HCPCS,
    Json,
    added,
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

PROFILE = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-claimresponse|"
THERAPY, MASSAGE = coded("97110"), coded("97124")


def named(version: str | None) -> Json:
    """The meta of a response that names its guide."""
    return {"meta": {"profile": [PROFILE + version]}} if version else {}


@pytest.mark.parametrize("answer", ["A6", "A1", "A2"])
def test_a_modified_item_has_the_values_of_what_was_added(answer: str) -> None:
    """What was asked for stays with the item, what was granted is on the added one."""
    found = line_of(
        response(
            item("A6", detail(code=THERAPY, quantity={"value": 10, "code": "VS"})),
            addItem=[
                added(answer, productOrService=MASSAGE, quantity={"value": 6, "code": "VS"}),
            ],
        ),
        request({"sequence": 1, "productOrService": THERAPY, "quantity": {"value": 10}}),
    )

    assert found["line"] == 1
    assert found["decision"]["action"] == "A6"
    assert found["procedure"]["from"] == "97124"
    assert found["limits"] == {"units": "6", "unit": "VS"}
    assert found["requested"] == {"units": "10", "unit": "UN"}


@pytest.mark.parametrize(
    ("version", "requested"), [("2.2.0", "10"), (None, "10"), ("2.1.0", None), ("2.0.1", None)]
)
def test_what_the_detail_means_beside_an_added_item(
    version: str | None, requested: str | None
) -> None:
    """The request from 2.2 on; before, what was granted, which the added item says better."""
    found = line_of(
        response(
            item("A6", detail(quantity={"value": 10})),
            addItem=[added("A6", quantity={"value": 6})],
            **named(version),
        )
    )

    assert found["limits"]["units"] == "6"
    assert found.get("requested", {}).get("units") == requested


@pytest.mark.parametrize("version", ["1.1.0", "2.0.1", "2.1.0", "2.2.1"])
def test_without_an_added_item_the_detail_is_what_was_granted(version: str) -> None:
    """Of a modified item too: nothing else says it."""
    answered = response(item("A6", detail(quantity={"value": 5, "code": "DY"})), **named(version))

    assert line_of(answered)["limits"] == {"units": "5", "unit": "DY"}


@pytest.mark.parametrize(
    ("service", "expected"),
    [(MASSAGE, [(1, "A3", "97110"), (2, "A1", "97124")]), (THERAPY, [(1, "A1", "97110")])],
)
def test_a_denied_item_beside_another_service_stays_a_line(
    service: Json, expected: list[tuple[int, str, str]]
) -> None:
    """Some payers deny the item and add a new one: of the same service it stands for it."""
    answered = response(item("A3"), addItem=[added("A1", productOrService=service)])
    found = taken(packed(answered, request({"sequence": 1, "productOrService": THERAPY})))

    assert [
        (each["line"], each["decision"]["action"], each["procedure"]["from"])
        for each in found["lines"]
    ] == expected


def test_added_items_of_other_numbers_are_lines_of_their_own() -> None:
    """And two of one number are two."""
    answered = response(
        item(number=1),
        addItem=[
            added("A1", number=5, productOrService=MASSAGE),
            added("A1", number=1, productOrService=THERAPY),
            added("A1", number=1, productOrService=MASSAGE),
        ],
    )
    found = taken(packed(answered))

    assert [(each["line"], each["procedure"]["from"]) for each in found["lines"]] == [
        (1, "97110"),
        (5, "97124"),
        (6, "97124"),
    ]


def test_a_decision_and_its_number_are_those_of_the_line() -> None:
    """One number on an approved and on a denied line: it says nothing of either."""
    answered = response(
        item(None, adjudication=[review("A1", "AUTH-1")]),
        item(None, number=2, adjudication=[review("A3", "AUTH-1", "0U")]),
        preAuthRef="AUTH-1",
    )
    found = taken(packed(answered))

    assert found["number"] == "AUTH-1"
    assert [each["decision"] for each in found["lines"]] == [
        {"action": "A1"},
        {"action": "A3", "reasons": ["0U"]},
    ]


def test_a_number_beside_a_denial_grants_nothing() -> None:
    """preAuthRef stands on denied responses too."""
    found = taken(packed(response(item("A3", detail(quantity={"value": 4})), preAuthRef="N-1")))

    assert found["lines"][0]["decision"]["action"] == "A3"
    assert "limits" not in found["lines"][0]


@pytest.mark.parametrize(
    ("concept", "procedure", "service_type"),
    [
        (coded("E1390", CPT), {"from": "E1390", "code_system": "HCPCS"}, None),
        (coded("97110", HCPCS), {"from": "97110", "code_system": "HCPCS"}, None),
        (coded("D2740", HCPCS), {"from": "D2740", "code_system": "CDT"}, None),
        (coded("D2740", "http://www.ada.org/cdt"), {"from": "D2740", "code_system": "CDT"}, None),
        (coded("97110", "urn:unknown"), {"from": "97110", "code_system": "CPT"}, None),
        (coded("0DTJ4ZZ", "http://www.cms.gov/Medicare/Coding/ICD10"),
         {"from": "0DTJ4ZZ", "code_system": "ICD-10-PCS"}, None),
        (coded("0777-3105-02", "http://hl7.org/fhir/sid/ndc"),
         {"from": "0777-3105-02", "code_system": "NDC"}, None),
        (x12("3", "1365"), None, "3"),
        (coded("42", "https://x12.org/codes/service-type-codes"), None, "42"),
        (coded("not-applicable", "http://terminology.hl7.org/CodeSystem/data-absent-reason"),
         None, None),
        ({"text": "A wheelchair"}, None, None),
        ({"coding": [*x12("3", "1365")["coding"], *THERAPY["coding"]]},
         {"from": "97110", "code_system": "CPT"}, None),
    ],
)  # fmt: skip
def test_codes_as_senders_write_them(
    concept: Json, procedure: Json | None, service_type: str | None
) -> None:
    """Of the wrong system, of none, or no procedure at all."""
    found = line_of(response(item("A1", detail(code=concept))))

    assert (found.get("procedure"), found.get("service_type")) == (procedure, service_type)


def test_a_code_as_bare_text_is_read() -> None:
    """Instead of a concept."""
    bare = {"url": "productOrServiceCode", "valueString": "15823"}
    found = line_of(response(item("A1", ext("itemAuthorizedDetail", extension=[bare]))))

    assert found["procedure"]["from"] == "15823"


@pytest.mark.parametrize("end", ["97100", "E1390", "9714"])
def test_an_end_that_makes_no_range_is_left_out(end: str) -> None:
    """The first code stays."""
    reading = read(packed(response(item("A1", detail(code=THERAPY, end=coded(end))))))
    (line,) = reading.authorizations[0].document["lines"]

    assert line["procedure"] == {"from": "97110", "code_system": "CPT"}
    assert "value-invalid" in codes(reading, "warning")


@pytest.mark.parametrize(
    ("mark", "code"),
    [({"decision": coded("approved")}, "fhir-r5"), ({"event": []}, "fhir-r5"),
     ({"item": [{"itemSequence": 1, "reviewOutcome": {}}]}, "fhir-r5"),
     ({"outcome": coded("complete")}, "fhir-stu3"), ({"requestProvider": {}}, "fhir-stu3")],
)  # fmt: skip
def test_other_versions_of_fhir_are_refused_with_the_reason(mark: Json, code: str) -> None:
    """They mean other things by the same names."""
    reading = read(packed({**response(item()), **mark}))

    assert reading.authorizations == ()
    assert codes(reading, "error") == [code]


@pytest.mark.parametrize("use", ["claim", "predetermination"])
def test_what_is_no_pre_authorization_is_refused(use: str) -> None:
    """A response as well as a claim; the finding says where."""
    answered = read(packed(response(item(), use=use)))
    asked = read({**request(), "use": use})

    assert codes(answered, "error") == [f"use-{use}"]
    assert codes(asked, "error") == [f"use-{use}"]
    assert asked.issues[0].expression == "Claim.use"


def test_a_request_is_told_apart() -> None:
    """It is no authorization yet."""
    reading = read(packed(request(identifier=[{"value": "REQ-1"}])))

    assert reading.authorizations == ()
    assert [each.pointer for each in reading.unread] == ["/entry/0/resource"]
    assert codes(reading) == ["request-only"]


def test_a_response_without_use_is_read_with_a_warning() -> None:
    """Some forget it."""
    reading = read(packed(response(item(), use=None)))

    assert len(reading.authorizations) == 1
    assert codes(reading) == ["use-missing"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-05-01T23:30:00-05:00", "2026-06-30", {"from": "2026-05-01", "to": "2026-06-30"}),
        ("20260501", None, {"from": "2026-05-01"}),
        ("2026", "2026-02", {"from": "2026-01-01", "to": "2026-02-28"}),
        ("2026-02-30", "2026-06-30", {"to": "2026-06-30"}),
        ("2026-06-30", "2026-05-01", None),
        ("1026-05-01", None, None),
    ],
)
def test_days_as_senders_write_them(start: str, end: str | None, expected: Json | None) -> None:
    """A day that is none, and a period that ends before it starts, are left out."""
    period = {name: each for name, each in (("start", start), ("end", end)) if each}
    found = taken(packed(response(item(), preAuthPeriod=period)))

    assert found.get("effective") == expected
