"""That a member id leads to another one: how it is said first, and how far it has come since.

Merges of a payer may be asked for at any time, by several at once. So that they never close a
circle, the record of the id to which another is to lead is written first, over exactly what was
read of it; then the record of the other, likewise. Of merges that would close a circle together, at
least one finds a record changed, reads again, and sees the circle.
"""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.members.records import MemberRecord, Phase
from service.stores.members.who import Leads, Members

_CHANCE = random.Random()  # noqa: S311 - only jitter; of its own, so that no seed is disturbed
ATTEMPTS_MAX = 20
FIRST_PAUSE_S = 0.005
_NO_END = "other merges of the same members did not end"


class MergeRefused(Exception):
    """A merge that cannot be meant; the text says why, and names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which member is to be merged into which, and who wants that and why."""

    member: str
    into: str
    by: str = ""
    reason: str = ""


class MemberAlias:
    """Writes the records of merged members."""

    def __init__(self, members: Members) -> None:
        """Share the other store."""
        self._members = members
        self._records = members.records

    async def register(self, payer: str, wish: Wish) -> MemberRecord:
        """Say that a member is to lead to another; again, it gives what was said before.

        Raises MergeRefused, EngineFault.
        """
        if wish.member == wish.into:
            raise MergeRefused("a member cannot be merged into itself")
        for attempt in range(ATTEMPTS_MAX):
            leads = await self._members.lead(payer, [wish.member, wish.into])
            own = leads.records.get(wish.member) or MemberRecord(member=wish.member)
            end = leads.end_of(wish.into)
            if end == wish.member:
                raise MergeRefused(
                    "the member into which this one is to be merged was merged into this one"
                )
            if own.into is not None:
                if leads.end_of(wish.member) != end:
                    raise MergeRefused("this member was merged into another one: merge that one")
                return own
            if await self._write(payer, wish, own, leads, end):
                return (await self._records.read(payer, [wish.member]))[wish.member]
            pause_s = FIRST_PAUSE_S * 2 ** min(attempt, 6)
            await asyncio.sleep(pause_s * _CHANCE.random())
        raise EngineUnavailable("elasticsearch", _NO_END)

    async def _write(
        self, payer: str, wish: Wish, own: MemberRecord, leads: Leads, end: str
    ) -> bool:
        there = leads.records.get(end) or MemberRecord(member=end)
        expecting = replace(
            there,
            open=_with(there.open, (*own.open, wish.member)),
            former=_with(there.former, (*own.former, wish.member)),
        )
        leading = replace(
            own, into=end, phase="announced", by=wish.by, reason=wish.reason, at=now()
        )
        return await self._records.write(payer, expecting) and await self._records.write(
            payer, leading
        )

    async def advance(
        self, payer: str, member: str, phase: Phase, *, count: int | None = None
    ) -> MemberRecord:
        """Say that the merge of a member has come this far; never back."""
        for _ in range(ATTEMPTS_MAX):
            record = (await self._records.read(payer, [member]))[member]
            if _PHASES.index(record.phase) >= _PHASES.index(phase):
                return record
            new = replace(record, phase=phase, count=record.count if count is None else count)
            if await self._records.write(payer, new):
                return new
        raise EngineUnavailable("elasticsearch", _NO_END)

    async def close(self, payer: str, member: str) -> None:
        """Let all ids that led here lead on, after the merge of a member is done."""
        leads = await self._members.lead(payer, [member])
        end = leads.end_of(member)
        records = await self._records.read(payer, [end, *leads.records[member].former])
        for each in records.values():
            if each.into == member and each.phase == "done":
                await self._change(payer, each.member, into=end)
        await self._change(payer, end, without=member)

    async def _change(
        self, payer: str, member: str, *, into: str | None = None, without: str | None = None
    ) -> None:
        for _ in range(ATTEMPTS_MAX):
            record = (await self._records.read(payer, [member]))[member]
            open_ = tuple(each for each in record.open if each != without)
            new = replace(record, into=into or record.into, open=open_)
            if new == record or await self._records.write(payer, new):
                return
        raise EngineUnavailable("elasticsearch", _NO_END)

    async def publish(self, payer: str, member: str) -> None:
        """Tell all who match of a member, and of those to whom it leads and who led to it."""
        leads = await self._members.lead(payer, [member])
        more = [name for each in leads.records.values() for name in (*each.former, *each.open)]
        records = {**leads.records, **(await self._members.lead(payer, more)).records}
        await self._members.publish(payer, Leads(records))


_PHASES: tuple[Phase, ...] = ("", "announced", "moving", "moved", "done")


def _with(known: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))
