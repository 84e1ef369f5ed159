"""Every element that R4 has where we read is asked for, or listed as not kept."""

from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B import claim, claimresponse, coverage, patient

from service.ingest.fhir import read
from tests.ingest.fhir import test_header_rows, test_line_rows
from tests.ingest.fhir.asking import Asked, asked_for
from tests.ingest.fhir.papers import PATIENT, Json, bundle, codes, item, packed, request, response
from tests.ingest.fhir.test_any_json import FULL
from tools.pages.fhir import LEFT, LEFT_EXTENSIONS

MODELS = {
    "ClaimResponse": claimresponse.ClaimResponse,
    "ClaimResponse.item": claimresponse.ClaimResponseItem,
    "ClaimResponse.item.adjudication": claimresponse.ClaimResponseItemAdjudication,
    "ClaimResponse.addItem": claimresponse.ClaimResponseAddItem,
    "ClaimResponse.total": claimresponse.ClaimResponseTotal,
    "ClaimResponse.processNote": claimresponse.ClaimResponseProcessNote,
    "ClaimResponse.error": claimresponse.ClaimResponseError,
    "Claim": claim.Claim,
    "Claim.item": claim.ClaimItem,
    "Claim.careTeam": claim.ClaimCareTeam,
    "Claim.diagnosis": claim.ClaimDiagnosis,
    "Claim.supportingInfo": claim.ClaimSupportingInfo,
    "Claim.insurance": claim.ClaimInsurance,
    "Claim.related": claim.ClaimRelated,
    "Coverage": coverage.Coverage,
    "Patient": patient.Patient,
}
OF_ANY = {
    *("id", "meta", "implicitRules", "language", "text", "contained"),
    *("extension", "modifierExtension"),
}
COVERED: Json = {
    "resourceType": "Coverage",
    "id": "v1",
    "subscriberId": "M0001",
    "beneficiary": {"reference": "Patient/p1"},
}
NAMELESS = {**PATIENT, "identifier": []}


def documents() -> Iterator[Json]:
    """All with which the rows are tested, and some more that name what those do not."""
    yield FULL
    for _, answered, others, *_ in (*test_header_rows.CASES, *test_line_rows.CASES):
        yield packed(answered, *others)
    insured = request(insurance=[{"sequence": 1, "coverage": {"reference": "Coverage/v1"}}])
    answer = response(item(), request={"reference": "Claim/c1"})
    yield bundle(answer, NAMELESS, insured, COVERED)


def elements_of(model: Any) -> list[str]:
    """The names of all elements of a part of a resource."""
    return list(model.elements_sequence())


def is_asked(asked: Asked, place: str, name: str) -> bool:
    """Whether an element was asked for, by its name or as one of a choice of types."""
    return (place, name) in asked or any(
        where == place
        and each.endswith("[x]")
        and name.startswith(each[:-3])
        and name[len(each) - 3 :][:1].isupper()
        for where, each in asked
    )


def test_what_r4_has_and_nothing_asks_for_is_listed_as_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list has these, and no other."""
    with monkeypatch.context() as patch:
        asked, extensions = asked_for(documents(), patch)
    found = {
        place: {
            name
            for name in elements_of(model)
            if name not in OF_ANY and not is_asked(asked, place, name)
        }
        for place, model in MODELS.items()
    }

    listed = {place: set(LEFT.get(place, "").split()) for place in MODELS}
    assert found == listed
    assert set(LEFT) <= set(MODELS)
    assert not extensions & set(LEFT_EXTENSIONS.split())


@pytest.mark.parametrize("count", [1, 3])
def test_details_of_an_item_are_told(count: int) -> None:
    """What is decided of them does not change the whole."""
    details = [{"detailSequence": each + 1, "adjudication": []} for each in range(count)]
    reading = read(packed(response(item(detail=details))))

    assert codes(reading, "warning") == ["detail-left-out"] * count
    assert len(reading.authorizations) == 1
