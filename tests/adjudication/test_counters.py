"""What was billed before decides what a line needs: the thirteenth visit for nutrition counseling.

The shipped table lets twelve visits of a calendar year be free.
"""

from typing import Any

import pytest

from tests.adjudication.desk import Desk
from tests.api.bodies import claim_body

Answer = dict[str, Any]
ROW = "nutrition-after-12-visits"


def visit(day: int, month: int = 3, year: int = 2026, **line: Any) -> dict[str, Any]:
    """A visit for nutrition counseling."""
    return {"procedure": "97802", "from": f"{year}-{month:02}-{day:02}", "units": 1, **line}


def visits(first: int, last: int) -> list[dict[str, Any]]:
    """Visits on days that follow one another."""
    return [visit(day) for day in range(first, last + 1)]


def came_out(answer: Any) -> list[tuple[str, list[str], Any]]:
    """What became of each line, what it needed, and which visit it was."""
    return [
        (
            line["disposition"],
            line["requirement"]["needed"],
            line["requirement"]["counted"].get("nutrition_visits"),
        )
        for line in answer.json()["lines"]
    ]


def free(number: int) -> tuple[str, list[str], int]:
    """A visit that needs nothing."""
    return "pay", [], number


def stopped(number: int) -> tuple[str, list[str], int]:
    """A visit that needs an authorization, which is not there."""
    return "suspend", ["authorization"], number


def test_the_thirteenth_visit_of_the_year_needs_an_authorization(desk: Desk) -> None:
    """Twelve are free; with an authorization the next is paid; in another year all begins anew."""
    first = desk.adjudicate(claim_id="C-1", lines=visits(1, 11))
    twelfth = desk.adjudicate(claim_id="C-2", lines=[visit(12)])
    next_one = desk.adjudicate(claim_id="C-3", lines=[visit(13)])
    assert came_out(first) == [free(number) for number in range(1, 12)]
    assert came_out(twelfth) == [free(12)]
    assert came_out(next_one) == [stopped(13)]
    assert next_one.json()["lines"][0]["requirement"]["row"] == ROW

    line = {"procedure": {"from": "97802"}, "limits": {"units": 5, "unit": "UN"}}
    desk.push(authorization_id="A1", line=line)
    covered = desk.adjudicate(claim_id="C-3", lines=[visit(13)], readjudicate=True)
    assert came_out(covered) == [("pay", ["authorization"], 13)]
    assert [each["authorization_id"] for each in used(covered)] == ["A1"]
    assert came_out(desk.adjudicate(claim_id="C-4", lines=[visit(2, year=2027)])) == [free(1)]


def test_a_version_that_counts_otherwise_leaves_the_count_as_it_is(desk: Desk) -> None:
    """What was drawn is counted anew in visits; that the claim is the thirteenth stays."""
    line = {"procedure": {"from": "97802"}, "limits": {"units": 5, "unit": "UN"}}
    desk.push(authorization_id="A1", line=line)
    desk.push(authorization_id="A2", line={**line, "modifiers": ["GT"]}, number="AU-2")
    desk.adjudicate(claim_id="C-1", lines=[*visits(1, 12), visit(13)])
    in_visits = {**line, "limits": {"units": 5, "unit": "VS"}}
    assert desk.push(authorization_id="A1", version=2, line=in_visits).status_code == 200

    (account,) = [each for each in desk.accounts("A1") if each["line"] == 1]
    assert (account["unit"], account["units"]["used"]) == ("VS", "1")
    assert came_out(desk.adjudicate(claim_id="C-2", lines=[visit(14)], dry_run=True)) == [
        ("pay", ["authorization"], 14)
    ]


def used(answer: Any) -> list[Answer]:
    """What the first line drew."""
    found: list[Answer] = answer.json()["lines"][0]["adjudicated_authorizations"]
    return found


def test_the_lines_of_one_claim_count_one_after_the_other(desk: Desk) -> None:
    """Thirteen at once are not all free; two codes on one day with one provider are one visit."""
    lines = [*visits(1, 12), visit(12, procedure="97803"), visit(13)]
    answer = desk.adjudicate(claim_id="C-1", lines=lines)

    assert came_out(answer)[11:] == [free(12), free(12), stopped(13)]


def test_a_visit_that_is_on_file_is_not_another_one(desk: Desk) -> None:
    """A second claim for the twelfth day needs nothing; what is sent again counts once."""
    desk.adjudicate(claim_id="C-1", lines=visits(1, 12))

    assert came_out(desk.adjudicate(claim_id="C-2", lines=[visit(12)])) == [free(12)]
    assert desk.adjudicate(claim_id="C-2", lines=[visit(12)]).json()["replayed"]
    again = desk.adjudicate(claim_id="C-1", version=2, lines=visits(1, 12))
    assert came_out(again)[-1] == free(12)
    once_more = desk.adjudicate(claim_id="C-1", version=2, lines=visits(1, 12), readjudicate=True)
    assert came_out(once_more)[-1] == free(12)
    assert came_out(desk.adjudicate(claim_id="C-3", lines=[visit(13)])) == [stopped(13)]


@pytest.mark.parametrize("step", ["reverse", "void", "replace", "new version", "adjust", "release"])
def test_what_is_given_back_is_free_again(desk: Desk, step: str) -> None:
    """By a step of the claim's life, by a claim that voids or replaces it, by a newer version."""
    stage = "preliminary" if step == "release" else "final"
    desk.adjudicate(claim_id="C-1", lines=visits(1, 12), stage=stage)
    tried = desk.adjudicate(claim_id="C-2", lines=[visit(13)], dry_run=True)
    assert came_out(tried) == [stopped(13)]

    if step in ("reverse", "release"):
        assert desk.change(step, "C-1").status_code == 200
    elif step == "void":
        desk.adjudicate(claim_id="C-V", lines=[visit(1)], frequency="8", original_claim_id="C-1")
    elif step == "replace":
        answer = desk.adjudicate(
            claim_id="C-R", lines=visits(1, 12), frequency="7", original_claim_id="C-1"
        )
        assert came_out(answer)[-1] == free(12)
        desk.change("reverse", "C-R")
    elif step == "new version":
        desk.adjudicate(claim_id="C-1", version=2, lines=visits(1, 2))
    else:
        assert desk.change("adjust", "C-1", lines=[{"line": 1, "units": "0"}]).status_code == 200
    left = {"new version": 3, "adjust": 12}.get(step, 1)
    assert came_out(desk.adjudicate(claim_id="C-2", lines=[visit(13)])) == [free(left)]


def test_a_claim_of_which_all_waits_is_not_counted(desk: Desk) -> None:
    """It holds nothing: another visit is the thirteenth, too. One that is tried is not."""
    desk.adjudicate(claim_id="C-1", lines=visits(1, 12))
    tried = desk.adjudicate(claim_id="C-2", lines=[visit(13)], dry_run=True)
    waits = desk.adjudicate(claim_id="C-2", lines=[visit(13)])

    assert came_out(tried) == came_out(waits) == [stopped(13)]
    assert waits.json()["status"] == "suspended"
    assert came_out(desk.adjudicate(claim_id="C-3", lines=[visit(14)])) == [stopped(13)]


def test_a_claim_that_asks_for_no_payment_is_told_and_not_counted(desk: Desk) -> None:
    """Frequency 0 is a visit of which nothing is kept."""
    unpaid = desk.adjudicate(claim_id="C-1", lines=visits(1, 12), frequency="0")

    assert came_out(unpaid)[-1] == free(12)
    assert came_out(desk.adjudicate(claim_id="C-2", lines=[visit(13)])) == [free(1)]


def test_a_match_looks_back_too(desk: Desk) -> None:
    """And does not count the claim itself twice where it was adjudicated."""
    desk.adjudicate(claim_id="C-1", lines=visits(1, 12))
    body = claim_body(claim_id="C-2", lines=[visit(13)])
    told = desk.client().post("/match", json=body).json()["lines"][0]["requirement"]

    assert (told["needed"], told["row"]) == (["authorization"], ROW)
    assert told["counted"] == {"nutrition_visits": 13}


def test_a_match_under_the_id_of_another_persons_claim_takes_nothing_off(desk: Desk) -> None:
    """What that person was counted stays out of it."""
    desk.adjudicate(claim_id="C-1", lines=visits(1, 12))
    desk.adjudicate(claim_id="C-2", lines=visits(1, 5), member={"id": "M0777"})
    body = claim_body(claim_id="C-1", lines=[visit(6)], member={"id": "M0777"})
    told = desk.client().post("/match", json=body).json()["lines"][0]["requirement"]

    assert told["counted"] == {"nutrition_visits": 6}


def test_of_two_at_once_only_one_is_the_twelfth(desk: Desk) -> None:
    """Each is judged by what is counted when it is drawn: nobody slips through."""
    desk.adjudicate(claim_id="C-0", lines=visits(1, 11))
    at_once = [{"claim_id": f"C-{day}", "lines": [visit(day)]} for day in range(12, 18)]

    answers = [came_out(answer) for answer in desk.at_once(at_once)]

    assert sorted(answers) == sorted([[free(12)], *([stopped(13)] for _ in range(5))])
