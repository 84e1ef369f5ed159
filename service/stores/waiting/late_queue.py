"""Members with waiting claims for whom an authorization arrived: a durable queue in Redis.

A member stands in it once, with the ids of all that arrived; those that come while its claims are
looked at are kept for the next pass. Members stand in it by their keyed hash, as in key names.

Whoever takes a member has it for the time of a lease. What two workers do with one member, or one
does twice, must come to the same; here only nothing may be lost.
"""

import asyncio
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from service.domain.late_pass import ANY, LatePass
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import lua
from service.stores.units.movements import Late

IDS_MAX = 1000
LEASE_S = 120.0
SOON_S = 1.0
"""So long a member waits for others: one refresh of the index then does for all of them."""
_NOTES_AT_ONCE = 500
_KEPT = ("arrived", "after", "failures", "skipped", "rounds")

_NOTE = lua("late_note.lua")
_TAKE = lua("late_take.lua")
_LATER = lua("late_later.lua")
_DONE = lua("late_done.lua")


@dataclass(eq=False, repr=False)
class LateQueue:
    """Who adds and who takes may be different workers; each call is one step, or a fault.

    One that is not open notes nothing.
    """

    _redis: RedisClient
    _keys: KeyNames
    is_open: bool = field(kw_only=True)
    _noted: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def soon(self) -> Late | None:
        """How soon units that came back are looked at; None where nothing is noted."""
        return Late(soon=int(SOON_S * 1000), most=IDS_MAX) if self.is_open else None

    async def note(
        self, payer: str, arrived: Iterable[tuple[str, str]], waiting: Collection[str]
    ) -> None:
        """Keep what arrived, as member and authorization id, for members with waiting claims."""
        by_owner: dict[str, list[str]] = {}
        for member, authorization_id in arrived if self.is_open and waiting else ():
            if member in waiting:
                owner = self._keys.book(payer).owner(member)
                by_owner.setdefault(owner, []).append(authorization_id)
        await self._put(payer, by_owner)

    async def _put(self, payer: str, by_owner: Mapping[str, Iterable[str]]) -> None:
        keys, at = self._keys.late(payer), _milliseconds() + int(SOON_S * 1000)
        owners = list(by_owner.items())
        for start in range(0, len(owners), _NOTES_AT_ONCE):
            with translated_errors():
                pipeline = self._redis.pipeline(transaction=False)
                for owner, ids in owners[start : start + _NOTES_AT_ONCE]:
                    names, stamp = (keys.due, keys.arrived(owner)), uuid.uuid4().hex
                    pipeline.eval(_NOTE, 2, *names, owner, at, IDS_MAX, stamp, *ids)
                await pipeline.execute()
        if owners:
            self._noted.set()

    async def note_all(self, waiting: Mapping[str, Collection[str]]) -> None:
        """Have all waiting claims looked at for whatever arrived; owners of claims, by payer.

        For what stood in the queue when Redis was lost.
        """
        for payer, owners in waiting.items() if self.is_open else ():
            await self._put(payer, dict.fromkeys(owners, (ANY,)))

    async def noted(self, timeout_s: float) -> None:
        """Return when what this worker has noted is due, or after a time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._noted.wait()
        except TimeoutError:
            return
        self._noted.clear()
        await asyncio.sleep(SOON_S)

    async def length(self, payers: Iterable[str]) -> dict[str, int]:
        """Count the members of each payer in the queue, those that must wait included."""
        names = list(payers)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in names:
                pipeline.zcard(self._keys.late(each).due)
            return dict(zip(names, await pipeline.execute(), strict=True))

    async def take(self, payer: str) -> LatePass | None:
        """Take the member that is due first; nobody else takes it for the time of the lease."""
        keys, now = self._keys.late(payer), _milliseconds()
        lease = str(now + int(LEASE_S * 1000))
        with translated_errors():
            owner: Any = await self._redis.eval(_TAKE, 1, keys.due, str(now), lease)
            if owner is None:
                return None
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hget(keys.passes, owner)
            pipeline.hgetall(keys.arrived(owner))
            begun, arrived = await pipeline.execute()
        taken = LatePass(payer=payer, owner=owner, arrived=arrived, lease=lease)
        return replace(taken, **orjson.loads(begun)) if begun else taken

    async def later(self, one: LatePass, *, pause_s: float = 0.0) -> None:
        """Go on with this pass later, behind the other members that are due."""
        keys = self._keys.late(one.payer)
        state = {name: getattr(one, name) for name in _KEPT}
        due = _milliseconds() + int(pause_s * 1000)
        arguments = (one.owner, orjson.dumps(state).decode(), one.lease, str(due))
        with translated_errors():
            await self._redis.eval(_LATER, 2, keys.due, keys.passes, *arguments)

    async def done(self, one: LatePass) -> None:
        """End a pass; what arrived since it began makes the member due again."""
        keys = self._keys.late(one.payer)
        names = (keys.due, keys.passes, keys.arrived(one.owner))
        stamps = [text for each in one.arrived.items() for text in each]
        with translated_errors():
            await self._redis.eval(_DONE, 3, *names, one.owner, str(_milliseconds()), *stamps)


def _milliseconds() -> int:
    return int(time.time() * 1000)
