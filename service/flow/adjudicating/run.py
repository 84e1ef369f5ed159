"""What an adjudication works with, how it is run, and how often it is tried."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from service.accounting.books.books import AuthorizationChanged, Books, ClaimMoved, Moved
from service.accounting.books.record import Draft
from service.domain.actor import NOBODY, Actor
from service.domain.candidate import Standing
from service.domain.decision import Decision
from service.domain.engine_fault import EngineFault
from service.domain.person import Person
from service.flow.matching.finding import CandidateSource
from service.flow.matching.live_check import LiveCheck
from service.rules.book import RuleBook

T = TypeVar("T")

ATTEMPTS_MAX = 8
FIRST_PAUSE_S = 0.02


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


class Versions(Protocol):
    """Where the books are brought in step with the versions that stand."""

    async def catch_up(self, payer: str, authorization_id: str) -> None:
        """Count what was drawn on an authorization as its version in force does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStores:
    """The stores that an adjudication reads and moves; a share of its matches is checked again."""

    source: CandidateSource
    standing: StandingSource
    books: Books
    records: Records
    versions: Versions
    live_check: LiveCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a claim is run: ``dry`` moves nothing, ``again`` re-adjudicates the same version.

    With ``entry`` the adjudication of that ledger entry is run again by ourselves, if it is the one
    in force: what is used stays used, also where the claim came as preliminary.
    ``decisions`` are those of examiners about its lines; None is those of the run before, where a
    version is run again. ``attaching``: of a charge; it is drawn from what was selected alone, all
    of it, or nothing is moved; and only if it stands as it was ``seen``, by its sequence.
    """

    payer: str
    at: str
    rules: RuleBook
    dry: bool = False
    again: bool = False
    attaching: bool = False
    seen: int | None = None
    entry: str | None = None
    actor: Actor = NOBODY
    decisions: tuple[Decision, ...] | None = None


async def contended(attempt: Callable[[], Awaitable[T]]) -> T:
    """Do what somebody else may be quicker at: then all is read and tried again, after a pause.

    Raises EngineFault when the claim, or an authorization, is changed again and again.
    """
    for number in range(ATTEMPTS_MAX):
        try:
            return await attempt()
        except (ClaimMoved, AuthorizationChanged):
            # A push that is on its way in becomes searchable within a moment.
            await asyncio.sleep(FIRST_PAUSE_S * 2**number)
    raise EngineFault("redis", "the claim, or an authorization, is being changed")
