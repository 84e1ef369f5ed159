"""The second opinion of the R4B models: warnings with a place, and never a reason to refuse."""

from typing import Any

import pytest

from service.ingest.fhir.reading.submissions import BYTES_MAX, ISSUES_MAX, check_shape
from tests.ingest.fhir.papers import PATIENT, Json, bundle, item, packed, request, response

INSURER = {"display": "payer"}


def complete(**more: Any) -> Json:
    """A response with all that R4 demands."""
    return response(item(), insurer=INSURER, **more)


def told(content: object, bytes_count: int = 10) -> dict[str, str]:
    """Expression and text of every finding."""
    found = check_shape(content, bytes_count)
    assert {each.severity for each in found} <= {"warning", "information"}
    return {each.expression: each.message for each in found}


@pytest.mark.parametrize(
    ("changes", "place", "text"),
    [
        ({"patient": None}, "patient", "R4 demands"),
        ({"created": None}, "created", "R4 demands"),
        ({"decision": {}}, "decision", "R4 has no such element"),
        ({"insurance": "nope"}, "insurance", "in R4 this is a list"),
        ({"created": "SECRET"}, "created", "not of the form"),
        ({"use": 7}, "use", "not of the form"),
        ({"total": [{"category": {}, "amount": {"value": "SECRET"}}]}, "total[0].amount.value",
         "not of the form"),
        ({"contained": [{"resourceType": "Patient", "birthDate": "SECRET"}]},
         "contained[0].birthDate", "not of the form"),
    ],
)  # fmt: skip
def test_what_a_strict_reader_refuses_is_a_warning(changes: Json, place: str, text: str) -> None:
    """With its place, and none of its values; in a bundle, too."""
    alone, within = told(complete(**changes)), told(packed(complete(**changes)))

    assert text in alone[f"ClaimResponse.{place}"]
    assert text in within[f"Bundle.entry[0].resource.{place}"]
    assert "SECRET" not in f"{alone}{within}"


def test_what_is_right_has_no_finding() -> None:
    """Nor what stands beside it, in bundles and Parameters."""
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "return", "part": [{"name": "x", "resource": complete()}]}],
    }

    assert told(complete()) == told(packed(complete())) == told(parameters) == {}


def test_each_resource_is_checked_for_itself() -> None:
    """One that no model knows keeps the others from nothing; the bundle itself is checked, too."""
    asked = request({"sequence": 1})
    found = told(bundle(complete(use=None), {"resourceType": "Nonsense"}, asked, PATIENT, type_=""))

    assert "Bundle.type" in found
    assert "Bundle.entry[0].resource.use" in found
    assert "unknown type" in found["Bundle.entry[1].resource"]
    assert "Bundle.entry[2].resource.insurance" in found


def test_what_is_nested_deep_cannot_be_checked() -> None:
    """It is said, and nothing fails."""
    deep: Any = {"url": "x", "valueString": "y"}
    for _ in range(900):
        deep = {"url": "x", "extension": [deep]}

    assert "nested too deep" in told(complete(extension=[deep]))["ClaimResponse"]


def test_what_is_long_is_not_checked_and_that_is_said() -> None:
    """As is that more was found than is told."""
    long = told(complete(use=None), BYTES_MAX + 1)
    many = check_shape(bundle(*(complete(use=None, x=1) for _ in range(ISSUES_MAX + 1))), 10)

    assert list(long) == ["ClaimResponse"]
    assert "not checked" in long["ClaimResponse"]
    assert len(many) == ISSUES_MAX + 1
    assert many[-1].code == "r4b-unchecked"


@pytest.mark.parametrize("content", [None, [], 1, "x", {}, {"resourceType": 1}])
def test_what_is_no_resource_has_no_shape(content: object) -> None:
    """The reading says what is wrong with it."""
    assert check_shape(content, 1) == ()
