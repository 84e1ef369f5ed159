"""However it is packed: bundles, notifications, inquiry results, contained parts, references."""

from typing import Any

import pytest

from service.ingest.fhir import read
from tests.ingest.fhir.papers import (
    NPI,
    PATIENT,
    Json,
    bundle,
    codes,
    item,
    packed,
    request,
    response,
    taken,
)

HOUSE = {"resourceType": "Organization", "identifier": [{"system": NPI, "value": "1477777779"}]}


def parameters(*resources: Json) -> Json:
    """Parameters that return resources."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "return", "resource": each} for each in resources],
    }


def notification() -> Json:
    """A notification of a subscription: its status, and the response bundle inside."""
    status = parameters()
    status["parameter"] = [{"name": "type", "valueCode": "event-notification"}]
    return bundle(status, packed(response(item())), type_="history")


@pytest.mark.parametrize(
    "document",
    [
        packed(response(item())),
        {**packed(response(item())), "type": "message"},
        {**packed(response(item())), "type": "searchset"},
        bundle(packed(response(item()))),
        bundle(bundle(packed(response(item())))),
        notification(),
        parameters(packed(response(item()))),
        bundle(parameters(packed(response(item()))), type_="searchset"),
        response(item(), patient={"identifier": PATIENT["identifier"][0]}),
        response(item(), patient={"reference": "#p1"}, contained=[PATIENT]),
    ],
    ids=["collection", "message", "searchset", "bundle in bundle", "three deep", "notification",
         "parameters", "inquiry result", "alone", "contained"],
)  # fmt: skip
def test_a_response_is_found_wherever_it_is(document: Json) -> None:
    """With the member that its reference leads to."""
    assert taken(document)["member"]["id"] == "M0001"


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        ("http://x.test/Patient/p9", "http://x.test/Patient/p9"),
        ("http://x.test/Patient/p9", "Patient/p9"),
        ("http://x.test/Patient/p9", "http://other.test/fhir/Patient/p9"),
        ("http://x.test/Patient/p9", "Patient/p9/_history/3"),
        ("urn:uuid:0b321e9e-571b-4f83-8cea-fa23424383bb",
         "urn:uuid:0b321e9e-571b-4f83-8cea-fa23424383bb"),
        (None, "Patient/p1"),
        (None, "urn:uuid:p1"),
        ("http://x.test/Patient/wrong", "Patient/p1"),
    ],
)  # fmt: skip
def test_a_reference_leads_to_its_entry(full_url: str | None, reference: str) -> None:
    """By its address, or by type and id."""
    entry: Json = {"resource": PATIENT, **({"fullUrl": full_url} if full_url else {})}
    document = bundle(response(item(), patient={"reference": reference}))
    document["entry"].append(entry)

    assert taken(document)["member"]["id"] == "M0001"


def test_a_reference_that_leads_nowhere_is_named_with_its_place() -> None:
    """And nothing is made of its last part: that is no member id."""
    reading = read(bundle(response(item(), patient={"reference": "Patient/else"}), PATIENT))
    issue = next(each for each in reading.issues if each.code == "reference-unresolved")

    assert reading.authorizations == ()
    assert issue.pointer == "/entry/0/resource/patient/reference"
    assert issue.expression == "Bundle.entry[0].resource.patient.reference"
    assert "member-unknown" in codes(reading, "error")


def test_a_provider_that_is_not_there_is_only_a_warning() -> None:
    """The response says enough without it."""
    reading = read(packed(response(item(), requestor={"reference": "Organization/else"})))

    assert "requesting_provider" not in reading.authorizations[0].document
    assert codes(reading) == ["reference-unresolved"]


def test_an_inner_bundle_comes_before_an_outer_one() -> None:
    """Two bundles may call different people by one name."""
    inner = packed(response(item()))
    other = {**PATIENT, "identifier": [{**PATIENT["identifier"][0], "value": "M2"}]}

    assert taken(bundle(other, inner))["member"]["id"] == "M0001"


def test_a_contained_part_may_refer_to_another() -> None:
    """As a role does to its organization."""
    role = {
        "resourceType": "PractitionerRole",
        "id": "x1",
        "organization": {"reference": "#o1"},
    }
    answer = response(
        item(), requestor={"reference": "#x1"}, contained=[role, {**HOUSE, "id": "o1"}]
    )

    assert taken(packed(answer))["requesting_provider"] == {
        "npi": "1477777779",
        "organization": True,
    }


def test_the_only_claim_beside_the_only_response_is_its_request() -> None:
    """Many responses name none."""
    reading = read(bundle(response(item()), PATIENT, request(identifier=[{"value": "REQ"}])))

    assert reading.authorizations[0].document["requester_reference"] == "REQ"
    assert reading.unread == ()
    assert "request-assumed" in codes(reading, "information")


def test_of_several_responses_each_is_read_for_itself() -> None:
    """A fault of one keeps none of the others out, and none takes another's request."""
    answers = [
        response(item(), id=name, identifier=[{"value": name}], **more)
        for name, more in (("a", {}), ("b", {"use": "claim"}), ("c", {}))
    ]
    reading = read(bundle(*answers, PATIENT, request(identifier=[{"value": "REQ"}])))

    assert [each.pointer for each in reading.authorizations] == [
        "/entry/0/resource",
        "/entry/2/resource",
    ]
    assert "use-claim" in codes(reading, "error")
    assert [each.pointer for each in reading.unread] == ["/entry/1/resource", "/entry/4/resource"]
    assert [each.pointer for each in reading.issues if each.code == "request-only"] == [
        "/entry/4/resource"
    ]


@pytest.mark.parametrize("again", [{}, {"disposition": "Otherwise"}])
def test_what_stands_there_twice_is_read_once(again: Json) -> None:
    """The same is no fault; other content of the same id and time is one."""
    answer = response(item())
    reading = read(bundle(answer, {**answer, **again}, PATIENT))

    assert len(reading.authorizations) == 1
    assert codes(reading, "error") == (["twice"] if again else [])


@pytest.mark.parametrize("content", [None, 1, "x", [], [{}], {}, {"resourceType": 5}])
def test_what_is_no_resource_is_refused(content: Any) -> None:
    """With one finding."""
    assert codes(read(content), "error") == ["not-a-resource"]


@pytest.mark.parametrize("content", [PATIENT, bundle(), bundle(PATIENT)])
def test_a_document_without_a_response_says_so(content: Json) -> None:
    """It may be the wrong document."""
    assert codes(read(content), "error") == ["nothing-to-read"]


def test_bundles_without_end_are_refused() -> None:
    """Packing has a bound, however deep the caller lets it be."""
    document = packed(response(item()))
    for _ in range(300):
        document = bundle(document)
    reading = read(document)

    assert reading.authorizations == ()
    assert "too-deep" in codes(reading, "error")


def test_resources_without_end_are_refused() -> None:
    """The rest is left out, and that is said."""
    entry = {"resource": {"resourceType": "Basic"}}
    reading = read({"resourceType": "Bundle", "entry": [entry] * 30_000})

    assert "too-many" in codes(reading, "error")


def event(reference: str) -> Json:
    """One event of a notification, of an id alone."""
    parts = [
        {"name": "event-number", "valueString": "2"},
        {"name": "focus", "valueReference": {"reference": reference}},
    ]
    return {"name": "notification-event", "part": parts}


def status_of(*events: Json, type_: str = "event-notification") -> Json:
    """The status of a subscription in R4."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "type", "valueCode": type_}, *events],
    }


REMOTE = "https://payer.example/fhir/ClaimResponse/77"
R4B = {
    "resourceType": "SubscriptionStatus",
    "type": "event-notification",
    "notificationEvent": [{"eventNumber": "2", "focus": {"reference": REMOTE}}],
}


@pytest.mark.parametrize(
    ("document", "references"),
    [
        (bundle(status_of(event(REMOTE)), type_="history"), [REMOTE]),
        (bundle(status_of(event(REMOTE), event("ClaimResponse/9")), type_="history"),
         [REMOTE, "ClaimResponse/9"]),
        (status_of(event(REMOTE)), [REMOTE]),
        (bundle(R4B, type_="subscription-notification"), [REMOTE]),
        (bundle(status_of(type_="heartbeat"), type_="history"), [None]),
    ],
    ids=["one", "two", "no bundle", "R4B", "a heartbeat"],
)  # fmt: skip
def test_a_notification_of_ids_alone_names_what_is_to_be_fetched(
    document: Json, references: list[str | None]
) -> None:
    """It is no fault: nothing is refused, and nothing to keep."""
    reading = read(document)

    assert [each.reference for each in reading.unread] == references
    assert not any(each.is_refused for each in reading.unread)
    assert {each.severity for each in reading.issues} == {"information"}


def test_a_notification_that_brings_what_it_names_is_read() -> None:
    """Only what is not there is to be fetched."""
    whole = response(item(), id="77")
    document = bundle(status_of(event(REMOTE), event("ClaimResponse/9")), whole, PATIENT)
    reading = read(document)

    assert len(reading.authorizations) == 1
    assert [each.reference for each in reading.unread] == ["ClaimResponse/9"]


def test_parameters_that_are_no_notification_are_told() -> None:
    """There is nothing to read in them."""
    assert [each.code for each in read(parameters()).issues] == ["nothing-to-read"]
