"""Claims over HTTP: one, a stream of many, and why an authorization does not cover a line."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body
from tests.api.conftest import Service

LINES = [{}, {"procedure": "97012"}, {"procedure": "97112", "from": "2026-06-03"}]


def stored(caller: httpx.Client, query: str = "professional", **changes: object) -> None:
    """Push an authorization."""
    body = authorization_body(query, **changes)
    answer = caller.put(f"/authorizations/{body['authorization_id']}", json=body)
    assert answer.status_code == 201, answer.text


def test_a_claim_is_answered_line_by_line(caller: httpx.Client) -> None:
    """Class, chosen authorizations and events of every line."""
    stored(caller)
    answer = caller.post("/match", json=claim_body(lines=LINES))
    lines = answer.json()["lines"]

    assert answer.status_code == 200
    assert answer.json()["claim_id"] == "C-1"
    assert [line["line"] for line in lines] == [1, 2, 3]
    assert [line["results"][0]["class"] for line in lines] == ["exact", "none", "non-exact"]
    assert [line["results"][0]["chosen"] for line in lines] == [["A1"], [], []]
    assert [[event["code"] for event in line["results"][0]["events"]] for line in lines] == [
        [],
        ["SPA-0009"],
        ["SPA-0016"],
    ]


@pytest.mark.parametrize("query", ["professional", "outpatient", "inpatient", "dental", "referral"])
def test_every_template_answers(caller: httpx.Client, query: str) -> None:
    """The claim and the authorization that agree in all are exact."""
    stored(caller, query)
    benefit = {"requested_type": "referral" if query == "referral" else "authorization"}
    answer = caller.post("/match", json=claim_body(query, line={"benefit": benefit}))
    (result,) = answer.json()["lines"][0]["results"]

    assert (result["template"], result["class"], result["chosen"]) == (query, "exact", ["A1"])


def test_a_claim_of_another_payer_finds_nothing(service: Service, caller: httpx.Client) -> None:
    """The payer comes from the key; the same claim under another key finds nothing."""
    stored(caller)
    with service.caller() as other:
        answer = other.post("/match", json=claim_body())
        why = other.post(
            "/match/why-not", json={"claim": claim_body(), "line": 1, "number": "AU-1"}
        )
    (result,) = answer.json()["lines"][0]["results"]

    assert (result["class"], result["candidates"], result["near_misses"]) == ("none", [], [])
    assert (why.json()["found"], why.json()["findings"]) == (False, [])


def test_why_an_authorization_does_not_cover_a_line(caller: httpx.Client) -> None:
    """The requirement that fails, with both values; a number nobody has is said to be unknown."""
    stored(caller)
    late = claim_body(line={"from": "2026-09-01"})
    asked = {"claim": late, "line": 1, "number": "au 1"}
    failed = caller.post("/match/why-not", json=asked).json()["findings"][0]
    unknown = caller.post("/match/why-not", json=asked | {"number": "AU-2"}).json()
    no_line = caller.post("/match/why-not", json=asked | {"line": 2})

    assert failed["is_candidate"] is False
    assert failed["failed_requirement"]["id"] == "window"
    assert failed["failed_requirement"]["why"] == "93 days after the end"
    assert unknown["found"] is False
    assert no_line.status_code == 422


def test_a_push_is_seen_by_the_next_match(caller: httpx.Client) -> None:
    """Whatever is acknowledged is found, again and again."""
    for number in range(20):
        stored(caller, authorization_id=f"A{number}", number=f"N-{number}")
        (result,) = caller.post("/match", json=claim_body()).json()["lines"][0]["results"]

        assert len(result["candidates"]) == number + 1


def test_many_matches_at_once_are_all_right(service: Service, caller: httpx.Client) -> None:
    """Sixty-four callers at once, each with its own member: no answer is another's."""
    for number in range(64):
        stored(caller, authorization_id=f"A{number}", member={"id": f"M{number}"})
    claims = [claim_body(member={"id": f"M{number}"}) for number in range(64)]

    def one(claim: dict[str, object]) -> httpx.Response:
        return caller.post("/match", json=claim)

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(one, claims * 3))

    assert {each.status_code for each in answers} == {200}
    assert [each.json()["lines"][0]["results"][0]["chosen"] for each in answers] == [
        [f"A{number}"] for number in range(64)
    ] * 3
