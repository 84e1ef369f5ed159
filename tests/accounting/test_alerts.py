"""What somebody should know of an authorization: the alerts of seeds 000 and 002."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.answers.alerts import alerts_of, alerts_of_request, last_end, may_alert
from service.accounting.answers.statement import AccountsState, AccountState
from service.accounting.books.grant import Balance, Measure
from service.accounting.books.scale import SCALE
from service.domain.alert import Alert, AlertTable
from service.domain.moment import add_months
from service.domain.request import AuthorizationRequest
from service.domain.request_life import Request
from tests.builders import build_authorization
from tests.partners.bed import asked

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
SPAN = {"from": "2026-01-01", "to": "2026-12-31"}
TABLE = AlertTable.model_validate({"left": {"VS": "3"}})
NOTHING = Balance(limit=None, used=0, reserved=0)


def account(
    used: int, limit: int | None = 20, *, reserved: int = 0, name: str = "H", unit: str = "UN"
) -> AccountState:
    """An account of units, in whole ones."""
    most = None if limit is None else limit * SCALE
    units = Balance(limit=most, used=used * SCALE, reserved=reserved * SCALE)
    return AccountState(
        name=name, unit=unit, balances={"units": units, "amount": NOTHING, "days": NOTHING}
    )


def found(*accounts: AccountState, table: AlertTable = TABLE, **changes: Any) -> list[Alert]:
    """The alerts of an authorization of a year that is used so."""
    given = {"decision": {"action": "A1"}, "effective": SPAN, "lines": [], **changes}
    held = AccountsState(version=1, accounts=accounts)
    state = given.pop("state", {})
    alerts = alerts_of(build_authorization(**given), state, held, table, AT)
    if any(each.account for each in alerts):
        assert may_alert(held, table)
    return alerts


def kinds(*accounts: AccountState, **changes: Any) -> list[str]:
    """The kinds of the same."""
    return [each.kind for each in found(*accounts, **changes)]


LINE = {"line": 1, "procedure": {"from": "97112"}}
OVER = {"from": "2026-01-01", "to": "2026-05-31"}
YEARLY = {"units": "20", "unit": "UN", "renewal": {"period": 1, "unit": "year"}}


def renewed(reference: str, unit: str = "year") -> dict[str, Any]:
    """A limit that is renewed, counted from something."""
    return {**YEARLY, "renewal": {"reference": reference, "period": 1, "unit": unit}}


@pytest.mark.parametrize(
    ("accounts", "changes", "expected"),
    [
        ([account(16)], {}, []),
        ([account(17)], {}, ["used"]),
        ([account(10, reserved=7)], {}, ["used"]),
        ([account(17, None)], {}, []),
        ([account(0, 0)], {}, []),
        ([account(20)], {}, ["used"]),
        ([account(21)], {}, ["negative"]),
        ([account(17)], {"effective": {"from": "2026-01-01"}}, ["used"]),
        ([account(17)], {"effective": {"from": "2026-09-01", "to": "2026-12-31"}}, ["used"]),
        ([account(17)], {"effective": OVER}, []),
        ([account(17)], {"state": {"void": True}}, []),
        ([account(17)], {"state": {"current": False}}, []),
        ([account(17)], {"decision": {"action": "A3"}}, []),
        ([account(17, name="L1")], {"lines": [LINE]}, ["used"]),
        ([account(17, name="L2")], {"lines": [LINE]}, []),
        ([account(17, name="L1")], {"lines": [{**LINE, "effective": OVER}]}, []),
        ([account(17, name="L1")], {"lines": [{**LINE, "removed_on": "2026-01-01"}]}, []),
        ([account(17, name="H~2026-06-01")], {}, []),
        ([account(17, name="H@2026-01-01")], {"limits": renewed("calendar")}, ["used"]),
        ([account(17, name="H@2025-01-01")], {"limits": renewed("calendar")}, []),
        ([account(17, name="H@2026-06-01")], {"limits": renewed("calendar", "day")}, []),
        ([account(17, name="H@2026-01-01")], {"limits": renewed("first claim")}, []),
        ([account(1, 4, unit="VS")], {}, ["left"]),
        ([account(0, 2, unit="VS")], {}, []),
        ([account(4, 4, unit="VS")], {}, ["used", "left"]),
        ([account(5, 4, unit="VS")], {}, ["negative"]),
    ],
)
def test_alerts_of_what_is_used(
    accounts: list[AccountState], changes: dict[str, Any], expected: list[str]
) -> None:
    """More than 80 % with the period not over; few left once some are used; less than nothing."""
    assert kinds(*accounts, **changes) == expected


def test_of_one_account_the_measure_of_which_the_most_is_used() -> None:
    """It says how much; another account has an alert of its own."""
    most: dict[Measure, Balance] = {
        "units": Balance(limit=10 * SCALE, used=9 * SCALE, reserved=0),
        "amount": Balance(limit=100 * SCALE, used=95 * SCALE, reserved=0),
        "days": Balance(limit=10 * SCALE, used=SCALE, reserved=0),
    }
    both = AccountState(name="H", unit="VS", balances=most), account(18, name="L1")
    header, few, line = found(*both, lines=[LINE])

    assert (header.kind, header.measure, header.says) == (
        "used",
        "amount",
        "95.00 of 100.00 used or reserved, and the period is not over",
    )
    assert (few.kind, few.says) == ("left", "1 VS left")
    assert (line.account, line.committed, line.granted, line.left) == ("L1", "18", "20", "2")
    only: dict[Measure, Balance] = {"amount": NOTHING, "units": NOTHING, "days": most["units"]}
    assert found(AccountState(name="H", unit=None, balances=only))[0].unit == "days"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"effective": {"from": "2026-01-01", "to": "2026-07-02"}}, []),
        ({"effective": {"from": "2026-01-01", "to": "2026-07-01"}}, ["ending"]),
        ({"effective": {"from": "2026-01-01", "to": "2026-06-01"}}, ["ending"]),
        ({"effective": OVER}, []),
        ({"effective": {"from": "2026-06-02", "to": "2026-06-10"}}, []),
        ({"effective": {"from": "2026-01-01"}}, []),
        (
            {
                "lines": [LINE, {**LINE, "line": 2, "effective": OVER}],
                "effective": {"to": "2026-06-09"},
            },
            ["ending"],
        ),
        (
            {
                "lines": [{**LINE, "effective": {"from": "2026-01-01"}}],
                "effective": {"to": "2026-06-09"},
            },
            [],
        ),
        ({"decision": {"action": "A4"}, "effective": {"to": "2026-06-09"}}, []),
    ],
)
def test_the_last_month_has_begun(changes: dict[str, Any], expected: list[str]) -> None:
    """One month before the last day of what is granted the longest (seed 002)."""
    assert kinds(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"received_at": "2026-05-25T23:00:00Z"}, ["pended 2026-05-25"]),
        ({"received_at": "2026-05-25T23:00:00-05:00"}, []),
        ({"received_at": "2026-05-26T00:00:00Z"}, []),
        ({"state": {"pushed_at": "2026-05-20T00:00:00+00:00"}}, ["pended 2026-05-20"]),
        ({}, []),
        ({"attached": {"follow_up_on": "2026-06-01"}}, ["follow-up 2026-06-01"]),
        ({"attached": {"follow_up_on": "2026-06-02"}}, []),
        ({"attached": {"follow_up_on": "soon"}}, []),
        ({"attached": {"follow_up_on": 5}}, []),
        ({"received_at": "9999-12-31T23:59:59Z"}, []),
        ({"received_at": "9999-12-31T23:59:59-12:00"}, []),
        ({"received_at": "0001-01-01T00:00:00+14:00"}, ["pended 0001-01-01"]),
        ({"attached": {"follow_up_on": "9999-12-31"}}, []),
    ],
)
def test_nobody_decided_for_long(changes: dict[str, Any], expected: list[str]) -> None:
    """Seven days after it was pended, else received, else stored; or when to ask has come."""
    quiet = TABLE.model_copy(update={"decision_hours": None})
    told = found(table=quiet, **{"decision": {"action": "A4"}, **changes})
    assert [f"{each.kind} {each.day}" for each in told] == expected


def test_a_decision_to_pend_counts_from_its_day() -> None:
    """However long ago the request was received."""
    decision = {"action": "CT", "decided_at": "2026-05-28T10:00:00Z"}
    assert kinds(decision=decision, received_at="2026-01-01T00:00:00Z") == ["decision-due"]


@pytest.mark.parametrize(
    ("received", "urgency", "at", "expected"),
    [
        ("2026-05-29T09:00:00Z", "U", "2026-05-31T08:59:59+00:00", None),
        ("2026-05-29T09:00:00Z", "U", "2026-05-31T09:00:00+00:00", "2026-06-01T09:00:00+00:00"),
        ("2026-05-29T09:00:00Z", "U", "2026-06-03T09:00:00+00:00", "2026-06-01T09:00:00+00:00"),
        ("2026-05-29T09:00:00Z", "E", "2026-06-05T03:59:59+00:00", None),
        ("2026-05-29T09:00:00Z", "E", "2026-06-05T04:00:00+00:00", "2026-06-06T00:00:00-04:00"),
        ("2026-02-21T09:00:00Z", "E", "2026-02-28T05:00:00+00:00", "2026-03-01T00:00:00-05:00"),
        ("2028-02-22T09:00:00Z", "E", "2028-02-29T05:00:00+00:00", "2028-03-01T00:00:00-05:00"),
    ],
    ids=["73 h", "24 h left", "over", "8 days", "7 days", "a short month", "a leap day"],
)
def test_the_time_to_decide_is_nearly_over(
    received: str, urgency: str, at: str, expected: str | None
) -> None:
    """72 hours expedited, seven calendar days of the payer's zone standard; 24 hours ahead."""
    one = build_authorization(
        decision={"action": "A4"}, received_at=received, urgency=urgency, lines=[]
    )
    told = alerts_of(
        one, {}, AccountsState(), TABLE, datetime.fromisoformat(at), ZoneInfo("America/New_York")
    )
    assert [each.due for each in told if each.kind == "decision-due"] == [expected] * bool(expected)


@pytest.mark.parametrize(
    ("entered_at", "documented", "days", "expected"),
    [
        ("2026-05-29T23:59:00.000+00:00", False, 3, ["document-missing"]),
        ("2026-05-30T00:00:00.000+00:00", False, 3, []),
        ("2026-05-01T00:00:00.000+00:00", True, 3, []),
        ("2026-05-01T00:00:00.000+00:00", None, 3, []),
        ("2026-05-01T00:00:00.000+00:00", False, None, []),
        ("", False, 3, []),
    ],
)
def test_an_entry_by_hand_lacks_its_document(
    entered_at: str, documented: bool | None, days: int | None, expected: list[str]
) -> None:
    """Three days later; nobody else is to decide about it, so no clock runs."""
    attached = {"entered_action": "A1", **({"entered_at": entered_at} if entered_at else {})}
    state = {} if documented is None else {"documented": documented}
    table = TABLE.model_copy(update={"document_days": days, "pended_days": None})
    waits = {"decision": {"action": "A4"}, "status": "MANUAL_PENDING", "attached": attached}
    assert kinds(table=table, state=state, received_at="2026-01-01T00:00:00Z", **waits) == expected


def of_request(status: Any, day: int, **changes: Any) -> list[Alert]:
    """The alerts of a request that stands so, on a day of June."""
    table = AlertTable.model_validate(changes.pop("table", {}))
    content = AuthorizationRequest.model_validate(asked())
    request = Request(asked=content, trace="AM1", made_at=AT, status=status, **changes)
    return alerts_of_request(request, table, date(2026, 6, day))


FOLLOW: dict[str, Any] = {"follow_up": date(2026, 6, 10), "authorization_id": "UM-1"}
APPEAL: dict[str, Any] = {"appeal_by": date(2026, 6, 20), "authorization_id": "UM-1"}


@pytest.mark.parametrize(
    ("status", "day", "changes", "expected"),
    [
        ("PENDED", 9, FOLLOW, []),
        ("PENDED", 10, FOLLOW, ["follow-up 2026-06-10"]),
        ("PENDED", 30, FOLLOW, ["follow-up 2026-06-10"]),
        ("PENDED", 30, {**FOLLOW, "table": {"follow_up": False}}, []),
        ("PENDED", 30, {}, []),
        ("PENDED", 1, {**FOLLOW, "wanted": ("18842-5",)}, ["document-missing None"]),
        ("PENDED", 1, {"wanted": ("18842-5",), "table": {"wanted": False}}, []),
        ("PENDING", 30, {}, []),
        ("APPROVED", 30, {"wanted": ("18842-5",)}, []),
        ("DENIED", 5, APPEAL, []),
        ("DENIED", 6, APPEAL, ["appeal 2026-06-20"]),
        ("DENIED", 20, APPEAL, ["appeal 2026-06-20"]),
        ("DENIED", 21, APPEAL, []),
        ("DENIED", 20, {**APPEAL, "table": {"appeal_days": None}}, []),
        ("DENIED", 19, {**APPEAL, "table": {"appeal_days": 0}}, []),
    ],
)
def test_what_a_request_needs_from_somebody(
    status: Any, day: int, changes: dict[str, Any], expected: list[str]
) -> None:
    """To be followed up, a document that the payer asks for, the last days for an appeal."""
    assert [f"{each.kind} {each.day}" for each in of_request(status, day, **changes)] == expected


def test_an_alert_of_a_request_is_the_same_until_its_term_is_another() -> None:
    """In whatever order the payer names what it wants."""
    codes = ("18842-5", "11488-4")
    one, other = (of_request("PENDED", 10, **FOLLOW, wanted=each) for each in (codes, codes[::-1]))
    (less, _), (later,) = (
        of_request("PENDED", 11, **FOLLOW, wanted=("18842-5",))[::-1],
        of_request("PENDED", 11, **{**FOLLOW, "follow_up": date(2026, 6, 11)}),
    )
    assert [each.alert_id for each in one] == [each.alert_id for each in other]
    assert len({each.alert_id for each in (*one, less, later)}) == 4
    (unnamed,) = of_request("PENDED", 10, follow_up=date(2026, 6, 10))
    assert (unnamed.authorization_id, unnamed.request_id) == ("AM1", "R-1")


@pytest.mark.parametrize(
    "off",
    [{"used_percent": None}, {"left": {}}, {"ending_months": None}, {"negative": False}],
)
def test_what_a_payer_does_not_want_is_not_raised(off: dict[str, Any]) -> None:
    """Each of them by itself; null is never."""
    table = TABLE.model_copy(update=off)
    (name,) = off
    kind = {"used_percent": "used", "ending_months": "ending"}.get(name, name)
    ends = {"from": "2026-01-01", "to": "2026-06-20"}
    used = account(21 if name == "negative" else 19, 20, unit="VS")

    assert kind in kinds(used, effective=ends)
    assert kind not in kinds(used, effective=ends, table=table)


def test_of_what_is_pended_nothing_is_raised_that_is_not_wanted() -> None:
    """Neither how long it is, nor the day on which to ask."""
    table = AlertTable(pended_days=None, follow_up=False, decision_hours=None)
    long = {"received_at": "2026-01-01T00:00:00Z", "attached": {"follow_up_on": "2026-02-01"}}
    assert kinds(decision={"action": "A4"}, table=table, **long) == []


def test_an_alert_is_the_same_until_its_period_is_another() -> None:
    """However much more is used; a higher limit or a later day begins anew."""
    ids = [found(each)[0].alert_id for each in (account(17), account(19), account(25, 30))]
    ends = [found(effective={"to": to})[0].alert_id for to in ("2026-06-09", "2026-06-10")]

    assert ids[0] == ids[1] != ids[2]
    assert ends[0] != ends[1]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 40))
def test_months_before_are_months_before(day: date, months: int) -> None:
    """Never later than the same day of that month, and on it where the month has that day."""
    before = add_months(day, -months)
    assert (day.year - before.year) * 12 + day.month - before.month == months
    assert before.day <= day.day


def test_the_last_end_that_is_near() -> None:
    """A month after the 28th of February begins the last month of the 31st of March, too."""
    assert last_end(date(2026, 2, 28), 1) == date(2026, 3, 31)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 40))
def test_no_end_is_missed_by_whoever_looks_for_those_that_are_near(end: date, months: int) -> None:
    """From the day on which its last months begin; not a week too early either."""
    begins = add_months(end, -months)
    assert end <= last_end(begins, months) <= end + timedelta(days=6)
