"""Looks back for a claim: what its lines add to the counters, and what these come to.

Tables ask for it (``counted.NAME``): so it is known before it is decided what a line needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from service.accounting.books.books import LookedUp
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.rows import HeldRow, counter_book
from service.accounting.planning.tallies import (
    Held,
    Tallies,
    Values,
    counted_rows,
    counted_values,
    held_by_others,
    tallies_of,
)
from service.domain.claim import Claim
from service.domain.reference import References
from service.rules.book import RuleBook

_VOID = "8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What a claim adds to the counters; ``looks_back``: what it needs depends on other claims."""

    claim: Claim
    references: References
    tallies: Tallies
    looks_back: bool

    @classmethod
    def of(cls, claim: Claim, rules: RuleBook) -> Self:
        """Count a claim; a void counts nothing."""
        tallies = {} if claim.frequency == _VOID else tallies_of(claim, rules.references)
        is_kept = any(tally.is_kept for of_line in tallies.values() for tally in of_line)
        return cls(
            claim=claim,
            references=rules.references,
            tallies=tallies,
            looks_back=is_kept and rules.tables.looks_back,
        )

    def values(
        self, found: LookedUp | None, original: ClaimState | None = None
    ) -> Mapping[int, Values]:
        """What the counters come to, without what the claim, or its original, was before.

        Rows in other books are not taken off: a claim id may be that of another person.
        """
        if found is None or not self.looks_back:
            return self.with_held(Held())
        return self.with_held(held_beside(found, original))

    def with_held(self, held: Held) -> Mapping[int, Values]:
        """What the counters come to where others hold so much."""
        return counted_values(self.tallies, self.references, held if self.looks_back else Held())

    def rows(self, owner: str) -> Sequence[HeldRow]:
        """The rows with which the claim is counted for a member."""
        return counted_rows(self.claim, self.tallies, counter_book(owner))


def held_beside(found: LookedUp, original: ClaimState | None = None) -> Held:
    """What is counted beside a claim, its charges, and the original that it is to replace."""
    rows = [row for each in (found.claim, *found.charges) for row in each.rows]
    if original is not None and original.claim_id != found.claim.claim_id:
        rows += original.rows
    own = (row for row in rows if row.authorization_id in found.counters)
    return held_by_others(found.counters.values(), own)
