"""Checks a replayed bucket against itself, compares it with what is stored, and condenses it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import orjson

from service.accounting.replay.carried import has_travelled
from service.accounting.replay.holdings import Holdings, Sums, stored_balances, stored_tokens
from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_page import Difference

ABSENT = "nothing"


def check_holdings(replayed: Replayed) -> list[Difference]:
    """Set balances and tokens against the sum of what all claims hold.

    Authorizations that were kept in several buckets are left out: see ``travelled``.
    """
    others = {name for name, fields in replayed.accounts.items() if has_travelled(fields)}
    held = Holdings()
    for claim in replayed.claims.values():
        held.add(orjson.loads(claim["mv"]), claim["s"])
    stored = {name: stored_balances(fields) for name, fields in replayed.accounts.items()}
    tokens = {name: stored_tokens(fields) for name, fields in replayed.tokens.items()}
    return [
        *compare_sums("of claims", _without(others, held.balances()), _without(others, stored)),
        *compare_sums("of claims", _without(others, held.tokens), _without(others, tokens)),
    ]


def _without(names: set[str], sums: Sums) -> Sums:
    return {name: each for name, each in sums.items() if name not in names}


def compare_sums(why: str, expected: Sums, found: Sums) -> Iterator[Difference]:
    """Set numbers by authorization against others."""
    for name in dict.fromkeys((*expected, *found)):
        own, stored = expected.get(name, {}), found.get(name, {})
        for field in dict.fromkeys((*own, *stored)):
            if own.get(field) != stored.get(field):
                yield Difference(
                    what=f"authorization {name}",
                    field=f"{field}, {why}",
                    expected=str(own.get(field, 0)),
                    found=str(stored.get(field, 0)),
                )


def compare_fields(
    what: str, expected: Mapping[str, str], found: Mapping[str, str]
) -> Iterator[Difference]:
    """Set the fields of a stored hash against those of the ledger."""
    for field in dict.fromkeys((*expected, *found)):
        if expected.get(field) != found.get(field):
            yield Difference(
                what=what,
                field=field,
                expected=expected.get(field, ABSENT),
                found=found.get(field, ABSENT),
            )


def digest(values: Mapping[str, object]) -> str:
    """Condense values by name to a SHA-256; the order in which they come does not matter."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def digest_of_all(digests: Iterable[tuple[str, str]]) -> str:
    """Condense the digests of named parts, whatever their order."""
    return digest(dict(digests))
