"""What an authorization grants, base by base."""

from datetime import date
from typing import Any

import pytest

from service.accounting.books.plan import Bounds
from service.accounting.books.scale import SCALE
from service.accounting.limits.bounds import bounds_of, first_day_of
from tests.builders import build_authorization

PER_WEEK = {"count": "3", "period": "week", "span": 2, "span_unit": "month"}
MONTHLY = {"reference": "calendar", "period": 1, "unit": "month"}
NOT_DATED = {"decision": None, "effective": None}


def units(count: int, unit: str | None = "VS") -> Bounds:
    """Bounds of units alone."""
    return Bounds(units=count * SCALE, unit=unit)


@pytest.mark.parametrize(
    ("limits", "bounds"),
    [
        (None, {"L1": Bounds()}),
        ({}, {"L1": Bounds()}),
        (
            {"units": "2.5", "unit": "HS", "amount": "99.99", "service_days": "4"},
            {"L1": Bounds(units=7_500_000, amount=299_970_000, days=4 * SCALE, unit="HS")},
        ),
        ({"amount": "100"}, {"L1": Bounds(amount=100 * SCALE)}),
        ({"units": "0", "unit": "UN"}, {"L1": units(0, "UN")}),
        ({"units": "10", "unit": "VS", "renewal": MONTHLY}, {"L1@": units(10)}),
        ({"units": "10", "unit": "VS", "per": PER_WEEK}, {"L1": units(10), "L1~": units(3)}),
        ({"unit": "VS", "per": PER_WEEK}, {"L1": units(27), "L1~": units(3)}),
        ({"per": {"count": "3", "period": "week"}}, {"L1": Bounds(), "L1~": units(3, None)}),
        # Renewed: the limit of a period is never computed from the span of a rate.
        (
            {"unit": "VS", "per": PER_WEEK, "renewal": MONTHLY},
            {"L1@": Bounds(unit="VS"), "L1~": units(3)},
        ),
    ],
)
def test_the_limits_of_a_line(limits: Any, bounds: dict[str, Bounds]) -> None:
    """A total, or one for each renewal; a rate beside it. The header has its base without any."""
    authorization = build_authorization(line={"limits": limits})

    assert bounds_of(authorization) == {"H": Bounds(), **bounds}


def test_header_and_every_line_have_bases() -> None:
    """What was requested is no limit, whatever the line says of it."""
    authorization = build_authorization(
        limits={"units": "9", "unit": "UN", "renewal": MONTHLY},
        lines=[{"requested": {"units": "99", "unit": "UN"}}, {"limits": {"amount": "5"}}],
    )

    assert bounds_of(authorization) == {
        "H@": units(9, "UN"),
        "L1": Bounds(),
        "L2": Bounds(amount=5 * SCALE),
    }


@pytest.mark.parametrize(
    ("fields", "total"),
    [
        ({"limits": {"per": PER_WEEK}}, 27),
        ({"limits": {"per": {**PER_WEEK, "span": 8, "span_unit": "week"}}}, 24),
        ({"limits": {"per": PER_WEEK}, **NOT_DATED}, None),
        # More than can be counted.
        ({"limits": {"per": {**PER_WEEK, "span": 7_000, "span_unit": "year"}}}, 3 * 365_243),
        ({"limits": {"per": {**PER_WEEK, "span": 9_000, "span_unit": "year"}}}, None),
    ],
)
def test_the_total_of_a_rate_needs_a_first_day(fields: Any, total: int | None) -> None:
    """Without one there is the rate alone."""
    bounds = bounds_of(build_authorization(**fields))

    assert bounds["H"].units == (None if total is None else total * SCALE)
    assert bounds["H~"].units == 3 * SCALE


@pytest.mark.parametrize(
    ("header", "line", "days"),
    [
        ({}, {}, ["2026-03-01", "2026-03-01"]),
        ({}, {"effective": {"from": "2026-04-01"}}, ["2026-03-01", "2026-04-01"]),
        ({"effective": None}, {"effective": {"from": "2026-04-01"}}, ["2026-04-01", "2026-04-01"]),
        ({"effective": {"to": "2026-04-01"}}, {}, [None, None]),
        ({}, {"decision": {"action": "C"}}, ["2026-03-01", None]),
    ],
)
def test_the_first_day_of_header_and_line(header: Any, line: Any, days: list[str | None]) -> None:
    """A header without dates begins with the first of its lines."""
    authorization = build_authorization(**header, line=line)
    found = [first_day_of(authorization, each) for each in (0, 1)]

    assert found == [date.fromisoformat(each) if each else None for each in days]
