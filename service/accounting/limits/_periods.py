"""Periods in which limits begin anew: a renewal (seed 004), or the period of a rate (HSD03)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from service.domain.authorization import Rate, Renewal
from service.domain.moment import add_months
from service.domain.values import WEEKDAYS, Weekday

Unit = Literal["day", "week", "month", "year"]
Reference = Literal["effective", "certification", "calendar"]

REFERENCES: dict[str, Reference] = {
    "effective.from": "effective",
    "authorization_start": "effective",
    "certification_date": "certification",
    "calendar": "calendar",
}
"""From what a renewal may count. Seed 004 has others, such as the first claim: not known here."""

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods of one length, one after the other; ``anchor`` is the first day of one of them.

    Without an anchor they follow the calendar: weeks from the first day of the week, months and
    years from their first day, and several together counted from the year 0 (so three months are
    quarters).
    """

    unit: Unit
    length: int = 1
    anchor: date | None = None
    week_starts_on: Weekday = "sunday"

    def start_of(self, day: date) -> date:
        """The first day of the period that contains a day, also of one before the anchor."""
        if self.unit in _DAYS:
            length = _DAYS[self.unit] * self.length
            anchor = self.anchor or self._first_weekday()
            return anchor + timedelta(days=(day - anchor).days // length * length)
        length = _MONTHS[self.unit] * self.length
        if self.anchor is None:
            return add_months(date(1, 1, 1), _months(day) // length * length - 12)
        gone = (_months(day) - _months(self.anchor)) // length * length
        start = add_months(self.anchor, gone)
        return start if start <= day else add_months(self.anchor, gone - length)

    def _first_weekday(self) -> date:
        """A day on which a period of days or weeks begins by the calendar."""
        first = date(1, 1, 1)  # a Monday
        if self.unit == "day":
            return first
        return first + timedelta(days=WEEKDAYS.index(self.week_starts_on))


def renewal_reference(renewal: Renewal) -> Reference | None:
    """From what a renewal counts; None where that is not known here."""
    return REFERENCES.get(renewal.reference.strip().lower())


def periods_within(rate: Rate, start: date) -> int | None:
    """Count the periods of a rate that begin within its span, the first on its first day.

    Three visits a week for two months from 2026-03-01 are nine weeks. None without a span, or
    with one that outlasts the calendar.
    """
    if rate.span is None or rate.span_unit is None:
        return None
    try:
        end = _add(start, rate.span_unit, rate.span)
    except (OverflowError, ValueError):
        return None
    if rate.period in _DAYS:
        return -(-(end - start).days // _DAYS[rate.period])
    length = _MONTHS[rate.period]
    whole = (_months(end) - _months(start)) // length
    return whole + (add_months(start, whole * length) < end)


def _add(day: date, unit: Unit, count: int) -> date:
    if unit in _DAYS:
        return day + timedelta(days=_DAYS[unit] * count)
    return add_months(day, _MONTHS[unit] * count)


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1
