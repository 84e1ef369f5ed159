"""How an authorization stands on a day: what is gone first, then decision, days and units."""

from datetime import date
from typing import Any

import pytest

from service.accounting.answers.statement import AccountsState, AccountState
from service.accounting.answers.status import Status, status_by_accounts, status_of
from service.accounting.books.grant import Balance
from tests.builders import build_authorization

DAY = date(2026, 6, 1)
SPAN = {"from": "2026-01-01", "to": "2026-06-01"}
PAST, LATER = {"from": "2026-01-01", "to": "2026-05-31"}, {"from": "2026-06-02"}


def account(line: int | None, *, exhausted: bool = True, boundary: str = "total") -> Any:
    """An account as it stands; one without a line is the header's."""
    return {"line": line, "boundary": boundary, "exhausted": exhausted}


HEADER_GONE = [account(None), account(1, exhausted=False)]
ONE_LINE_GONE = [account(1), account(2, exhausted=False)]
LINES_GONE = [account(1), account(2)]
WEEK_GONE = [account(1, boundary="rate")]


@pytest.mark.parametrize(
    ("action", "days", "state", "accounts", "status"),
    [
        ("A1", SPAN, {}, [], "ACTIVE"),
        ("A6", {"from": "2026-06-01"}, {}, ONE_LINE_GONE, "ACTIVE"),
        ("NA", None, {}, WEEK_GONE, "ACTIVE"),
        ("A2", SPAN, {}, HEADER_GONE, "EXHAUSTED"),
        ("A1", SPAN, {}, LINES_GONE, "ACTIVE"),
        ("A1", PAST, {}, HEADER_GONE, "EXPIRED"),
        ("A1", LATER, {}, [], "UPCOMING"),
        ("A3", PAST, {}, [], "DENIED"),
        ("A4", None, {}, [], "PENDING"),
        ("CT", None, {}, [], "PENDING"),
        (None, None, {}, [], "PENDING"),
        ("A1", SPAN, {"current": False}, [], "SUPERSEDED"),
        ("A1", SPAN, {"void": True, "current": False}, [], "VOID"),
        ("C", None, {}, [], "VOID"),
    ],
)
def test_an_authorization_without_lines_stands(
    action: Any, days: Any, state: dict[str, bool], accounts: list[Any], status: Status
) -> None:
    """As seed 000 has it, and void, superseded, denied or not begun besides."""
    one = build_authorization(decision={"action": action}, effective=days, lines=[])

    assert status_of(one, state, accounts, DAY) == status


@pytest.mark.parametrize(
    ("action", "lines", "accounts", "status"),
    [
        ("A1", [{}, {}], ONE_LINE_GONE, "ACTIVE"),
        ("A1", [{}, {}], LINES_GONE, "EXHAUSTED"),
        ("A1", [{}, {}, {}], LINES_GONE, "ACTIVE"),
        ("A1", [{}, {"effective": LATER}], [account(1)], "EXHAUSTED"),
        ("A1", [{}, {"decision": {"action": "A3"}}], [account(1)], "EXHAUSTED"),
        (None, [{"decision": {"action": "A1"}}, {"decision": {"action": "A3"}}], [], "ACTIVE"),
        ("A2", [{"decision": {"action": "A6"}}, {}], [], "ACTIVE"),
        ("A2", [{}, {}], [], "PENDING"),
        ("A1", [{"decision": {"action": "A3"}}, {"decision": {"action": "A4"}}], [], "PENDING"),
        ("A1", [{"decision": {"action": "A3"}}], [], "DENIED"),
        ("A1", [{"decision": {"action": "C"}}], [], "VOID"),
        ("A1", [{"decision": {"action": "C"}}, {}], [], "ACTIVE"),
        ("A1", [{"removed_on": "2025-12-31"}], [], "VOID"),
        ("A1", [{"removed_on": "2026-03-01"}], [], "EXPIRED"),
        ("A1", [{"effective": PAST}, {"effective": LATER}], [], "UPCOMING"),
        ("A1", [{"effective": PAST}, {"effective": PAST}], [], "EXPIRED"),
    ],
    ids=str,
)
def test_lines_say_how_an_authorization_stands(
    action: Any, lines: list[Any], accounts: list[Any], status: Status
) -> None:
    """Each by its own decision and days; what is not granted, or not on that day, has no say."""
    one = build_authorization(decision={"action": action}, effective=SPAN, lines=lines)

    assert status_of(one, {}, accounts, DAY) == status


@pytest.mark.parametrize(("used", "status"), [(11, "ACTIVE"), (12, "EXHAUSTED"), (13, "EXHAUSTED")])
def test_what_is_held_of_it_says_whether_anything_is_left(used: int, status: Status) -> None:
    """Reserved units are not free, either."""
    one = build_authorization(effective=SPAN, lines=[{"limits": {"units": "12", "unit": "UN"}}])
    scale, nothing = 1_000_000, Balance(limit=None, used=0, reserved=0)
    units = Balance(limit=12 * scale, used=10 * scale, reserved=(used - 10) * scale)
    balances: Any = {"units": units, "amount": nothing, "days": nothing}
    held = AccountsState(accounts=(AccountState(name="L1", unit="UN", balances=balances),))

    assert status_by_accounts(one, {}, held, DAY) == status
