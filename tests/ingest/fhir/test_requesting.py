"""Requests as Bundles of the PAS guide: valid R4, and what its profiles demand offline."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.domain.request import AuthorizationRequest, as_authorization
from service.ingest.fhir import read
from service.ingest.fhir.writing.request import write_bundle
from service.ingest.x12.reply.answering import category_of
from tests.ingest.x12.test_requesting import REQUESTS
from tests.partners.bed import asked

AT = datetime(2026, 11, 30, 3, 4, 5, tzinfo=UTC)
PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/"
DEMANDED = {
    "Claim": (
        "identifier",
        "status",
        "type",
        "use",
        "patient",
        "created",
        "insurer",
        "provider",
        "priority",
        "insurance",
        "item",
    ),
    "Patient": ("identifier", "name", "gender"),
    "Organization": ("name", "active", "identifier"),
    "Practitioner": ("identifier", "name"),
    "Coverage": ("status", "beneficiary", "payor", "subscriberId"),
    "ServiceRequest": ("status", "intent", "subject"),
}
"""What profiles of the guide (and of US Core) demand of a resource."""


def bundle(changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A request as it is written."""
    request = AuthorizationRequest.model_validate(asked(**changes))
    written = write_bundle(request, "AM1", AT, payer_id="EP100", told="A WORD", **more)
    assert write_bundle(request, "AM1", AT, payer_id="EP100", told="A WORD", **more) == written
    found: dict[str, Any] = json.loads(written)
    return found


def references_in(value: Any) -> Iterator[str]:
    """All references, however deep."""
    if isinstance(value, list):
        for each in value:
            yield from references_in(each)
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for each in value.values():
            yield from references_in(each)


@pytest.mark.parametrize("is_inquiry", [False, True])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_bundle_is_valid_and_holds_all_that_it_refers_to(name: str, is_inquiry: bool) -> None:
    """R4B of fhir.resources, the elements that profiles demand, and references that lead there."""
    written = bundle(REQUESTS[name], is_inquiry=is_inquiry)
    get_fhir_model_class("Bundle").model_validate(written)
    kind = "pas-inquiry-request-bundle" if is_inquiry else "pas-request-bundle"
    assert written["meta"]["profile"] == [f"{PAS}profile-{kind}"]
    assert written["entry"][0]["resource"]["resourceType"] == "Claim"
    addresses = [each["fullUrl"] for each in written["entry"]]
    assert len(set(addresses)) == len(addresses)
    assert set(references_in(written)) <= set(addresses)
    for each in written["entry"]:
        resource = each["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        missing = [one for one in DEMANDED[resource["resourceType"]] if not resource.get(one)]
        assert missing == []
    reading = read(written)
    assert [each.code for each in reading.issues] == ["request-only"]


@pytest.mark.parametrize("name", REQUESTS)
def test_each_item_says_what_is_asked_and_its_days(name: str) -> None:
    """Category (1525), certification (1322), days, and sequences that are there."""
    claim = bundle(REQUESTS[name])["entry"][0]["resource"]
    request = AuthorizationRequest.model_validate(asked(**REQUESTS[name]))
    assert claim["use"] == "preauthorization"
    assert len(claim["item"]) == max(1, len(request.lines))
    sequences = {each["sequence"] for each in claim.get("diagnosis", [])}
    team = {each["sequence"] for each in claim.get("careTeam", [])}
    for item in claim["item"]:
        told = {each["url"].removeprefix(f"{PAS}extension-"): each for each in item["extension"]}
        code = told["certificationType"]["valueCodeableConcept"]["coding"][0]["code"]
        assert code == request.certification_type
        assert "serviceItemRequestType" in told
        assert ("infoCancelledFlag" in told) == (code == "3")
        assert set(item.get("diagnosisSequence", [])) <= sequences
        assert set(item.get("careTeamSequence", [])) <= team
        assert item["servicedPeriod"]["start"] == "2026-12-01"
    has_related = request.certification_type in ("R", "S", "4", "3")
    assert ("related" in claim) == has_related
    infos = claim["supportingInfo"]
    assert [each["sequence"] for each in infos] == list(range(1, len(infos) + 1))
    documents = [each for each in infos if "valueReference" in each]
    assert len(documents) == len(request.documents)


@pytest.mark.parametrize(
    ("setting", "kind", "category"),
    [
        ("inpatient", "authorization", "AR"),
        ("inpatient", "referral", "SC"),
        ("professional", "referral", "SC"),
        ("professional", "authorization", "HS"),
    ],
)
def test_a_referral_is_one_also_to_a_stay(setting: str, kind: str, category: str) -> None:
    """As UM01 of a 278 says it."""
    stay = {"setting": setting, "kind": kind, "admission": {"date": "2026-12-01"}}
    claim = bundle(stay)["entry"][0]["resource"]
    told = [each for each in claim["item"][0]["extension"] if "RequestType" in each["url"]]
    assert [each["valueCodeableConcept"]["coding"][0]["code"] for each in told] == [category]
    asked_ = AuthorizationRequest.model_validate(asked(**stay))
    assert category_of(as_authorization(asked_, trace="AM1")) == category


@pytest.mark.parametrize(
    ("urgency", "priority"), [("U", "stat"), ("E", "normal"), (None, "normal")]
)
def test_an_urgent_one_is_said_so(urgency: str | None, priority: str) -> None:
    """Claim.priority, by which the payer's clock is chosen."""
    claim = bundle({"urgency": urgency})["entry"][0]["resource"]
    assert claim["priority"]["coding"][0]["code"] == priority
