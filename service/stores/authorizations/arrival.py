"""A pushed version on its way through the steps of being stored."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.domain.authorization import Authorization
from service.domain.canonical import canonical_form
from service.domain.late_pass import ANY
from service.domain.push import Pushed, PushResult, PushStatus
from service.domain.terms import Form
from service.stores.authorizations.document import Document, hash_of, write_order
from service.stores.authorizations.locator import Place
from service.stores.members.who import Leads


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One pushed version on its way through the steps.

    ``writes`` is how often its place had been written when it was its own. ``kept_under`` is the
    member under whom it is stored, where the one whom the sender names was merged into another.
    ``moves`` counts how often it went with a member, and ``fence`` is the version that the
    accumulators are told, where that is not its own. ``spared`` are former members under whom
    somebody may still look for it; ``is_behind``: its member was merged meanwhile. ``ids`` are all
    of the person.
    """

    pushed: Pushed
    hash: str
    form: Form | None = None
    void: bool = False
    place: Place | None = None
    writes: int = 0
    old: dict[str, Document] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    superseded_by: str | None = None
    result: PushResult | None = None
    kept_under: str | None = None
    moves: int = 0
    fence: int = 0
    spared: frozenset[str] = frozenset()
    is_behind: bool = False
    ids: tuple[str, ...] = ()

    id: str = field(init=False)
    version: int = field(init=False)

    def __post_init__(self) -> None:
        """Take from the authorization what every step asks for."""
        self.id = self.pushed.authorization.authorization_id
        self.version = self.pushed.authorization.version

    @property
    def member(self) -> str:
        """The member under whom it is stored."""
        return self.kept_under or self.named

    @property
    def named(self) -> str:
        """The member whom the sender names."""
        return self.pushed.authorization.member.id

    @property
    def order(self) -> int:
        """What decides over other writes of its document."""
        return write_order(self.version, self.moves)

    @property
    def has_to_follow(self) -> bool:
        """Whether this very version stands under an id that was merged since."""
        return (
            self.place is not None
            and self.place.version == self.version
            and self.place.content_hash == self.hash
            and self.place.member_id not in (None, self.member)
        )

    @property
    def has_stood(self) -> bool:
        """Whether this very version was stored before, wherever."""
        return any("source" in old and old["version"] == self.version for old in self.old.values())

    @property
    def first_stored_at(self) -> str | None:
        """When this very version was stored first."""
        times = (
            old.get("pushed_at") for old in self.old.values() if old["version"] == self.version
        )
        return next(filter(None, times), None)

    def again(self) -> "Arrival":
        """Give the same version before its first step."""
        return Arrival(pushed=self.pushed, hash=self.hash, form=self.form, void=self.void)

    def look_at(self, leads: Leads) -> None:
        """See, after it was stored, whether its member, or a former one, is being merged."""
        self.is_behind = leads.of(self.named) != self.member
        self.ids = leads.ids_of(self.member)
        self.spared = frozenset(
            each
            for each in self.former_members
            if self.is_behind
            or (leads.is_under_way(each) and leads.end_of(each) == leads.end_of(self.member))
        )

    def settle(self, status: PushStatus, *, current: int, reason: str | None = None) -> None:
        """Say what became of it."""
        self.result = PushResult(
            authorization_id=self.id,
            version=self.version,
            status=status,
            current_version=current,
            reason=reason,
        )

    def new_place(self, payer: str) -> Place:
        """Give the place as this version leaves it."""
        members = self.place.members if self.place else ()
        return Place(
            payer=payer,
            authorization_id=self.id,
            version=self.version,
            content_hash=self.hash,
            member_id=self.member,
            members=members if self.member in members else (*members, self.member),
            moves=self.moves,
            seen=self.place.seen if self.place else None,
        )

    @property
    def former_members(self) -> list[str]:
        """Members under whom it was stored before, and is not any more."""
        if self.place is None:
            return []
        members = self.place.members
        return [member for member in members if member != self.member]

    @property
    def may_have_left(self) -> bool:
        """Whether balances may be with former members.

        Not if the version before this one stands with the member: its push carried them there.
        """
        here = self.old.get(self.member, {})
        before = self.place.version if self.place else 0
        # In one shard the document of a former member is found here: one id, whatever the route.
        is_here = here.get("member_id") == self.member
        is_settled = "source" in here and is_here and here["version"] == before
        return bool(self.former_members) and not is_settled


def arrived_in(live: Iterable[Arrival]) -> Iterator[tuple[str, str]]:
    """Name, by member, what may help claims that wait: not a version that was overtaken.

    One that others stand for has given them its numbers: then any of the member may help. Claims
    of a member that was merged may be kept under every id of the person.
    """
    for each in live:
        if each.result is None or each.result.status != "superseded":
            for member in each.ids or (each.member,):
                yield member, each.id
                if each.superseded_by is not None:
                    yield member, ANY


def withdrawal_of(source: Mapping[str, Any], version: int) -> Pushed:
    """Give the last content of an authorization under the version that withdraws it."""
    changed = {**source, "version": version}
    return Pushed(authorization=Authorization.model_validate(changed), source=changed)


def arrival_of(pushed: Pushed) -> Arrival:
    """Begin the way of a pushed version."""
    form = canonical_form(pushed.authorization)
    return Arrival(
        pushed=pushed,
        hash=hash_of(form),
        form=form,
        void=pushed.authorization.is_void,
    )
