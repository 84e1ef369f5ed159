"""What the books (the accumulators) are asked in one step, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from service.accounting.books.claim_state import ClaimState
from service.accounting.books.grant import Row
from service.accounting.books.plan import Bounds, ClaimPlan
from service.accounting.books.rows import HeldRow
from service.accounting.books.waiting import NEVER_WAITS, Waiting
from service.domain.person import Person


class ClaimMoved(Exception):
    """Somebody else changed the claim since it was read: read it again."""


class AuthorizationChanged(Exception):
    """Another version of an authorization is in force than the one that was matched."""

    def __init__(self, authorization_id: str) -> None:
        """Keep which."""
        super().__init__(authorization_id)
        self.authorization_id = authorization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a claim is kept: the payer's bucket, and whether under the member asked for.

    ``owner`` names the member without telling who it is. ``last_push`` is the mark of the member's
    last push when the claim was looked up. ``person`` is who asked, where somebody did;
    ``is_apart``: the claim is kept under an id of that person which was merged into another.
    """

    payer: str
    bucket: int
    owner: str
    is_of_member: bool = True
    last_push: str | None = None
    is_apart: bool = False
    person: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When, by whom and why something is moved; ``kind`` is what the ledger calls it."""

    kind: str
    at: str
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRequest:
    """A claim version to be drawn, in place of what ``claim`` and ``original`` hold.

    ``state`` is used or reserved; ``original_status`` is what becomes of the original. ``record``
    is kept with the ledger entry, and ``matched``, all authorizations that were found; ``waiting``
    says when the claim waits for others; ``dry`` computes and writes nothing.
    """

    claim: ClaimState
    version: int
    fingerprint: str
    state: str
    plan: ClaimPlan
    occasion: Occasion
    owner: str
    original: ClaimState | None = None
    original_status: str = ""
    record: str = ""
    matched: tuple[str, ...] = ()
    waiting: Waiting = NEVER_WAITS
    dry: bool = False

    @property
    def authorizations(self) -> list[str]:
        """All whose accounts are touched."""
        ids = [*self.plan.authorizations, *self.claim.authorizations]
        ids += self.original.authorizations if self.original else ()
        return list(dict.fromkeys(ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was moved: drawn, and given back by the claim itself and by the original.

    ``short`` are lines that got nothing because they could not get all (see ``whole_only``);
    ``lean`` names, by line, the kinds that were short by themselves.
    """

    drawn: tuple[Row, ...] = ()
    undone: tuple[Row, ...] = ()
    given_back: tuple[Row, ...] = ()
    short: tuple[int, ...] = ()
    lean: frozenset[tuple[int, str]] = frozenset()
    entry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A pushed version of an authorization, as the accumulators need it."""

    authorization_id: str
    member: str
    version: int
    is_void: bool
    bounds: Mapping[str, Bounds]


class Books(Protocol):
    """Reads and moves what claims hold; every fault is an exception, and nothing moved."""

    async def home_of(self, payer: str, claim_id: str) -> Home | None:
        """Say where a claim is kept; None when it was never adjudicated."""
        ...

    async def look_up(
        self, payer: str, claim_id: str, member: str, *, dry: bool = False
    ) -> tuple[Home, ClaimState]:
        """Keep a claim under its member (unless ``dry``); give where it is and what it holds.

        When it returns, what was pushed for the member can be found.
        """
        ...

    async def read_claim(self, home: Home, claim_id: str) -> ClaimState:
        """Give what a claim holds, and which of its versions were answered."""
        ...

    async def find_claim(self, home: Home, claim_id: str) -> tuple[Home, ClaimState] | None:
        """Give another claim of the same person and its home; None where there is none."""
        ...

    async def bring_home(
        self, home: Home, claim: ClaimState, *, dry: bool = False
    ) -> tuple[Home, ClaimState]:
        """Bring a claim that is kept apart to where its person's claims are drawn."""
        ...

    async def committed(self, home: Home, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Give the units used and reserved on each account of these authorizations, scaled."""
        ...

    async def draw(self, home: Home, request: DrawRequest) -> Moved:
        """Draw a claim; raises ClaimMoved or AuthorizationChanged."""
        ...

    async def change(
        self,
        home: Home,
        claim: ClaimState,
        rows: Sequence[HeldRow],
        status: str,
        occasion: Occasion,
    ) -> Moved:
        """Make a claim hold these rows, never more than it does; raises ClaimMoved."""
        ...
