"""Pieces of what a claim holds: cut at the units of its line, and written as a plan counts."""

from collections.abc import Sequence
from dataclasses import replace

from service.accounting.books.plan import Debit, Draw, Part
from service.accounting.books.rows import HeldDebit, HeldRow
from service.accounting.books.scale import CENT

_MILLIONTH = 3

Parts = list[tuple[Part, Sequence[Draw]]]


def placed(parts: Parts, row: HeldRow, *, is_same: bool) -> list[tuple[HeldRow, Part, Draw, int]]:
    """Cut a row by the parts of a plan: each piece, its part and draw, the part's first unit.

    Of a part that several periods may hold, the draw is that of the periods that the row is counted
    in, where it counts in the same periods still (``is_same``); if it is in none of them nobody can
    say in which it fell, and there are no pieces.
    """
    placed, first = [], 0
    accounts = {each.account for each in row.debits}
    for part, draws in parts:
        piece = cut(row, first, first + part.want)
        if piece is not None:
            same = [each for each in draws if {debit.account for debit in each.debits} <= accounts]
            found = draws if len(draws) == 1 else same if is_same else []
            if not found:
                return []
            placed.append((piece, part, found[0], first))
        first += part.want
    return placed


def cut(row: HeldRow, first: int, end: int) -> HeldRow | None:
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


def debit_of(debit: Debit, part: Part, piece: HeldRow, first: int) -> HeldDebit:
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


def renumbered(row: HeldRow, number: int) -> HeldRow:
    """Let a row stand as it was counted, on the accounts of another number."""
    was, now = f"L{row.authorization_line}", f"L{number}"
    debits = tuple(
        replace(each, account=now + rest)
        if each.account.startswith(was) and (rest := each.account[len(was) :])[:1] in ("", "@", "~")
        else each
        for each in row.debits
    )
    return replace(row, authorization_line=number, debits=debits)
