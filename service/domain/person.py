"""Who a member is: one person may have several member ids, which were merged."""

from dataclasses import dataclass

from service.domain.member_ids import MemberId
from service.domain.values import Frozen, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member id as it was given, the id that stays, and all others that were merged into it."""

    given: str
    member: str
    former: tuple[str, ...] = ()

    @classmethod
    def of(cls, member: str) -> "Person":
        """Make a person of a member who was never merged."""
        return cls(given=member, member=member)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids of the person, the one that stays first: anything may be kept under each."""
        return tuple(dict.fromkeys((self.member, self.given, *self.former)))

    @property
    def is_merged(self) -> bool:
        """Whether the id that was given leads to another one."""
        return self.given != self.member


class MemberMergeBody(Frozen):
    """Into which member another one is merged and why; ``by`` is for whom it is done."""

    into: MemberId
    by: Text | None = None
    reason: Text | None = None
