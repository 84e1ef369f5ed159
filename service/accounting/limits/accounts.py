"""The accounts behind a choice: header and line, each as a total, for a renewal, for a rate."""

from dataclasses import dataclass
from datetime import date

from service.accounting.books.plan import Bounds
from service.accounting.limits.bounds import RATED, RENEWED, TOTAL, bounds_of_line, first_day_of
from service.accounting.limits.choice import HEADER, certified_on, granted_limits
from service.accounting.limits.periods import Periods, renewal_reference
from service.domain.accounting_policy import Weekday
from service.domain.authorization import Authorization


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One base with its limits; its accounts are told apart by the period of the service."""

    base: str
    bounds: Bounds
    periods: Periods | None

    def name_on(self, day: date) -> str:
        """Name the account of a day of service."""
        return self.base if self.periods is None else f"{self.base}{self.periods.start_of(day)}"


class RenewalUnknown(Exception):
    """A limit renews from a day that is not known."""


def accounts_of(
    authorization: Authorization, line: int, week_starts_on: Weekday
) -> tuple[Account, ...]:
    """Give all accounts that a line is debited on: those of the header, then its own.

    Raises RenewalUnknown.
    """
    accounts = []
    for scope in (HEADER, line) if line else (HEADER,):
        bounds = bounds_of_line(authorization, scope)
        name = f"L{scope}" if scope else "H"
        for mark in (TOTAL, RENEWED, RATED):
            if name + mark in bounds:
                accounts.append(
                    Account(
                        base=name + mark,
                        bounds=bounds[name + mark],
                        periods=_periods(authorization, scope, mark, week_starts_on),
                    )
                )
    return tuple(accounts)


def _periods(
    authorization: Authorization, line: int, mark: str, week_starts_on: Weekday
) -> Periods | None:
    """Give the periods of a base; a rate follows the calendar, a total has none."""
    limits = granted_limits(authorization, line)
    if mark == RATED and limits.per is not None:
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
