"""What a claim adds to the counters of ``counters.yaml``, and what they come to with it.

A counter is an account without limits in a book of the member, so that it is moved, given back and
replayed as all accounts are.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from service.accounting.books.books import CounterBook
from service.accounting.books.rows import COUNTED, HeldDebit, HeldRow
from service.accounting.books.scale import SCALE, scaled
from service.accounting.planning.counting import (
    is_daily,
    provider_of,
    service_days,
    service_of,
    units_by_day,
    units_of,
)
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_values import days_of
from service.domain.counters import Counter
from service.domain.reference import References

Values = Mapping[str, int | float | None]
"""By counter, how much it comes to; None where that is not known."""

UNPAID = "0"
"""The frequency of a claim that asks for no payment: it is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one claim line adds to one account of a counter, scaled; visits and days as tokens.

    ``is_known``: the line says enough to be counted.
    """

    counter: str
    account: str
    is_kept: bool
    is_known: bool = True
    units: int = 0
    amount: int = 0
    visits: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    @property
    def tokens(self) -> list[str]:
        """The visits and days, as the book names who holds them."""
        visits = [f"{self.account}|u|{item}" for item in self.visits]
        return visits + [f"{self.account}|d|{item}" for item in self.days]


Tallies = Mapping[int, Sequence[Tally]]
"""By claim line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What other claims hold: by account a sum, scaled, and the visits and days in it."""

    sums: Mapping[str, int] = field(default_factory=dict)
    tokens: Container[str] = frozenset()


def tallies_of(claim: Claim, references: References) -> Tallies:
    """What every line adds to every counter that counts it."""
    counters = references.counters.counters
    if not counters:
        return {}
    return {
        line.line: tuple(
            tally
            for name, counter in counters.items()
            if units_of(line) > 0 and counter.fits(service_of(line, ""), references.groups)
            for tally in _tallies(name, counter, claim, line, references)
        )
        for line in claim.lines
    }


def _tallies(
    name: str, counter: Counter, claim: Claim, line: ServiceLine, references: References
) -> Iterator[Tally]:
    """One for each period that the line touches; units and money count in that of its first day."""
    provider = provider_of(claim, line) if counter.each_provider else ""
    start = f"{name}:{provider}@" if counter.each_provider else f"{name}@"
    is_known = bool(provider) or not counter.each_provider

    def tally(day: date, **counted: int | tuple[str, ...]) -> Tally:
        account = f"{start}{counter.start_of(day)}" if counter.is_kept else start
        has_charge = counter.counts != "amount" or line.charge is not None
        return Tally(
            counter=name,
            account=account,
            is_kept=counter.is_kept,
            is_known=is_known and has_charge,
            **counted,  # type: ignore[arg-type]
        )

    first, _ = days_of(claim, line)
    if counter.counts == "units":
        yield tally(first, units=scaled(units_of(line)))
    elif counter.counts == "amount":
        yield tally(first, amount=scaled(line.charge) if line.charge is not None else 0)
    else:
        by_period: dict[date, list[date]] = {}
        for day in _days(claim, line, references):
            by_period.setdefault(counter.start_of(day), []).append(day)
        for days in by_period.values():
            if counter.counts == "days":
                yield tally(days[0], days=tuple(map(str, days)))
            else:
                who = provider_of(claim, line)
                yield tally(days[0], visits=tuple(f"{day}|{who}" for day in days))


def _days(claim: Claim, line: ServiceLine, references: References) -> Sequence[date]:
    """The days of a line that count: of days that were billed, so many; of a very long span one."""
    days = service_days(claim, line)
    if days is None:
        return days_of(claim, line)[:1]
    if not is_daily(line, references):
        return days
    return [day for day, _ in units_by_day(line, days, is_daily=True) or ()]


def held_by_others(books: Iterable[CounterBook], own: Iterable[HeldRow]) -> Held:
    """What is counted without these rows, which the claim is to replace."""
    sums: dict[str, int] = {}
    counts: dict[str, int] = {}
    for book in books:
        for name, value in book.fields.items():
            account, dot, _ = name.rpartition(".")
            if dot and account:
                sums[account] = sums.get(account, 0) + int(value)
        for token, state in book.tokens.items():
            if token in counts:  # of two ids of one person
                account = token.partition("|")[0]
                sums[account] -= SCALE
            counts[token] = counts.get(token, 0) + sum(map(int, state.split(":")))
    for debit in (debit for row in own if row.kind == COUNTED for debit in row.debits):
        left = sums.get(debit.account, 0) - debit.amount
        sums[debit.account] = left - (0 if debit.unit_tokens else debit.units)
        for measure, items in (("u", debit.unit_tokens), ("d", debit.day_tokens)):
            for token in (f"{debit.account}|{measure}|{item}" for item in items):
                counts[token] = counts.get(token, 0) - 1
                if not counts[token]:
                    sums[debit.account] -= SCALE
    return Held(sums=sums, tokens={token for token, count in counts.items() if count > 0})


def counted_values(tallies: Tallies, references: References, held: Held) -> Mapping[int, Values]:
    """What every counter comes to, line by line, with the lines before it; of a claim all of them.

    0 for a line that a counter does not count; of several periods that a line touches the most.
    """
    counters = references.counters.counters
    values: dict[int, dict[str, int | float | None]] = {
        line: dict.fromkeys(counters, 0) for line in tallies
    }
    sums: dict[str, int] = {}
    seen: set[str] = set()
    unknown: set[str] = set()
    for line, of_line in tallies.items():
        for tally in of_line:
            new = {one for one in tally.tokens if one not in seen and one not in held.tokens}
            seen |= new
            before = sums.get(tally.account, held.sums.get(tally.account, 0))
            sums[tally.account] = before + tally.units + tally.amount + SCALE * len(new)
            unknown |= set() if tally.is_known else {tally.account}
            values[line][tally.counter] = _most(
                values[line][tally.counter], sums[tally.account], tally.account in unknown
            )
    for line, of_line in tallies.items():
        for tally in (tally for tally in of_line if not tally.is_kept):
            values[line][tally.counter] = _most(0, sums[tally.account], tally.account in unknown)
    return values


def _most(before: int | float | None, total: int, is_unknown: bool) -> int | float | None:
    """The greater of two counts, as tables count; None where one is not known."""
    if before is None or is_unknown:
        return None
    found = Fraction(total, SCALE)
    return max(before, int(found) if found.denominator == 1 else float(found))


def counted_rows(claim: Claim, tallies: Tallies, book: str) -> tuple[HeldRow, ...]:
    """The rows with which a claim is counted in a member's book of counters."""
    if claim.frequency == UNPAID:
        return ()
    return tuple(
        HeldRow(
            line=line.line,
            part=0,
            kind=COUNTED,
            authorization_id=book,
            authorization_line=0,
            origin=COUNTED,
            units=scaled(units_of(line)),
            amount=scaled(line.charge) if line.charge is not None else 0,
            debits=debits,
        )
        for line in claim.lines
        if (debits := tuple(map(_debit, filter(_is_kept, tallies.get(line.line, ())))))
    )


def _is_kept(tally: Tally) -> bool:
    return tally.is_kept


def _debit(tally: Tally) -> HeldDebit:
    return HeldDebit(
        account=tally.account,
        units=tally.units,
        amount=tally.amount,
        numerator=1,
        denominator=1,
        unit_tokens=tally.visits,
        day_tokens=tally.days,
    )
