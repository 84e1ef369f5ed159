"""Comparisons of days: inside a validity, overlapping it, near a day.

Days are ISO text, which compares as the calendar does. A window that reaches past the calendar's
ends stops there.
"""

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache, partial

from service.comparison.comparison import Clause, Comparison, How, span_of
from service.domain.effective import LineValues
from service.domain.fields import FieldType

RANGE: frozenset[FieldType] = frozenset({"date_range"})
DAY: frozenset[FieldType] = frozenset({"date"})
_FIRST_DAY, _LAST_DAY = "0000-00-00", "9999-99-99"
_DAYS_KEPT = 4_096

Span = tuple[str, str]


def widened(span: Span, how: How) -> Span:
    """The span with the days of tolerance on both sides."""
    if not how.days_before and not how.days_after:
        return span
    return moved(span[0], -how.days_before), moved(span[1], how.days_after)


@lru_cache(_DAYS_KEPT)
def moved(day: str, days: int) -> str:
    """The day so many days later; at most the last day of the calendar."""
    if not days:
        return day
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return date.max.isoformat()


def _range(field: str, value: Span, how: How, **relation: str) -> Clause:
    first, last = widened(value, how)
    return {"range": {field: {"gte": first, "lte": last, **relation}}}


def _overlaps(line: LineValues, field: str, value: Span, how: How) -> bool:
    window = line.get(field)
    if window is None:
        return False
    first, last = widened(value, how)
    return bool(window.get("first", _FIRST_DAY) <= last and first <= window.get("last", _LAST_DAY))


def _inside(line: LineValues, field: str, value: Span, how: How) -> bool:
    window = line.get(field)
    if window is None:
        return False
    first, last = widened(value, how)
    return bool(window.get("first", _FIRST_DAY) <= first and last <= window.get("last", _LAST_DAY))


def _where(line: LineValues, field: str, value: Span, how: How) -> str:
    """By how many days the service lies outside, in words."""
    known = line.get(field)
    if known is None:
        return "no validity is known"
    window = known.get("first", _FIRST_DAY), known.get("last", _LAST_DAY)
    if value[0] > window[1]:
        return f"{_days_between(window[1], value[0])} after the end"
    if value[1] < window[0]:
        return f"{_days_between(value[1], window[0])} before the start"
    before = value[0] < window[0]
    after = value[1] > window[1]
    if before and after:
        return "starts before and ends after the validity"
    if before:
        return f"starts {_days_between(value[0], window[0])} before the start"
    if after:
        return f"ends {_days_between(window[1], value[1])} after the end"
    return "inside the validity"


def _days_between(first: str, last: str) -> str:
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days
    return f"{days} day" if days == 1 else f"{days} days"


OVERLAPS = Comparison(
    name="overlaps",
    types=RANGE,
    read=span_of,
    clause=partial(_range, relation="intersects"),
    fits=_overlaps,
    why=_where,
    options=frozenset({"days"}),
    claims=(1, 2),
    widens=True,
)

INSIDE = replace(
    OVERLAPS, name="inside", clause=partial(_range, relation="contains"), fits=_inside, widens=False
)

WINDOW = replace(OVERLAPS, name="window")
"""The overlap that makes a candidate; one found only by its days is a match by tolerance."""


def _near(line: LineValues, field: str, value: Span, how: How) -> bool:
    day = line.get(field)
    first, last = widened(value, how)
    return day is not None and bool(first <= day <= last)


def _how_far(line: LineValues, field: str, value: Span, how: How) -> str:
    day = line.get(field)
    if day is None:
        return "no day is authorized"
    if day < value[0]:
        return f"{_days_between(day, value[0])} after the authorized day"
    if day > value[1]:
        return f"{_days_between(value[1], day)} before the authorized day"
    return "the authorized day"


NEAR = replace(INSIDE, name="near", types=DAY, clause=_range, fits=_near, why=_how_far)
