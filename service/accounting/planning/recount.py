"""What claims hold of an authorization, counted as another version of it counts.

Use follows the service, whatever line it stands in by now, and is expressed in the units and the
periods of that line. What a claim holds in all, in its own units and in money, never changes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple, cast

from service.accounting.books.plan import base_of
from service.accounting.books.rows import HeldRow
from service.accounting.limits.bounds import (
    RATED,
    RENEWED,
    RenewalUnknown,
    accounts_of,
    bounds_of,
)
from service.accounting.limits.choice import HEADER, Asked, Choice, line_of, window_of
from service.accounting.limits.lines import KnownLine, Untold, follow, lines_of
from service.accounting.planning._parts import contains
from service.accounting.planning._pieces import Parts, cut, debit_of, placed, renumbered
from service.accounting.planning.counting import conversion, is_daily, service_days, units_by_day
from service.accounting.planning.planning import plan_claim
from service.domain import codes
from service.domain.accounting_policy import DEFAULT_UNIT
from service.domain.authorization import Authorization
from service.domain.claim import AuthorizationKind, Claim, ServiceLine
from service.domain.reference import References
from service.domain.values import DateSpan

_FAR = 10**6

Corrected = tuple[int, ...]
"""Units, amount and days that were added by hand, scaled; below zero what was taken off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A claim as it was sent, with all that it holds; ``query_types`` are those of its lines."""

    claim: Claim
    rows: tuple[HeldRow, ...]
    query_types: Mapping[tuple[int, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The version that counts what was drawn on ``source`` (itself, or one that it replaces).

    ``old`` are the lines that the books know of the source, ``corrections`` what was corrected by
    hand, by account (units, amount, days), ``units`` those of its bases, ``limited`` its lines with
    limits (0: the header), ``untold`` those that could not say it before. ``is_forced``: what may
    be of either of two lines counts as gone, for review.
    """

    source: str
    old: tuple[KnownLine, ...]
    authorization: Authorization
    references: References
    is_forced: bool = False
    corrections: Mapping[str, Corrected] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    limited: frozenset[int] = frozenset()
    untold: frozenset[int] = frozenset()

    @property
    def is_replacement(self) -> bool:
        """Whether use goes from one authorization to another."""
        return self.source != self.authorization.authorization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """What each claim holds then, in the order of the holders.

    ``gone`` are lines that are not there any more and still hold units, with the numbers that they
    have from now on. ``corrections`` are what was corrected by hand on its accounts by then, and
    ``left`` what stays where it was; ``kinds`` are the units of those of lines that are gone, by
    base. ``untold`` are lines whose measure cannot say what was drawn before.
    """

    rows: tuple[tuple[HeldRow, ...], ...]
    gone: tuple[KnownLine, ...]
    untold: frozenset[int]
    corrections: Mapping[str, Corrected] = field(default_factory=dict)
    left: Mapping[str, Corrected] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)


class _Piece(NamedTuple):
    """A row, or a part of it, and the line that has it by now; None: that is gone."""

    row: HeldRow
    line: int | None


def recount(holders: Sequence[Holder], target: Target) -> Recounted:
    """Count what claims hold anew; raises Untold where a line cannot be told from another.

    Where one authorization replaces another, what fits none of its lines stays where it is.
    """
    counted = _Recount(holders, target)
    rows = tuple(tuple(counted.rows_of(each)) for each in holders)
    counted.correct()
    return Recounted(
        rows=rows,
        gone=counted.gone,
        untold=frozenset(counted.untold),
        corrections=counted.corrections,
        left=counted.left,
        kinds=counted.kinds,
    )


class _Recount:
    """Follows the lines of the source once, then counts claim after claim."""

    def __init__(self, holders: Iterable[Holder], target: Target) -> None:
        self._target = target
        self.untold: set[int] = set()
        mine = (row for each in holders for row in each.rows)
        drawn = {row.authorization_line for row in mine if self._is_mine(row)}
        drawn |= {line_in(account) for account in target.corrections} - {HEADER}
        self.corrections: dict[str, Corrected] = {}
        self.left: dict[str, Corrected] = {}
        self.kinds: dict[str, str] = {}
        self._bounds = bounds_of(target.authorization)
        old = {each.number: each for each in target.old}
        old |= {each: KnownLine(each, "", "", "", "", "") for each in drawn - old.keys()}
        new = lines_of(target.authorization)
        if target.is_replacement:  # another sender's identifiers, or those of other lines
            old = {number: each._replace(own="") for number, each in old.items()}
        known = list(old.values())
        try:
            self._lines = follow(known, new, drawn)
        except Untold:
            if not target.is_forced:
                raise
            self._lines = dict.fromkeys(old, ())
        taken = {number for numbers in self._lines.values() for number in numbers}
        self._added = [each.number for each in new if each.number not in taken]
        self._old = old
        self._gone: dict[int, int] = {}
        self._numbers = {each.number for each in new}
        self._periods = {each.number: each.periods for each in new}

    @property
    def gone(self) -> tuple[KnownLine, ...]:
        """Lines that are not there any more, and are held still."""
        return tuple(
            self._old[number]._replace(number=now) for number, now in sorted(self._gone.items())
        )

    def _is_mine(self, row: HeldRow) -> bool:
        return row.authorization_id == self._target.source

    def rows_of(self, holder: Holder) -> Iterator[HeldRow]:
        """Give all rows of a claim: those of other authorizations as they are."""
        lines = {line.line: line for line in holder.claim.lines}
        pieces = [
            piece
            for row in holder.rows
            for piece in (
                self._pieces(row, holder.claim, lines[row.line])
                if self._is_mine(row)
                else (_Piece(row, None),)
            )
        ]
        plans = self._plans(holder, pieces)
        for row, number in pieces:
            if not self._is_mine(row) or (number is None and self._target.is_replacement):
                yield row
            elif number is None:
                yield from self._gone_rows(row, plans.get((row.line, HEADER)))
            else:
                yield from self._counted(row, number, plans.get((row.line, number)))

    def correct(self) -> None:
        """Have what was corrected by hand go with its lines; raises Untold."""
        for account, corrected in self._target.corrections.items():
            number = self._corrected_line(account)
            if number is None:
                self.left[account] = corrected
                continue
            name, units = self._recorrected(account, number, corrected[0])
            before = self.corrections.get(name, (0, 0, 0))
            now = (units, *corrected[1:])
            self.corrections[name] = tuple(map(sum, zip(before, now, strict=True)))

    def _corrected_line(self, account: str) -> int | None:
        """The line that has a correction by now; None: it stays where it is."""
        line, target = line_in(account), self._target
        found = self._limited((HEADER,) if line == HEADER else self._lines[line])
        if len(found) > 1:
            self._hold("may be of either of two lines")
        if len(found) == 1:
            return found[0]
        if target.is_replacement:
            return None
        if self._added:
            self._hold("may be of a line that is new")
            self.untold.update(self._added)
        return HEADER if line == HEADER else self._gone_number(line)

    def _limited(self, numbers: Sequence[int]) -> Sequence[int]:
        """Where limits went from the header to lines, or the other way: those that have them."""
        target = self._target
        lines = [each.line for each in target.authorization.lines]
        if not numbers and not lines:
            return (HEADER,)
        others = lines if HEADER in numbers else [HEADER]
        now = {line_in(name) for name, each in self._bounds.items() if each.is_limited}
        if now.intersection(numbers) or target.limited.intersection(others):
            return numbers
        return [each for each in others if each in now] or numbers

    def _hold(self, why: str) -> None:
        if not self._target.is_forced:
            raise Untold(f"what was corrected by hand {why}: take it off before")

    def _recorrected(self, account: str, number: int, units: int) -> tuple[str, int]:
        """Name the account on which a correction is by now, and give its units in that measure."""
        authorization, references = self._target.authorization, self._target.references
        base = base_of(account)
        head, sign = f"L{number}" if number else "H", base[-1] if base[-1] in "@~" else ""
        if sign == RENEWED and head in self._bounds:  # the periods are one by now
            sign, account = "", base
        now, day, was = head + sign, account[len(base) :], self._target.units.get(base)
        if now not in self._bounds:
            if number not in {HEADER, *self._numbers} and was:
                self.kinds[now] = was
            elif sign != RATED:  # a rate that is not there any more limits nothing
                self._cannot_say(number)
            return now + day, units
        name = self._period(now, day, number) if day else now
        held = self._bounds[now].unit or DEFAULT_UNIT
        if not units or not was:
            return name, units
        rate = conversion(was, held, _as_billed(authorization, number), references)
        if rate is None:
            self._hold("does not convert into the unit of the version")
            self._cannot_say(number)
            return name, units
        return name, -(-units * rate.numerator // rate.denominator)

    def _period(self, base: str, day: str, number: int) -> str:
        """The account of the period that has the first day of the period of a correction."""
        week_starts_on = self._target.references.accounting.week_starts_on
        try:
            accounts = accounts_of(self._target.authorization, number, week_starts_on)
        except RenewalUnknown:
            self._cannot_say(number)
            return base + day
        (account,) = (each for each in accounts if each.base == base)
        return account.name_on(date.fromisoformat(day))

    def _cannot_say(self, number: int) -> None:
        self.untold |= self._numbers if number == HEADER else {number} & self._numbers

    def _pieces(self, row: HeldRow, claim: Claim, line: ServiceLine) -> list[_Piece]:
        """Say which line has which part of a row by now."""
        found = self._lines[row.authorization_line] or self._naming(line)
        if not found:
            return [_Piece(row, None)]
        if len(found) == 1:
            return [_Piece(row, found[0])]
        try:
            return self._by_days(row, found, claim, line)
        except Untold:
            if not self._target.is_forced:
                raise
            return [_Piece(row, None)]

    def _naming(self, line: ServiceLine) -> tuple[int, ...]:
        """Find lines that are new, and name what the claim line bills, or nothing at all."""
        authorization = self._target.authorization
        if not authorization.lines:
            return (HEADER,)
        procedure = codes.bare(line.procedure) if line.procedure else None
        added = [line_of(authorization, number) for number in self._added]
        named = [
            each.line
            for each in added
            if procedure and each.procedure and each.procedure.names(procedure)
        ]
        open_ = [each.line for each in added if not each.procedure and not each.revenue_code]
        return tuple(named or open_)

    def _by_days(
        self, row: HeldRow, found: Sequence[int], claim: Claim, line: ServiceLine
    ) -> list[_Piece]:
        """Tell lines of one service apart by the days of what was drawn."""
        authorization = self._target.authorization
        windows = {number: window_of(authorization, number) for number in found}
        days = service_days(claim, line) or ()
        by_day = units_by_day(line, days, is_daily=is_daily(line, self._target.references))
        if by_day is None:
            numbers = {_line_on(day, windows) for day in days}
            if len(numbers) > 1:
                raise Untold(
                    "what was drawn before spans the days of two lines, and does not divide by them"
                )
            return [_Piece(row, numbers.pop())]
        pieces, first = list[_Piece](), 0
        for day, units in by_day:
            part = cut(row, first, first + units)
            if part is not None:
                pieces.append(_Piece(part, _line_on(day, windows)))
            first += units
        return pieces

    def _plans(self, holder: Holder, pieces: Iterable[_Piece]) -> dict[tuple[int, int], Parts]:
        """Plan the lines of a claim on the lines that have them by now, all of it at a time.

        A claim line of which several have a part is planned on each.
        """
        wanted: dict[int, list[int]] = {}
        kinds = {}
        for row, number in pieces:
            if self._is_mine(row):
                of_line = wanted.setdefault(row.line, [])
                of_line += {number or HEADER} - set(of_line)
                kinds[row.line] = cast(AuthorizationKind, row.kind)
        plans: dict[tuple[int, int], Parts] = {}
        for turn in range(max(map(len, wanted.values()), default=0)):
            numbers = {line: each[min(turn, len(each) - 1)] for line, each in wanted.items()}
            asked = [
                Asked(
                    line=line,
                    kind=kinds[line.line],
                    query_type=holder.query_types[line.line, kinds[line.line]],
                    choices=(self._choice(numbers[line.line]),),
                )
                for line in holder.claim.lines
                if line.line in numbers
            ]
            planned = plan_claim(holder.claim, asked, self._target.references)
            for each in planned.plan.lines:
                parts: Parts = [(part, part.ways[0].draws) for part in each.parts]
                plans[each.line, numbers[each.line]] = parts
        return plans

    def _choice(self, number: int) -> Choice:
        authorization = self._target.authorization
        return Choice(authorization=authorization, line=number, origin="automatic", is_held=True)

    def _counted(self, row: HeldRow, number: int, parts: Parts | None) -> Iterator[HeldRow]:
        """Write what a row holds of a line, part by part; where that cannot count it, as it was."""
        own = replace(renumbered(row, number), authorization_id=self._choice(number).key[0])
        line = row.authorization_line
        is_same = self._old[line].periods == self._periods.get(number)
        is_same = is_same and line not in self._target.untold
        found = placed(parts or [], own, is_same=is_same)
        if not found:
            self.untold.add(number)
            yield own
        for piece, part, draw, first in found:
            debits = tuple(debit_of(each, part, piece, first) for each in draw.debits)
            yield replace(piece, part=part.number, debits=debits)

    def _gone_number(self, number: int) -> int:
        """The number of a line that is gone: its own, if no line has that by now."""
        if number not in self._gone:
            used = {*self._numbers, *self._gone.values()}
            is_free = number not in used and number != HEADER
            self._gone[number] = number if is_free else max({*used, *self._old}) + 1
        return self._gone[number]

    def _gone_rows(self, row: HeldRow, header: Parts | None) -> Iterator[HeldRow]:
        """Keep what a row holds of a line that is gone, and count it for the header."""
        now = self._gone_number(row.authorization_line)
        own = renumbered(row, now)
        found = placed(header or [], own, is_same=True)
        if not found:
            yield own
        for piece, part, draw, first in found:
            kept = [each for each in piece.debits if not each.account.startswith("H")]
            debits = (*(debit_of(each, part, piece, first) for each in draw.debits), *kept)
            yield replace(piece, part=part.number, debits=debits)


def _as_billed(authorization: Authorization, number: int) -> ServiceLine:
    """What a claim would bill of a line: its first code, its modifiers."""
    line = line_of(authorization, number) if number else None
    procedure = line.procedure.from_ if line and line.procedure else None
    return ServiceLine(line=1, procedure=procedure, modifiers=line.modifiers if line else ())


def line_in(account: str) -> int:
    """The number of the line of an account; that of the header is 0."""
    base = base_of(account).rstrip("@~")
    return HEADER if base == "H" else int(base[1:])


def _line_on(day: date, windows: Mapping[int, DateSpan | None]) -> int:
    """The line of a day, else the nearest; raises Untold where several have the day."""
    covering = [number for number, window in windows.items() if contains(window, day)]
    if len(covering) > 1:
        raise Untold(
            f"lines {covering[0]} and {covering[1]} are of one service and of the same days:"
            " what was drawn before may be of either"
        )
    return covering[0] if covering else min(windows, key=lambda each: _away(windows[each], day))


def _away(window: DateSpan | None, day: date) -> int:
    """How many days a window is away from a day; one that never is lies farthest."""
    ends = (window.from_, window.to) if window else ()
    return min((abs((each - day).days) for each in ends if each), default=_FAR)
