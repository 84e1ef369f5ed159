"""Candidates and near misses say how long they hold, what they grant, and what is left of it."""

import time
from typing import Any

import httpx
import pytest

from service.application.parts import Stores
from tests.adjudication.desk import Desk
from tests.api.bodies import claim_body

Fields = dict[str, Any]
LONG_MS = 100 * 24 * 3600 * 1000
OF_OTHER: Fields = {
    "claim_id": "C-0",
    "authorization_numbers": [{"value": "AU-2"}],
    "line": {"procedure": "97110", "units": "3"},
}
NOT_MINE = {"procedure": {"from": "97110"}}


def left(candidate: Fields) -> str:
    """What is said of one: its days, and of each limit what is used, reserved and left."""
    days = candidate["effective"]
    words = [f"{candidate['authorization_id']} {days['from']}..{days['to']}"]
    words += [
        f"{each['account']} {each['measure']} {each['granted']}:"
        f" {each['used']}+{each['reserved']}, {each['remaining']}"
        for each in candidate["balances"]
    ]
    return " | ".join(words)


def shown(line: Fields) -> list[str]:
    """All candidates and near misses of a line."""
    (result,) = line["results"]
    return [left(each) for each in (*result["candidates"], *result["near_misses"])]


def asked(desk: Desk, **claim: Any) -> list[str]:
    """What `/match` shows of a claim of one line, with balances."""
    answer = desk.client().post("/match", params={"balances": True}, json=claim_body(**claim))
    assert answer.status_code == httpx.codes.OK, answer.text
    return shown(answer.json()["lines"][0])


def adjudicated(desk: Desk, **claim: Any) -> Fields:
    """An adjudicated claim."""
    answer = desk.adjudicate(**claim)
    assert answer.status_code == httpx.codes.OK, answer.text
    body: Fields = answer.json()
    return body


USUAL: Fields = {"effective": {"from": "2026-03-01", "to": "2026-05-31"}}


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ({"line": {"limits": {"units": "9", "unit": "UN"}}}, "L1 units 9: 4+0, 5"),
        (
            {"limits": {"units": "20", "unit": "UN"}, "line": {"limits": {"amount": "500.00"}}},
            "H units 20: 4+0, 16 | L1 amount 500.00: 200.00+0.00, 300.00",
        ),
        ({}, "L1 units None: 4+0, None"),
        ({"line": {"limits": {"service_days": "3"}}}, "L1 service_days 3: 1+0, 2"),
        (
            {
                "line": {
                    "limits": {
                        "units": "9", "unit": "UN", "per": {"count": "5", "period": "week"}
                    }
                }
            },
            "L1 units 9: 4+0, 5 | L1~2026-03-08 units 5: 4+0, 1",
        ),
        (
            {
                "line": {
                    "limits": {
                        "units": "9", "unit": "UN",
                        "renewal": {"reference": "calendar", "period": 1, "unit": "month"},
                    }
                }
            },
            "L1@2026-03-01 units 9: 4+0, 5",
        ),
    ],
)  # fmt: skip
def test_what_is_left_of_every_limit(desk: Desk, granted: Fields, expected: str) -> None:
    """The same before the claim, after it, and when it is sent again or only matched."""
    desk.push(**USUAL, **granted)
    (before,) = asked(desk)
    first = adjudicated(desk, line={"units": "4", "charge": "200.00"})
    again = adjudicated(desk, line={"units": "4", "charge": "200.00"})

    assert "4+0" not in before
    assert shown(first["lines"][0]) == [f"A1 2026-03-01..2026-05-31 | {expected}"]
    assert again["lines"] == first["lines"] == desk.read("/claims/C-1")["lines"]
    assert asked(desk) == shown(first["lines"][0])


def test_a_limit_that_renews_from_an_unknown_day_says_nothing_of_its_use(desk: Desk) -> None:
    """It is told what was granted; which period counts is for an examiner."""
    renewal = {"reference": "first claim", "period": 1, "unit": "month"}
    desk.push(**USUAL, line={"limits": {"units": "9", "unit": "UN", "renewal": renewal}})

    expected = ["A1 2026-03-01..2026-05-31 | L1@ units 9: None+None, None"]
    assert asked(desk) == expected
    assert shown(adjudicated(desk)["lines"][0]) == expected


def test_a_line_that_waits_shows_what_is_left_of_what_it_did_not_take(desk: Desk) -> None:
    """Of one that fits in part, and of near misses: drawn on by others, or never."""
    desk.push(
        authorization_id="A2",
        number="AU-2",
        line={**NOT_MINE, "limits": {"units": "7", "unit": "UN"}},
    )
    desk.push(
        authorization_id="A3",
        number="AU-3",
        place_of_service="12",
        line={"limits": {"units": "5", "unit": "UN"}},
    )
    adjudicated(desk, **OF_OTHER)
    found = shown(adjudicated(desk, line={"units": "2"})["lines"][0])

    assert [each.partition(" | ")[2] for each in found] == [
        "L1 units 5: 0+0, 5",
        "L1 units 7: 3+0, 4",
    ]


def test_of_a_line_that_is_paid_others_are_told_as_far_as_they_are_at_hand(desk: Desk) -> None:
    """Nothing waits: nobody is asked for accounts that were never drawn on, or are at rest."""
    desk.push(line={"limits": {"units": "9", "unit": "UN"}})
    desk.push(
        authorization_id="A2",
        number="AU-2",
        line={**NOT_MINE, "limits": {"units": "7", "unit": "UN"}},
    )
    adjudicated(desk, claim_id="C-0", line={"units": "1"})
    found = shown(adjudicated(desk, line={"units": "2"})["lines"][0])

    assert [each.partition(" | ")[2] for each in found] == [
        "L1 units 9: 3+0, 6",
        "L1 units 7: None+None, None",
    ]
    assert "0+0, 7" in asked(desk)[1]


def test_what_is_at_rest_is_found_with_what_is_drawn_or_waits(desk: Desk) -> None:
    """What was drawn long ago is not told as never drawn; it comes back with what is drawn."""

    async def rest(stores: Stores) -> int:
        await stores.projection.project(desk.payer)
        later = int(time.time() * 1000) + LONG_MS
        return await stores.resting.rest(desk.payer, now_ms=later)

    desk.push(
        authorization_id="A2",
        number="AU-2",
        line={**NOT_MINE, "limits": {"units": "7", "unit": "UN"}},
    )
    adjudicated(desk, **OF_OTHER)
    desk.push(line={"limits": {"units": "9", "unit": "UN"}})
    adjudicated(desk, claim_id="C-0a", line={"units": "1"})
    assert desk.ground.run(rest) == 4
    adjudicated(desk, claim_id="C-0b", line={"units": "1"})
    paid = shown(adjudicated(desk, claim_id="C-1", line={"units": "7"})["lines"][0])
    waits = shown(adjudicated(desk, claim_id="C-2", line={"units": "1"})["lines"][0])

    assert paid[1].endswith("L1 units 7: 3+0, 4")
    assert waits[1].endswith("L1 units 7: 3+0, 4")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"effective": {"from": "2026-01-01", "to": "2026-03-04"}}, "8 days after the end"),
        ({"effective": {"from": "2026-06-01", "to": "2026-06-30"}}, "81 days before the start"),
        ({"setting": "dental"}, None),
        ({"kind": "referral"}, None),
    ],
)
def test_the_authorization_of_a_submitted_number_says_why_it_does_not_fit(
    desk: Desk, changes: Fields, why: str | None
) -> None:
    """It is a near miss, with its days and what is left of it, whatever stands in its way."""
    desk.push(**changes, line={"limits": {"units": "5", "unit": "UN"}})
    line = adjudicated(desk, authorization_numbers=[{"value": "au 1"}])["lines"][0]
    (near,) = line["results"][0]["near_misses"]

    assert line["disposition"] == "suspend"
    assert "L1 units 5: 0+0, 5" in left(near)
    assert near["exact_blockers"]
    assert why is None or why in [each.get("why") for each in near["evidence"]]


def test_two_lines_of_one_claim_are_told_what_is_left_after_both(desk: Desk) -> None:
    """What stands with the candidates is what an examiner can still give."""
    desk.push(line={"limits": {"units": "5", "unit": "UN"}})
    answer = adjudicated(desk, lines=[{"units": "3"}, {"units": "4"}])

    assert [shown(line)[0].partition(" | ")[2] for line in answer["lines"]] == [
        "L1 units 5: 5+0, 0",
        "L1 units 5: 5+0, 0",
    ]


def test_a_dry_run_says_what_would_be_left_and_moves_nothing(desk: Desk) -> None:
    """As the claim itself would."""
    desk.push(line={"limits": {"units": "5", "unit": "UN"}})
    answer = adjudicated(desk, dry_run=True, line={"units": "3"})

    assert "3+0, 2" in shown(answer["lines"][0])[0]
    assert "0+0, 5" in asked(desk)[0]


def test_a_match_that_does_not_ask_says_nothing_of_units(desk: Desk) -> None:
    """But how long each holds."""
    desk.push(**USUAL, line={"limits": {"units": "5", "unit": "UN"}})
    answer = desk.client().post("/match", json=claim_body())
    (candidate,) = answer.json()["lines"][0]["results"][0]["candidates"]

    assert "balances" not in candidate
    assert candidate["effective"] == {"from": "2026-03-01", "to": "2026-05-31"}


def test_a_stream_of_claims_may_ask_too(desk: Desk) -> None:
    """One answer a line, each with balances."""
    desk.push(line={"limits": {"units": "5", "unit": "UN"}})
    body = httpx.Request("POST", "http://one", json=claim_body()).content
    answer = desk.client().post(
        "/match/batch",
        params={"balances": True},
        content=body + b"\n" + body,
        headers={"Content-Type": "application/x-ndjson"},
    )

    assert answer.text.count('"remaining":"5"') == 2
