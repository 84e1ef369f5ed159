"""Id and version: the same for the same paper, higher for a later one."""

import pytest

from service.domain.grant_identity import grant_id, named_id
from service.ingest.fhir import read
from service.ingest.fhir.reading.identity import OWN_SYSTEM
from tests.ingest.fhir.papers import (
    NPI,
    PATIENT,
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
)
from tests.ingest.x12.edi import authorization as x12_authorization
from tests.ingest.x12.edi import review as x12_review

NUMBERED = item(None, adjudication=[review("A1", "N-1")])


def version(**more: object) -> int:
    """The version of a response."""
    found: int = taken(packed(response(item(), **more)))["version"]
    return found


REQUESTER = {"identifier": {"system": NPI, "value": "1999999984"}}


def named(*name: str) -> str:
    """The id of what the member has by this name."""
    return named_id("authorization", "M0001", name)


N1 = grant_id("authorization", "M0001", "N-1")


@pytest.mark.parametrize(
    ("answer", "others", "expected"),
    [
        (response(NUMBERED), (), N1),
        (response(NUMBERED, identifier=[{"system": "s", "value": "v"}]), (), N1),
        (response(NUMBERED, identifier=None, id="other"), (), N1),
        (response(NUMBERED, insurer={"identifier": {"value": "other"}}), (), N1),
        (response(NUMBERED), (request(identifier=[{"value": "c"}]),), N1),
        (response(item(), preAuthRef="00n 1"), (), N1),
        (response(item("A3"), adjudication=[review("A3", "N-1")]), (), N1),
        (response(item()), (request(identifier=[{"system": "s", "value": "c"}]),),
         named("trace", "", "c")),
        (response(item(), requestor=REQUESTER), (request(identifier=[{"value": "c"}]),),
         named("trace", "1999999984", "c")),
        (response(item(), request={"identifier": {"value": "c"}}), (), named("trace", "", "c")),
        (response(item("A4", ext("administrationReferenceNumber", valueString="PEND-1"))), (),
         named("reference", "PEND-1")),
        (response(item()), (), named("response", "T-1")),
        (response(item(), identifier=[{"use": "old", "value": "o"}, {"value": "n"}]), (),
         named("response", "n")),
        (response(item(), identifier=None), (), named("address", "r1")),
    ],
)  # fmt: skip
def test_the_number_makes_the_id_else_what_joins_the_messages(
    answer: Json, others: tuple[Json, ...], expected: str
) -> None:
    """Neither its own identifier nor a system of it has a part in what has a number."""
    assert taken(packed(answer, *others))["authorization_id"] == expected


def test_the_other_names_of_a_grant_lead_to_it() -> None:
    """The request's and its own: what is said under one of them later is of the same grant."""
    answer = response(NUMBERED, requestor=REQUESTER)
    found = taken(packed(answer, request(identifier=[{"value": "c"}])))

    assert found["aliases"] == [named("trace", "1999999984", "c"), named("response", "T-1")]


def test_a_message_of_x12_and_one_of_fhir_are_one_grant() -> None:
    """By number, and without one by the trace of the request and who made it."""
    pended = x12_review("TRN*2*REQ-1*9", "UM*HS*I", "HCR*A4")
    decided = x12_review("TRN*2*REQ-1*9", "UM*HS*I", "HCR*A1*N-1", "DTP*AAH*D8*20260501")
    asked = request(identifier=[{"system": "urn:any", "value": "req 1"}])
    waits, granted = (
        taken(packed(response(each, requestor=REQUESTER, identifier=None), asked))
        for each in (item("A4"), NUMBERED)
    )

    assert x12_authorization(pended)["authorization_id"] == waits["authorization_id"]
    assert x12_authorization(decided)["authorization_id"] == granted["authorization_id"]
    assert granted["aliases"] == [waits["authorization_id"]]
    assert x12_authorization(decided)["aliases"] == granted["aliases"]


@pytest.mark.parametrize(
    ("coverage", "is_the_mothers"),
    [
        ({}, True),
        ({"subscriberId": "M0001"}, True),
        ({"subscriberId": "M0001", "relationship": coded("self")}, True),
        ({"subscriberId": "S9", "relationship": coded("child")}, True),
        ({"subscriberId": "M0001", "relationship": coded("child")}, False),
    ],
)
def test_a_child_who_is_called_by_the_mothers_id_is_another_person(
    coverage: Json, is_the_mothers: bool
) -> None:
    """The number that both have is two grants then; one with an id of its own is told by that."""
    answer = response(NUMBERED, insurance=[{"coverage": {"reference": "Coverage/v1"}}])
    found = taken(packed(answer, {"resourceType": "Coverage", "id": "v1", **coverage}))

    assert (found["authorization_id"] == N1) is is_the_mothers


def test_a_response_without_any_name_is_refused() -> None:
    """There is nothing under which it could be found again."""
    reading = read(bundle(response(item(), identifier=None, id=None), PATIENT))

    assert codes(reading, "error") == ["identity-missing"]


def test_a_later_paper_has_a_higher_version() -> None:
    """By its time, then the count of the server, then how far the decision is."""
    meta = {"lastUpdated": "2026-05-02T10:00:00Z"}
    rising = [
        version(created="2026-05-01"),
        version(created="2026-05-01T10:00:00+05:00"),
        version(created="2026-05-01T10:00:00.001+05:00"),
        version(created="2026-05-01T10:00:00Z"),
        version(meta=meta),
        version(meta=meta | {"versionId": "2"}),
        version(meta=meta | {"versionId": "10"}),
        version(created="9999-12-31T23:59:59Z"),
    ]

    assert rising == sorted(set(rising))
    assert all(0 < each < 2**53 for each in rising)


def test_a_decision_comes_after_the_pend_that_it_ends() -> None:
    """Also where the payer keeps the time of the first answer."""
    found = [taken(packed(response(item(each))))["version"] for each in ("B9", "A4", "A3", "C")]

    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"created": None}, 1),
        ({"created": "soon"}, 1),
        ({"created": "1960-01-01"}, 1),
        ({"created": "0001-01-01T00:00:00+14:00"}, 1),
        ({"created": None, "meta": {"versionId": "7"}}, 7),
        ({"created": None, "meta": {"versionId": "9" * 15}}, 999_999_999_999_999),
    ],
)
def test_without_a_usable_time_any_dated_paper_comes_after(more: Json, expected: int) -> None:
    """It is read, with a warning."""
    reading = read(packed(response(item(), **more)))

    assert reading.authorizations[0].document["version"] == expected
    assert "version-assumed" in codes(reading, "warning")


@pytest.mark.parametrize("stored", [1, 999, 10**12, 1_777_629_600_000_002, 2**53 - 1])
def test_what_was_given_out_keeps_its_version(stored: int) -> None:
    """However high it is; it was made when it was created, not when it was stored."""
    own = [{"system": OWN_SYSTEM, "value": "UM-1"}]
    meta = {"versionId": str(stored), "lastUpdated": "2026-06-01T00:00:00Z"}
    found = taken(packed(response(item(), identifier=own, meta=meta)))

    assert (found["authorization_id"], found["version"]) == ("UM-1", stored)
    assert found["source"]["event_time"] == "2026-05-01T10:00:00+00:00"


def test_the_time_of_the_bundle_stands_in() -> None:
    """For a response without its own."""
    document = {**packed(response(item(), created=None)), "timestamp": "2026-05-01T10:00:00Z"}

    assert taken(document)["version"] == version()


DAY = {"created": "2026-05-01"}
TIME = "2026-05-01T10:00:00Z"


@pytest.mark.parametrize(
    ("more", "timestamp", "expected"),
    [
        (DAY, TIME, version()),
        (DAY | {"meta": {"lastUpdated": TIME}}, None, version()),
        ({"created": "2026-05-01T00:00:00Z"}, TIME, version()),
        ({"created": TIME}, "2026-05-01T23:00:00Z", version()),
        (DAY, None, version(**DAY)),
        (DAY, "2026-04-30T23:00:00Z", version(**DAY)),
        (DAY, "2026-05-02T00:00:00Z", version(created="2026-05-01T23:59:00Z")),
    ],
)
def test_a_day_is_made_exact_by_the_bundle(more: Json, timestamp: str, expected: int) -> None:
    """So that two decisions of one day come out in their order."""
    document = packed(response(item(), **more)) | {"timestamp": timestamp}

    assert taken(document)["version"] == expected


EARLIER = request(identifier=[{"system": "s", "value": "REQ-1"}])


@pytest.mark.parametrize(
    ("line", "more", "own", "supersedes"),
    [
        (item(), {}, named("trace", "", "REQ-2"), named("trace", "", "REQ-1")),
        (NUMBERED, {}, N1, named("trace", "", "REQ-1")),
        (NUMBERED, {"insurance": [{"preAuthRef": ["N-0"]}]}, N1,
         grant_id("authorization", "M0001", "N-0")),
        (NUMBERED, {"insurance": [{"preAuthRef": ["N-1"]}]}, N1, named("trace", "", "REQ-1")),
        (item("A4"), {}, named("change", "trace", "", "REQ-2"), None),
        (item(None, adjudication=[review("A3", "N-1")]), {}, named("change", "trace", "", "REQ-2"),
         None),
    ],
)  # fmt: skip
def test_an_update_supersedes_what_it_updates(
    line: Json, more: Json, own: str, supersedes: str | None
) -> None:
    """By the number before, else by the earlier request; what is not granted changes nothing."""
    update = request(
        {"sequence": 1},
        identifier=[{"value": "REQ-2"}],
        related=[{"claim": {"reference": "Claim/c0"}}],
        **more,
    )
    reading = read(packed(response(line, identifier=None), update, {**EARLIER, "id": "c0"}))
    (found,) = reading.authorizations

    assert found.document["authorization_id"] == own
    assert found.document.get("supersedes") == supersedes
    assert reading.unread == ()
