"""What is said when two member ids turn out to be one person."""

from service.domain.values import Frozen, Identifier, Text


class MemberMergeBody(Frozen):
    """Into which member another one is merged, who wants it and why."""

    into: Identifier
    by: Text | None = None
    reason: Text | None = None
