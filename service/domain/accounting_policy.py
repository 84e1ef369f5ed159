"""How units are counted: which units stand for others, and the payer's rules of drawing on them.

Two files of ``queries/reference``: ``unit-conversions.yaml`` and ``accounting.yaml``.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from service.domain.code_groups import PROCEDURE_GROUPS, Coded, Groups, Members, NamesCodes, twice
from service.domain.event import DenyWith, Outcome
from service.domain.values import Code, Frozen, LongText, Quantity, Text, Weekday

Counts = Literal["units", "visits", "days", "study", "charge", "nothing"]
WhenShort = Literal["cutback", "refuse"]

DEFAULT_UNIT = "UN"
"""What a claim line counts that does not say what it counts: units of service."""

REVENUE_GROUPS = "levels-of-care"
ROWS_MAX = 500

WAITS_FOR: frozenset[Outcome] = frozenset(get_args(Outcome)) - {
    "companion",
    "alternate",
    "unknown_original",
}
"""What another authorization, or a new version of one, may change."""

_FACTOR_MAX = Decimal(10_000)


class Conversion(NamesCodes):
    """One ``from`` is ``factor`` ``to``, and the other way round, for the services named.

    They have one of the procedures and one of the modifiers; what is left out may be any.
    """

    from_: Code = Field(alias="from")
    to: Code
    factor: Annotated[Quantity, Field(gt=0, le=_FACTOR_MAX)]
    procedures: Members | None = None
    modifiers: Annotated[tuple[Code, ...], Field(min_length=1)] | None = None

    _CODED: ClassVar[Coded] = {"procedures": ("procedure", PROCEDURE_GROUPS)}

    @model_validator(mode="after")
    def _between_two_units(self) -> Self:
        if self.from_ == self.to:
            raise ValueError(f"{self.from_} to {self.to} is no conversion")
        return self

    def between(self, billed: str, held: str) -> Fraction | None:
        """How many ``held`` one ``billed`` is; None where the row speaks of other units."""
        if (billed, held) == (self.from_, self.to):
            return Fraction(self.factor)
        if (billed, held) == (self.to, self.from_):
            return 1 / Fraction(self.factor)
        return None

    def fits(self, procedure: str | None, modifiers: Collection[str], groups: Groups) -> bool:
        """Whether the row speaks of a service, given by its (normalised) codes."""
        has_modifier = self.modifiers is None or any(each in modifiers for each in self.modifiers)
        return has_modifier and self.names("procedures", procedure, groups)

    def firsts(self, groups: Groups) -> frozenset[str]:
        """The first code of each of its ranges: rows that share a code share one of these."""
        return self.first_codes("procedures", groups)


class UnitTable(Frozen):
    """``unit-conversions.yaml``: names of one unit, what counts days or visits, and conversions."""

    kind: Literal["unit-conversions"] = "unit-conversions"
    version: Text = "none"
    note: LongText | None = None
    same: dict[Code, Code] = Field(default_factory=dict, max_length=100)
    daily: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)] = ("DA",)
    visits: Annotated[tuple[Code, ...], Field(max_length=20)] = ("VS",)
    conversions: tuple[Conversion, ...] = Field(default=(), max_length=ROWS_MAX)

    @model_validator(mode="after")
    def _units_are_told_apart(self) -> Self:
        ends = [unit for each in self.conversions for unit in (each.from_, each.to)]
        for unit in (*self.same.values(), *self.daily, *self.visits, *ends):
            if unit in self.same:
                raise ValueError(f"{unit} is written {self.same[unit]} here")
        if not set(self.daily).isdisjoint(self.visits):
            raise ValueError("a unit counts days or visits, not both")
        if not set(self.visits).isdisjoint(ends):
            raise ValueError("visits are never converted")
        return self

    def canonical(self, unit: str) -> str:
        """The one name of a unit."""
        return self.same.get(unit, unit)

    def rate(
        self,
        billed: str,
        held: str,
        procedure: str | None,
        modifiers: Collection[str],
        groups: Groups,
    ) -> Fraction | None:
        """How many ``held`` one ``billed`` is, for a service; None where no way leads there.

        Through as many rows as it takes: of two units there is never more than one way, see
        ``faults``. Units by their one name.
        """
        rows = [each for each in self.conversions if each.fits(procedure, modifiers, groups)]
        return _way(rows, billed, held)

    def faults(self, groups: Groups) -> list[str]:
        """What is wrong: groups that are not there, and a second way between two units."""
        rows = tuple(enumerate(self.conversions))
        missing = [(place, fault) for place, each in rows for fault in each.faults(groups)]
        found = missing or [
            (place, fault)
            for place, each in rows
            for fault in _second_way(each, self.conversions[:place], groups)
        ]
        return [f"conversions/{place}: {fault}" for place, fault in found]


def _way(rows: Iterable[Conversion], start: str, end: str) -> Fraction | None:
    """How many ``end`` one ``start`` is by these rows; None where they do not lead there."""
    known = tuple(rows)
    reached = {start: Fraction(1)}
    units = [start]
    for unit in units:
        for row in known:
            other = row.to if unit == row.from_ else row.from_
            rate = row.between(unit, other)
            if rate is not None and other not in reached:
                reached[other] = reached[unit] * rate
                units.append(other)
    return reached.get(end)


def _second_way(row: Conversion, above: Iterable[Conversion], groups: Groups) -> Iterator[str]:
    """Find a service for which the rows above a row lead from one of its units to the other.

    One of them that says the very same of the same two units is no other way. Modifiers keep no
    rows apart, for a line may have several.
    """
    others = [each for each in above if each.between(row.from_, row.to) != Fraction(row.factor)]
    firsts = row.firsts(groups).union(*(each.firsts(groups) for each in others))
    for code in (None, *sorted(firsts)):
        modifiers = [one for each in (row, *others) for one in each.modifiers or ()]
        if not row.fits(code, modifiers, groups):
            continue
        fitting = [each for each in others if each.fits(code, modifiers, groups)]
        rate = _way(fitting, row.from_, row.to)
        if rate is not None:
            yield (
                f"there is another way from {row.from_} to {row.to}"
                f" for {code or 'any procedure'}, by the factor {float(rate):g}"
            )
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledService:
    """What a claim line bills, in one written form, for the template that found its choices."""

    query_type: str
    procedure: str | None
    revenue_code: str | None
    modifiers: frozenset[str]


class ConsumptionRow(NamesCodes):
    """How the lines that it fits are counted; what it does not name may be anything."""

    id: Text
    note: LongText | None = None
    query_types: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    authorization_units: Annotated[tuple[Code, ...], Field(min_length=1)] | None = None
    revenue: Members | None = None
    not_revenue: Members | None = None
    modifiers: Annotated[tuple[Code, ...], Field(min_length=1)] | None = None
    procedures: Members | None = None
    counts: Counts

    _CODED: ClassVar[Coded] = {
        "revenue": ("revenue", REVENUE_GROUPS),
        "not_revenue": ("revenue", REVENUE_GROUPS),
        "procedures": ("procedure", PROCEDURE_GROUPS),
    }

    def fits(self, service: BilledService, unit: str | None, groups: Groups) -> bool:
        """Whether the row counts this service on an account of this (canonical) unit.

        A code that is not known never fits, neither ``revenue`` nor ``not_revenue``.
        """
        if self.query_types is not None and service.query_type not in self.query_types:
            return False
        if self.authorization_units is not None and unit not in self.authorization_units:
            return False
        if self.modifiers is not None and service.modifiers.isdisjoint(self.modifiers):
            return False
        return self._fits_codes(service, groups)

    def _fits_codes(self, service: BilledService, groups: Groups) -> bool:
        revenue = service.revenue_code
        if not self.names("revenue", revenue, groups):
            return False
        if self.not_revenue and (revenue is None or self.names("not_revenue", revenue, groups)):
            return False
        return self.names("procedures", service.procedure, groups)


class PolicyOfType(Frozen):
    """What differs for one type of query."""

    when_short: WhenShort | None = None
    exceeded: DenyWith | None = None


class AccountingPolicy(Frozen):
    """``accounting.yaml``: the payer's choices in drawing units, where the seeds leave one."""

    kind: Literal["accounting-policy"] = "accounting-policy"
    version: Text = "none"
    note: LongText | None = None
    when_short: WhenShort = Field(
        default="cutback", description="Pay what is left (seed 001), or nothing (seed 000)."
    )
    exceeded: DenyWith = DenyWith(group="CO", carc="198")
    by_query_type: dict[Text, PolicyOfType] = Field(default_factory=dict, max_length=100)
    week_starts_on: Weekday = "sunday"
    unit_price: Literal["tell", "bound"] = Field(
        default="tell", description="An authorized unit price is told, or the most that is paid."
    )
    priced: DenyWith = DenyWith(group="CO", carc="45", remarks=("N45",))
    components: Literal["share", "each"] = Field(
        default="share", description="Professional and technical component (26, TC) of one study."
    )
    retro_days_max: Annotated[int, Field(strict=True, ge=0)] | None = Field(
        default=None, description="How many days after the service a certification is accepted."
    )
    review_multiple: bool = False
    status_override: bool = Field(
        default=False, description="An examiner may use a denied or pended one, with a reason."
    )
    waits_for: frozenset[Outcome] = Field(
        default=WAITS_FOR,
        description="A line that is stopped by one of these waits for a later authorization.",
    )
    consumption: tuple[ConsumptionRow, ...] = Field(default=(), max_length=ROWS_MAX)

    @model_validator(mode="after")
    def _each_row_has_its_own_id(self) -> Self:
        if repeated := twice(row.id for row in self.consumption):
            raise ValueError(f"consumption: {', '.join(repeated)} stands twice")
        return self

    def short_of(self, query_type: str) -> WhenShort:
        """What becomes of a line when only a part of its units is left, for one type of query."""
        own = self.by_query_type.get(query_type)
        return (own and own.when_short) or self.when_short

    def exceeded_of(self, query_type: str) -> DenyWith:
        """The adjustment that denies units beyond the limit, for one type of query."""
        own = self.by_query_type.get(query_type)
        return (own and own.exceeded) or self.exceeded

    def counts(self, service: BilledService, unit: str | None, groups: Groups) -> Counts | None:
        """How the first row that fits counts a service; None where none fits."""
        rows = (each for each in self.consumption if each.fits(service, unit, groups))
        return next((each.counts for each in rows), None)

    def faults(self, groups: Groups, units: UnitTable) -> list[str]:
        """What is wrong: groups that are not there, and units by another than their one name."""
        faults = []
        for each in self.consumption:
            faults += [f"consumption/{each.id}: {fault}" for fault in each.faults(groups)]
            faults += [
                f"consumption/{each.id}: {unit} is written {units.same[unit]} here"
                for unit in each.authorization_units or ()
                if unit in units.same
            ]
        return faults
