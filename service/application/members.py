"""Member ids that turn out to be one person: merged, and what became of them."""

from prometheus_client import Counter
from typing_extensions import TypedDict

from service.application.moving import Tell
from service.application.parts import Caller
from service.domain.person import MemberMergeBody
from service.stores.members.alias import Wish
from service.stores.merging.merge import Merged as Merged

MERGES = Counter("authmatch_member_merges_total", "Merges of members that were completed.")
MOVED = Counter(
    "authmatch_member_authorizations_moved_total", "Authorizations that went with a merged member."
)


class Counts(TypedDict):
    """Authorizations of a merge: those that moved, those that had, and all."""

    moved: int
    already_there: int
    total: int


class MergeAnswer(TypedDict):
    """What came of a merge."""

    member: str
    merged_into: str
    authorizations: Counts


class MergedInto(TypedDict):
    """Where a member id leads, and who said so."""

    into: str
    phase: str
    authorizations: int
    by: str | None
    reason: str | None
    at: str


class MemberAnswer(TypedDict):
    """What became of a member id."""

    id: str
    merged: MergedInto | None
    former_ids: list[str]


async def merge(
    caller: Caller, member: str, asked: MemberMergeBody, tell: Tell = lambda *_: None
) -> Merged:
    """Let a member id lead to another one, or go on where that stopped.

    Raises MergeRefused, EngineFault.
    """
    wish = Wish(member=member, into=asked.into, by=asked.by or "", reason=asked.reason or "")
    done = await caller.parts.moving.merge(caller.payer, wish, tell)
    MERGES.inc()
    MOVED.inc(done.moved)
    return done


def told(done: Merged) -> MergeAnswer:
    """Write what came of a merge, as it is answered."""
    counts = Counts(moved=done.moved, already_there=done.already_there, total=done.total)
    return {"member": done.member, "merged_into": done.into, "authorizations": counts}


async def lead(caller: Caller, member: str) -> MemberAnswer:
    """Where a member id leads, who said so, and which ids lead to it."""
    members = caller.stores.members
    leads = await members.lead(caller.payer, [member])
    record = leads.records.get(member)
    merged: MergedInto | None = None
    if record is not None and record.into is not None:
        merged = {
            "into": leads.end_of(member),
            "phase": record.phase,
            "authorizations": record.count,
            "by": record.by or None,
            "reason": record.reason or None,
            "at": record.at,
        }
    former = await members.former_of(caller.payer, record) if record is not None else ()
    return {"id": member, "merged": merged, "former_ids": list(former)}
