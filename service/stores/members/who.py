"""Says who a member is now.

Who matches reads the copies in Redis, and where that cannot be read, Elasticsearch. Who has pushed
or merged reads Elasticsearch alone: either a push sees the merge, or the merge what was pushed.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from service.domain.person import Person
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.members.copies import MemberCopies
from service.stores.members.marks import Visibility
from service.stores.members.records import MemberRecord, MemberRecords

log = structlog.get_logger()

Records = Mapping[str, MemberRecord]
"""By member; of one that was never merged there is none."""

Read = Callable[[str, Collection[str]], Awaitable[Records]]
"""Reads the records of members of a payer."""


@dataclass(eq=False, repr=False)
class Members:
    """Who a member is now."""

    records: MemberRecords
    copies: MemberCopies
    visibility: Visibility

    async def prepare(self, payer: str, member: str) -> Person:
        """Return when all pushes of the member are searchable, and say who it is.

        A member that was never merged costs one round trip to Redis. Raises EngineFault.
        """
        asked = self.copies.asked(payer, member)
        found = await self.visibility.ensure_and_read(payer, member, *asked)
        if found is not None and self.was_never_merged(found):
            return Person.of(member)
        is_blind = found is None
        person = await self.person(payer, member, is_blind=is_blind)
        # The one that was asked for blindly was refreshed for already.
        ids = [each for each in person.ids if not (is_blind and each == member)]
        if ids:
            await self.visibility.ensure(payer, *ids)
        return person

    @staticmethod
    def was_never_merged(found: Sequence[str | None]) -> bool:
        """Whether the fields named by ``copies.asked`` say that a member is only itself."""
        return found[0] is not None and found[1] is None

    async def person(self, payer: str, member: str, *, is_blind: bool = False) -> Person:
        """Say who a member is now; ``is_blind``: Redis was just asked, in vain.

        Raises EngineFault where neither engine can tell.
        """
        if not is_blind:
            try:
                return person_in(await _about(payer, [member], self.copies.read), member)
            except EngineFault as fault:
                if fault.engine == "elasticsearch":
                    raise
                log.warning("members_unreadable", engine=fault.engine, reason=fault.reason)
        return person_in(await self.about(payer, [member]), member)

    async def about(self, payer: str, members: Iterable[str]) -> Records:
        """Read all records that say who these are, as they stand in Elasticsearch now.

        Raises EngineFault.
        """
        return await _about(payer, members, self.records.read)


def person_in(records: Records, member: str) -> Person:
    """Say who a member is by these records; raises EngineUnavailable for a circle."""
    end = _end_of(records, member)
    hints = records[end].former if end in records else ()
    former = tuple(each for each in hints if _end_of(records, each) == end)
    return Person(given=member, member=end, former=former)


async def _about(payer: str, members: Iterable[str], read: Read) -> Records:
    """Read the records of these, of those to whom they lead, and of all who may lead to those."""
    known: dict[str, MemberRecord] = {}
    asked: set[str] = set()
    todo = set(members)
    while todo:
        found = await read(payer, todo)
        known |= found
        asked |= todo
        named = {name for each in found.values() for name in (each.into, *each.former) if name}
        todo = named - asked
    return known


def _end_of(records: Records, member: str) -> str:
    seen = {member}
    while (record := records.get(member)) is not None and record.into is not None:
        member = record.into
        if member in seen:
            raise EngineUnavailable("elasticsearch", "merged members lead in a circle")
        seen.add(member)
    return member
