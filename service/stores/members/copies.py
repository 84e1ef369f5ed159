"""The records of merged members in Redis, where a match reads them beside the member's mark.

A payer has one hash with all of them. It is whole or it is not there: only when all records were
copied it says so, and whoever finds it otherwise copies them. It expires now and then, so that a
Redis that lost a write does not keep to that.
"""

import asyncio
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import lua
from service.stores.members.records import MemberRecord, MemberRecords, read_record

WHOLE = "whole"
_COPYING = "copying"
EXPIRES_S = 600
_ATTEMPTS_MAX = 5
_AT_ONCE = 500
_COPIED = ("into", "former")

_KEEP_NEWER = lua("members_copy.lua")

_SAY_WHOLE = lua("members_whole.lua")


@dataclass(eq=False, repr=False)
class MemberCopies:
    """Reads and writes the copies."""

    _redis: RedisClient
    _keys: KeyNames
    _records: MemberRecords
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)

    def asked(self, payer: str, member: str) -> tuple[str, list[str]]:
        """Name the hash and the fields that tell of a member, to be read together with others."""
        return self._keys.merged(payer), [WHOLE, self._keys.merged_field(payer, member)]

    async def read(self, payer: str, members: Collection[str]) -> dict[str, MemberRecord]:
        """Read the records that there are, by member; copies them all first where it must.

        Raises EngineFault.
        """
        fields = [WHOLE, *(self._keys.merged_field(payer, each) for each in members)]
        for _ in range(_ATTEMPTS_MAX):
            with translated_errors():
                found: Any = await self._redis.hmget(self._keys.merged(payer), fields)
            if found[0] is not None:
                texts = zip(members, found[1:], strict=True)
                return {name: read_copy(name, text) for name, text in texts if text is not None}
            await self._copy_once(payer)
        raise EngineUnavailable("redis", "the merged members could not be copied")

    async def publish(self, payer: str, records: Iterable[MemberRecord]) -> None:
        """Tell all who match of these records, as they were read. Raises EngineFault."""
        arguments: list[str] = []
        for each in records:
            content = {name: value for name, value in each.content.items() if name in _COPIED}
            field = self._keys.merged_field(payer, each.member)
            arguments += [field, str(each.revision), orjson.dumps(content).decode()]
        with translated_errors():
            for start in range(0, len(arguments), 3 * _AT_ONCE):
                some = arguments[start : start + 3 * _AT_ONCE]
                await self._redis.eval(_KEEP_NEWER, 1, self._keys.merged(payer), *some)

    async def _copy_once(self, payer: str) -> None:
        """Copy all, once for all who wait for it here."""
        running = self._running.get(payer)
        if running is None or running.done():
            running = self._running[payer] = asyncio.create_task(self._copy_all(payer))
        await asyncio.shield(running)

    async def _copy_all(self, payer: str) -> None:
        token, name = uuid.uuid4().hex, self._keys.merged(payer)
        with translated_errors():
            await self._redis.hset(name, _COPYING, token)
        await self.publish(payer, await self._records.all_of(payer))
        with translated_errors():
            await self._redis.eval(_SAY_WHOLE, 1, name, token, EXPIRES_S)


def read_copy(member: str, text: str) -> MemberRecord:
    """Read a record as it was copied."""
    revision, _, content = text.partition(" ")
    return read_record(member, int(revision), orjson.loads(content))
