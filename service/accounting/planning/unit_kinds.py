"""Which unit counts as which: what a claim line bills, in the unit that an account holds."""

from fractions import Fraction

from service.domain import codes
from service.domain.accounting_policy import DEFAULT_UNIT
from service.domain.claim import ServiceLine
from service.domain.reference import References


def billed_unit(line: ServiceLine, references: References) -> str:
    """Give what a claim line counts (SV103, SV204); UN, units of service, where it does not say."""
    return references.units.canonical(line.unit or DEFAULT_UNIT)


def conversion(
    billed: str, held: str | None, procedure: str | None, references: References
) -> Fraction | None:
    """Give how many units of an account one billed unit costs; None where the kinds differ.

    An account without a unit counts units as they are billed. Units convert only by the table
    ``unit-conversions``, whose first row that fits is taken; never from visits or to them.
    """
    units = references.units
    if held is None or units.canonical(held) == units.canonical(billed):
        return Fraction(1)
    code = codes.bare(procedure) if procedure else None
    for row in units.conversions:
        rate = row.between(units.canonical(billed), units.canonical(held))
        if rate is not None and row.holds(code, references.groups):
            return rate
    return None
