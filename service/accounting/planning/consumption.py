"""How a claim line counts on one account: by its units, its visits, its studies, or not at all."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from service.accounting.books.plan import Bounds
from service.accounting.planning.unit_kinds import billed_unit, conversion
from service.domain import codes
from service.domain.accounting_policy import BilledService
from service.domain.claim import Claim, ServiceLine
from service.domain.reference import References

COMPONENT_MODIFIERS = frozenset({"26", "TC"})
"""Professional and technical component of one study."""


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


def service_of(line: ServiceLine, query_type: str) -> BilledService:
    """Give what a claim line bills, in the form in which rows of the policy are written."""
    return BilledService(
        query_type=query_type,
        procedure=codes.bare(line.procedure) if line.procedure else None,
        revenue_code=codes.revenue_code(line.revenue_code) if line.revenue_code else None,
        modifiers=frozenset(map(codes.bare, line.modifiers)),
    )


def counting_of(
    line: ServiceLine, query_type: str, bounds: Bounds, references: References
) -> Counting | None:
    """Say how a claim line counts on a base; None where the kinds of units differ.

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
    rate = conversion(billed, unit, line.procedure, references)
    if rate is None:
        return None if bounds.units is not None else Counting(by="units", is_daily=days)
    if rate == 1 and (counts == "study" or (counts is None and _is_shared(line, references))):
        return STUDY
    return Counting(by="units", rate=rate, is_daily=days)


def is_daily(line: ServiceLine, references: References) -> bool:
    """Whether a claim line counts days."""
    return billed_unit(line, references) in references.units.daily


def counts_visits(line: ServiceLine, references: References) -> bool:
    """Whether a claim line itself is billed in visits."""
    return billed_unit(line, references) in references.units.visits


def _is_shared(line: ServiceLine, references: References) -> bool:
    modifiers = {codes.bare(each) for each in line.modifiers}
    shares = references.accounting.components == "share"
    return shares and not COMPONENT_MODIFIERS.isdisjoint(modifiers)


def provider_of(claim: Claim, line: ServiceLine) -> str:
    """Name the provider whose visit a line is: who rendered it, else who billed it.

    By NPI, else by the TIN of the billing provider (loops 2310B, 2420A, 2010AA); empty where
    neither is known.
    """
    for provider in (line.rendering_provider, claim.rendering_provider, claim.billing_provider):
        if provider is not None and provider.npi:
            return provider.npi
    return claim.billing_provider.tin or ""
