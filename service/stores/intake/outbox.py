"""Pushes that Elasticsearch could not take yet: kept in Redis, in the order of their versions.

What was put is durable and is delivered at least once; every push may be repeated. The outbox of a
payer has a limit in bytes, counted in the same step in which something is put or taken out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from service.domain.actor import NOBODY, Actor
from service.domain.engine_fault import EngineFault
from service.domain.submission import Pushed, Queued
from service.stores.connection.bulk import bounded
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.durability import Durability
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import UNKNOWN_MEMBER, KeyNames, OutboxKeys
from service.stores.connection.scripts import lua
from service.stores.connection.sealing import Seal
from service.stores.intake._outbox_entry import (
    Entry,
    letter_entry,
    push_entry,
    read_entry,
    withdrawal_entry,
)

_PUT_AT_ONCE = 100
_PUT_BYTES = 8 * 1024 * 1024
_READ_AT_ONCE = 500
_READ_BYTES = 8 * 1024 * 1024
DONE_S = 7 * 24 * 3600

_TAKE_LEASE = lua("outbox_take_lease.lua")
_GIVE_LEASE_BACK = lua("outbox_give_lease_back.lua")
_TRIED = lua("outbox_tried.lua")


class OutboxFull(EngineFault):
    """The outbox of this payer holds as much as it may: nothing was put into it."""

    retry_after_s = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of an entry that was delivered; the reason has no values."""

    entry: Entry
    status: str
    current_version: int | None = None
    reason: str | None = None
    dead_letter: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many entries of a payer wait, and how many bytes they take."""

    count: int = 0
    bytes: int = 0


class Outbox:
    """Puts in, tells what waits, and takes out; ``bytes_max`` is the limit of each payer."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        durability: Durability,
        seal: Seal,
        *,
        bytes_max: int,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._durability = durability
        self._bytes_max = bytes_max
        self._seal = seal
        self._known: set[str] = set()
        self._put_script, self._settle_script = (
            redis.register_script(lua(name)) for name in ("outbox_put.lua", "outbox_settle.lua")
        )

    def keys(self, payer: str) -> OutboxKeys:
        """Name the keys of a payer's outbox."""
        return self._keys.outbox(payer)

    async def put(self, payer: str, pushed: Sequence[Pushed]) -> list[Queued]:
        """Keep pushes until they are delivered; the same push again has the same ticket.

        Raises OutboxFull, NotDurable, or EngineUnavailable; some may then be kept all the same.
        """
        keys, since = self.keys(payer), now()
        return await self._put(keys, [push_entry(keys, each, since) for each in pushed])

    async def put_withdrawal(
        self,
        payer: str,
        authorization_id: str,
        version: int,
        member: str | None = None,
        *,
        actor: Actor = NOBODY,
    ) -> Queued:
        """Keep a withdrawal; matches of the member, if it is known, else all wait for it."""
        keys = self.keys(payer)
        entry = withdrawal_entry(keys, authorization_id, version, member, now(), actor)
        return (await self._put(keys, [entry]))[0]

    async def put_letters(self, payer: str, letters: Iterable[tuple[str, str]]) -> None:
        """Keep dead letters, each with its id and written out."""
        keys, since = self.keys(payer), now()
        await self._put(keys, [letter_entry(keys, *each, since) for each in letters])

    async def _put(self, keys: OutboxKeys, entries: Sequence[Entry]) -> list[Queued]:
        await self._durability.ensure()
        sealed = [
            replace(each, content=self._seal.close(each.content, keys.entry(each.ticket)))
            for each in entries
        ]
        for some in bounded(
            sealed, lambda entry: entry.size, count_max=_PUT_AT_ONCE, size_max=_PUT_BYTES
        ):
            names = [keys.queue, keys.bytes, keys.sequence]
            words: list[str | int] = [self._bytes_max]
            for each in some:
                names += [
                    keys.entry(each.ticket),
                    keys.done(each.ticket),
                    keys.queue_of(each.owner),
                ]
                words += [each.ticket, each.version, each.size, each.kind]
                words += [each.authorization_id, each.owner, each.since, each.content]
                words += [each.actor.by, each.actor.on_behalf_of]
            with translated_errors():
                has_room = await self._put_script(keys=names, args=words)
            if not has_room:
                raise OutboxFull("redis", "the outbox is full")
            self._known.add(keys.payer)
        return [
            Queued(authorization_id=each.authorization_id, version=each.version, ticket=each.ticket)
            for each in entries
        ]

    async def status(self, payer: str, ticket: str) -> dict[str, Any] | None:
        """Say what became of a push: it waits, or how it was taken; None for an unknown ticket."""
        keys = self.keys(payer)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hmget(
                keys.entry(ticket), ["kind", "id", "version", "since", "tries", "reason"]
            )
            pipeline.get(keys.done(ticket))
            pipeline.get(keys.fault)
            (kind, name, version, since, tries, reason), done, fault = await pipeline.execute()
        if kind in ("push", "withdrawal"):
            return {
                "status": "waiting",
                "authorization_id": name,
                "version": int(version),
                "since": since,
                "tries": int(tries or 0),
                "reason": reason or fault,
            }
        found: dict[str, Any] | None = orjson.loads(done) if done else None
        return found if found and found["authorization_id"] else None

    async def waiting(self, payers: Iterable[str]) -> dict[str, Waiting]:
        """Count what waits of these payers; those of whom nothing waits are left out."""
        names = list(payers)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in names:
                pipeline.zcard(self.keys(each).queue)
            found = zip(names, await pipeline.execute(), strict=True)
            counts = {name: count for name, count in found if count}
            for each in counts:
                pipeline.get(self.keys(each).bytes)
            sizes = await pipeline.execute() if counts else []
        self._known = (self._known - set(names)) | set(counts)
        return {
            name: Waiting(count, int(size or 0))
            for (name, count), size in zip(counts.items(), sizes, strict=True)
        }

    def was_waiting(self, payer: str) -> bool:
        """Whether something of a payer waited when it was last counted or put here."""
        return payer in self._known

    async def is_waiting(self, payer: str, member: str) -> bool:
        """Whether something waits that a match of this member must see."""
        keys = self.keys(payer)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for owner in (keys.owner(member), UNKNOWN_MEMBER):
                pipeline.zcard(keys.queue_of(owner))
            return any(await pipeline.execute())

    async def head(self, payer: str, queue: str, *, after: int) -> list[Entry]:
        """Read what is delivered next, without the first ones; a bounded number of bytes."""
        keys = self.keys(payer)
        with translated_errors():
            names: Any = await self._redis.zrange(queue, after, after + _READ_AT_ONCE - 1)
            tickets: list[str] = []
            size = 0
            for name in names:
                _, bytes_, ticket = name.split(":")
                size += int(bytes_)
                if tickets and size > _READ_BYTES:
                    break
                tickets.append(ticket)
            pipeline = self._redis.pipeline(transaction=False)
            for ticket in tickets:
                pipeline.hgetall(keys.entry(ticket))
            found = await pipeline.execute() if tickets else []
        # One that another worker has taken out meanwhile is not there any more.
        pairs = zip(tickets, found, strict=True)
        read = (read_entry(ticket, stored) for ticket, stored in pairs if stored)
        return [
            replace(each, content=self._seal.open(each.content, keys.entry(each.ticket)))
            for each in read
        ]

    async def settle(self, payer: str, delivered: Sequence[Delivered]) -> int:
        """Take out what was delivered; gives how many nobody else had taken out before."""
        if not delivered:
            return 0
        keys = self.keys(payer)
        names = [keys.queue, keys.bytes]
        words: list[str | bytes | int] = [DONE_S]
        for each in delivered:
            entry = each.entry
            names += [keys.entry(entry.ticket), keys.done(entry.ticket), keys.queue_of(entry.owner)]
            words.append(_written(each))
        with translated_errors():
            return int(await self._settle_script(keys=names, args=words))

    async def tried(self, payer: str, entry: Entry, reason: str) -> int:
        """Count a delivery that was refused; gives how many there were."""
        key = self.keys(payer).entry(entry.ticket)
        with translated_errors():
            tries: Any = await self._redis.eval(_TRIED, 1, key, reason)
        return int(tries)

    async def note_fault(self, payer: str, reason: str | None) -> None:
        """Keep why nothing can be delivered, for those who ask; None when it can."""
        key = self.keys(payer).fault
        with translated_errors():
            if reason is None:
                await self._redis.delete(key)
            else:
                await self._redis.set(key, reason)

    async def take_lease(self, payer: str, holder: str, milliseconds: int) -> bool:
        """Whether this worker delivers now; no harm comes from two that do."""
        key = self.keys(payer).lease
        with translated_errors():
            taken: Any = await self._redis.eval(_TAKE_LEASE, 1, key, holder, milliseconds)
        return bool(taken)

    async def give_lease_back(self, payer: str, holder: str) -> None:
        """Let another worker go on."""
        key = self.keys(payer).lease
        with translated_errors():
            await self._redis.eval(_GIVE_LEASE_BACK, 1, key, holder)


def _written(delivered: Delivered) -> bytes:
    entry = delivered.entry
    return orjson.dumps(
        {
            "status": delivered.status,
            "authorization_id": entry.authorization_id,
            "version": entry.version,
            "since": entry.since,
            "tries": entry.tries + 1,
            "current_version": delivered.current_version,
            "reason": delivered.reason,
            "dead_letter": delivered.dead_letter,
            "delivered_at": now(),
        }
    )
