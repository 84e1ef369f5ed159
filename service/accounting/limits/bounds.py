"""The limits of an authorization: of header and line, each as a total, for a renewal, for a rate.

A limit stands with its base; the accounts of a base are told apart by the period of the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.accounting.books.plan import Bounds
from service.accounting.books.scale import scaled
from service.accounting.limits._periods import Periods, periods_within, renewal_reference
from service.accounting.limits.choice import HEADER, certified_on, granted_limits, window_of
from service.domain.authorization import Authorization, Limits, Rate
from service.domain.values import COUNTED_MAX, Weekday

TOTAL, RENEWED, RATED = "", "@", "~"
"""How a base is marked: as a total, for a renewal period, for the period of a rate."""


def bounds_of(authorization: Authorization) -> Mapping[str, Bounds]:
    """The limits of every base of an authorization, those of its lines included.

    What was granted counts, never what was requested. A header or line without limits still has
    its base, which holds no limit: what is drawn is counted all the same.
    """
    found: dict[str, Bounds] = {}
    for number in (HEADER, *(line.line for line in authorization.lines)):
        found |= bounds_of_line(authorization, number)
    return found


def bounds_of_line(authorization: Authorization, line: int) -> dict[str, Bounds]:
    """The limits of the bases of one line, or of the header for 0, without the other's.

    A limit that is renewed holds in each period, so there is no total beside it.
    """
    limits = granted_limits(authorization, line)
    name = f"L{line}" if line else "H"
    units = limits.units
    if units is None and limits.per is not None and limits.renewal is None:
        units = _total_of(limits.per, authorization, line)
    found = {
        name + (TOTAL if limits.renewal is None else RENEWED): Bounds(
            units=_scaled(units),
            amount=_scaled(limits.amount),
            days=_scaled(limits.service_days),
            unit=limits.unit,
        )
    }
    if limits.per is not None:
        found[name + RATED] = Bounds(units=scaled(limits.per.count), unit=limits.unit)
    return found


def _total_of(rate: Rate, authorization: Authorization, line: int) -> Decimal | None:
    """The units that a rate makes in its span; None where not known, or too many to count.

    What is more than can be counted is more than anybody can use up.
    """
    start = first_day_of(authorization, line)
    periods = periods_within(rate, start) if start else None
    if periods is None or rate.count * periods > COUNTED_MAX:
        return None
    return rate.count * periods


def _scaled(quantity: Decimal | None) -> int | None:
    return None if quantity is None else scaled(quantity)


def first_day_of(authorization: Authorization, line: int) -> date | None:
    """The first effective day of a line, or of a header: its own, else its lines' first."""
    window = window_of(authorization, line)
    if line or (window and window.from_):
        return window.from_ if window else None
    windows = (window_of(authorization, each.line) for each in authorization.lines)
    return min((each.from_ for each in windows if each and each.from_), default=None)


def limits_are_given(limits: Limits | None) -> bool:
    """Whether limits say how much: units, an amount, days or a rate."""
    if limits is None:
        return False
    given = (limits.units, limits.amount, limits.service_days, limits.per)
    return any(each is not None for each in given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One base with its limits; its accounts are told apart by the period of the service."""

    base: str
    bounds: Bounds
    periods: Periods | None

    def name_on(self, day: date) -> str:
        """The name of the account of a day of service."""
        return self.base if self.periods is None else f"{self.base}{self.periods.start_of(day)}"


class RenewalUnknown(Exception):
    """A limit renews from a day that is not known."""


def accounts_of(
    authorization: Authorization, line: int, week_starts_on: Weekday
) -> tuple[Account, ...]:
    """All accounts that a line is debited on: those of the header, then its own.

    Raises RenewalUnknown.
    """
    own = own_accounts_of(authorization, line, week_starts_on)
    return (*own_accounts_of(authorization, HEADER, week_starts_on), *own) if line else own


def own_accounts_of(
    authorization: Authorization, line: int, week_starts_on: Weekday
) -> tuple[Account, ...]:
    """The accounts of a line alone, or of the header; raises RenewalUnknown."""
    return tuple(
        Account(
            base=base,
            bounds=bounds,
            periods=_periods(authorization, line, base.endswith(RATED), week_starts_on),
        )
        for base, bounds in bounds_of_line(authorization, line).items()
    )


def _periods(
    authorization: Authorization, line: int, is_rate: bool, week_starts_on: Weekday
) -> Periods | None:
    """The periods of a base; a rate follows the calendar, a total has none."""
    limits = granted_limits(authorization, line)
    if is_rate and limits.per is not None:
        return Periods(unit=limits.per.period, week_starts_on=week_starts_on)
    if limits.renewal is None:
        return None
    renewal = limits.renewal
    reference = renewal_reference(renewal)
    if reference == "calendar":
        return Periods(unit=renewal.unit, length=renewal.period, week_starts_on=week_starts_on)
    anchors = {"effective": first_day_of, "certification": certified_on}
    anchor = anchors[reference](authorization, line) if reference else None
    if anchor is None:
        raise RenewalUnknown
    return Periods(unit=renewal.unit, length=renewal.period, anchor=anchor)
