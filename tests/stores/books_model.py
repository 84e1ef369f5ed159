"""A model of the accumulators: what ``plan`` says of draws, computed by trying, on plain rows.

Balances are never kept here: they are the sum of what the claims hold, added up when asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from service.accounting.books.plan import (
    Bounds,
    ClaimPlan,
    Debit,
    Draw,
    LinePlan,
    Part,
    Way,
    base_of,
)
from service.accounting.books.rows import HeldDebit, HeldRow
from service.accounting.books.scale import SCALE

STATES = {"used": "u", "reserved": "r"}
UNLIMITED = 2**53
Limits = Mapping[str, Mapping[str, Bounds]]
"""Authorization id to base to its limits."""


@dataclass
class ModelClaim:
    """A claim: its status, its version, what it holds, and what replaced it."""

    status: str = "none"
    version: int = 0
    rows: tuple[HeldRow, ...] = ()
    replaced_by: str | None = None


@dataclass
class Granted:
    """The rows that a plan was granted, and the lines that could not get all and so got nothing."""

    rows: list[HeldRow] = field(default_factory=list)
    short: list[int] = field(default_factory=list)


class Tally:
    """Balances, added up from rows."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._numbers: Counter[tuple[str, str, str]] = Counter()
        self._holders: dict[tuple[str, str, str, str], Counter[str]] = {}

    def copy(self) -> "Tally":
        """Give another one with the same balances."""
        other = Tally()
        other._numbers = self._numbers.copy()
        other._holders = {name: held.copy() for name, held in self._holders.items()}
        return other

    def add(self, rows: Iterable[HeldRow], state: str) -> None:
        """Add rows that are used (u) or reserved (r)."""
        for row in rows:
            for each in row.debits:
                place = row.authorization_id, each.account
                self._numbers[*place, f"m{state}"] += each.amount
                if not each.unit_tokens:
                    self._numbers[*place, f"u{state}"] += each.units
                for measure, items in (("u", each.unit_tokens), ("d", each.day_tokens)):
                    for item in items:
                        self._holders.setdefault((*place, measure, item), Counter())[state] += 1

    def is_held(self, authorization: str, account: str, measure: str, item: str) -> bool:
        """Whether anybody holds a visit or day."""
        return (authorization, account, measure, item) in self._holders

    def balances(self) -> dict[tuple[str, str, str], int]:
        """Give every balance that is not zero: authorization, account, measure and state."""
        found = Counter(self._numbers)
        for (authorization, account, measure, _), held in self._holders.items():
            found[authorization, account, measure + ("u" if held["u"] else "r")] += SCALE
        return {name: number for name, number in found.items() if number}

    def spent(self, authorization: str, account: str, measure: str) -> int:
        """Give what is used and reserved together."""
        found = self.balances()
        return sum(found.get((authorization, account, measure + state), 0) for state in "ur")


@dataclass
class Trial:
    """Grants a plan on a tally of its own."""

    tally: Tally
    limits: Limits
    state: str

    def grant(self, plan: ClaimPlan) -> Granted:
        """Serve the lines in their order."""
        granted = Granted()
        for line in plan.lines:
            before = self.tally.copy()
            rows, is_whole = self._line(line)
            if not is_whole and (line.whole_only or not rows):
                self.tally = before
                is_any = rows or any(self._has_any(part) for part in line.parts)
                granted.short += [line.line] if is_any else []
            else:
                granted.rows += rows
        return granted

    def _has_any(self, part: Part) -> bool:
        """Whether every kind has some room, be it for less than a step."""
        tiny = part._replace(step=1)
        return all(
            any(
                (not part.charge or self._money(draw) > 0)
                and steps(tiny, part.want, partial(self._has_room, tiny, draw, 0))
                for draw in way.draws
            )
            for way in part.ways
        )

    def _line(self, line: LinePlan) -> tuple[list[HeldRow], bool]:
        rows: list[HeldRow] = []
        is_whole = True
        first = 0
        for part in line.parts:
            is_all, drawn = self._part(line.line, part)
            drawn = [replace(each, start=each.start + first) for each in drawn]
            first += part.want
            is_whole &= is_all
            rows += drawn
        return rows, is_whole

    def _part(self, line: int, part: Part) -> tuple[bool, list[HeldRow]]:
        """Lower what is wanted until every way grants it; tells if none was short by itself."""
        wanted, ceiling = part.want, part.charge
        before, is_whole = self.tally, None
        while True:
            self.tally = before.copy()
            filled = [self._way(line, part, way, wanted, ceiling) for way in part.ways]
            if is_whole is None:
                is_whole = all(each[3] for each in filled)
            units = [each[0] for each in filled]
            money = [each[1] for each in filled]
            if len(set(units)) == len(set(money)) == 1:
                return is_whole, [row for each in filled for row in each[2]]
            if min(units) == 0:
                self.tally = before
                return False, []
            wanted, ceiling = min(units), min(money)

    def _way(
        self, line: int, part: Part, way: Way, wanted: int, ceiling: int
    ) -> tuple[int, int, list[HeldRow], bool]:
        done, paid, is_worth, rows = 0, 0, True, list[HeldRow]()
        last = self._last_that_gives(part, way, wanted)
        for number, draw in enumerate(way.draws):
            units, due = self._draw(part, draw, done, wanted, is_last=number == last)
            if units:
                is_worth &= due == worth(part, draw, done, units)
                due = min(due, ceiling - paid)
                rows.append(row_of(line, part, way, draw, done, units, due))
                self.tally.add(rows[-1:], STATES[self.state])
                done, paid = done + units, paid + due
        return done, paid, rows, is_worth and done == wanted

    def _draw(
        self, part: Part, draw: Draw, done: int, wanted: int, *, is_last: bool
    ) -> tuple[int, int]:
        """Take as many whole steps as fit and are paid; the last draw pays one more in part."""
        money = self._money(draw)
        money -= money % part.cent
        room = steps(
            part, wanted - done, lambda units: self._has_room(part, draw, done, done + units)
        )
        units = steps(part, room, lambda units: worth(part, draw, done, units) <= money)
        due = worth(part, draw, done, units)
        if is_last and units < room and due < money:
            return units + part.step, money
        return units, due

    def _last_that_gives(self, part: Part, way: Way, wanted: int) -> int | None:
        """Find the last draw that alone could give anything."""
        giving = []
        for number, draw in enumerate(way.draws):
            has_room = partial(self._has_room, part, draw, 0)
            has_money = part.charge == 0 or self._money(draw) >= part.cent
            if has_money and steps(part, wanted, has_room):
                giving.append(number)
        return giving[-1] if giving else None

    def _money(self, draw: Draw) -> int:
        counted = [debit for debit in draw.debits if debit.counts_amount]
        free = (self._free(draw, debit, "amount", "m") for debit in counted)
        return min(free, default=UNLIMITED)

    def _free(self, draw: Draw, debit: Debit, name: str, measure: str) -> int:
        bounds = self.limits[draw.authorization_id][base_of(debit.account)]
        limit: int | None = getattr(bounds, name)
        if limit is None:
            return UNLIMITED
        return max(0, limit - self.tally.spent(draw.authorization_id, debit.account, measure))

    def _has_room(self, part: Part, draw: Draw, start: int, end: int) -> bool:
        """Whether units from one place of the part to another fit on every account."""
        for debit in draw.debits:
            free = self._free(draw, debit, "units", "u")
            if not debit.unit_tokens and charged(debit, end - start) > free:
                return False
            for measure, name, items, in_all in (
                ("u", "units", debit.unit_tokens, debit.unit_tokens_in_all),
                ("d", "days", debit.day_tokens, debit.day_tokens_in_all),
            ):
                wanted = {
                    item
                    for item in reached(part, items, in_all, start, end)
                    if not self.tally.is_held(draw.authorization_id, debit.account, measure, item)
                }
                if len(wanted) * SCALE > self._free(draw, debit, name, measure):
                    return False
        return True


def steps(part: Part, most: int, fits: Callable[[int], bool]) -> int:
    """Give the most units, in whole steps, that fit; what fits does so for fewer units too."""
    low, high = 0, most // part.step
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * part.step) else (low, middle - 1)
    return low * part.step


def cost(part: Part, units: int) -> int:
    """Give what the first so many units of a part were billed at, in whole cents."""
    share = part.charge * units // part.want
    return part.charge if units >= part.want else share - share % part.cent


def worth(part: Part, draw: Draw, done: int, units: int) -> int:
    """Give what units are worth after those before them: their charge, or their price if lower."""
    due = cost(part, done + units) - cost(part, done)
    if draw.price is None:
        return due
    numerator, denominator = draw.price
    price = units * numerator // denominator
    return min(due, price - price % part.cent)


def charged(debit: Debit, units: int) -> int:
    """Give what claim units cost on an account, rounded up."""
    return -(-units * debit.numerator // debit.denominator)


def reached(
    part: Part, items: tuple[str, ...], in_all: int | None, start: int, end: int
) -> tuple[str, ...]:
    """Give the tokens of units from one place to another: spread evenly, each touched counts.

    A draw for some days of a part begins with its own first token.
    """
    if end == start:
        return ()
    if in_all is not None:
        return items[: -(-in_all * (end - start) // part.want)]
    return items[len(items) * start // part.want : -(-len(items) * end // part.want)]


def row_of(line: int, part: Part, way: Way, draw: Draw, done: int, units: int, due: int) -> HeldRow:
    """Write the row of a draw."""
    return HeldRow(
        line=line,
        part=part.number,
        kind=way.kind,
        authorization_id=draw.authorization_id,
        authorization_line=draw.line,
        origin=draw.origin,
        units=units,
        amount=due,
        start=done,
        debits=tuple(
            HeldDebit(
                account=each.account,
                units=0 if each.unit_tokens else charged(each, units),
                amount=due if each.counts_amount else 0,
                numerator=each.numerator,
                denominator=each.denominator,
                unit_tokens=reached(
                    part, each.unit_tokens, each.unit_tokens_in_all, done, done + units
                ),
                day_tokens=reached(
                    part, each.day_tokens, each.day_tokens_in_all, done, done + units
                ),
            )
            for each in draw.debits
        ),
    )


def tally_of(claims: Iterable[ModelClaim]) -> Tally:
    """Add up what claims hold."""
    tally = Tally()
    for each in claims:
        if each.status in STATES:
            tally.add(each.rows, STATES[each.status])
    return tally


def uneven(rows: Iterable[HeldRow], wanted: LinePlan) -> Iterator[int]:
    """Give the parts of a line of which the kinds did not grant the same units."""
    for part in wanted.parts:
        sums: dict[str, int] = {way.kind: 0 for way in part.ways}
        for row in rows:
            if (row.line, row.part) == (wanted.line, part.number):
                sums[row.kind] += row.units
        if len(set(sums.values())) > 1:
            yield part.number
