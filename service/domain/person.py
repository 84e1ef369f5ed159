"""Who a member is now: one person may have had several member ids, which were merged."""

from dataclasses import dataclass

from service.domain.values import Frozen, Identifier, Text


class PersonChanged(Exception):
    """The member was merged after it was looked up: look it up again, and begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member id as it was given, and the one under which everything is kept.

    ``also`` are ids whose authorizations are on their way to it, ``former`` all that were merged
    into it. All of this holds until ``good_until`` by the clock of the process; after that it
    must be looked up again.
    """

    given: str
    member: str
    also: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    good_until: float = float("inf")

    @classmethod
    def of(cls, member: str, good_until: float = float("inf")) -> "Person":
        """A member who was never merged."""
        return cls(given=member, member=member, good_until=good_until)

    @property
    def members(self) -> tuple[str, ...]:
        """All ids under which authorizations of the person may stand."""
        return (self.member, *self.also)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids of the person: pushes that wait carry the one under which they were sent."""
        return tuple(dict.fromkeys((*self.members, self.given, *self.former)))

    @property
    def is_merged(self) -> bool:
        """Whether the id that was given leads to another one."""
        return self.given != self.member

    def is_where(self, other: "Person") -> bool:
        """Whether authorizations are looked for in the same places."""
        return self.members == other.members


class MemberMergeBody(Frozen):
    """Into which member another one is merged, who wants it and why."""

    into: Identifier
    by: Text | None = None
    reason: Text | None = None
