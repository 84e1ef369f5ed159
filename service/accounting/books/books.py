"""What the books (the accumulators) are asked in one step, and what they answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.accounting.books.claim_state import ClaimState
from service.accounting.books.grant import Balances, Measure, Row
from service.accounting.books.plan import Bounds, ClaimPlan, Drawable
from service.accounting.books.rows import HeldRow
from service.accounting.books.waiting import NEVER_WAITS, Waiting
from service.domain.actor import Actor
from service.domain.claim import AuthorizationKind
from service.domain.person import Person
from service.domain.terms import HowCounted


class ClaimMoved(Exception):
    """Somebody else changed the claim since it was read: read it again."""


class AuthorizationChanged(Exception):
    """Another version of an authorization is in force than the one that was matched."""

    def __init__(self, authorization_id: str) -> None:
        """Keep which."""
        super().__init__(authorization_id)
        self.authorization_id = authorization_id


class AuthorizationBehind(AuthorizationChanged):
    """What was drawn before must first be counted as the version counts that was matched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterBook:
    """The counters of a member as they are stored; sequence 0 is one of which nothing is here."""

    sequence: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """A claim as it stands with the charges that it names, and the person for whom it was asked.

    ``owners`` are the ids of the person as claims name them, the id that stays first; a claim goes
    to that one when it is first drawn. ``last_push`` is the mark of the person's last push,
    ``counters`` the books of counters of all ids of the person, where they were asked for.
    ``may_rest``: what is not at hand of all this may be at rest, else there never was any.
    """

    claim: ClaimState
    person: Person
    owners: tuple[str, ...]
    last_push: str = ""
    counters: Mapping[str, CounterBook] = field(default_factory=dict)
    charges: tuple[ClaimState, ...] = ()
    may_rest: bool = False

    @property
    def owner(self) -> str:
        """Under which id of the person the claim is kept, or will be."""
        return self.claim.owner if self.claim.owner in self.owners else self.owners[0]

    def is_of_person(self, claim: ClaimState) -> bool:
        """Whether a claim is one of the person, under any id; a new one may become one.

        So may a charge that was only named by claims: one that names it by mistake keeps it from
        nobody.
        """
        return not claim.owner or claim.owner in self.owners or claim.is_only_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When, by whom and why something is moved; ``kind`` is what the ledger calls it.

    ``on_behalf_of`` is for whom, where that is somebody else.
    """

    kind: str
    at: str
    by: str = ""
    on_behalf_of: str = ""
    why: str = ""


def occasion_of(kind: str, at: str, actor: Actor, why: str | None) -> Occasion:
    """The occasion of what somebody asked for."""
    return Occasion(kind=kind, at=at, by=actor.by, on_behalf_of=actor.on_behalf_of, why=why or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRequest:
    """A claim version to be drawn, in place of what ``claim`` and ``original`` hold.

    ``state`` is used or reserved; ``original_status`` is what becomes of the original. ``record``
    is kept with the ledger entry, and ``matched``, all authorizations that were found; ``waiting``
    says when the claim waits for others, ``last_push`` which push of the member ``marked`` it has
    seen; ``counted`` are the rows that count the claim, ``seen`` the books of counters by which it
    was decided what it needs: they must be as they were. ``looked_at`` are accounts of candidates
    whose balances are shown, ``must_find`` whether those at rest are, too; ``others_wait``: every
    line that is not in the plan goes to an examiner; ``dry`` computes and writes nothing.
    ``charges`` are those of which the claim takes the place; ``all_or_nothing``: nothing is written
    where less is left than is asked for.
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
    counted: Sequence[HeldRow] = ()
    seen: Mapping[str, CounterBook] = field(default_factory=dict)
    looked_at: Mapping[str, Iterable[str]] = field(default_factory=dict)
    must_find: bool = False
    others_wait: bool = False
    marked: str = ""
    last_push: str = ""
    charges: Sequence[ClaimState] = ()
    all_or_nothing: bool = False
    dry: bool = False

    @property
    def moved_on(self) -> list[str]:
        """All on whose accounts something may be moved."""
        ids = [*self.plan.authorizations, *self.claim.authorizations]
        ids += self.original.authorizations if self.original else ()
        ids += (name for charge in self.charges for name in charge.authorizations)
        ids += self.seen
        ids += (row.authorization_id for row in self.counted)
        return list(dict.fromkeys(ids))

    @property
    def authorizations(self) -> list[str]:
        """All whose accounts are opened: those, then those that are only looked at."""
        return list(dict.fromkeys((*self.moved_on, *self.looked_at)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was moved: drawn, and given back by the claim itself, the original and charges.

    ``tried`` are, of lines that came out short, rows of nothing: what was asked and gave nothing.
    ``short`` are lines that got nothing because they could not get all (see ``whole_only``);
    ``lean`` names, by line, the kinds that were short by themselves. ``status`` is that of a claim
    that was drawn,
    ``looked_at`` the balances of candidates after it.
    """

    drawn: tuple[Row, ...] = ()
    undone: tuple[Row, ...] = ()
    given_back: tuple[Row, ...] = ()
    unattached: tuple[Row, ...] = ()
    tried: tuple[Row, ...] = ()
    short: tuple[int, ...] = ()
    lean: frozenset[tuple[int, str]] = frozenset()
    entry: str | None = None
    status: str = ""
    looked_at: Balances = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A pushed version of an authorization, as the accumulators need it."""

    authorization_id: str
    version: int
    is_void: bool
    bounds: Mapping[str, Bounds]
    counted: HowCounted


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountedBook:
    """An authorization of a recount, as it was read (``sequence``), and as it is to be.

    ``gone`` are lines that are not there any more and still hold units, as the books write them,
    ``untold`` those whose measure cannot say what was drawn before. Without an ``amendment`` it is
    one whose use goes to another, and takes no new claims. ``corrections`` are what is added by
    account to what was corrected by hand: units, amount, days.
    """

    authorization_id: str
    sequence: int
    gone: str = ""
    untold: str = ""
    lines: str = ""
    corrections: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    amendment: Amendment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountRequest:
    """Claims, each with all rows that it is to hold, and the books in which they are counted."""

    books: tuple[RecountedBook, ...]
    claims: tuple[tuple[ClaimState, tuple[HeldRow, ...]], ...]
    occasion: Occasion

    @property
    def beside(self) -> list[str]:
        """What else these claims hold something of: it stays as it is."""
        recounted = {book.authorization_id for book in self.books}
        held = (name for claim, _ in self.claims for name in claim.authorizations)
        return [name for name in dict.fromkeys(held) if name not in recounted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is added by hand to what is used of one account, scaled; below zero it is taken off.

    ``correction_id`` is that of whoever corrects: the same again is none. ``drawable`` is the
    authorization with the limits of the account, ``owner`` its member.
    """

    drawable: Drawable
    kind: AuthorizationKind
    line: int
    correction_id: str
    account: str
    units: int
    amount: int
    days: int
    owner: str


class CorrectionRefused(Exception):
    """A correction that is another one under the same id, or leaves what cannot be counted.

    ``measure`` is what would be below zero, or too much; None where the id was used before.
    """

    def __init__(self, measure: Measure | None, *, is_below: bool = True) -> None:
        """Keep which."""
        super().__init__(measure)
        self.measure = measure
        self.is_below = is_below


class Books(Protocol):
    """Reads and moves what claims hold; every fault is an exception, and nothing moved."""

    async def look_up(
        self,
        payer: str,
        claim_id: str,
        member: str,
        *,
        counters: bool = False,
        charges: Sequence[str] = (),
    ) -> LookedUp:
        """Read a claim where it is at hand, and who the member is; ``recall`` reads it for sure.

        When it returns, what was pushed for the member can be found. ``counters`` are read with it,
        and ``charges``.
        """
        ...

    async def recall(self, payer: str, looked_up: LookedUp) -> LookedUp:
        """Read a claim, counters and charges that may be at rest."""
        ...

    async def read_claim(self, payer: str, claim_id: str) -> ClaimState:
        """Read what a claim holds, and which of its versions were answered."""
        ...

    async def committed(self, payer: str, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Sum the units used and reserved on each account of these authorizations, scaled."""
        ...

    async def draw(self, payer: str, request: DrawRequest) -> Moved:
        """Draw a claim; raises ClaimMoved, AuthorizationChanged or AuthorizationBehind."""
        ...

    async def change(
        self,
        payer: str,
        claim: ClaimState,
        rows: Sequence[HeldRow],
        status: str,
        occasion: Occasion,
    ) -> Moved:
        """Make a claim hold these rows, never more than it does; raises ClaimMoved."""
        ...
