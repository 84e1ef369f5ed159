"""Merges one member id into another: a record says where the id leads, and nothing is moved.

Merges of a payer may be asked for at any time, by several at once. So that they never close a
circle, the record of the id to which another is to lead is written first, over exactly what was
read of it; then the record of the other, likewise. Of merges that would close a circle together, at
least one finds a record changed, reads again, and sees the circle.
"""

import asyncio
import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from service.domain.actor import NOBODY, Actor
from service.domain.late_pass import ANY
from service.domain.person import Person
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.members.records import MemberRecord
from service.stores.members.who import Members, person_in

_CHANCE = random.Random()  # noqa: S311 - only jitter; of its own, so that no seed is disturbed
ATTEMPTS_MAX = 20
FIRST_PAUSE_S = 0.005


class MergeRefused(Exception):
    """A merge that cannot be meant; the text says why, and names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which member is to be merged into which, and who wants that and why."""

    member: str
    into: str
    actor: Actor = NOBODY
    reason: str = ""


class Queue(Protocol):
    """Where claims that wait are noted, to be looked at."""

    async def note(
        self, payer: str, arrived: Iterable[tuple[str, str]], waiting: Collection[str]
    ) -> None:
        """Keep what arrived, as member and authorization id, for members with waiting claims."""
        ...


@dataclass(eq=False, repr=False)
class MemberMerge:
    """Merges members."""

    _members: Members
    _late: Queue

    async def run(self, payer: str, wish: Wish) -> Person:
        """Merge a member into another one, again if need be; says who it is then.

        When this returns, whoever begins to match sees it. Claims of the person that wait are
        looked at once: what stands under one id may help a claim under another. Raises
        MergeRefused, EngineFault.
        """
        if wish.member == wish.into:
            raise MergeRefused("a member cannot be merged into itself")
        await self._register(payer, wish)
        records = await self._members.about(payer, [wish.member])
        person = person_in(records, wish.member)
        await self._members.copies.publish(payer, records.values())
        # The mark sends claims back that are about to wait, and were looked up before.
        waiting = await self._members.visibility.mark(payer, person.ids)
        await self._late.note(payer, [(each, ANY) for each in person.ids], waiting)
        return person

    async def _register(self, payer: str, wish: Wish) -> None:
        for attempt in range(ATTEMPTS_MAX):
            records = await self._members.about(payer, [wish.member, wish.into])
            own = records.get(wish.member) or MemberRecord(member=wish.member)
            end = person_in(records, wish.into).member
            if end == wish.member:
                raise MergeRefused(
                    "the member into which this one is to be merged was merged into this one"
                )
            if own.into is not None:
                if person_in(records, wish.member).member != end:
                    raise MergeRefused("this member was merged into another one: merge that one")
                return
            there = records.get(end) or MemberRecord(member=end)
            former = tuple(dict.fromkeys((*there.former, wish.member, *own.former)))
            leading = replace(
                own,
                into=end,
                by=wish.actor.by,
                on_behalf_of=wish.actor.on_behalf_of,
                reason=wish.reason,
                at=now(),
            )
            if await self._members.records.write(
                payer, replace(there, former=former)
            ) and await self._members.records.write(payer, leading):
                return
            pause_s = FIRST_PAUSE_S * 2 ** min(attempt, 6)
            await asyncio.sleep(pause_s * _CHANCE.random())
        raise EngineUnavailable("elasticsearch", "other merges of the same members did not end")
