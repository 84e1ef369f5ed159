"""Looks at a claim that waits, after an authorization arrived: offers it, or adjudicates it anew.

Everything may be repeated, by two workers at once or after a crash: a claim is adjudicated anew
only if its adjudication is the one that was looked at, and an offer says nothing a second time.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, Protocol

import structlog

from service.accounting.answers.answer import complete
from service.accounting.books.books import Moved
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.record import Draft
from service.domain.actor import Actor
from service.domain.adjudication import Adjudication
from service.domain.answers import LineAnswer
from service.domain.work_item import (
    FALLS_OUTSIDE,
    FREED_UNITS,
    LATE_AUTHORIZATION,
    ItemKind,
    WorkItem,
    offer_item,
)
from service.flow.adjudicating.adjudicate import Conflict, Overtaken, adjudicate
from service.flow.adjudicating.choosing import BadSelection
from service.flow.adjudicating.run import ClaimStores, Run
from service.flow.late._offer import Offer, offer_of, shown_outside, was_lowered
from service.rules.book import Rules

log = structlog.get_logger()

How = Literal["worklist", "automatic", "refused", "review"]
"""What was done; ``refused`` is a claim that cannot be run again as it was sent, ``review`` one
that is on the worklist since it falls outside of its authorization."""

IDS_SHOWN_MAX = 5


class KeptClaims(Protocol):
    """Where claims that wait are read."""

    async def kept(self, payer: str, entry: str) -> tuple[Draft, Moved]:
        """Record of an adjudication, with the claim as it was sent, and its movements."""
        ...


class Outsider(Protocol):
    """A claim that falls outside of an authorization that it drew on."""

    @property
    def claim(self) -> ClaimState:
        """What it holds."""
        ...

    @property
    def draft(self) -> Draft:
        """The record of the adjudication in force."""
        ...

    @property
    def moved(self) -> Moved:
        """What that moved."""
        ...

    @property
    def lines(self) -> tuple[int, ...]:
        """Its lines that fall outside."""
        ...

    @property
    def version(self) -> int:
        """The version of the authorization."""
        ...


class Outside(Protocol):
    """Where it is known which claims fall outside."""

    def claims(self, payer: str, authorization_id: str) -> AsyncIterator[Outsider]:
        """Find those of an authorization."""
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
    outside: Outside
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
        draft, moved = await self.claims.kept(payer, entry)
        try:
            claim = Adjudication.model_validate_json(draft["sent"])
            run = Run(
                payer=payer,
                at=self.now(),
                rules=self.rules.judging(payer, claim),
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
        kind = LATE_AUTHORIZATION if offer.is_new else FREED_UNITS
        item = self._item(payer, claim, entry, kind, offer.authorizations, offer.lines)
        is_new = await self.offers.offer(payer, item)
        return "worklist" if is_new else None

    async def review(self, payer: str, authorization_id: str) -> int:
        """Put claims on the worklist that fall outside of an authorization; says how many.

        Raises EngineFault.
        """
        count = 0
        async for each in self.outside.claims(payer, authorization_id):
            entry = each.claim.entries[each.claim.version]
            claim = Adjudication.model_validate_json(each.draft["sent"])
            now = await self._would_be(payer, claim, entry)
            before = complete(each.draft, each.moved)["lines"]
            item = self._item(
                payer,
                claim,
                entry,
                FALLS_OUTSIDE,
                {authorization_id: each.version},
                shown_outside(before, now, each.lines, authorization_id),
            )
            count += await self.offers.offer(payer, item)
        return count

    async def _would_be(
        self, payer: str, claim: Adjudication, entry: str
    ) -> Sequence[LineAnswer] | None:
        """Give the lines as they would come out now; None where it cannot be run as it was sent."""
        rules = self.rules.judging(payer, claim)
        run = Run(payer=payer, at=self.now(), rules=rules, dry=True, again=True, entry=entry)
        try:
            would = await adjudicate(claim, run, self.stores)
        except (BadSelection, Conflict, ValueError):
            return None
        return would.answer["lines"]

    def _item(
        self,
        payer: str,
        claim: Adjudication,
        entry: str,
        kind: ItemKind,
        authorizations: Mapping[str, int],
        lines: tuple[Mapping[str, Any], ...],
    ) -> WorkItem:
        table = self.rules.judging(payer, claim).references.worklist
        charged = {line.line: line.charge or Decimal(0) for line in claim.lines}
        amount = sum((charged[each["line"]] for each in lines), Decimal(0))
        return table.timed(
            item_id=offer_item(claim.claim_id),
            kind=kind,
            since=self.now(),
            claim_id=claim.claim_id,
            claim_version=claim.version,
            claim_type=claim.type,
            member_id=claim.member.id,
            amount=format(amount, "f"),
            entry=entry,
            authorizations=authorizations,
            lines=lines,
        )


def _named(offer: Offer) -> str:
    shown = [f"{name} version {version}" for name, version in sorted(offer.authorizations.items())]
    return ", ".join([*shown[:IDS_SHOWN_MAX], *(["and others"] if shown[IDS_SHOWN_MAX:] else [])])
