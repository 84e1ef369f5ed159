"""Looks at a claim that waits, after an authorization arrived: offers it, or adjudicates it anew.

Everything may be repeated, by two workers at once or after a crash: a claim is adjudicated anew
only if its adjudication is the one that was looked at, and an offer says nothing a second time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import structlog

from service.accounting.answers.answer import complete
from service.accounting.books.books import Moved
from service.accounting.books.record import Draft
from service.domain.actor import Actor
from service.domain.adjudication import Adjudication
from service.domain.work_item import LATE_AUTHORIZATION, WorkItem
from service.flow.adjudicating.adjudicate import Conflict, Overtaken, adjudicate
from service.flow.adjudicating.choosing import BadSelection
from service.flow.adjudicating.run import ClaimStores, Run
from service.flow.late._offer import Offer, offer_of, was_lowered
from service.rules.book import Rules

log = structlog.get_logger()

How = Literal["worklist", "automatic", "refused"]
"""What was done; ``refused`` is a claim that cannot be run again as it was sent."""

IDS_SHOWN_MAX = 5


class KeptClaims(Protocol):
    """Where claims that wait are read."""

    async def kept(self, payer: str, entry: str) -> tuple[Draft, Moved, str | None]:
        """Record and movements of an adjudication, and the claim as it was sent."""
        ...


class Offers(Protocol):
    """Where claims are offered to examiners."""

    async def offer(self, payer: str, item: WorkItem) -> bool:
        """Put a claim on the worklist; tells whether that said anything new."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LateClaims:
    """Works on one claim at a time; ``automatic``: what needs no examiner is adjudicated anew."""

    stores: ClaimStores
    claims: KeptClaims
    offers: Offers
    rules: Rules
    now: Callable[[], str]
    automatic: bool

    async def look(self, payer: str, claim_id: str, arrived: Iterable[str] | None) -> How | None:
        """Look at a claim for authorizations that arrived (None: any); says what was done.

        Raises EngineFault: then nothing was done, or all of it.
        """
        state = await self.stores.books.read_claim(payer, claim_id)
        if not state.is_in_force:
            return None
        entry = state.entries[state.version]
        draft, moved, sent = await self.claims.kept(payer, entry)
        if sent is None:
            return None
        try:
            claim = Adjudication.model_validate_json(sent)
            run = Run(
                payer=payer,
                at=self.now(),
                rules=self.rules.current,
                dry=True,
                again=True,
                entry=entry,
            )
            would = await adjudicate(claim, run, self.stores)
            offer = offer_of(complete(draft, moved)["lines"], would.answer["lines"], arrived)
            if offer is None:
                return None
            if self.automatic and offer.needs_nobody and not was_lowered(state.rows, moved.drawn):
                why = f"authorization {_named(offer)} arrived, or has units again"
                told = claim.model_copy(update={"reason": why})
                ours = replace(run, dry=False, actor=Actor(by=LATE_AUTHORIZATION))
                await adjudicate(told, ours, self.stores)
                return "automatic"
        except Overtaken:
            return None
        except (BadSelection, Conflict, ValueError) as error:
            # An examiner's selection may be void by now, and nobody else can choose instead.
            log.warning("late_claim_refused", reason=type(error).__name__)
            return "refused"
        is_new = await self.offers.offer(payer, self._item(claim, entry, offer))
        return "worklist" if is_new else None

    def _item(self, claim: Adjudication, entry: str, offer: Offer) -> WorkItem:
        return WorkItem(
            claim_id=claim.claim_id,
            claim_version=claim.version,
            member_id=claim.member.id,
            entry=entry,
            authorizations=offer.authorizations,
            lines=offer.lines,
            offered_at=self.now(),
        )


def _named(offer: Offer) -> str:
    shown = [f"{name} version {version}" for name, version in sorted(offer.authorizations.items())]
    return ", ".join([*shown[:IDS_SHOWN_MAX], *(["and others"] if shown[IDS_SHOWN_MAX:] else [])])
