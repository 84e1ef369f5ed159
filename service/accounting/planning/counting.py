"""What a claim line counts: its units, their kind, the days they fall on, and their rate.

On one account it counts by its units, its visits, its studies, or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from service.accounting.books.plan import Bounds
from service.accounting.books.scale import CENT, SCALE, scaled
from service.domain import codes
from service.domain.accounting_policy import DEFAULT_UNIT, BilledService
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_values import days_of
from service.domain.reference import References

SPAN_DAYS_MAX = 400
"""A line that spans more days than this is not drawn: an examiner splits it."""

COMPONENT_MODIFIERS = frozenset({"26", "TC"})
"""Professional and technical component of one study."""

MILLIONTH = SCALE // 1_000_000
_UNITS_UNSAID = Decimal(1)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What is counted: units at a rate, or shared visits or studies, one unit each.

    ``charge`` counts only against an amount, ``nothing`` against no limit at all.

    ``is_daily``: the units billed are days, whatever the line calls them.
    """

    by: Literal["units", "visits", "study", "charge", "nothing"]
    rate: Fraction = Fraction(1)
    is_daily: bool = False


NOTHING = Counting(by="nothing", rate=Fraction(0))
CHARGE = Counting(by="charge", rate=Fraction(0))
VISITS = Counting(by="visits")
STUDY = Counting(by="study")


def counting_of(
    line: ServiceLine, query_type: str, bounds: Bounds, references: References
) -> Counting | None:
    """How a claim line counts on a base; None where the kinds of units differ.

    The first consumption row that fits decides (``accounting.yaml``), else the unit of the base: of
    visits, each day with one provider is one, unless days were billed; of units, those of the
    table count. A unit in which no limit is set never bars a line.
    """
    unit = references.units.canonical(bounds.unit) if bounds.unit else None
    service = service_of(line, query_type)
    counts = references.accounting.counts(service, unit, references.groups)
    if counts in ("nothing", "charge"):
        return NOTHING if counts == "nothing" else CHARGE
    if counts == "visits":
        return VISITS
    if counts is None and unit in references.units.visits and not is_daily(line, references):
        return VISITS
    days = counts == "days"
    billed = references.units.daily[0] if days else billed_unit(line, references)
    rate = conversion(billed, unit, line, references)
    if rate is None:
        return None if bounds.units is not None else Counting(by="units", is_daily=days)
    if rate == 1 and (counts == "study" or (counts is None and _is_shared(line, references))):
        return STUDY
    return Counting(by="units", rate=rate, is_daily=days)


def service_of(line: ServiceLine, query_type: str) -> BilledService:
    """What a claim line bills, in the form in which rows of the policy are written."""
    return BilledService(
        query_type=query_type,
        procedure=codes.bare(line.procedure) if line.procedure else None,
        revenue_code=codes.revenue_code(line.revenue_code) if line.revenue_code else None,
        modifiers=frozenset(map(codes.bare, line.modifiers)),
    )


def _is_shared(line: ServiceLine, references: References) -> bool:
    modifiers = {codes.bare(modifier) for modifier in line.modifiers}
    shares = references.accounting.components == "share"
    return shares and not COMPONENT_MODIFIERS.isdisjoint(modifiers)


def billed_unit(line: ServiceLine, references: References) -> str:
    """The unit of a claim line (SV103, SV204); UN, units of service, where it does not say."""
    return references.units.canonical(line.unit or DEFAULT_UNIT)


def is_daily(line: ServiceLine, references: References) -> bool:
    """Whether a claim line counts days."""
    return billed_unit(line, references) in references.units.daily


def counts_visits(line: ServiceLine, references: References) -> bool:
    """Whether a claim line itself is billed in visits."""
    return billed_unit(line, references) in references.units.visits


def conversion(
    billed: str, held: str | None, line: ServiceLine, references: References
) -> Fraction | None:
    """How many units of an account one billed unit of a line costs; None where the kinds differ.

    An account without a unit counts units as they are billed. Units convert only by the table
    ``unit-conversions``, through as many of its rows as it takes; never from visits or to them.
    """
    units = references.units
    if held is None or units.canonical(held) == units.canonical(billed):
        return Fraction(1)
    service = service_of(line, "")
    return units.rate(
        units.canonical(billed),
        units.canonical(held),
        service.procedure,
        service.modifiers,
        references.groups,
    )


def provider_of(claim: Claim, line: ServiceLine) -> str:
    """The provider whose visit a line is: who rendered it, else who billed it.

    By NPI, else by the TIN of the billing provider (loops 2310B, 2420A, 2010AA); empty where
    neither is known.
    """
    for provider in (line.rendering_provider, claim.rendering_provider, claim.billing_provider):
        if provider is not None and provider.npi:
            return provider.npi
    return claim.billing_provider.tin or ""


def units_of(line: ServiceLine) -> Decimal:
    """The units that a line bills (SV104, SV205, SV306): one where it does not say."""
    return _UNITS_UNSAID if line.units is None else line.units


def step_of(units: Decimal) -> int:
    """The least that may be granted of units: a whole one, if they were billed whole."""
    return SCALE if units % 1 == 0 else MILLIONTH


def cent_of(charge: Decimal) -> int:
    """The least that may be granted of a charge: a cent, if it was billed in cents."""
    return CENT if charge % _CENT == 0 else MILLIONTH


def service_days(claim: Claim, line: ServiceLine) -> tuple[date, ...] | None:
    """Every day that a line spans, first to last; None for more than ``SPAN_DAYS_MAX``."""
    first, last = days_of(claim, line)
    count = (last - first).days + 1
    if count > SPAN_DAYS_MAX:
        return None
    return tuple(first + timedelta(days=number) for number in range(count))


def units_by_day(
    line: ServiceLine, days: Sequence[date], *, is_daily: bool
) -> list[tuple[date, int]] | None:
    """The scaled units of every day of a line that is billed by the day; None for any other.

    It is, where it counts days, or where its units divide evenly by the days that it spans. Fewer
    days billed than spanned are its first ones: the day of discharge is not counted.
    """
    units, whole = units_of(line), scaled(units_of(line))
    if is_daily and units < len(days):
        counted = range(-(-whole // SCALE))
        return [(days[place], min(SCALE, whole - place * SCALE)) for place in counted]
    if is_daily or (len(days) > 1 and units % len(days) == 0):
        return list(zip(days, spread(whole, len(days), step_of(units)), strict=True))
    return None


def spread(total: int, count: int, step: int = 1) -> list[int]:
    """Divide a total (of whole steps) evenly, in whole steps; the first get what is left over."""
    each, rest = divmod(total // step, count)
    return [(each + (place < rest)) * step for place in range(count)]
