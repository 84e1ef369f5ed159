"""The days of a claim line, and how its units fall on them."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from service.accounting.books.scale import CENT, SCALE, scaled
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_values import days_of
from service.domain.values import DateSpan

SPAN_DAYS_MAX = 400
"""A line that spans more days than this is not drawn: an examiner splits it."""

MILLIONTH = SCALE // 1_000_000
_UNITS_UNSAID = Decimal(1)
_CENT = Decimal("0.01")


def service_days(claim: Claim, line: ServiceLine) -> tuple[date, ...] | None:
    """Give every day that a line spans, first to last; None for more than ``SPAN_DAYS_MAX``."""
    first, last = days_of(claim, line)
    count = (last - first).days + 1
    if count > SPAN_DAYS_MAX:
        return None
    return tuple(first + timedelta(days=number) for number in range(count))


def units_of(line: ServiceLine) -> Decimal:
    """Give how many units a line bills (SV104, SV205, SV306): one where it does not say."""
    return _UNITS_UNSAID if line.units is None else line.units


def scaled_units(line: ServiceLine) -> int:
    """Give the units of a line as a whole number (see ``scale``)."""
    return scaled(units_of(line))


def step_of(units: Decimal) -> int:
    """Give the least that may be granted of units: a whole one, if they were billed whole."""
    return SCALE if units % 1 == 0 else MILLIONTH


def cent_of(charge: Decimal) -> int:
    """Give the least that may be granted of a charge: a cent, if it was billed in cents."""
    return CENT if charge % _CENT == 0 else MILLIONTH


def units_by_day(
    line: ServiceLine, days: Sequence[date], *, is_daily: bool
) -> list[tuple[date, int]] | None:
    """Give the units of every day of a line that is billed by the day; None for any other.

    It is, where it counts days, or where its units divide evenly by the days that it spans. Fewer
    days billed than spanned are its first ones: the day of discharge is not counted.
    """
    units, whole = units_of(line), scaled_units(line)
    if is_daily and units < len(days):
        counted = range(-(-whole // SCALE))
        return [(days[each], min(SCALE, whole - each * SCALE)) for each in counted]
    if is_daily or (len(days) > 1 and units % len(days) == 0):
        return list(zip(days, spread(whole, len(days), step_of(units)), strict=True))
    return None


def spread(total: int, count: int, step: int = 1) -> list[int]:
    """Divide a total (of whole steps) evenly, in whole steps; the first get what is left over."""
    each, rest = divmod(total // step, count)
    return [(each + (place < rest)) * step for place in range(count)]


def contains(window: DateSpan | None, day: date) -> bool:
    """Whether a day lies in a window; None has no days, an end that is not known is open."""
    if window is None or (window.from_ and day < window.from_):
        return False
    return window.to is None or day <= window.to
