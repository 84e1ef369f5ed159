"""What a line drew from whom, with every balance that was met."""

from typing import Any

import pytest

from service.accounting.answers.used import account_name, used_authorizations
from service.accounting.books.grant import Balance
from service.accounting.books.plan import base_of
from service.accounting.books.record import KnownAuthorization
from tests.accounting.answering import KNOWN, drawn, line_draft, moved


@pytest.mark.parametrize(
    ("account", "base", "words"),
    [
        ("H", "H", "header None total None"),
        ("L3", "L3", "line 3 total None"),
        ("L12", "L12", "line 12 total None"),
        ("H@2026-01-01", "H@", "header None renewal 2026-01-01"),
        ("L3@2026-01-01", "L3@", "line 3 renewal 2026-01-01"),
        ("L3~2026-03-01", "L3~", "line 3 rate 2026-03-01"),
        ("H~2026-03-01", "H~", "header None rate 2026-03-01"),
    ],
)
def test_an_account_in_words(account: str, base: str, words: str) -> None:
    """Scope, line, boundary, and the first day of its period; its limits are those of its base."""
    told = account_name(account)

    assert base_of(account) == base
    assert " ".join(map(str, told.values())) == f"{account} {words}"


@pytest.mark.parametrize(
    ("limit", "used", "reserved", "remaining"),
    [(10, 3, 2, 5), (10, 10, 0, 0), (4, 3, 2, -1), (None, 3, 2, None)],
)
def test_what_remains(limit: int | None, used: int, reserved: int, remaining: int | None) -> None:
    """Reserved units are not left for others; without a limit nothing is known to remain."""
    assert Balance(limit=limit, used=used, reserved=reserved).remaining == remaining


def test_an_authorization_that_was_drawn() -> None:
    """With what is said of it; it is named in the version that was matched."""
    known: dict[str, KnownAuthorization] = {
        "A1": {**KNOWN["A1"], "flags": {"1": ["retro"], "2": ["expired"]}}
    }
    row = drawn("4", "240", movements=[moved("H", "6", "10", limit="12", amount="240")])
    (used,) = used_authorizations(line_draft(), [row], known)
    (account,) = used["accounts"]

    assert {name: each for name, each in used.items() if name != "accounts"} == {
        "authorization_id": "A1",
        "number": "AU-A1",
        "version": 3,
        "line": 1,
        "type": "authorization",
        "kind": "authorization",
        "action": "A1",
        "origin": "automatic",
        "flags": ["retro"],
        "units": "4",
        "unit": "UN",
        "unit_price": None,
        "amount": "240.00",
    }
    assert account["units"] == {
        "limit": "12",
        "before": {"used": "6", "reserved": "0", "remaining": "6"},
        "after": {"used": "10", "reserved": "0", "remaining": "2"},
    }
    assert account["amount"]["after"] == {"used": "240.00", "reserved": "0.00", "remaining": None}
    assert account["service_days"]["limit"] is None


@pytest.mark.parametrize(
    ("changes", "flags", "action"),
    [({}, [], "A1"), ({"flags": {"2": ["retro"]}}, [], "A1"), ({"actions": {}}, [], None)],
)
def test_what_is_not_said_of_an_authorization(
    changes: Any, flags: list[str], action: str | None
) -> None:
    """No flag of this line, no decision."""
    known: Any = {"A1": {**KNOWN["A1"], **changes}}
    (used,) = used_authorizations(line_draft(), [drawn()], known)

    assert (used["flags"], used["action"]) == (flags, action)


def test_each_authorization_line_stands_once() -> None:
    """In the order in which they were drawn, whatever the parts of the claim line."""
    rows = [
        drawn("1", "60", "A2"),
        drawn("1", "60", "A1"),
        drawn("2", "120", "A2", authorization_line=2),
        drawn("3", "0.50", "A2"),
        drawn("1", "60", "R1", kind="referral"),
    ]
    used = used_authorizations(line_draft(), rows, KNOWN)

    assert [
        " ".join([each["authorization_id"], str(each["line"]), each["units"], each["amount"]])
        for each in used
    ] == ["A2 1 4 60.50", "A1 1 1 60.00", "A2 2 2 120.00", "R1 1 1 60.00"]


def test_an_account_stands_once() -> None:
    """From the balance before its first part to the one after its last."""
    rows = [
        drawn("1", "0", movements=[moved("H", "0", "1"), moved("L1~2026-03-01", "0", "1")]),
        drawn("2", "0", movements=[moved("H", "1", "3"), moved("L1~2026-03-08", "0", "2")]),
    ]
    (used,) = used_authorizations(line_draft(), rows, KNOWN)

    assert [
        (each["account"], each["units"]["before"]["used"], each["units"]["after"]["used"])
        for each in used["accounts"]
    ] == [("H", "0", "3"), ("L1~2026-03-01", "0", "1"), ("L1~2026-03-08", "0", "2")]
