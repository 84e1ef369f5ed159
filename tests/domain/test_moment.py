"""A time is as exact as the finest that a message says of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.moment import DAY, INSTANT, MINUTE, SECOND, Moment, finest, in_order, in_zone


def at(text: str, width: timedelta = SECOND) -> Moment:
    """A time of the first of March, or of another day."""
    text = text if "T" in text else f"2026-03-01T{text}"
    return Moment(datetime.fromisoformat(text).replace(tzinfo=UTC), width)


TODAY = at("00:00", DAY)


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([at("09:00")], "09:00:00"),
        ([None, at("09:00")], "09:00:00"),
        ([at("09:00"), at("10:00")], "09:00:00"),
        ([TODAY], "00:00:00"),
        ([TODAY, at("09:00")], "09:00:00"),
        ([TODAY, TODAY, at("09:00")], "09:00:00"),
        ([TODAY, at("09:00", MINUTE), at("09:00:07")], "09:00:07"),
        ([at("09:00", MINUTE), at("09:00:07"), at("09:00:07.5", INSTANT)], "09:00:07.500000"),
        ([at("09:00", MINUTE), at("09:01:07")], "09:00:00"),
        ([TODAY, at("2026-02-28T23:00")], "00:00:00"),
        # Of a day that was sent later, the order of sending counts in its last minute.
        ([TODAY, at("2026-03-02T00:00")], "23:59:00"),
        ([TODAY, at("2026-03-02T01:40")], "23:59:00.100000"),
        ([TODAY, at("2027-03-02T00:00")], "23:59:59.999000"),
        ([TODAY, at("2026-03-02T01:40"), at("10:00")], "10:00:00"),
    ],
)
def test_the_first_is_made_exact_by_the_others(moments: list[Moment], expected: str) -> None:
    """Where they lie in it."""
    found = in_order(moments)

    assert found is not None
    assert found.isoformat() == f"2026-03-01T{expected}+00:00"


def test_without_any_there_is_none() -> None:
    """And the end of the calendar is a day like another."""
    last = Moment(datetime(9999, 12, 31, tzinfo=UTC), DAY)

    assert finest([None, None]) is None
    assert in_order([None, None]) is None
    assert in_order([last, at("09:00")]) == last.at


def test_what_is_shown_is_never_a_time_that_nobody_told() -> None:
    """A day that was sent later is shown as that day."""
    assert finest([TODAY, at("2026-03-02T01:40")]) == TODAY
    assert finest([TODAY, at("09:00")]) == at("09:00")


SENT = st.timedeltas(timedelta(), timedelta(days=31)).map(lambda passed: TODAY.at + passed)


@given(SENT, SENT)
def test_two_decisions_of_one_day_come_out_as_they_were_sent(
    one: datetime, other: datetime
) -> None:
    """To the minute where they were sent on a later day, and always within their day."""
    first, last = sorted((one, other))
    found = [in_order([TODAY, Moment(each, INSTANT)]) for each in (first, last)]

    assert all(each and TODAY.at <= each < TODAY.ends for each in found)
    assert found == sorted(found, key=lambda each: each or TODAY.at)
    is_apart = last - first >= 2 * MINUTE or last < TODAY.ends
    assert found[0] != found[1] or not is_apart or first == last


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-03-01T23:30:00-05:00", "2026-03-02T04:30:00+00:00"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59-12:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_time_beyond_the_calendar_stays_as_it_was_told(told: str, expected: str) -> None:
    """Senders write the last day there is where they know none."""
    assert in_zone(datetime.fromisoformat(told), UTC).isoformat() == expected
