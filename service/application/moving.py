"""The only way to the units: whatever moves them is first asked for, and projected afterwards.

Nothing else in this room may draw, give back or merge, so that no use forgets either.
"""

from collections.abc import Callable
from dataclasses import dataclass

from service.domain.adjudication import Adjudication, ClaimChange
from service.flow.adjudicating.adjudicate import Adjudicated, adjudicate
from service.flow.adjudicating.claim_life import Changed, Step, change_claim
from service.flow.adjudicating.rooms import Rooms, Run
from service.flow.matching.live_check import LiveCheck
from service.rules.book import RuleBook
from service.stores.authorizations.reading import AuthorizationReading
from service.stores.authorizations.search import AuthorizationSearch
from service.stores.connection.clock import now
from service.stores.ledger.guard import Guard
from service.stores.ledger.projection import Projection
from service.stores.ledger.records import Records
from service.stores.members.alias import Wish
from service.stores.merging.merge import MemberMerge, Merged
from service.stores.units.accumulators import Accumulators

Tell = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What moves units; each raises first of all what the guard of the books does."""

    guard: Guard
    projection: Projection
    books: Accumulators
    source: AuthorizationSearch
    standing: AuthorizationReading
    records: Records
    merging: MemberMerge
    live_check: LiveCheck

    async def adjudicate(self, claim: Adjudication, run: Run, book: RuleBook) -> Adjudicated:
        """Adjudicate one claim by one book of rules; raises what ``adjudicate`` raises."""
        rooms = Rooms(
            rules=book,
            source=self.source,
            standing=self.standing,
            books=self.books,
            records=self.records,
            gathering=self.merging,
        )
        await self.guard.ensure()
        done = await adjudicate(claim, run, rooms)
        self._touch(done)
        if done.matched is not None:
            self.live_check.offer(done.matched)
        return done

    async def change(self, payer: str, step: Step, claim_id: str, change: ClaimChange) -> Changed:
        """Take a step of a claim's life; raises what ``change_claim`` raises."""
        await self.guard.ensure()
        done = await change_claim(step, claim_id, change, payer, self.books, now())
        self._touch(done)
        return done

    async def merge(self, payer: str, wish: Wish, tell: Tell) -> Merged:
        """Let a member lead to another one; raises MergeRefused, EngineFault."""
        await self.guard.ensure()
        return await self.merging.run(payer, wish, tell)

    def _touch(self, done: Adjudicated | Changed) -> None:
        if done.home is not None:
            self.projection.touch(self.books.keys_of(done.home))
