"""What an adjudication works with, and how it is run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from service.accounting.books.books import Books, Home, Moved
from service.accounting.books.record import Draft
from service.domain.candidate import Standing
from service.domain.person import Person
from service.flow.matching.finding import CandidateSource
from service.rules.book import RuleBook


class StandingSource(Protocol):
    """Where authorizations are read as they stand now."""

    async def standing(self, payer: str, person: Person, ids: Iterable[str]) -> dict[str, Standing]:
        """Give authorizations of one member; one of another is not there."""
        ...


class Records(Protocol):
    """Where answers that were given are kept."""

    async def recorded(self, home: Home, entry: str) -> tuple[Draft, Moved]:
        """Give a record and what was moved with it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What an adjudication works with."""

    rules: RuleBook
    source: CandidateSource
    standing: StandingSource
    books: Books
    records: Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a claim is run: ``dry`` moves nothing, ``again`` re-adjudicates the same version.

    With ``entry`` the adjudication of that ledger entry is run again by ourselves, if it is the one
    in force: what is used stays used, also where the claim came as preliminary.
    """

    payer: str
    at: str
    dry: bool = False
    again: bool = False
    entry: str | None = None
