"""The one way in which claims are adjudicated and changed, by entries and the background alike."""

from dataclasses import dataclass

from service.domain.adjudication import Adjudication, ClaimChange
from service.domain.answers import StepAnswer
from service.flow.adjudicating.adjudicate import Adjudicated, adjudicate
from service.flow.adjudicating.claim_life import Step, change_claim
from service.flow.adjudicating.rooms import Rooms, Run
from service.flow.late.claims import LateClaims
from service.flow.matching.live_check import LiveCheck
from service.rules.book import RuleBook, Rules
from service.stores.authorizations.reading import AuthorizationReading
from service.stores.authorizations.search import AuthorizationSearch
from service.stores.connection.clock import now
from service.stores.ledger.records import Records
from service.stores.units.accumulators import Accumulators
from service.stores.waiting.claims import WaitingClaims
from service.stores.waiting.worklist import Worklist


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What an adjudication works with; that units may be moved is asked where they are moved."""

    books: Accumulators
    source: AuthorizationSearch
    standing: AuthorizationReading
    records: Records
    waiting: WaitingClaims
    worklist: Worklist
    rules: Rules
    live_check: LiveCheck
    is_automatic: bool

    async def adjudicate(self, claim: Adjudication, run: Run, book: RuleBook) -> Adjudicated:
        """Adjudicate one claim by one book of rules; raises what ``adjudicate`` raises."""
        rooms = Rooms(
            rules=book,
            source=self.source,
            standing=self.standing,
            books=self.books,
            records=self.records,
        )
        done = await adjudicate(claim, run, rooms)
        if done.matched is not None:
            self.live_check.offer(done.matched)
        return done

    async def change(
        self, payer: str, step: Step, claim_id: str, change: ClaimChange
    ) -> StepAnswer:
        """Take a step of a claim's life; raises what ``change_claim`` raises."""
        return await change_claim(step, claim_id, change, payer, self.books, now())

    @property
    def late_claims(self) -> LateClaims:
        """What is done with claims that wait, once an authorization arrived."""
        return LateClaims(
            books=self.books,
            claims=self.waiting,
            offers=self.worklist,
            run=self.adjudicate,
            rules=self.rules,
            now=now,
            automatic=self.is_automatic,
        )
