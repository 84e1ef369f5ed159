"""What an adjudication works with, and how it is run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from service.accounting.books.books import Books, Moved
from service.accounting.books.record import Draft
from service.domain.candidate import Standing
from service.domain.person import Person
from service.flow.matching.finding import CandidateSource
from service.flow.matching.live_check import LiveCheck
from service.rules.book import RuleBook


class StandingSource(Protocol):
    """Where authorizations are read as they stand now."""

    async def standing(self, payer: str, person: Person, ids: Iterable[str]) -> dict[str, Standing]:
        """Give authorizations of one member; one of another is not there."""
        ...


class Records(Protocol):
    """Where answers that were given are kept."""

    async def recorded(self, payer: str, entry: str) -> tuple[Draft, Moved]:
        """Give a record and what was moved with it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStores:
    """The stores that an adjudication reads and moves; a share of its matches is checked again."""

    source: CandidateSource
    standing: StandingSource
    books: Books
    records: Records
    live_check: LiveCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a claim is run: ``dry`` moves nothing, ``again`` re-adjudicates the same version.

    With ``entry`` the adjudication of that ledger entry is run again by ourselves, if it is the one
    in force: what is used stays used, also where the claim came as preliminary.
    """

    payer: str
    at: str
    rules: RuleBook
    dry: bool = False
    again: bool = False
    entry: str | None = None
