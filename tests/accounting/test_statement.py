"""The statement of an authorization, and what a claim says of it."""

from typing import Any

import pytest

from service.accounting.answers.statement import (
    AccountsState,
    AccountState,
    is_over,
    related_claim,
    statement,
)
from service.accounting.books.grant import Balance, Measure
from service.accounting.books.plan import Bounds
from tests.accounting.answering import whole

UNLIMITED = Balance(limit=None, used=0, reserved=0)


def state(name: str, ended_on: str | None = None, **balances: tuple[str | None, str, str]) -> Any:
    """An account: limit, used and reserved of its measures."""
    measures: dict[Measure, Balance] = {
        "units": UNLIMITED,
        "amount": UNLIMITED,
        "days": UNLIMITED,
    }
    for measure in measures:
        limit, used, reserved = balances.get(measure, (None, "0", "0"))
        measures[measure] = Balance(
            limit=None if limit is None else whole(limit),
            used=whole(used),
            reserved=whole(reserved),
        )
    return AccountState(name=name, unit="UN", balances=measures, ended_on=ended_on)


def stated(*accounts: AccountState, **bounds: Bounds) -> list[Any]:
    """The statement of these accounts."""
    return statement(AccountsState(version=1, accounts=accounts), bounds)


def test_an_account_in_full() -> None:
    """Every measure with its limit, what is used, reserved and left."""
    (account,) = stated(state("H", units=("10", "2.5", "1"), amount=(None, "240", "0")))

    assert account == {
        "account": "H",
        "scope": "header",
        "line": None,
        "boundary": "total",
        "period_from": None,
        "unit": "UN",
        "units": {
            "limit": "10",
            "used": "2.5",
            "reserved": "1",
            "remaining": "6.5",
            "corrected": "0",
        },
        "amount": {
            "limit": None,
            "used": "240.00",
            "reserved": "0.00",
            "remaining": None,
            "corrected": "0.00",
        },
        "service_days": {
            "limit": None,
            "used": "0",
            "reserved": "0",
            "remaining": None,
            "corrected": "0",
        },
        "exhausted": False,
        "over": False,
        "ended_on": None,
    }


def test_totals_that_nobody_drew_on_stand_with_nothing_used() -> None:
    """Those of periods do not: there is one for each period that was drawn on."""
    limits = Bounds(units=whole("10"), amount=whole("500"), days=whole("3"), unit="VS")
    (account,) = statement(AccountsState(), {"H": limits, "L1@": limits, "L1~": limits})

    assert (account["account"], account["unit"]) == ("H", "VS")
    assert [account[each] for each in ("units", "amount", "service_days")] == [
        {"limit": "10", "used": "0", "reserved": "0", "remaining": "10", "corrected": "0"},
        {
            "limit": "500.00",
            "used": "0.00",
            "reserved": "0.00",
            "remaining": "500.00",
            "corrected": "0.00",
        },
        {"limit": "3", "used": "0", "reserved": "0", "remaining": "3", "corrected": "0"},
    ]


def test_the_header_comes_first_then_lines_by_number() -> None:
    """Each with its total before its periods, and those by their first day."""
    names = ["L10", "L2~2026-03-08", "L2", "L2~2026-03-01", "H@2026-01-01", "L2@2026-01-01"]
    shown = stated(*map(state, names), L3=Bounds(), H=Bounds(), L2=Bounds())

    assert [each["account"] for each in shown] == [
        "H",
        "H@2026-01-01",
        "L2",
        "L2@2026-01-01",
        "L2~2026-03-01",
        "L2~2026-03-08",
        "L3",
        "L10",
    ]


@pytest.mark.parametrize(
    ("balances", "exhausted", "over"),
    [
        ({"units": ("10", "9", "0")}, False, False),
        ({"units": ("10", "9", "1")}, True, False),
        ({"units": ("10", "9", "2")}, True, True),
        ({"units": ("10", "0", "0"), "amount": ("5", "5", "0")}, True, False),
        ({"days": ("3", "4", "0")}, True, True),
        ({"units": (None, "99", "0")}, False, False),
    ],
)
def test_an_account_may_be_exhausted_or_over(balances: Any, exhausted: bool, over: bool) -> None:
    """Over, after a limit was lowered under what was used."""
    (account,) = stated(state("H", **balances))
    both = AccountsState(version=1, accounts=(state("L1"), state("H", **balances)))

    assert (account["exhausted"], account["over"], is_over(both)) == (exhausted, over, over)


def test_a_line_that_is_gone_keeps_its_account() -> None:
    """With the day on which it ended."""
    (account,) = stated(state("L1", ended_on="2026-04-01", units=("10", "4", "0")))

    assert (account["ended_on"], account["units"]["used"]) == ("2026-04-01", "4")


def claim_line(line: int, used: list[str], candidates: list[list[str]]) -> Any:
    """A line of an answer: whom it drew, and the candidates of each kind that was looked for."""
    return {
        "line": line,
        "disposition": "pay" if used else "suspend",
        "adjudicated_authorizations": [
            {
                "authorization_id": each,
                "number": "AU-1",
                "line": 1,
                "units": "4",
                "unit": "UN",
                "amount": "240.00",
                "origin": "automatic",
            }
            for each in used
        ],
        "results": [
            {"class": "exact", "candidates": [{"authorization_id": name} for name in each]}
            for each in candidates
        ],
    }


def claim(status: str, *lines: Any) -> Any:
    """The answer of a claim, with its status as it is now."""
    head = {"claim_id": "C-1", "version": 2, "claim_type": "professional", "frequency": "1"}
    return {**head, "status": status, "lines": lines}


def test_what_a_claim_says_of_an_authorization() -> None:
    """Lines that drew it or found it, and of those what was drawn of this one alone."""
    lines = [
        claim_line(1, ["A1", "A2"], [["A1", "A2"]]),
        claim_line(2, ["A2"], [["A2"]]),
        claim_line(3, [], [["A2"], ["A1"]]),
        claim_line(4, ["A1"], []),
    ]
    told = related_claim(claim("used", *lines), "A1", is_outside=False)
    used = {"line": 1, "units": "4", "unit": "UN", "amount": "240.00", "origin": "automatic"}

    assert told == {
        "claim_id": "C-1",
        "version": 2,
        "claim_type": "professional",
        "frequency": "1",
        "status": "used",
        "drawn": True,
        "needs_review": False,
        "lines": [
            {"line": 1, "disposition": "pay", "class": "exact", "used": [used]},
            {"line": 3, "disposition": "suspend", "class": "exact", "used": []},
            {"line": 4, "disposition": "pay", "class": None, "used": [used]},
        ],
    }


@pytest.mark.parametrize(
    ("status", "used", "is_void", "drawn", "needs_review"),
    [
        ("used", ["A1"], False, True, False),
        ("used", ["A1"], True, True, True),
        ("reserved", ["A1"], True, True, True),
        ("used", [], True, False, False),
        ("reversed", ["A1"], True, False, False),
        ("replaced", ["A1"], True, False, False),
    ],
)
def test_a_claim_on_a_void_authorization_needs_a_look(
    status: str, used: list[str], is_void: bool, drawn: bool, needs_review: bool
) -> None:
    """While it holds units of it."""
    line = claim_line(1, used, [["A1"]])
    told = related_claim(claim(status, line), "A1", is_outside=is_void)

    assert (told["drawn"], told["needs_review"]) == (drawn, needs_review)
