"""What FHIR says in the request only: it comes back with the contained Claim."""

import json
from typing import Any

import pytest

from service.domain.authorization import Authorization
from service.domain.effective import effective_lines
from service.ingest.fhir import read, to_claim_response
from service.ingest.fhir.reading.submissions import check_shape
from tests.builders import build_authorization, references
from tests.ingest.fhir.papers import Json

FULL: Json = {
    "urgency": "U",
    "certification_type": "I",
    "requester_reference": "REQ-1",
    "received_at": "2026-02-01T08:00:00Z",
    "requested_dates": {"from": "2026-03-01", "to": "2026-03-31"},
    "supersedes": "A0",
    "diagnoses": [{"code": "M54.50", "type": "ABK"}, {"code": "G89.4", "type": "ABF"}],
    "trace_numbers": ["T1"],
}


def round_trip(authorization: Authorization) -> Authorization:
    """An authorization as it is read from what was written of it."""
    written = json.loads(json.dumps(to_claim_response(authorization)))
    assert check_shape(written, 1) == ()
    (found,) = read(written).authorizations
    return found.authorization


@pytest.mark.parametrize("query", ["professional", "outpatient", "inpatient", "dental", "referral"])
def test_every_template_finds_the_same_in_what_comes_back(query: str) -> None:
    """All effective values of the lines are those that were written."""
    level: Json = {"level_of_care": "R2"} if query == "inpatient" else {}
    before = build_authorization(query, **FULL, **level)
    after = round_trip(before)
    lines = [effective_lines(each, references()) for each in (before, after)]
    ours = {"servicing_provider", "requesting_provider", "facility"}
    silent = {"specialty", "provider_group"}  # no code list of FHIR has them

    assert [_without(each, ours, silent) for each in lines[1]] == [
        _without(each, ours, silent) for each in lines[0]
    ]


def _without(line: Any, roles: set[str], names: set[str]) -> Json:
    left = {f"{role}.{name}" for role in roles for name in names}
    return {name: value for name, value in line.items() if name not in left}


@pytest.mark.parametrize("name", [*FULL, "kind", "setting", "member"])
def test_the_header_comes_back(name: str) -> None:
    """As it was pushed."""
    before = build_authorization("referral", **FULL)

    assert getattr(round_trip(before), name) == getattr(before, name)


@pytest.mark.parametrize(("urgency", "priority"), [("U", "stat"), ("03", "stat"), ("E", "normal")])
def test_an_urgent_one_comes_back(urgency: str, priority: str) -> None:
    """Claim.priority says whether it is expedited, the level of service how urgent it is."""
    before = build_authorization(**{**FULL, "urgency": urgency})
    (request,) = [
        each for each in to_claim_response(before)["contained"] if each["resourceType"] == "Claim"
    ]
    assert request["priority"]["coding"][0]["code"] == priority
    assert round_trip(before).urgency == urgency


def test_a_stay_without_lines_comes_back() -> None:
    """With its days, its group, and how many were granted."""
    stay: Json = {
        "setting": "inpatient",
        "drg": "470",
        "admission": {"date": "2026-03-12", "discharge_date": "2026-03-16"},
        "limits": {"units": "4", "unit": "DA"},
        "lines": [],
    }
    before = build_authorization(**stay)
    after = round_trip(before)

    assert [getattr(after, each) for each in stay] == [getattr(before, each) for each in stay]


def test_what_was_asked_for_never_looks_granted() -> None:
    """A line without a limit has none when it comes back, though more was asked for."""
    asked = {"units": "9", "unit": "UN"}
    free = round_trip(build_authorization(line={"requested": asked}))
    pended = round_trip(build_authorization(line={"requested": asked}, decision={"action": "A4"}))
    cut = round_trip(
        build_authorization(line={"requested": asked, "limits": {"units": "4", "unit": "UN"}})
    )

    assert free.lines[0].limits is None
    assert pended.lines[0].limits is None
    assert [each.lines[0].requested is not None for each in (free, pended, cut)] == [
        False,
        True,
        True,
    ]


def test_a_cancellation_that_was_asked_for_makes_nothing_void() -> None:
    """Only the decision does."""
    before = build_authorization(certification_type="3", line={"certification_type": "3"})

    assert round_trip(before).lines[0].decision == before.decision


def test_without_anything_of_the_request_there_is_none() -> None:
    """The number of the request stays an identifier."""
    header: Json = {"diagnoses": [], "place_of_service": None, "requester_reference": "REQ-1"}
    written = to_claim_response(build_authorization(lines=[], **header))

    assert written["request"] == {"type": "Claim", "identifier": {"value": "REQ-1"}}
    assert "Claim" not in {each["resourceType"] for each in written["contained"]}
