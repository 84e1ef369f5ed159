"""Comparisons of days: inside a validity, overlapping it, near a day; open ends and tolerance."""

from typing import Any

import pytest

from service.comparison._dates import INSIDE, NEAR, OVERLAPS, WINDOW, moved
from service.comparison.comparison import Comparison, How

MARCH = {"first": "2026-03-01", "last": "2026-03-31"}
Span = tuple[str, str]


def how(days: str) -> How:
    """Read days of tolerance, ``before after``."""
    before, after = days.split()
    return How(days_before=int(before), days_after=int(after))


@pytest.mark.parametrize(
    ("comparison", "validity", "service", "days", "fits"),
    [
        (INSIDE, MARCH, ("2026-03-01", "2026-03-31"), "0 0", True),
        (INSIDE, MARCH, ("2026-02-28", "2026-03-31"), "0 0", False),
        (INSIDE, MARCH, ("2026-03-31", "2026-04-01"), "0 0", False),
        (INSIDE, MARCH, ("2026-03-02", "2026-03-30"), "1 1", True),
        (INSIDE, MARCH, ("2026-03-01", "2026-03-30"), "1 1", False),
        (INSIDE, {"first": "2026-03-01"}, ("2030-01-01", "2030-01-01"), "0 0", True),
        (INSIDE, {"last": "2026-03-31"}, ("1990-01-01", "1990-01-01"), "0 0", True),
        (INSIDE, {}, ("1990-01-01", "2030-01-01"), "0 0", True),
        (INSIDE, None, ("2026-03-01", "2026-03-01"), "0 0", False),
        (OVERLAPS, MARCH, ("2026-03-31", "2026-04-30"), "0 0", True),
        (OVERLAPS, MARCH, ("2026-04-01", "2026-04-30"), "0 0", False),
        (OVERLAPS, MARCH, ("2026-02-01", "2026-04-30"), "0 0", True),
        (OVERLAPS, None, ("2026-03-01", "2026-03-01"), "7 7", False),
        (WINDOW, MARCH, ("2026-04-07", "2026-04-07"), "7 0", True),
        (WINDOW, MARCH, ("2026-04-08", "2026-04-08"), "7 0", False),
        (WINDOW, MARCH, ("2026-02-22", "2026-02-22"), "0 7", True),
        (WINDOW, MARCH, ("2026-02-21", "2026-02-21"), "0 7", False),
        (WINDOW, MARCH, ("9999-12-31", "9999-12-31"), "7 7", False),
    ],
)
def test_days_set_against_a_validity(
    comparison: Comparison, validity: dict[str, str] | None, service: Span, days: str, fits: bool
) -> None:
    """Both ends count; an open end is the end of the calendar; tolerance widens the service."""
    line: dict[str, Any] = {} if validity is None else {"effective": validity}

    assert fits == comparison.fits(line, "effective", service, how(days))


@pytest.mark.parametrize(
    ("comparison", "days", "clause"),
    [
        (INSIDE, "0 0", {"gte": "2026-03-12", "lte": "2026-03-13", "relation": "contains"}),
        (OVERLAPS, "0 0", {"gte": "2026-03-12", "lte": "2026-03-13", "relation": "intersects"}),
        (WINDOW, "7 3", {"gte": "2026-03-05", "lte": "2026-03-16", "relation": "intersects"}),
        (NEAR, "1 1", {"gte": "2026-03-11", "lte": "2026-03-14"}),
    ],
)
def test_the_clause_of_days(comparison: Comparison, days: str, clause: dict[str, str]) -> None:
    """A range, with the relation that the comparison means."""
    found = comparison.clause("lines.x", ("2026-03-12", "2026-03-13"), how(days))

    assert {"range": {"lines.x": clause}} == found


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (("2026-03-12",), ("2026-03-12", "2026-03-12")),
        (("2026-03-12", "2026-03-13"), ("2026-03-12", "2026-03-13")),
        (("2026-03-12", None), ("2026-03-12", "2026-03-12")),
        ((None, None), None),
    ],
)
def test_what_is_read_of_days(given: tuple[Any, ...], read: Span | None) -> None:
    """First and last; one alone is both."""
    assert read == INSIDE.read(given, How())


@pytest.mark.parametrize(
    ("validity", "service", "words"),
    [
        (MARCH, ("2026-03-12", "2026-03-12"), "inside the validity"),
        (MARCH, ("2026-04-09", "2026-04-10"), "9 days after the end"),
        (MARCH, ("2026-04-01", "2026-04-01"), "1 day after the end"),
        (MARCH, ("2026-02-26", "2026-02-27"), "2 days before the start"),
        (MARCH, ("2026-02-27", "2026-03-01"), "starts 2 days before the start"),
        (MARCH, ("2026-03-31", "2026-04-01"), "ends 1 day after the end"),
        (MARCH, ("2026-01-01", "2026-12-31"), "starts before and ends after the validity"),
        (None, ("2026-01-01", "2026-12-31"), "no validity is known"),
    ],
)
def test_where_a_service_lies(validity: dict[str, str] | None, service: Span, words: str) -> None:
    """By how many days it lies outside, and on which side."""
    line: dict[str, Any] = {} if validity is None else {"effective": validity}

    assert words == OVERLAPS.why(line, "effective", service, How())


@pytest.mark.parametrize(
    ("authorized", "admitted", "days", "fits", "words"),
    [
        ("2026-03-12", "2026-03-12", "0 0", True, "the authorized day"),
        ("2026-03-12", "2026-03-13", "0 0", False, "1 day after the authorized day"),
        ("2026-03-12", "2026-03-13", "1 1", True, "1 day after the authorized day"),
        ("2026-03-12", "2026-03-10", "1 1", False, "2 days before the authorized day"),
        (None, "2026-03-10", "1 1", False, "no day is authorized"),
    ],
)
def test_a_day_near_another(
    authorized: str | None, admitted: str, days: str, fits: bool, words: str
) -> None:
    """So many days before or after."""
    line: dict[str, Any] = {} if authorized is None else {"day": authorized}
    span = (admitted, admitted)

    assert (fits, words) == (
        NEAR.fits(line, "day", span, how(days)),
        NEAR.why(line, "day", span, How()),
    )


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        ("2026-02-28", 1, "2026-03-01"),
        ("2026-03-01", -1, "2026-02-28"),
        ("2026-03-01", 0, "2026-03-01"),
        ("9999-12-30", 7, "9999-12-31"),
    ],
)
def test_a_day_is_moved_within_the_calendar(day: str, days: int, expected: str) -> None:
    """The last day of the calendar is the last."""
    assert expected == moved(day, days)
