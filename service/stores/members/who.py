"""Says who a member is now, for those who match and for those who push.

Who matches reads the copies in Redis, and where that cannot be read, Elasticsearch. The answer is
good for a moment only (``lease_s``): a merge waits that long before it takes anything away from
where they look. Who pushes reads Elasticsearch alone, before and after it writes, so that either it
sees the merge, or the merge what it wrote.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from service.domain.person import Person
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.members.copies import MemberCopies
from service.stores.members.marks import Visibility
from service.stores.members.records import MemberRecord, MemberRecords

log = structlog.get_logger()

LEASE_S = 0.5
"""So long at most a match relies on what it was told; mostly it has its answer long before."""

CHAIN_MAX = 20
_CIRCLE = "merged members lead in a circle"
_SEARCHED = ("announced", "moving")

Read = Callable[[str, Sequence[str]], Awaitable[Mapping[str, MemberRecord]]]
"""Reads the records of members of a payer."""


@dataclass(frozen=True, slots=True)
class Leads:
    """Where pushes of members go, as the records of these members say."""

    records: Mapping[str, MemberRecord]

    def of(self, member: str) -> str:
        """Give the member under whom a push of this one is kept."""
        return self._follow(member, stop="announced")

    def end_of(self, member: str) -> str:
        """Give the member to whom this one leads, or will in a moment."""
        return self._follow(member, stop=None)

    def ids_of(self, member: str) -> tuple[str, ...]:
        """Give all ids of the person who has this one: claims may be kept under each."""
        end = self.end_of(member)
        record = self.records.get(end)
        return tuple(dict.fromkeys((end, member, *(record.former if record else ()))))

    def _follow(self, member: str, stop: str | None) -> str:
        for _ in range(CHAIN_MAX):
            record = self.records.get(member)
            if record is None or record.into is None or record.phase == stop:
                return member
            member = record.into
        raise EngineUnavailable("elasticsearch", _CIRCLE)

    def is_under_way(self, member: str) -> bool:
        """Whether somebody may still look for documents under this id."""
        record = self.records.get(member)
        return record is not None and record.is_under_way


class Members:
    """Who a member is now."""

    def __init__(
        self, records: MemberRecords, copies: MemberCopies, visibility: Visibility
    ) -> None:
        """Share the other stores."""
        self.lease_s = LEASE_S
        self.records = records
        self.copies = copies
        self.visibility = visibility

    async def prepare(self, payer: str, member: str) -> Person:
        """Return when all pushes of the member are searchable, and say who it is.

        A member that was never merged costs one round trip to Redis.
        """
        began = time.monotonic()
        asked = self.copies.asked(payer, member)
        found = await self.visibility.ensure_and_read(payer, member, *asked)
        if found is not None and self.was_never_merged(found):
            return Person.of(member, began + self.lease_s)
        return await self.prepare_merged(payer, member, is_blind=found is None)

    @staticmethod
    def was_never_merged(found: Sequence[str | None]) -> bool:
        """Whether the fields named by ``copies.asked`` say that a member is only itself."""
        return found[0] is not None and found[1] is None

    async def prepare_merged(self, payer: str, member: str, *, is_blind: bool = False) -> Person:
        """Do the same for one that perhaps was merged; ``is_blind``: Redis was just asked."""
        person = await self.person(payer, member, is_blind=is_blind)
        # The one that was asked for blindly was refreshed for already.
        ids = [each for each in person.ids if not (is_blind and each == member)]
        if ids:
            await self.visibility.ensure(payer, *ids)
        return person

    async def refresh(self) -> None:
        """Make all that was written searchable."""
        await self.visibility.refresh()

    async def person(self, payer: str, member: str, *, is_blind: bool = False) -> Person:
        """Say who a member is now; raises EngineFault where neither engine can tell."""
        began = time.monotonic()
        person = None
        if not is_blind:
            try:
                person = await _follow(payer, member, self.copies.read)
            except EngineFault as fault:
                if fault.engine == "elasticsearch":
                    raise
                log.warning("members_unreadable", engine=fault.engine, reason=fault.reason)
        if person is None:
            person = await _follow(payer, member, self._read)
        return replace(person, good_until=began + self.lease_s)

    async def lead(self, payer: str, members: Iterable[str]) -> Leads:
        """Say where pushes of members go, as Elasticsearch has it at this moment."""
        if not await self.records.has_any(payer):
            return Leads({})
        known: dict[str, MemberRecord] = {}
        todo = list(dict.fromkeys(members))
        while todo:
            found = await self.records.read(payer, todo)
            known |= found
            todo = [
                each.into
                for each in found.values()
                if each.into is not None and each.into not in known
            ]
        return Leads(known)

    async def former_of(self, payer: str, record: MemberRecord) -> list[str]:
        """Give the ids that lead to a member."""
        leads = await self.lead(payer, record.former)
        return [each for each in record.former if leads.end_of(each) == record.member]

    async def publish(self, payer: str, leads: Leads) -> None:
        """See to it that those who match know as much as the push that read this."""
        await self.copies.publish(payer, leads.records.values())

    async def _read(self, payer: str, members: Sequence[str]) -> Mapping[str, MemberRecord]:
        return await self.records.read(payer, members) if await self.records.has_any(payer) else {}


async def _follow(payer: str, member: str, read: Read) -> Person:
    """Follow a member to where it leads, then gather those whose documents are on their way."""
    known: dict[str, MemberRecord | None] = {}

    async def of(name: str) -> MemberRecord | None:
        if name not in known:
            known[name] = (await read(payer, [name])).get(name)
        return known[name]

    async def end_of(name: str) -> str:
        for _ in range(CHAIN_MAX):
            record = await of(name)
            if record is None or record.into is None:
                return name
            name = record.into
        raise EngineUnavailable("elasticsearch", _CIRCLE)

    end = await end_of(member)
    root, also = await of(end), []
    for each in root.open if root is not None else ():
        record = await of(each)
        if record is not None and record.phase in _SEARCHED and await end_of(each) == end:
            also.append(each)
    former = root.former if root is not None else ()
    return Person(given=member, member=end, also=tuple(also), former=former)
