"""Balances are corrected over HTTP: with a reason, once, and told in all that is shown."""

from typing import Any

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body

PATH = "/authorizations/A1/accumulators/corrections"
LIMITS = {"units": "10", "unit": "UN", "per": {"count": "4", "period": "week"}}
OPENING = {"correction_id": "K1", "account": "L1", "units": "6", "reason": "used elsewhere"}


@pytest.fixture
def pushed(caller: httpx.Client) -> httpx.Client:
    """A caller for whom A1 grants ten units, four a week."""
    body = authorization_body(authorization_id="A1", line={"limits": LIMITS})
    assert caller.put("/authorizations/A1", json=body).status_code == 201
    return caller


def test_an_opening_balance_is_told_everywhere(pushed: httpx.Client) -> None:
    """In the balances, in the ledger with who and why, and in the use over time."""
    first, again = (pushed.post(PATH, json=OPENING).json() for _ in range(2))
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["account"]["units"] == again["account"]["units"] == {
        "limit": "10", "used": "6", "reserved": "0", "remaining": "4", "corrected": "6",
    }  # fmt: skip

    answer = pushed.post("/adjudicate", json=claim_body(line={"units": "4"})).json()
    assert [line["approved"]["units"] for line in answer["lines"]] == ["4"]
    drawn, corrected = pushed.get("/authorizations/A1/ledger").json()["entries"]
    assert (drawn["kind"], corrected["kind"]) == ("apply", "correct")
    assert (corrected["why"], corrected["correction_id"]) == ("used elsewhere", "K1")
    assert corrected["by"]
    (moved,) = corrected["movements"]
    assert (moved["what"], moved["units"]) == ("corrected", "6")
    used = pushed.get("/authorizations/A1/utilization").json()["accounts"]
    steps = {each["account"]: each["steps"][0] for each in used}
    assert (steps["L1"]["units"], steps["L1"]["committed"]) == ("10", "10")


def test_a_week_has_its_own_balance(pushed: httpx.Client) -> None:
    """Named by its first day."""
    week = {**OPENING, "account": "L1~2026-03-08", "units": "3"}
    assert pushed.post(PATH, json=week).json()["account"]["units"]["used"] == "3"
    answer = pushed.post("/adjudicate", json=claim_body(line={"units": "2"})).json()
    assert [line["approved"]["units"] for line in answer["lines"]] == ["1"]


@pytest.mark.parametrize(
    ("changes", "status", "path"),
    [
        ({"reason": None}, 422, "/reason"),
        ({"reason": " "}, 422, "/reason"),
        ({"units": "0"}, 422, "/units"),
        ({"units": "much"}, 422, "/units"),
        ({"units": "3000000001"}, 422, "/units"),
        ({"amount": "0.001"}, 422, "/amount"),
        ({"service_days": "0.5"}, 422, "/service_days"),
        ({"account": "X"}, 422, "/account"),
        ({"account": "L2"}, 422, "/account"),
        ({"account": "H~2026-03-08"}, 422, "/account"),
        ({"account": "L1~2026-03-09"}, 422, "/account"),
        ({"account": "L1~2026-02-30"}, 422, "/account"),
        ({"account": "L1@2026-03-08"}, 422, "/account"),
        ({"account": "L1~"}, 422, "/account"),
        ({"correction_id": ""}, 422, "/correction_id"),
        ({"units": "-1"}, 422, "/units"),
        ({"more": 1}, 422, "/more"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    pushed: httpx.Client, changes: dict[str, Any], status: int, path: str
) -> None:
    """With the place, and nothing is corrected."""
    body = {name: each for name, each in {**OPENING, **changes}.items() if each is not None}
    answer = pushed.post(PATH, json=body)

    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["path"] == path
    (account, *_) = pushed.get("/authorizations/A1/accumulators").json()["accounts"]
    assert account["units"]["corrected"] == "0"


def test_one_id_is_one_correction(pushed: httpx.Client) -> None:
    """Another one under it is a conflict; so is one of a void authorization; unknown is 404."""
    assert pushed.post(PATH, json=OPENING).status_code == 200
    assert pushed.post(PATH, json={**OPENING, "units": "5"}).status_code == 409
    assert pushed.post(PATH.replace("A1", "A9"), json=OPENING).status_code == 404
    assert pushed.delete("/authorizations/A1", params={"version": 2}).status_code == 200
    assert pushed.post(PATH, json={**OPENING, "correction_id": "K2"}).status_code == 409


def test_what_is_superseded_is_not_corrected(pushed: httpx.Client) -> None:
    """Its use went to what supersedes it, with what was corrected: that one is named."""
    assert pushed.post(PATH, json=OPENING).status_code == 200
    body = authorization_body(authorization_id="B1", supersedes="A1", line={"limits": LIMITS})
    assert pushed.put("/authorizations/B1", json=body).status_code == 201
    answer = pushed.post(PATH, json={**OPENING, "correction_id": "K2"})
    assert (answer.status_code, "superseded by B1" in answer.text) == (409, True)
    again = pushed.post(PATH.replace("A1", "B1"), json={**OPENING, "units": "1"}).json()
    assert again["account"]["units"]["used"] == "7"


def test_more_than_can_be_counted_is_refused(pushed: httpx.Client) -> None:
    """With its place, and nothing is corrected."""
    most = {**OPENING, "units": "3000000000"}
    assert pushed.post(PATH, json=most).status_code == 200
    answer = pushed.post(PATH, json={**most, "correction_id": "K2"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "/units")
