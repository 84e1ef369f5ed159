"""A request is decided in 72 hours, or in seven days of the calendar."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.domain.authorization import Authorization
from service.domain.decision_clock import DecisionClock, decision_clock, due_at

NEW_YORK, SAMOA = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")


def asked(**said: Any) -> Authorization:
    """A request that was received in March, pended unless it says otherwise."""
    given = {
        "authorization_id": "UM-1",
        "version": 1,
        "kind": "authorization",
        "setting": "professional",
        "member": {"id": "M-1"},
        "decision": {"action": "A4"},
        "effective": {"from": "2026-03-01"},
        "received_at": "2026-03-02T10:00:00-05:00",
    }
    return Authorization.model_validate({**given, **said})


def clock(**said: Any) -> DecisionClock:
    """Its clock in New York."""
    return decision_clock(asked(**said), NEW_YORK)


@pytest.mark.parametrize(
    ("received", "zone", "expedited", "due"),
    [
        # 72 hours are 72 hours, whatever the clocks on the wall do that night.
        ("2026-03-02T10:00:00-05:00", NEW_YORK, True, "2026-03-05T15:00:00+00:00"),
        ("2026-03-07T10:00:00-05:00", NEW_YORK, True, "2026-03-10T15:00:00+00:00"),
        ("2028-02-27T12:00:00+00:00", UTC, True, "2028-03-01T12:00:00+00:00"),
        ("2026-02-27T12:00:00+00:00", UTC, True, "2026-03-02T12:00:00+00:00"),
        # The day of receipt is not counted; the seventh day is, to its end.
        ("2026-03-02T00:00:00-05:00", NEW_YORK, False, "2026-03-10T00:00:00-04:00"),
        ("2026-03-02T23:59:59-05:00", NEW_YORK, False, "2026-03-10T00:00:00-04:00"),
        ("2026-10-28T10:00:00-04:00", NEW_YORK, False, "2026-11-05T00:00:00-05:00"),
        # It is the payer's day that counts, not that of the sender.
        ("2026-03-03T03:00:00+00:00", NEW_YORK, False, "2026-03-10T00:00:00-04:00"),
        ("2026-03-03T03:00:00+00:00", UTC, False, "2026-03-11T00:00:00+00:00"),
        ("2026-03-03T12:00:00+00:00", SAMOA, False, "2026-03-12T00:00:00+13:00"),
        # Leap days, the end of a year, and the end of all of them.
        ("2028-02-25T10:00:00+00:00", UTC, False, "2028-03-04T00:00:00+00:00"),
        ("2027-02-25T10:00:00+00:00", UTC, False, "2027-03-05T00:00:00+00:00"),
        ("2026-12-29T10:00:00+00:00", UTC, False, "2027-01-06T00:00:00+00:00"),
        ("9999-12-30T10:00:00+00:00", UTC, False, "9999-12-31T23:59:59.999999+00:00"),
        ("0001-01-01T00:00:00+14:00", UTC, True, "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_by_when_it_is_due(received: str, zone: Any, expedited: bool, due: str) -> None:
    """Hours from the receipt, days from the day after it."""
    assert due_at(datetime.fromisoformat(received), zone, is_expedited=expedited).isoformat() == due


@pytest.mark.parametrize(
    ("said", "expedited"),
    [
        ({}, False),
        ({"urgency": "E"}, False),
        ({"urgency": "U"}, True),
        ({"urgency": "03"}, True),
        ({"urgency": "u"}, True),
        ({"lines": [{"line": 1}, {"line": 2, "urgency": "U"}]}, True),
    ],
)
def test_whether_it_is_expedited(said: dict[str, Any], expedited: bool) -> None:
    """By its level of service (UM06), or that of a line."""
    assert clock(**said).is_expedited is expedited


GRANTED = {"action": "A1", "decided_at": "2026-03-03T10:00:00-05:00"}
DENIED = {"action": "A3", "decided_at": "2026-03-09T23:30:00-04:00"}


@pytest.mark.parametrize(
    ("said", "at", "stands", "hours"),
    [
        ({}, "2026-03-09T23:59:00-04:00", "open", None),
        ({}, "2026-03-10T00:00:01-04:00", "overdue", None),
        ({"decision": {"action": "CT"}}, "2026-03-03T00:00:00Z", "open", None),
        ({"decision": None}, "2026-03-03T00:00:00Z", "open", None),
        ({"decision": GRANTED}, "2026-12-01T00:00:00Z", "in-time", 24.0),
        ({"decision": DENIED}, "2026-12-01T00:00:00Z", "in-time", 180.5),
        ({"decision": DENIED, "urgency": "U"}, "2026-12-01T00:00:00Z", "late", 180.5),
        # Put off until a day: that day counts.
        (
            {"decision_extended_to": "2026-03-24T00:00:00-04:00"},
            "2026-03-20T00:00:00Z",
            "open",
            None,
        ),
        # Each service must be decided; the last decision counts.
        (
            {
                "decision": {"action": "A2"},
                "lines": [{"line": 1, "decision": GRANTED}, {"line": 2}],
            },
            "2026-03-03T00:00:00Z",
            "open",
            None,
        ),
        (
            {
                "decision": {"action": "A2"},
                "lines": [{"line": 1, "decision": GRANTED}, {"line": 2, "decision": DENIED}],
            },
            "2026-12-01T00:00:00Z",
            "in-time",
            180.5,
        ),
        ({"lines": [{"line": 1}], "decision": GRANTED}, "2026-12-01T00:00:00Z", "in-time", 24.0),
        # Taken back before it was decided.
        ({"decision": {"action": "C"}}, "2026-12-01T00:00:00Z", "withdrawn", None),
        # Nobody said when it was received, or decided.
        ({"received_at": None}, "2026-03-03T00:00:00Z", "unknown", None),
        ({"received_at": None, "decision": GRANTED}, "2026-03-03T00:00:00Z", "unknown", None),
        (
            {"received_at": None, "source": {"event_time": "2026-03-02T15:00:00Z"}},
            "2026-03-03T00:00:00Z",
            "open",
            None,
        ),
        (
            {
                "decision": {"action": "A1"},
                "source": {"event_time": "2026-03-02T17:00:00Z"},
            },
            "2026-03-03T00:00:00Z",
            "in-time",
            2.0,
        ),
        # Decided before it was received: no time can be told.
        (
            {"decision": {"action": "A1", "decided_at": "2026-03-01T00:00:00Z"}},
            "2026-03-03T00:00:00Z",
            "in-time",
            None,
        ),
    ],
)
def test_how_a_request_stands(said: dict[str, Any], at: str, stands: str, hours: float) -> None:
    """At a time, and how long it took."""
    found = clock(**said)

    assert found.stands(datetime.fromisoformat(at)) == stands
    assert found.hours == hours


def test_an_extension_is_told() -> None:
    """And it says until when."""
    found = clock(decision_extended_to="2026-03-24T00:00:00-04:00")

    assert found.is_extended
    assert found.due == datetime.fromisoformat("2026-03-24T04:00:00+00:00")
    assert not clock().is_extended
