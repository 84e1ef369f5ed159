"""Checks the balances of authorizations that were kept in several buckets, across all of them.

Such an authorization is open in one bucket. Its balances there are the sum of what claims hold in
all buckets, and of what was given back in theirs but not there yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from service.accounting.replay.carried import MOVED, Hash, has_travelled
from service.accounting.replay.holdings import Holdings, stored_balances, stored_tokens
from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import ABSENT, compare_sums
from service.accounting.replay.ledger_page import Difference, Json
from service.accounting.replay.owed import read_owed


@dataclass(slots=True, kw_only=True)
class Kept:
    """What one bucket knows of such an authorization.

    ``owed`` are claims of the bucket with the number under which each owes something.
    """

    fields: Hash
    tokens: Hash
    holdings: Holdings
    owed: list[tuple[str, int, Json]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether claims can draw on it here."""
        return self.fields["st"] != MOVED

    @property
    def next_bucket(self) -> int | None:
        """The bucket to which it went from here."""
        return None if self.is_open else int(self.fields["to"].partition(":")[0])


def kept_in(replayed: Replayed) -> dict[str, Kept]:
    """Give what a bucket knows of authorizations that were kept in several."""
    kept = {
        name: Kept(fields=fields, tokens=replayed.tokens.get(name, {}), holdings=Holdings())
        for name, fields in replayed.accounts.items()
        if has_travelled(fields)
    }
    if not kept:
        return {}
    for claim_id, claim in replayed.claims.items():
        for row in orjson.loads(claim["mv"]):
            if row["a"] in kept:
                kept[row["a"]].holdings.add([row], claim["s"])
        for name, text in claim.items():
            if name.startswith("ow:"):
                for each in read_owed(text):
                    kept[each["a"]].owed.append((claim_id, int(name[3:]), each))
    return kept


def check_travelled(name: str, everywhere: Iterable[Kept]) -> list[Difference]:
    """Set the balances of an authorization against what claims of all buckets hold."""
    kept = list(everywhere)
    pending = [
        Difference(
            what=f"claims {claim_id}",
            field=f"ow:{number}",
            expected=ABSENT,
            found=f"owed to {name}",
        )
        for each in kept
        for claim_id, number, _ in each.owed
    ]
    return pending + list(_compare(name, kept))


def _compare(name: str, kept: list[Kept]) -> Iterator[Difference]:
    here = [each for each in kept if each.is_open]
    if len(here) != 1:
        yield Difference(
            what=f"authorization {name}",
            field="open",
            expected="in one bucket",
            found=f"in {len(here)}",
        )
        return
    (open_,) = here
    held = Holdings()
    for each in kept:
        held.merge(name, each.holdings)
        for claim_id, number, owed in each.owed:
            if int(open_.fields.get(f"back:{claim_id}", "0")) < number:
                held.add(owed["o"], owed["os"])
                held.add(owed["r"], owed["s"], -1)
    why = "of claims in all buckets"
    balances = held.balances().get(name, {})
    yield from compare_sums(why, {name: balances}, {name: stored_balances(open_.fields)})
    tokens = held.tokens.get(name, {})
    yield from compare_sums(why, {name: tokens}, {name: stored_tokens(open_.tokens)})
