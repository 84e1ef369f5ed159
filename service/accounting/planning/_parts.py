"""A claim line in parts: the days on which the same authorizations and periods hold."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from service.accounting.books.plan import Debit, Draw, Part, Way
from service.accounting.books.scale import SCALE, apportioned, scaled
from service.accounting.limits.bounds import Account
from service.accounting.limits.choice import Asked, Choice, unit_price_of
from service.accounting.planning.counting import (
    COMPONENT_MODIFIERS,
    Counting,
    cent_of,
    counts_visits,
    provider_of,
    service_of,
    spread,
    step_of,
    units_of,
)
from service.domain.claim import Claim, ServiceLine
from service.domain.reference import References
from service.domain.values import DateSpan

_WITHOUT_UNITS = frozenset({"charge", "nothing"})
LATE_CHARGES = "5"
TOKENS_MAX = 1_000
"""More visits or studies than this in one part are counted as units, each for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A choice that may be drawn on, with its days, and how the line counts on its accounts."""

    choice: Choice
    window: DateSpan | None
    accounts: tuple[tuple[Account, Counting], ...]

    def covers(self, day: date) -> bool:
        """Whether the authorization line is valid on a day."""
        return contains(self.window, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What was asked for one kind, with the choices that may be drawn on, in order."""

    asked: Asked
    usable: tuple[Usable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days of a line that are drawn together, what is wanted of them, and the draws of each way.

    ``counts`` are the units of each day, rounded up: as many visits or studies it can be. Days of
    one authorization and period are drawn for themselves, but ``within`` the whole stretch.
    """

    days: tuple[date, ...]
    want: int
    counts: tuple[int, ...]
    ways: tuple[tuple[Usable, ...], ...]
    within: "Stretch | None" = None

    @property
    def counted(self) -> Iterator[tuple[date, int]]:
        """Each day with its count."""
        return zip(self.days, self.counts, strict=True)


Reached = list[list[tuple[Usable, bool]]]
"""The choices of each kind, and whether each is drawn also on days that it does not cover."""

Studies = Counter[tuple[date, str, frozenset[str]]]
"""How often a component of a study was billed on a day, on earlier lines of the claim."""


class LineParts:
    """Cuts one claim line into parts."""

    def __init__(
        self,
        claim: Claim,
        line: ServiceLine,
        sought: Sequence[Sought],
        references: References,
        studies: Studies,
    ) -> None:
        """Cut a line with its choices of every kind, after the studies of the lines before it."""
        self._line = line
        self._studies = studies
        self._is_late = claim.frequency == LATE_CHARGES
        self._sought = sought
        self._provider = provider_of(claim, line)
        self._is_priced = references.accounting.unit_price == "bound"
        self._is_in_visits = counts_visits(line, references)
        service = service_of(line, "")
        self._service = service.procedure or service.revenue_code or ""
        self._component = service.modifiers & COMPONENT_MODIFIERS

    def by_day(self, units: Sequence[tuple[date, int]]) -> tuple[Part, ...]:
        """The parts of a line that is billed by the day."""
        reached = self._reached([day for day, _ in units])
        daily = [_stretch((day,), want, reached) for day, want in units]
        alike = groupby(daily, key=_footing)
        return self._written([_joined(tuple(stretches)) for _, stretches in alike])

    def whole(self, days: Sequence[date], want: int) -> tuple[Part, ...]:
        """The one part of any other line: it is drawn in one period after the other."""
        return self._written([_stretch(tuple(days), want, self._reached(days))])

    def _reached(self, days: Sequence[date]) -> Reached:
        return [list(_with_those_near(each.usable, days)) for each in self._sought]

    def _written(self, stretches: Sequence[Stretch]) -> tuple[Part, ...]:
        charge = self._line.charge or Decimal(0)
        cent = cent_of(charge)
        cents = apportioned(scaled(charge) // cent, [each.want for each in stretches])
        parts = tuple(
            Part(
                number=number,
                want=each.want,
                step=step_of(units_of(self._line)),
                charge=share * cent,
                cent=cent,
                days=len(each.days),
                ways=tuple(
                    Way(
                        kind=sought.asked.kind,
                        draws=tuple(
                            self._draw(usable, own)
                            for usable in way
                            for own in _by_period(usable, each)
                        ),
                    )
                    for sought, way in zip(self._sought, each.ways, strict=True)
                ),
            )
            for number, (each, share) in enumerate(zip(stretches, cents, strict=True), start=1)
        )
        for day, count in (counted for each in stretches for counted in each.counted):
            self._studies[day, self._service, self._component] += count
        return parts

    def _draw(self, usable: Usable, stretch: Stretch) -> Draw:
        return Draw(
            authorization_id=usable.choice.authorization.authorization_id,
            line=usable.choice.line,
            origin=usable.choice.origin,
            debits=tuple(self._debit(*each, stretch) for each in usable.accounts),
            price=self._price(usable, stretch) if self._is_priced else None,
        )

    def _price(self, usable: Usable, stretch: Stretch) -> tuple[int, int] | None:
        """The authorized price of a claim unit, as a fraction; None where that is not told.

        It is that of a unit of the authorization line: of a visit, where it counts visits.
        """
        price = unit_price_of(usable.choice.authorization, usable.choice.line)
        name, whole = f"L{usable.choice.line}", stretch.within or stretch
        own = next((each for each in usable.accounts if each[0].base.rstrip("@~") == name), None)
        if not price or own is None:
            return None
        account, counting = own
        is_other = account.bounds.unit is not None and account.bounds.units is None
        if counting.by in _WITHOUT_UNITS or is_other:
            return None
        tokens = len(self._tokens(counting, whole))
        rate = Fraction(tokens * SCALE, whole.want) if tokens else counting.rate
        return (Fraction(price) * rate).as_integer_ratio()

    def _studies_of(self, stretch: Stretch) -> tuple[str, ...]:
        """The studies: two components share one, the same component again is another.

        Late charges come on top of what was billed, so that they share nothing.
        """
        if self._is_late:
            return ()
        return tuple(
            f"{day}|{self._service}|{self._studies[day, self._service, self._component] + number}"
            for day, count in stretch.counted
            for number in range(1, count + 1)
        )

    def _debit(self, account: Account, counting: Counting, stretch: Stretch) -> Debit:
        has_days = account.bounds.days is not None and counting.by not in _WITHOUT_UNITS
        tokens, whole = self._tokens(counting, stretch), stretch.within
        return Debit(
            account=account.name_on(stretch.days[0]),
            numerator=counting.rate.numerator,
            denominator=counting.rate.denominator,
            counts_amount=counting.by != "nothing",
            unit_tokens=tokens,
            day_tokens=tuple(map(str, stretch.days)) if has_days else (),
            unit_tokens_in_all=len(self._tokens(counting, whole)) if whole and tokens else None,
            day_tokens_in_all=len(whole.days) if whole and has_days else None,
        )

    def _tokens(self, counting: Counting, stretch: Stretch) -> tuple[str, ...]:
        """The visits or studies; who names the same one shares it."""
        if counting.by == "visits" and not self._is_in_visits:
            return tuple(f"{day}|{self._provider}" for day, count in stretch.counted if count)
        if counting.by in ("units", *_WITHOUT_UNITS):
            return ()
        if sum((stretch.within or stretch).counts) > TOKENS_MAX:
            return ()
        if counting.by == "study":
            return self._studies_of(stretch)
        return tuple(
            f"{day}|{self._provider}" + (f"|{number}" if number > 1 else "")
            for day, count in stretch.counted
            for number in range(1, count + 1)
        )


def contains(window: DateSpan | None, day: date) -> bool:
    """Whether a day lies in a window; None has no days, an end that is not known is open."""
    if window is None or (window.from_ and day < window.from_):
        return False
    return window.to is None or day <= window.to


def _with_those_near(
    usable: Sequence[Usable], days: Sequence[date]
) -> Iterator[tuple[Usable, bool]]:
    """Each choice, and whether it holds on every day, in spite of its own days.

    It does, where nothing covers any day of the line: it was taken for a date that is near. So does
    one that an examiner selected though it covers none.
    """
    covering = [any(map(each.covers, days)) for each in usable]
    for each, covers in zip(usable, covering, strict=True):
        is_taken = each.choice.is_selected or not any(covering)
        yield each, each.choice.is_held or (not covers and is_taken)


def _stretch(days: tuple[date, ...], want: int, reached: Reached) -> Stretch:
    return Stretch(
        days=days,
        want=want,
        counts=tuple(spread(-(-want // SCALE), len(days))),
        ways=tuple(
            tuple(usable for usable, anyway in way if anyway or any(map(usable.covers, days)))
            for way in reached
        ),
    )


def _by_period(usable: Usable, stretch: Stretch) -> Iterator[Stretch]:
    """The days on which a choice is valid, those of each of its periods for themselves.

    On which of them a unit was given is not known, so that each may have as many as the busiest.
    """
    days = [day for day in stretch.days if usable.choice.holds_anyway or usable.covers(day)]
    periods = [
        tuple(each)
        for _, each in groupby(
            days or stretch.days,
            lambda day: [account.name_on(day) for account, _ in usable.accounts],
        )
    ]
    if periods == [stretch.days]:
        yield stretch
        return
    most = -(-sum(stretch.counts) // len(stretch.days))
    for each in periods:
        yield replace(stretch, days=each, counts=(most,) * len(each), within=stretch)


def _footing(stretch: Stretch) -> object:
    """What two days have in common that are drawn together."""
    day = stretch.days[0]
    return stretch.want, [
        [
            (usable.choice.key, [account.name_on(day) for account, _ in usable.accounts])
            for usable in way
        ]
        for way in stretch.ways
    ]


def _joined(stretches: Sequence[Stretch]) -> Stretch:
    return Stretch(
        days=tuple(day for each in stretches for day in each.days),
        want=sum(each.want for each in stretches),
        counts=tuple(count for each in stretches for count in each.counts),
        ways=stretches[0].ways,
    )
