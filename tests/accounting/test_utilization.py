"""How the units of an authorization went over time."""

from typing import Any

import pytest

from service.accounting.answers.statement import TimeStep, utilization
from service.accounting.books.books import Moved
from tests.accounting.answering import drawn, moved

MARCH_1, MARCH_2, APRIL = "2026-03-01T08:00:00", "2026-03-02T08:00:00", "2026-04-01T08:00:00"


def drew(before: str, after: str, account: str = "H", of: str = "A1", amount: str = "0") -> Any:
    """A row that moved one account."""
    return drawn(of=of, movements=[moved(account, before, after, amount=amount)])


STORY = [
    (MARCH_1, Moved(drawn=(drew("0", "4", amount="240"), drew("0", "9", of="A2")))),
    (MARCH_1, Moved(drawn=(drew("4", "6"), drew("0", "2", "L1")))),
    (MARCH_2, Moved(undone=(drew("6", "2"),), drawn=(drew("2", "3"),))),
    (APRIL, Moved(given_back=(drew("3", "1"),), unattached=(drew("1", "0.5"),))),
]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (
            "day",
            {
                "H": ["2026-03-01 6 240.00 6", "2026-03-02 -3 0.00 3", "2026-04-01 -2.5 0.00 0.5"],
                "L1": ["2026-03-01 2 0.00 2"],
            },
        ),
        (
            "week",
            {
                "H": ["2026-02-23 6 240.00 6", "2026-03-02 -3 0.00 3", "2026-03-30 -2.5 0.00 0.5"],
                "L1": ["2026-02-23 2 0.00 2"],
            },
        ),
        (
            "month",
            {
                "H": ["2026-03 3 240.00 3", "2026-04 -2.5 0.00 0.5"],
                "L1": ["2026-03 2 0.00 2"],
            },
        ),
    ],
)
def test_units_by_step_of_time(by: TimeStep, expected: Any) -> None:
    """What was moved in each step, and what was used or reserved at its end, by account."""
    found = utilization(STORY, "A1", by=by)

    assert {
        each["account"]: [" ".join(map(str, step.values())) for step in each["steps"]]
        for each in found
    } == expected


def test_a_week_begins_when_the_payer_says() -> None:
    """It is named by its first day."""
    found = utilization(STORY, "A1", by="week", week_starts_on="sunday")

    assert [step["period"] for step in found[0]["steps"]] == ["2026-03-01", "2026-03-29"]


def test_an_amount_may_go_back() -> None:
    """The sign stands before it."""
    one = Moved(undone=(drew("4", "0", amount="-240.5"),))
    (account,) = utilization([(APRIL, one)], "A1", by="month")
    (step,) = account["steps"]

    assert (step["units"], step["amount"]) == ("-4", "-240.50")


def test_what_was_never_drawn_has_no_steps() -> None:
    """The claims drew on another one."""
    assert utilization(STORY, "A3", by="day") == []
