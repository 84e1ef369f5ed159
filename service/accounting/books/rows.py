"""Rows of movement as a claim keeps them: what it drew, from where, so that it can be given back.

The short names are those in which Redis and the ledger hold them (see docs/data-model.md).
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from service.accounting.books.scale import CENT, apportioned, written_amount
from service.domain.claim import AuthorizationKind

COUNTED: Literal["counted"] = "counted"
"""The kind of a row that draws nothing: it counts a line for the tables, in the member's book."""
_COUNTERS = "counted/"  # no id of an authorization has a slash
_MILLIONTH = 3


def counter_book(owner: str) -> str:
    """The id of the book that counts what was billed for a member."""
    return _COUNTERS + owner


def is_counter_book(identifier: str) -> bool:
    """Whether an id is that of a book of counters, and of no authorization."""
    return identifier.startswith(_COUNTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDebit:
    """What a row holds on one account; shared tokens in place of units where it has any."""

    account: str
    units: int
    amount: int
    numerator: int
    denominator: int
    unit_tokens: tuple[str, ...] = ()
    day_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """What one part of a claim line holds of one authorization: claim units, charge, debits.

    ``start`` is the unit of the claim line with which it begins, scaled.
    """

    line: int
    part: int
    kind: AuthorizationKind | Literal["counted"]
    authorization_id: str
    authorization_line: int
    origin: str
    units: int
    amount: int
    debits: tuple[HeldDebit, ...]
    start: int = 0


def read_row(stored: Mapping[str, Any]) -> HeldRow:
    """Read a row as it is stored."""
    return HeldRow(
        line=int(stored["l"]),
        part=int(stored["p"]),
        kind=stored["k"],
        authorization_id=stored["a"],
        authorization_line=int(stored["al"]),
        origin=stored["o"],
        units=int(stored["u"]),
        amount=int(stored["m"]),
        debits=tuple(_read_debit(each) for each in stored["d"]),
        start=int(stored["f"]),
    )


def _read_debit(stored: Sequence[str]) -> HeldDebit:
    account, units, amount, _, numerator, denominator, unit_tokens, day_tokens = stored
    return HeldDebit(
        account=account,
        units=int(units),
        amount=int(amount),
        numerator=int(numerator),
        denominator=int(denominator),
        unit_tokens=tuple(filter(None, unit_tokens.split(","))),
        day_tokens=tuple(filter(None, day_tokens.split(","))),
    )


def write_row(row: HeldRow) -> dict[str, Any]:
    """Write a row as it is stored."""
    return {
        "l": row.line,
        "p": row.part,
        "k": row.kind,
        "a": row.authorization_id,
        "al": row.authorization_line,
        "o": row.origin,
        "u": str(row.units),
        "m": str(row.amount),
        "f": str(row.start),
        "d": [
            [
                each.account,
                str(each.units),
                str(each.amount),
                "0",
                str(each.numerator),
                str(each.denominator),
                ",".join(each.unit_tokens),
                ",".join(each.day_tokens),
            ]
            for each in row.debits
        ],
    }


def units_of(rows: Iterable[HeldRow]) -> dict[int, int]:
    """Give the claim units that each line holds; of a line with two kinds, those of one."""
    by_kind: dict[tuple[int, str], int] = {}
    for row in _drawn(rows):
        key = row.line, row.kind
        by_kind[key] = by_kind.get(key, 0) + row.units
    held: dict[int, int] = {}
    for (line, _), units in by_kind.items():
        held[line] = max(held.get(line, 0), units)
    return held


def amounts_of(rows: Iterable[HeldRow]) -> dict[int, int]:
    """Give the charge that each line holds; of a line with two kinds, the lesser."""
    by_kind = _amounts_by_kind(rows)
    held: dict[int, int] = {}
    for (line, _), amount in by_kind.items():
        held[line] = min(held.get(line, amount), amount)
    return held


def _amounts_by_kind(rows: Iterable[HeldRow]) -> dict[tuple[int, str], int]:
    sums: dict[tuple[int, str], int] = {}
    for row in _drawn(rows):
        key = row.line, row.kind
        sums[key] = sums.get(key, 0) + row.amount
    return sums


def _drawn(rows: Iterable[HeldRow]) -> Iterator[HeldRow]:
    """The rows that draw on authorizations, without those that only count."""
    return (row for row in rows if row.kind != COUNTED)


class MoreThanHeld(ValueError):
    """An amount that is more than what the units that a line keeps were drawn at."""

    def __init__(self, line: int, most: int) -> None:
        """Keep the line, and the most that it may keep, scaled."""
        super().__init__(f"line {line} may keep {written_amount(most)} at most")
        self.line = line


def shrink(
    rows: Sequence[HeldRow], keep: Mapping[int, int], amounts: Mapping[int, int] | None = None
) -> list[HeldRow]:
    """Keep so many claim units of the lines named, the first that were drawn; the rest goes back.

    Lines that are not named keep all. A row that loses a part loses it of its charge, too, and of
    its tokens those that the kept units do not reach. Lines in ``amounts`` keep this charge
    instead: raises MoreThanHeld for more than the rows of their units were drawn at. Every kind of
    a line keeps the same charge.
    """
    priced = amounts or {}
    kept = _by_units(rows, keep, priced)
    most = amounts_of(kept)
    for line, amount in priced.items():
        if amount > most.get(line, 0):
            raise MoreThanHeld(line, most.get(line, 0))
    wanted = {line: priced.get(line, most[line]) for line in most if line in {*keep, *priced}}
    return _by_amount(kept, wanted)


def _by_amount(rows: Sequence[HeldRow], wanted: Mapping[int, int]) -> list[HeldRow]:
    """Lower the charge of lines, evenly over the rows of each kind, to the last cent."""
    places: dict[tuple[int, str], list[int]] = {}
    for place, row in enumerate(rows):
        if row.kind != COUNTED:
            places.setdefault((row.line, row.kind), []).append(place)
    lowered = list(rows)
    for (line, _), mine in places.items():
        amounts = [rows[place].amount for place in mine]
        amount = wanted.get(line, sum(amounts))
        if amount == sum(amounts):
            continue
        cent = CENT if not any(each % CENT for each in (amount, *amounts)) else _MILLIONTH
        shares = apportioned(amount // cent, [each // cent for each in amounts])
        for place, share in zip(mine, shares, strict=True):
            lowered[place] = _at(rows[place], share * cent)
    return lowered


def _at(row: HeldRow, amount: int) -> HeldRow:
    """Give the row at another charge, on the accounts on which its charge counts."""
    debits = tuple(replace(each, amount=amount if each.amount else 0) for each in row.debits)
    return replace(row, amount=amount, debits=debits)


def _by_units(
    rows: Sequence[HeldRow], keep: Mapping[int, int], priced: Container[int]
) -> list[HeldRow]:
    """Keep the first units; rows of lines that are priced keep their whole charge for now."""
    left: dict[tuple[int, str], int] = {}
    begun: set[tuple[int, int, str]] = set()
    kept = []
    for row in rows:
        part = row.line, row.part, row.kind
        is_later = part in begun
        begun.add(part)
        if row.line not in keep:
            kept.append(row)
            continue
        key = row.line, row.kind
        room = left.get(key, keep[row.line])
        units = min(row.units, room)
        left[key] = room - units
        if units == row.units:
            kept.append(row)
        elif units:
            is_priced = row.line in priced
            kept.append(_first(row, units, is_later=is_later, is_priced=is_priced))
    return kept


def _first(row: HeldRow, units: int, *, is_later: bool, is_priced: bool) -> HeldRow:
    """Give the row with only its first so many claim units; a priced one keeps its charge.

    A later row of a part may begin in the middle of a token (a visit that two authorizations
    share); then one more is kept: rather a visit too many than one that is paid twice.
    """
    cent = CENT if row.amount % CENT == 0 else _MILLIONTH
    amount = row.amount * units // row.units
    amount = row.amount if is_priced else amount - amount % cent
    debits = tuple(
        replace(
            each,
            units=_up(units * each.numerator, each.denominator) if not each.unit_tokens else 0,
            amount=amount if each.amount else 0,
            unit_tokens=_reached(each.unit_tokens, units, row.units, is_later),
            day_tokens=_reached(each.day_tokens, units, row.units, is_later),
        )
        for each in row.debits
    )
    return replace(row, units=units, amount=amount, debits=debits)


def _reached(tokens: Sequence[str], units: int, of: int, is_later: bool) -> tuple[str, ...]:
    return tuple(tokens[: _up(len(tokens) * units, of) + is_later])


def _up(number: int, divisor: int) -> int:
    return -(-number // divisor)
