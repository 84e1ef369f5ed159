"""What claims hold of an authorization, counted as another version of it counts.

Use follows the service, whatever line it stands in by now, and is expressed in the units and the
periods of that line. What a claim holds in all, in its own units and in money, never changes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple, cast

from service.accounting.books.plan import Debit, Draw, Part, base_of
from service.accounting.books.rows import HeldDebit, HeldRow
from service.accounting.books.scale import CENT
from service.accounting.limits.bounds import bounds_of
from service.accounting.limits.choice import HEADER, Asked, Choice, line_of, window_of
from service.accounting.limits.lines import KnownLine, Untold, follow, lines_of
from service.accounting.planning._parts import contains
from service.accounting.planning.counting import conversion, is_daily, service_days, units_by_day
from service.accounting.planning.planning import plan_claim
from service.domain import codes
from service.domain.authorization import Authorization
from service.domain.claim import AuthorizationKind, Claim, ServiceLine
from service.domain.reference import References
from service.domain.values import DateSpan

_MILLIONTH = 3
_FAR = 10**6

Corrected = tuple[int, ...]
"""Units, amount and days that were added by hand, scaled; below zero what was taken off."""

Parts = list[tuple[Part, Sequence[Draw]]]


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
    hand, by account (units, amount, days), and ``units`` those of its bases. ``is_forced``: what
    may be of either of two lines counts as gone, for review.
    """

    source: str
    old: tuple[KnownLine, ...]
    authorization: Authorization
    references: References
    is_forced: bool = False
    corrections: Mapping[str, Corrected] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_replacement(self) -> bool:
        """Whether use goes from one authorization to another."""
        return self.source != self.authorization.authorization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """What each claim holds then, in the order of the holders.

    ``gone`` are lines that are not there any more and still hold units, with the numbers that they
    have from now on. ``corrections`` are what was corrected by hand on its accounts by then, and
    ``left`` what stays where it was. ``untold`` are lines whose measure cannot say what was drawn
    before.
    """

    rows: tuple[tuple[HeldRow, ...], ...]
    gone: tuple[KnownLine, ...]
    untold: frozenset[int]
    corrections: Mapping[str, Corrected] = field(default_factory=dict)
    left: Mapping[str, Corrected] = field(default_factory=dict)


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
    )


class _Recount:
    """Follows the lines of the source once, then counts claim after claim."""

    def __init__(self, holders: Iterable[Holder], target: Target) -> None:
        self._target = target
        self.untold: set[int] = set()
        mine = (row for each in holders for row in each.rows)
        drawn = {row.authorization_line for row in mine if self._is_mine(row)}
        drawn |= {_line_in(account) for account in target.corrections} - {HEADER}
        self.corrections: dict[str, Corrected] = {}
        self.left: dict[str, Corrected] = {}
        old = {each.number: each for each in target.old}
        old |= {each: KnownLine(each, "", "", "", "") for each in drawn - old.keys()}
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
        line = _line_in(account)
        if line == HEADER:
            return HEADER
        found = self._lines[line]
        if len(found) > 1 and not self._target.is_forced:
            raise Untold("what was corrected by hand may be of either of two lines of one service")
        if len(found) == 1:
            return found[0]
        return None if self._target.is_replacement else self._gone_number(line)

    def _recorrected(self, account: str, number: int, units: int) -> tuple[str, int]:
        """Name the account on which a correction is by now, and give its units in that measure."""
        authorization, references = self._target.authorization, self._target.references
        base = base_of(account)
        sign, day = base[-1] if base[-1] in "@~" else "", account[len(base) :]
        now = (f"L{number}" if number else "H") + sign
        bounds = bounds_of(authorization).get(now)
        if bounds is None:  # gone, or not limited so any more
            self.untold |= {number} & self._numbers
            return now + day, units
        held, was = bounds.unit, self._target.units.get(base)
        if not units or not held or not was:
            return now + day, units
        rate = conversion(was, held, _as_billed(authorization, number), references)
        if rate is None:
            self.untold |= {number} & self._numbers
            return now + day, units
        return now + day, -(-units * rate.numerator // rate.denominator)

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
            part = _cut(row, first, first + units)
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
        own = replace(_renumbered(row, number), authorization_id=self._choice(number).key[0])
        placed = _placed(parts or [], own)
        if not placed:
            self.untold.add(number)
            yield own
        for piece, part, draw, first in placed:
            debits = tuple(_debit(each, part, piece, first) for each in draw.debits)
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
        own = _renumbered(row, now)
        placed = _placed(header or [], own)
        if not placed:
            yield own
        for piece, part, draw, first in placed:
            kept = [each for each in piece.debits if not each.account.startswith("H")]
            debits = (*(_debit(each, part, piece, first) for each in draw.debits), *kept)
            yield replace(piece, part=part.number, debits=debits)


def _as_billed(authorization: Authorization, number: int) -> ServiceLine:
    """What a claim would bill of a line: its first code, its modifiers."""
    line = line_of(authorization, number) if number else None
    procedure = line.procedure.from_ if line and line.procedure else None
    return ServiceLine(line=1, procedure=procedure, modifiers=line.modifiers if line else ())


def _line_in(account: str) -> int:
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


def _placed(parts: Parts, row: HeldRow) -> list[tuple[HeldRow, Part, Draw, int]]:
    """Cut a row by the parts of a plan: each piece, its part and draw, the part's first unit.

    Of a part that several periods may hold, the draw is that of the periods that the row is counted
    in; if it is in none of them nobody can say in which it fell, and there are no pieces.
    """
    placed, first = [], 0
    accounts = {each.account for each in row.debits}
    for part, draws in parts:
        piece = _cut(row, first, first + part.want)
        if piece is not None:
            same = [each for each in draws if {debit.account for debit in each.debits} <= accounts]
            found = draws if len(draws) == 1 else same
            if not found:
                return []
            placed.append((piece, part, found[0], first))
        first += part.want
    return placed


def _cut(row: HeldRow, first: int, end: int) -> HeldRow | None:
    """Give the part of a row between two units of the claim line, with its share of the money."""
    begin, stop = max(first - row.start, 0), min(end - row.start, row.units)
    if begin >= stop:
        return None
    if (begin, stop) == (0, row.units):
        return row
    cent = CENT if row.amount % CENT == 0 else _MILLIONTH

    def paid(units: int) -> int:
        share = row.amount * units // row.units
        return row.amount if units == row.units else share - share % cent

    amount = paid(stop) - paid(begin)
    return replace(
        row,
        start=row.start + begin,
        units=stop - begin,
        amount=amount,
        debits=tuple(
            replace(
                each,
                units=0 if each.unit_tokens else _charged(each, stop - begin),
                amount=amount if each.amount else 0,
                unit_tokens=_between(each.unit_tokens, begin, stop, row.units),
                day_tokens=_between(each.day_tokens, begin, stop, row.units),
            )
            for each in row.debits
        ),
    )


def _debit(debit: Debit, part: Part, piece: HeldRow, first: int) -> HeldDebit:
    """Write what a piece takes of an account, as the books do when it is drawn."""
    begin = piece.start - first
    end = begin + piece.units
    return HeldDebit(
        account=debit.account,
        units=0 if debit.unit_tokens else _charged(debit, piece.units),
        amount=piece.amount if debit.counts_amount else 0,
        numerator=debit.numerator,
        denominator=debit.denominator,
        unit_tokens=_reached(debit.unit_tokens, debit.unit_tokens_in_all, begin, end, part),
        day_tokens=_reached(debit.day_tokens, debit.day_tokens_in_all, begin, end, part),
    )


def _reached(
    items: Sequence[str], in_all: int | None, begin: int, end: int, part: Part
) -> tuple[str, ...]:
    """The tokens that are used; those of some days of a part are filled from the first."""
    if in_all is None:
        return _between(items, begin, end, part.want)
    return tuple(items[: -(-max(1, in_all) * (end - begin) // part.want)])


def _between(items: Sequence[str], begin: int, end: int, of: int) -> tuple[str, ...]:
    """The tokens that some units touch, spread evenly over all."""
    return tuple(items[len(items) * begin // of : -(-len(items) * end // of)])


def _charged(debit: Debit | HeldDebit, units: int) -> int:
    return -(-units * debit.numerator // debit.denominator)


def _renumbered(row: HeldRow, number: int) -> HeldRow:
    """Let a row stand as it was counted, on the accounts of another number."""
    was, now = f"L{row.authorization_line}", f"L{number}"
    debits = tuple(
        replace(each, account=now + rest)
        if each.account.startswith(was) and (rest := each.account[len(was) :])[:1] in ("", "@", "~")
        else each
        for each in row.debits
    )
    return replace(row, authorization_line=number, debits=debits)
