"""A pushed version on its way through the steps of being stored."""

from dataclasses import dataclass, field

from service.domain.push import Pushed, PushResult, PushStatus
from service.stores.document import Document
from service.stores.locator import Place


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One pushed version on its way through the steps."""

    pushed: Pushed
    hash: str
    void: bool = False
    place: Place | None = None
    old: dict[str, Document] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    superseded_by: str | None = None
    result: PushResult | None = None

    @property
    def id(self) -> str:
        """The authorization id."""
        return self.pushed.authorization.authorization_id

    @property
    def version(self) -> int:
        """The version that the sender gave it."""
        return self.pushed.authorization.version

    @property
    def member(self) -> str:
        """The member under whom it is stored."""
        return self.pushed.authorization.member.id

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
        former = self.place.members if self.place else ()
        return Place(
            payer=payer,
            authorization_id=self.id,
            version=self.version,
            content_hash=self.hash,
            member_id=self.member,
            members=tuple(dict.fromkeys((*former, self.member))),
            seen=self.place.seen if self.place else None,
        )

    @property
    def former_members(self) -> list[str]:
        """Members under whom it was stored before, and is not any more."""
        members = self.place.members if self.place else ()
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
