"""Searches for a claim that is being looked up: the look-up makes ready what they need."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from service.accounting.books.books import Home
from service.accounting.books.claim_state import ClaimState
from service.domain.candidate import Found
from service.domain.person import Person
from service.flow.matching.finding import CandidateSource
from service.querying.search import Search


@dataclass(frozen=True, slots=True)
class Opened:
    """A source of candidates that is ready when the claim was looked up (see Books.look_up)."""

    source: CandidateSource
    looking: Awaitable[tuple[Home, ClaimState]]

    async def prepare(self, payer: str, member: str) -> Person:
        """Make sure that what was pushed for the member can be found; say who it is now."""
        del payer
        home, _ = await asyncio.shield(asyncio.ensure_future(self.looking))
        return home.person or Person.of(member)

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Run one search."""
        return await self.source.search(payer, person, search)
