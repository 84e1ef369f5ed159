"""Member ids that turn out to be one person: merged, and what became of them."""

from prometheus_client import Counter
from typing_extensions import TypedDict

from service.access.act import note
from service.application.parts import Caller
from service.domain.person import MemberMergeBody, Person
from service.stores.members.merge import Wish
from service.stores.members.who import person_in

MERGES = Counter("authmatch_member_merges_total", "Merges of members that were completed.")


class MergeAnswer(TypedDict):
    """What came of a merge."""

    member: str
    merged_into: str


class MergedInto(TypedDict):
    """Where a member id leads, and who said so."""

    into: str
    by: str | None
    on_behalf_of: str | None
    reason: str | None
    at: str


class MemberAnswer(TypedDict):
    """What became of a member id."""

    id: str
    merged: MergedInto | None
    former_ids: list[str]


async def merge(caller: Caller, member: str, asked: MemberMergeBody) -> Person:
    """Let a member id lead to another one; raises NotActing, MergeRefused, EngineFault."""
    note(members=(member, asked.into), why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    wish = Wish(member=member, into=asked.into, actor=actor, reason=asked.reason or "")
    person = await caller.stores.merging.run(caller.payer, wish)
    MERGES.inc()
    return person


def told(person: Person) -> MergeAnswer:
    """Write what came of a merge, as it is answered."""
    return {"member": person.given, "merged_into": person.member}


async def lead(caller: Caller, member: str) -> MemberAnswer:
    """Where a member id leads, who said so, and which ids lead to it."""
    records = await caller.stores.members.about(caller.payer, [member])
    person, record = person_in(records, member), records.get(member)
    note(members=(member, *person.ids))
    merged: MergedInto | None = None
    if record is not None and record.into is not None:
        merged = {
            "into": person.member,
            "by": record.by or None,
            "on_behalf_of": record.on_behalf_of or None,
            "reason": record.reason or None,
            "at": record.at,
        }
    return {"id": member, "merged": merged, "former_ids": [] if merged else list(person.former)}
