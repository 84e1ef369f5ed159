"""How an authorization stands on a day: what is gone first, then decision, days and units."""

from datetime import date
from typing import Any

import pytest

from service.application.overview import Status, status_of
from tests.builders import build_authorization

DAY = date(2026, 6, 1)


def account(scope: str, *, exhausted: bool, **other: Any) -> Any:
    """An account as it stands."""
    return {
        "scope": scope,
        "boundary": "total",
        "ended_on": None,
        "exhausted": exhausted,
        **other,
    }


HEADER_GONE = [account("header", exhausted=True), account("line", exhausted=False)]
ONE_LINE_GONE = [account("line", exhausted=True), account("line", exhausted=False)]
LINES_GONE = [account("line", exhausted=True), account("line", exhausted=True)]
WEEK_GONE = [account("line", exhausted=True, boundary="rate")]
OLD_LINE_GONE = [account("line", exhausted=True, ended_on="2026-01-01")]


@pytest.mark.parametrize(
    ("action", "days", "state", "accounts", "status"),
    [
        ("A1", ("2026-01-01", "2026-06-01"), {}, [], "active"),
        ("A6", ("2026-06-01", None), {}, ONE_LINE_GONE, "active"),
        ("NA", None, {}, WEEK_GONE, "active"),
        ("A1", ("2026-01-01", "2026-06-01"), {}, OLD_LINE_GONE, "active"),
        ("A2", ("2026-01-01", "2026-06-01"), {}, HEADER_GONE, "exhausted"),
        ("A1", ("2026-01-01", "2026-06-01"), {}, LINES_GONE, "exhausted"),
        ("A1", ("2026-01-01", "2026-05-31"), {}, LINES_GONE, "expired"),
        ("A1", ("2026-06-02", None), {}, [], "upcoming"),
        ("A3", ("2026-01-01", "2026-05-31"), {}, [], "denied"),
        ("A4", None, {}, [], "pending"),
        ("CT", None, {}, [], "pending"),
        (None, None, {}, [], "pending"),
        ("A1", ("2026-01-01", None), {"current": False}, [], "superseded"),
        ("A1", ("2026-01-01", None), {"void": True, "current": False}, [], "void"),
        ("C", None, {}, [], "void"),
    ],
)
def test_an_authorization_stands(
    action: Any,
    days: tuple[str, str | None] | None,
    state: dict[str, bool],
    accounts: list[Any],
    status: Status,
) -> None:
    """As seed 000 has it, and void, superseded, denied or not begun besides."""
    span = None if days is None else {"from": days[0], "to": days[1]}
    one = build_authorization(decision={"action": action}, effective=span, lines=[])

    assert status_of(one, state, accounts, DAY) == status
