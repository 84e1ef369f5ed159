"""Members are merged over HTTP; what came under either id is answered under both."""

from typing import Any

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body

UNITS: dict[str, Any] = {"limits": {"units": "5", "unit": "UN"}}


def pushed(caller: httpx.Client, name: str, member: str, version: int = 1) -> str:
    """Push an authorization of a member; gives the status."""
    body = authorization_body(
        authorization_id=name, version=version, member={"id": member}, **UNITS
    )
    answer = caller.put(f"/authorizations/{name}", json=body).raise_for_status()
    return str(answer.json()["status"])


def claim_of(member: str, claim_id: str = "C1", units: str = "2") -> dict[str, Any]:
    """The usual claim of a member."""
    body = claim_body(claim_id=claim_id, member={"id": member})
    return {**body, "lines": [{**body["lines"][0], "units": units}]}


def test_a_merge_is_answered_and_kept(caller: httpx.Client) -> None:
    """With who wanted it and why; once more it is answered the same."""
    pushed(caller, "A1", "M1")
    asked = {"into": "M2", "by": "enrolment", "reason": "entered twice"}

    first = caller.post("/members/M1/merge", json=asked).raise_for_status().json()
    again = caller.post("/members/M1/merge", json=asked).raise_for_status().json()
    kept = caller.get("/members/M1").raise_for_status().json()

    assert first == again == {"member": "M1", "merged_into": "M2"}
    assert kept["merged"].pop("at")
    assert kept == {
        "id": "M1",
        "merged": {
            "into": "M2",
            "by": "key:environment",
            "on_behalf_of": "enrolment",
            "reason": "entered twice",
        },
        "former_ids": [],
    }
    assert caller.get("/members/M2").json() == {
        **{"id": "M2", "merged": None, "former_ids": ["M1"]}
    }
    assert caller.get("/members/M9").json() == {"id": "M9", "merged": None, "former_ids": []}


def test_answers_say_under_which_id_they_are(caller: httpx.Client) -> None:
    """Of a match, a why-not and an adjudication; not of a member that was never merged."""
    pushed(caller, "A1", "M1")
    plain = caller.post("/match", json=claim_of("M1")).raise_for_status().json()
    caller.post("/members/M1/merge", json={"into": "M2"}).raise_for_status()
    question = {"claim": claim_of("M1"), "line": 1, "number": "AU-1"}

    matched = caller.post("/match", json=claim_of("M1")).raise_for_status().json()
    why = caller.post("/match/why-not", json=question).raise_for_status().json()
    decided = caller.post("/adjudicate", json=claim_of("M1")).raise_for_status().json()
    stored = caller.get("/claims/C1").raise_for_status().json()
    other = caller.post("/match", json=claim_of("M2")).raise_for_status().json()

    merged = {"id": "M1", "merged_into": "M2"}
    assert [each["member"] for each in (matched, why, decided, stored)] == [merged] * 4
    assert "member" not in plain
    assert "member" not in other
    assert why["found"]
    chosen = [each["lines"][0]["results"][0]["chosen"] for each in (plain, matched, other)]
    assert chosen[0] == chosen[1] == chosen[2]
    assert decided["lines"][0]["approved"]["units"] == "2"
    assert pushed(caller, "A1", "M1", 2) == "updated"
    listed = caller.get("/authorizations", params={"member": "M1"}).json()
    assert [each["state"]["member_id"] for each in listed["authorizations"]] == ["M1"]
    related = caller.get("/authorizations/A1/claims").json()["claims"]
    assert [each["claim_id"] for each in related] == ["C1"]


def test_a_claim_of_before_tells_its_whole_history(caller: httpx.Client) -> None:
    """Also after it was drawn anew under the other id; its first version is read as ever."""
    pushed(caller, "A1", "M1")
    first = caller.post("/adjudicate", json=claim_of("M1")).raise_for_status().json()
    caller.post("/members/M1/merge", json={"into": "M2"}).raise_for_status()
    second = {**claim_of("M1", units="1"), "version": 2}

    caller.post("/adjudicate", json=second, params={"dry_run": "true"}).raise_for_status()
    answer = caller.post("/adjudicate", json=second).raise_for_status().json()
    again = caller.post("/adjudicate", json=claim_of("M2")).raise_for_status().json()
    history = caller.get("/claims/C1/history").raise_for_status().json()["entries"]
    accounts = caller.get("/authorizations/A1/accumulators").raise_for_status().json()

    assert (answer["lines"][0]["approved"]["units"], answer["returned"][0]["units"]) == ("1", "2")
    assert again["replayed"]
    assert again["lines"] == first["lines"]
    kinds = [each["kind"] for each in history]
    assert sorted(kinds) == ["apply", "readjudicate"]
    assert accounts["accounts"][0]["units"]["used"] == "1"


@pytest.mark.parametrize(
    ("member", "body", "status", "kind"),
    [
        ("M1", {"into": "M1"}, 422, "invalid-content"),
        ("M1", {"into": ""}, 422, "invalid-content"),
        ("M1", {"into": "M" * 101}, 422, "invalid-content"),
        ("M1", {"into": "m - 1"}, 422, "invalid-content"),
        ("M1", {"into": " - "}, 422, "invalid-content"),
        ("M1", {"into": "M/2"}, 422, "invalid-content"),
        ("M1", {}, 422, "invalid-content"),
        ("M1", {"into": "M2", "payer": "p"}, 422, "invalid-content"),
        ("M1", {"into": "M2", "reason": "x" * 5000}, 422, "invalid-content"),
        ("M" * 101, {"into": "M2"}, 422, "invalid-parameter"),
        ("B", {"into": "A"}, 409, "merge-refused"),
        ("A", {"into": "C"}, 409, "merge-refused"),
    ],
)
def test_a_merge_that_cannot_be_meant(
    caller: httpx.Client, member: str, body: dict[str, str], status: int, kind: str
) -> None:
    """It is refused, and says why without naming a member."""
    caller.post("/members/A/merge", json={"into": "B"}).raise_for_status()

    answer = caller.post(f"/members/{member}/merge", json=body)

    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:authmatch:problem:{kind}"
    assert "MMM" not in answer.text
