"""Checks a replayed book against itself, compares it with what is stored, and condenses it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from service.accounting.books.rows import HeldRow, write_row
from service.accounting.replay._holdings import Holdings, Sums, stored_balances, stored_tokens
from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_page import Difference

ABSENT = "nothing"
_DIGESTS = 2**256


def check_holdings(replayed: Replayed) -> list[Difference]:
    """Set balances and tokens against the sum of what all claims hold."""
    held = Holdings()
    for status, rows in replayed.held.values():
        held.add((row for row in rows if replayed.mine(row["a"])), status)
    stored = {name: stored_balances(fields) for name, fields in replayed.accounts.items()}
    tokens = {name: stored_tokens(fields) for name, fields in replayed.tokens.items()}
    return [
        *compare_sums(held.balances(), stored),
        *compare_sums(held.tokens, tokens),
    ]


def holds_all(
    name: str, fields: Mapping[str, str], claims: Iterable[tuple[str, Iterable[HeldRow]]]
) -> bool:
    """Whether some claims, by their status, hold all that the accounts of an authorization say."""
    held = Holdings()
    for status, rows in claims:
        held.add((write_row(row) for row in rows if row.authorization_id == name), status)
    return held.balances().get(name, {}) == stored_balances(fields)


def compare_sums(expected: Sums, found: Sums) -> Iterator[Difference]:
    """Set numbers by authorization against others: what is not there is zero."""
    for name in dict.fromkeys((*expected, *found)):
        own, stored = expected.get(name, {}), found.get(name, {})
        what = f"authorization {name}"
        yield from compare_fields(what, own, stored, why=", of claims", absent="0")


def compare_fields(
    what: str,
    expected: Mapping[str, object],
    found: Mapping[str, object],
    *,
    why: str = "",
    absent: str = ABSENT,
) -> Iterator[Difference]:
    """Set the fields of a stored hash against those of the ledger."""
    for field in dict.fromkeys((*expected, *found)):
        if expected.get(field) != found.get(field):
            yield Difference(
                what=what,
                field=f"{field}{why}",
                expected=str(expected.get(field, absent)),
                found=str(found.get(field, absent)),
            )


@dataclass(slots=True)
class Digest:
    """Condenses hashes by name, in whatever order and in however many parts they come."""

    _sum: int = 0

    def add(self, name: str, value: object) -> None:
        """Take one in: the sum of SHA-256 of each does not depend on the order."""
        text = orjson.dumps([name, value], option=orjson.OPT_SORT_KEYS)
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(text).digest())) % _DIGESTS

    def __str__(self) -> str:
        """Write it in hexadecimal."""
        return f"{self._sum:064x}"
