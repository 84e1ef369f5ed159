"""Periods: from the start of an authorization, its certification, or by the calendar."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.limits._periods import Periods, Unit, periods_within, renewal_reference
from service.domain.authorization import Rate, Renewal
from service.domain.values import Weekday

UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")
WEEKDAYS: tuple[Weekday, ...] = ("sunday", "monday", "saturday")
days = st.dates(date(1900, 1, 1), date(9999, 12, 31))


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("unit", "length", "anchor", "service", "start"),
    [
        ("day", 10, "2026-03-01", "2026-03-10", "2026-03-01"),
        ("day", 10, "2026-03-01", "2026-03-11", "2026-03-11"),
        ("week", 1, "2026-03-04", "2026-03-10", "2026-03-04"),
        ("week", 2, "2026-03-04", "2026-03-18", "2026-03-18"),
        ("month", 1, "2026-03-15", "2026-04-14", "2026-03-15"),
        ("month", 1, "2026-03-15", "2026-04-15", "2026-04-15"),
        ("month", 1, "2026-01-31", "2026-02-27", "2026-01-31"),
        ("month", 1, "2026-01-31", "2026-02-28", "2026-02-28"),
        # Counted from the anchor: the short month before does not shorten the next one.
        ("month", 1, "2026-01-31", "2026-03-30", "2026-02-28"),
        ("month", 1, "2026-01-31", "2026-03-31", "2026-03-31"),
        ("month", 3, "2026-01-31", "2026-05-01", "2026-04-30"),
        ("year", 1, "2024-02-29", "2025-02-28", "2025-02-28"),
        ("year", 1, "2024-02-29", "2028-02-28", "2027-02-28"),
        ("year", 1, "2024-02-29", "2028-02-29", "2028-02-29"),
        # Before the anchor.
        ("day", 10, "2026-03-11", "2026-03-10", "2026-03-01"),
        ("week", 1, "2026-03-04", "2026-03-03", "2026-02-25"),
        ("month", 1, "2026-03-31", "2026-02-27", "2026-01-31"),
        ("year", 1, "2026-07-01", "2026-06-30", "2025-07-01"),
    ],
)
def test_a_period_is_counted_from_its_anchor(
    unit: Unit, length: int, anchor: str, service: str, start: str
) -> None:
    """Months and years keep the day of the anchor, or the last day of a shorter month."""
    periods = Periods(unit=unit, length=length, anchor=day(anchor))

    assert day(start) == periods.start_of(day(service))


@pytest.mark.parametrize(
    ("unit", "length", "week_starts_on", "service", "start"),
    [
        ("day", 1, "sunday", "2026-03-12", "2026-03-12"),
        ("week", 1, "sunday", "2026-03-12", "2026-03-08"),
        ("week", 1, "monday", "2026-03-12", "2026-03-09"),
        ("week", 1, "sunday", "2026-03-08", "2026-03-08"),
        ("week", 1, "monday", "2026-03-08", "2026-03-02"),
        ("month", 1, "sunday", "2026-03-12", "2026-03-01"),
        ("month", 3, "sunday", "2026-03-12", "2026-01-01"),
        ("month", 3, "sunday", "2026-04-01", "2026-04-01"),
        ("year", 1, "sunday", "2026-03-12", "2026-01-01"),
        ("year", 2, "sunday", "2027-03-12", "2026-01-01"),
    ],
)
def test_without_an_anchor_periods_follow_the_calendar(
    unit: Unit, length: int, week_starts_on: Weekday, service: str, start: str
) -> None:
    """Weeks from the day that the payer's week starts on; three months are a quarter."""
    periods = Periods(unit=unit, length=length, week_starts_on=week_starts_on)

    assert day(start) == periods.start_of(day(service))


@given(
    unit=st.sampled_from(UNITS),
    length=st.integers(1, 1000),
    anchor=st.none() | days,
    week_starts_on=st.sampled_from(WEEKDAYS),
    service=days,
)
def test_a_period_contains_its_days(
    unit: Unit, length: int, anchor: date | None, week_starts_on: Weekday, service: date
) -> None:
    """It begins on the day or before, its own first day lies in it, and the day before does not."""
    periods = Periods(unit=unit, length=length, anchor=anchor, week_starts_on=week_starts_on)
    start = periods.start_of(service)

    assert start <= service
    assert periods.start_of(start) == start
    if start > date(1900, 1, 1):
        assert periods.start_of(date.fromordinal(start.toordinal() - 1)) < start


@given(
    unit=st.sampled_from(UNITS),
    length=st.integers(1, 30),
    anchor=st.none() | days,
    service=st.tuples(days, days),
)
def test_periods_are_in_order(
    unit: Unit, length: int, anchor: date | None, service: tuple[date, date]
) -> None:
    """A later day is never in an earlier period."""
    periods = Periods(unit=unit, length=length, anchor=anchor)
    first, last = sorted(service)

    assert periods.start_of(first) <= periods.start_of(last)


@pytest.mark.parametrize(
    ("reference", "known"),
    [
        ("effective.from", "effective"),
        ("Authorization_Start", "effective"),
        ("certification_date", "certification"),
        ("calendar", "calendar"),
        ("first_claim", None),
    ],
)
def test_what_a_renewal_counts_from(reference: str, known: str | None) -> None:
    """References that seed 004 has and that need other claims are not known."""
    renewal = Renewal(reference=reference, period=1, unit="year")

    assert renewal_reference(renewal) == known


@pytest.mark.parametrize(
    ("period", "span", "span_unit", "start", "count"),
    [
        ("week", 2, "month", "2026-03-01", 9),
        ("week", 2, "month", "2026-03-03", 9),
        ("week", 8, "week", "2026-03-03", 8),
        ("day", 2, "week", "2026-03-03", 14),
        ("month", 3, "month", "2026-03-15", 3),
        ("month", 3, "month", "2026-01-31", 3),
        ("month", 1, "year", "2026-03-15", 12),
        ("month", 5, "week", "2026-03-01", 2),
        ("month", 2, "week", "2026-03-20", 1),
        ("year", 6, "month", "2026-03-15", 1),
        ("year", 18, "month", "2026-03-15", 2),
        ("year", 2, "year", "2024-02-29", 2),
        ("week", None, None, "2026-03-01", None),
        ("week", 2, None, "2026-03-01", None),
        ("year", 9_000, "year", "2026-03-01", None),
        ("day", 10**12, "day", "2026-03-01", None),
    ],
)
def test_how_many_periods_begin_in_the_span_of_a_rate(
    period: Unit, span: int | None, span_unit: Unit | None, start: str, count: int | None
) -> None:
    """The first one on the first day, so there is always one."""
    rate = Rate.model_validate(
        {"count": "3", "period": period, "span": span, "span_unit": span_unit}
    )

    assert periods_within(rate, day(start)) == count
