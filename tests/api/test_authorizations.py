"""Authorizations over HTTP: statuses, reading back, listing."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.bodies import Fields, authorization_body, claim_body
from tests.api.conftest import Service
from tests.serving import client_of

PATH = "/authorizations/A1"


def version(version: int, **changes: Any) -> Fields:
    """A version of A1."""
    return authorization_body(version=version, **changes)


def test_a_push_tells_what_became_of_it(caller: httpx.Client) -> None:
    """201 for the first, 200 with the status after that, 409 for other content."""
    pushed = [
        caller.put(PATH, json=each)
        for each in (version(2), version(2), version(3), version(1), version(3, number="X"))
    ]

    assert [each.status_code for each in pushed] == [201, 200, 200, 200, 409]
    assert [each.json()["status"] for each in pushed[:4]] == [
        "created",
        "unchanged",
        "updated",
        "superseded",
    ]
    assert pushed[3].json()["current_version"] == 3
    assert pushed[2].headers["etag"] == 'W/"3"'
    assert pushed[4].headers["content-type"] == "application/problem+json"
    assert pushed[4].json()["title"] == "Version conflict"


def test_it_is_read_back_as_it_was_pushed(caller: httpx.Client) -> None:
    """The current version with its state, and all versions newest first."""
    for each in (version(1), version(2, number="AU-2")):
        caller.put(PATH, json=each)
    current = caller.get(PATH)
    versions = caller.get(f"{PATH}/versions").json()["versions"]

    assert current.status_code == 200
    assert current.headers["etag"] == 'W/"2"'
    assert current.json()["authorization"] == version(2, number="AU-2")
    assert current.json()["state"]["version"] == 2
    assert [each["authorization"] for each in versions] == [
        version(2, number="AU-2"),
        version(1),
    ]


AT: Fields = {"status": "APPROVED", "process_step": "Validate", "display": True}
BESIDE: Fields = {
    "form": "PAPER", "brand": "GOLD", "status": "Approved", "requester_reference": "REQ-7",
    "requested_by_relation": "SPOUSE", "location_provider": {"npi": "1477777776"},
    "override_benefit_limits": False, "remarks": "By telephone.", "access_group": "NORTH",
    "unfinalize_reason": "TYPO", "service_types": ["PT", "42"],
    "baskets": [{"basket": "THERAPY", "from": "2026-03-01", "to": "2026-03-31"}],
    "messages": [{"code": "M1", "text": "{0} of {1}", "inherit": True, "values": ["1", "2"]}],
    "pend_reasons": [{"reason": "NO-LETTER", "process_step": "Entry"}],
    "status_history": [{"status": "Entry", "reached_at": "2026-03-01T09:00:00Z"}],
    "pend_history": [{**AT, "reason": "NO-LETTER", "resolved_by": "lee",
                      "resolved_at": "2026-03-02T09:00:00Z"}],
    "callout_history": [{**AT, "code": "ASK", "sent_at": "2026-03-01T09:00:00Z",
                         "received_at": "2026-03-01T09:00:01Z"}],
    "event_history": [{**AT, "event": "Received", "topic": "intake"}],
    "validation_history": [{**AT, "code": "V-1", "description": "checked"}],
    "notes": [{"note_id": "N1", "version": 1, "text": "12 sessions are left."},
              {"note_id": "N1", "version": 2, "text": "11 sessions are left."}],
    "attached": {"ward": "7", "steps": [{"by": "lee"}]},
    "requested": {"units": "20", "unit": "VS", "amount": "900.00", "currency": "EUR",
                  "service_days": "10",
                  "renewal": {"reference": "calendar", "period": 2, "unit": "month"}},
}  # fmt: skip


def test_all_that_a_model_of_authorizations_has_comes_back(caller: httpx.Client) -> None:
    """Who asked and how, messages, pends, histories, notes, attached data: as they were sent."""
    body = version(1, line={"code": "L-1", "requested": BESIDE["requested"]}) | BESIDE
    assert caller.put(PATH, json=body).status_code == 201
    assert caller.get(PATH).json()["authorization"] == body


def test_what_is_not_there_is_404(caller: httpx.Client, service: Service) -> None:
    """For another payer too: it cannot be told from what never was."""
    caller.put(PATH, json=version(1))
    with service.caller() as other:
        answers = [
            caller.get("/authorizations/A2"),
            caller.get("/authorizations/A2/versions"),
            other.get(PATH),
            other.get(f"{PATH}/versions"),
        ]

    assert [each.status_code for each in answers] == [404] * 4
    assert len({each.content for each in answers}) == 1


def test_a_withdrawal_makes_it_void(caller: httpx.Client) -> None:
    """It stays readable, and covers nothing any more; a late version does not bring it back."""
    caller.put(PATH, json=version(1))
    withdrawn = caller.delete(PATH, params={"version": 2})
    again = caller.delete(PATH, params={"version": 2})
    late = caller.put(PATH, json=version(1))
    line = caller.post("/match", json=claim_body()).json()["lines"][0]

    assert [each.status_code for each in (withdrawn, again, late)] == [200, 200, 200]
    assert [each.json()["status"] for each in (withdrawn, again, late)] == [
        "updated",
        "unchanged",
        "superseded",
    ]
    assert caller.get(PATH).json()["state"]["void"] is True
    assert line["results"][0]["class"] == "none"


def test_a_withdrawal_may_come_first(caller: httpx.Client) -> None:
    """Before its authorization it is kept as well."""
    withdrawn = caller.delete(PATH, params={"version": 2})
    late = caller.put(PATH, json=version(1))

    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "created")
    assert late.json()["status"] == "superseded"
    assert caller.get(PATH).status_code == 404
    assert len(caller.get(f"{PATH}/versions").json()["versions"]) == 1


@pytest.mark.parametrize("given", ["", "0", "-1", "x", str(2**53), "1.5"])
def test_a_withdrawal_needs_a_version(caller: httpx.Client, given: str) -> None:
    """Without one that a sender can have, it is refused."""
    answer = caller.delete(PATH, params={"version": given} if given else {})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "/query/version"


def test_the_address_and_the_body_must_name_one_authorization(caller: httpx.Client) -> None:
    """A body of another id is refused, and nothing is stored."""
    answer = caller.put("/authorizations/OTHER", json=version(1))

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"path": "/authorization_id", "message": "not the one of the address"}
    ]
    assert caller.get("/authorizations/OTHER").status_code == 404


def listed(caller: httpx.Client, **wanted: str) -> list[str]:
    """The ids of a listing."""
    answer = caller.get("/authorizations", params=wanted)
    assert answer.status_code == 200, answer.text
    return [each["authorization"]["authorization_id"] for each in answer.json()["authorizations"]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["A3", "A2", "A1"]),
        ({"member": "M0001"}, ["A2", "A1"]),
        ({"member": "M0009"}, []),
        ({"number": "au-002"}, ["A2"]),
        ({"provider": "1234567893"}, ["A3", "A2", "A1"]),
        ({"status": "a3"}, ["A2"]),
        ({"status": "Closed"}, ["A3"]),
        ({"from": "2026-06-15"}, ["A3"]),
        ({"to": "2026-03-01"}, ["A2", "A1"]),
        ({"member": "M0001", "status": "A1"}, ["A1"]),
    ],
    ids=str,
)
def test_a_listing_gives_what_fits_every_filter(
    caller: httpx.Client, wanted: dict[str, str], found: list[str]
) -> None:
    """By member, number, provider, status and days; newest certification first."""
    open_end = {"from": "2026-06-01"}
    for each in (
        authorization_body(authorization_id="A1", certification_date="2026-01-01"),
        authorization_body(
            authorization_id="A2",
            number="00-AU 002",
            certification_date="2026-01-02",
            decision={"action": "A3"},
        ),
        authorization_body(
            authorization_id="A3",
            certification_date="2026-01-03",
            member={"id": "M0002"},
            effective=open_end,
            status="Closed",
        ),
    ):
        caller.put(f"/authorizations/{each['authorization_id']}", json=each)

    assert listed(caller, **wanted) == found


SEASON = {"from": "2026-03-01", "to": "2026-05-31"}
THERAPY: Fields = {"certification_date": "2026-02-20", "effective": SEASON}
DAY = "2026-05-01"
ONE_UNIT = [{"line": 1, "limits": {"units": "1", "unit": "UN"}}]


def test_authorizations_are_found_by_how_they_stand_on_a_day(caller: httpx.Client) -> None:
    """As people say it; the same in the list, of one alone, and in FHIR (today)."""
    changed: dict[str, Fields] = {
        "active": {},
        "used": {"lines": ONE_UNIT, "member": {"id": "M0002"}},
        "denied": {"decision": {"action": "A3"}},
        "pended": {"decision": {"action": "A4"}},
        "in-part": {
            "decision": {"action": "A2"},
            "lines": [{"line": 1, "decision": {"action": "A6"}}, {"line": 2}],
        },
        "old": {"effective": {"from": "2026-01-01", "to": "2026-03-31"}},
        "next": {"effective": {"from": "2026-06-01"}},
        "new": {"supersedes": "denied-2"},
        "denied-2": {},
        "withdrawn": {},
    }
    for name, changes in changed.items():
        body = authorization_body(authorization_id=name, number=f"N-{name}", **THERAPY | changes)
        answer = caller.put(f"/authorizations/{name}", json={**body, "distinct": True})
        assert answer.status_code == 201, answer.text
    caller.delete("/authorizations/withdrawn", params={"version": 2})
    claim = claim_body(member={"id": "M0002"}, authorization_numbers=[])
    drawn = caller.post("/adjudicate", json=claim).json()["lines"][0]
    assert drawn["adjudicated_authorizations"][0]["authorization_id"] == "used"

    standing = {
        "ACTIVE": ["active", "in-part", "new"],
        "EXHAUSTED": ["used"],
        "PENDING": ["pended"],
        "DENIED": ["denied"],
        "EXPIRED": ["old"],
        "UPCOMING": ["next"],
        "SUPERSEDED": ["denied-2"],
        "VOID": ["withdrawn"],
    }
    found = {each: sorted(listed(caller, status=each.lower(), on=DAY)) for each in standing}
    assert found == standing
    assert listed(caller, status="EXHAUSTED", on="2026-06-01") == []
    for status, names in standing.items():
        for name in names:
            one = caller.get(f"/authorizations/{name}", params={"on": DAY}).json()
            assert one["state"]["status"] == status
    old = caller.get("/fhir/ClaimResponse/used").json()["extension"]
    assert {"url": "urn:authmatch:status", "valueCode": "EXPIRED"} in old
    pages = caller.get("/authorizations", params={"status": "VOID", "size": 1}).json()
    assert (pages["total"], len(pages["authorizations"])) == (1, 1)


def test_pages_go_on_where_the_last_one_ended(caller: httpx.Client) -> None:
    """Every authorization comes once, those without a certification date last."""
    for number in range(7):
        body = authorization_body(
            authorization_id=f"A{number}",
            number=f"N-{number}",
            certification_date=f"2026-01-0{number}" if number else None,
        )
        caller.put(f"/authorizations/A{number}", json=body)
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(10):
        page = caller.get("/authorizations", params={"size": 3, **after}).json()
        seen += [each["authorization"]["authorization_id"] for each in page["authorizations"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert page["total"] == 7
    assert seen == ["A6", "A5", "A4", "A3", "A2", "A1", "A0"]


@pytest.mark.parametrize(
    "params",
    [
        {"after": "nonsense"},
        {"after": "W10"},
        {"after": "W3siYSI6MX0sIngiXQ"},
        {"after": "WyJ4IiwieSJd"},
        {"size": "0"},
        {"size": "201"},
        {"from": "2026-02-30"},
        {"to": "yesterday"},
        {"on": "2026-02-30"},
        {"member": "-"},
    ],
    ids=str,
)
def test_a_listing_refuses_what_it_cannot_read(
    caller: httpx.Client, params: dict[str, str]
) -> None:
    """A foreign cursor, a size out of bounds, a day, a member id that is none: 422."""
    answer = caller.get("/authorizations", params=params)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "credentials",
    [{"X-API-Key": "key-0"}, {"Authorization": "Bearer key-0"}, {"authorization": "bearer  key-0"}],
    ids=str,
)
def test_a_payer_is_known_by_its_key(service: Service, credentials: dict[str, str]) -> None:
    """In either header."""
    with client_of(service.url) as client:
        answer = client.get("/authorizations", headers=credentials)

    assert answer.status_code == 200


CALLS: list[Callable[[httpx.Client], httpx.Response]] = [
    lambda client: client.get("/authorizations"),
    lambda client: client.get(PATH),
    lambda client: client.get(f"{PATH}/versions"),
    lambda client: client.put(PATH, json=version(1)),
    lambda client: client.delete(PATH, params={"version": 1}),
    lambda client: client.post("/authorizations/bulk", content=b"{}"),
    lambda client: client.post("/match", json=claim_body()),
    lambda client: client.post("/match/batch", content=b"{}"),
    lambda client: client.post("/match/why-not", json={}),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "credentials",
    [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}],
    ids=str,
)
def test_without_a_valid_key_nothing_is_told(
    service: Service, call: Callable[[httpx.Client], httpx.Response], credentials: dict[str, str]
) -> None:
    """401 with the scheme to use, on every call that touches a payer's data."""
    with client_of(service.url) as client:
        client.headers.update(credentials)
        answer = call(client)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
