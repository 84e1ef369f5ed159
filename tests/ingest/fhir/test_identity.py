"""Id and version: the same for the same paper, higher for a later one."""

import re

import pytest

from service.ingest.fhir import read
from service.ingest.fhir.reading.identity import OWN_SYSTEM, authorization_id_of
from tests.ingest.fhir.papers import (
    PATIENT,
    Json,
    bundle,
    codes,
    ext,
    item,
    packed,
    request,
    response,
    review,
    taken,
)

NUMBERED = item(None, adjudication=[review("A1", "N-1")])


def version(**more: object) -> int:
    """The version of a response."""
    found: int = taken(packed(response(item(), **more)))["version"]
    return found


@pytest.mark.parametrize(
    ("answer", "others", "expected"),
    [
        (response(NUMBERED), (), ("urn:trnorg:1", "T-1", "")),
        (response(NUMBERED, identifier=[{"system": "s", "value": "v", "assigner": {
            "identifier": {"value": "a"}}}]), (), ("s", "v", "a")),
        (response(NUMBERED, identifier=[{"use": "old", "value": "o"}, {"value": "n"}]), (),
         ("", "n", "")),
        (response(NUMBERED, identifier=None),
         (request(identifier=[{"system": "s", "value": "c"}]),), ("s", "c", "")),
        (response(NUMBERED, identifier=None, preAuthRef="P-1"), (), ("", "P-1", "")),
        (response(NUMBERED, identifier=None), (), ("", "N-1", "")),
        (response(item("A4", ext("administrationReferenceNumber", valueString="PEND-1")),
                  identifier=None), (), ("", "PEND-1", "")),
        (response(item(), identifier=None), (), ("ClaimResponse", "r1", "")),
    ],
)  # fmt: skip
def test_the_first_name_that_there_is_makes_the_id(
    answer: Json, others: tuple[Json, ...], expected: tuple[str, str, str]
) -> None:
    """An identifier of the response before that of the request, numbers after both."""
    assert taken(packed(answer, *others))["authorization_id"] == authorization_id_of(*expected)


def test_a_response_without_any_name_is_refused() -> None:
    """There is nothing under which it could be found again."""
    reading = read(bundle(response(item(), identifier=None, id=None), PATIENT))

    assert codes(reading, "error") == ["identity-missing"]


@pytest.mark.parametrize(
    ("system", "value"),
    [("http://example.org/a", "1 2/3|4"), ("", "é" * 90), ("s", "x" * 500), ("", "--")],
)
def test_an_id_can_stand_in_an_address(system: str, value: str) -> None:
    """Whatever the sender calls it."""
    assert re.fullmatch(r"[!-.0-{}~]{1,100}", authorization_id_of(system, value))


def test_one_value_of_two_systems_is_two_ids() -> None:
    """The hash tells them apart; our own is taken as it is."""
    assert authorization_id_of("a", "1") != authorization_id_of("b", "1")
    assert authorization_id_of(OWN_SYSTEM, "UM-1") == "UM-1"


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


def test_an_update_supersedes_what_it_updates() -> None:
    """By the identifier of the earlier request, which need not be in the document."""
    earlier = request(identifier=[{"system": "s", "value": "REQ-1"}])
    update = {
        **request({"sequence": 1}, related=[{"claim": {"reference": "Claim/c0"}}]),
        "identifier": [{"system": "s", "value": "REQ-1-UPDATE"}],
    }
    answer = response(item(), identifier=update["identifier"])
    reading = read(packed(answer, update, {**earlier, "id": "c0"}))

    assert reading.authorizations[0].document["supersedes"] == authorization_id_of("s", "REQ-1")
    assert reading.unread == ()
