"""The units of a claim line, day by day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.books.scale import CENT, SCALE, scaled
from service.accounting.planning._parts import contains
from service.accounting.planning.counting import (
    SPAN_DAYS_MAX,
    cent_of,
    service_days,
    spread,
    step_of,
    units_by_day,
)
from service.domain.values import DateSpan
from tests.builders import build_claim

FIRST = date(2026, 3, 12)
QUANTITIES = st.decimals("0.000001", "1000", places=6)


def days(count: int) -> list[date]:
    """So many days from the first."""
    return [FIRST + timedelta(days=number) for number in range(count)]


def by_day(units: str | None, count: int, *, is_daily: bool) -> list[float] | None:
    """The units of every day, from the first."""
    line = build_claim(line={"units": units}).lines[0]
    found = units_by_day(line, days(count), is_daily=is_daily)
    if found is None:
        return None
    assert [day for day, _ in found] == days(len(found))
    return [number / SCALE for _, number in found]


@pytest.mark.parametrize(
    ("units", "count", "is_daily", "expected"),
    [
        # Days: as many of the first days as were billed, the day of discharge is not counted.
        ("4", 5, True, [1, 1, 1, 1]),
        ("5", 5, True, [1] * 5),
        ("1", 1, True, [1]),
        (None, 3, True, [1]),
        ("2.5", 5, True, [1, 1, 0.5]),
        ("0.5", 1, True, [0.5]),
        # More days than there are: evenly, the first ones get what is left over.
        ("7", 5, True, [2, 2, 1, 1, 1]),
        ("7.5", 5, True, [1.5] * 5),
        ("3", 1, True, [3]),
        # Any other unit that divides evenly.
        ("10", 5, False, [2] * 5),
        ("2.5", 5, False, None),
        ("7", 5, False, None),
        ("4", 5, False, None),
        ("4", 1, False, None),
    ],
)
def test_the_units_of_every_day(
    units: str | None, count: int, is_daily: bool, expected: list[float] | None
) -> None:
    """None for a line that is not billed by the day."""
    assert by_day(units, count, is_daily=is_daily) == expected


@given(units=QUANTITIES, count=st.integers(1, 40), is_daily=st.booleans())
def test_days_sum_to_the_line(units: Decimal, count: int, is_daily: bool) -> None:
    """Nothing is lost, no day has nothing, and each stands once."""
    line = build_claim(line={"units": units}).lines[0]
    found = units_by_day(line, days(count), is_daily=is_daily)

    if found is not None:
        assert sum(number for _, number in found) == scaled(units)
        assert all(number > 0 for _, number in found)
        assert len({day for day, _ in found}) == len(found)
    else:
        assert not is_daily


@given(total=st.integers(0, 10**12), count=st.integers(1, 400))
def test_what_is_spread_is_even(total: int, count: int) -> None:
    """No two differ by more than one, and the first have more."""
    found = spread(total, count)

    assert sum(found) == total
    assert max(found) - min(found) <= 1
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    ("quantity", "step", "cent"),
    [
        ("4", SCALE, CENT),
        ("4.00", SCALE, CENT),
        ("240.50", 3, CENT),
        ("240.500", 3, CENT),
        ("0.005", 3, 3),
    ],
)
def test_the_least_that_may_be_granted(quantity: str, step: int, cent: int) -> None:
    """Whole units and cents, where it was billed in them."""
    assert (step_of(Decimal(quantity)), cent_of(Decimal(quantity))) == (step, cent)


def test_the_days_of_a_line() -> None:
    """Its own, else those of the claim; so many that a person must divide it are none."""
    stay = build_claim("inpatient")
    last = FIRST + timedelta(days=SPAN_DAYS_MAX - 1)
    longest, longer = (
        build_claim(line={"to": each.isoformat()}) for each in (last, last + timedelta(days=1))
    )

    assert service_days(stay, stay.lines[0]) == tuple(days(5))
    assert service_days(longest, longest.lines[0]) == tuple(days(SPAN_DAYS_MAX))
    assert service_days(longer, longer.lines[0]) is None


@pytest.mark.parametrize(
    ("first", "last", "is_in"),
    [
        ("2026-03-12", "2026-03-12", True),
        ("2026-03-13", None, False),
        (None, "2026-03-11", False),
        ("2026-03-01", None, True),
        (None, "2026-03-31", True),
        (None, None, True),
    ],
)
def test_whether_a_day_is_in_a_window(first: str | None, last: str | None, is_in: bool) -> None:
    """An end that is not known is open."""
    assert contains(DateSpan.model_validate({"from": first, "to": last}), FIRST) == is_in


def test_a_line_that_is_never_valid_has_no_day() -> None:
    """It was cancelled."""
    assert not contains(None, FIRST)
