"""Tells the accumulators from a Redis that was emptied: both engines hold the same mark.

Without it a Redis that lost its data would look like one in which nothing was ever used.
"""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.durability import Durability
from service.stores.connection.faults import EngineFault, EngineUnavailable, translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import read_one
from service.stores.ledger.reading import LedgerReading
from service.stores.units.archive import EPOCH, Archive

TRUSTED_S = 1.0
_GONE = "the accumulators are gone: run `authmatch accumulators rebuild`"
_OTHERS = (
    "the accumulators are not those of the ledger: is it the right Redis?"
    " If so run `authmatch accumulators rebuild --force`"
)
_FORGOTTEN = (
    "Elasticsearch does not know these accumulators: restore its ledger, or begin anew with"
    " `authmatch accumulators rebuild --force`"
)
_OTHER_KEY = (
    "units were counted under another AUTHMATCH_SURROGATE_KEY: with this one all would look unused"
)


class OtherKey(EngineFault):
    """The secret that names Redis keys is not the one under which the accumulators were made."""

    is_lasting = True


class AccumulatorsLost(EngineUnavailable):
    """What Redis holds is not what the ledger says; nothing may be decided on it."""


@dataclass(eq=False, repr=False)
class Epoch:
    """The mark in both engines; made with the first use.

    ``value`` is what Redis must hold at ``KeyNames.epoch``; None until ``verify`` was called.
    """

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames
    _keys: KeyNames
    _ledger: LedgerReading
    _archive: Archive
    value: str | None = field(default=None, init=False)
    _trusted_until: float = field(default=0.0, init=False)

    async def verify(self) -> None:
        """Return when the accumulators are those of the ledger; asks once a second at most.

        Raises AccumulatorsLost, OtherKey, or EngineFault where an engine cannot be asked.
        """
        if time.monotonic() < self._trusted_until:
            return
        asked_at = time.monotonic()
        if self.value is None or await self._in_redis() != self.value:
            await self.ensure()
        self._trusted_until = asked_at + TRUSTED_S

    async def ensure(self) -> str:
        """Give the mark, made where there was none; raises what ``verify`` raises."""
        self.value, self._trusted_until = None, 0.0
        in_redis = await self._in_redis()  # before the other, which is written first
        kept = await self._kept()
        if kept is None:
            if in_redis is not None:
                raise AccumulatorsLost("elasticsearch", _FORGOTTEN)
            if not await self._ledger.is_empty():
                raise AccumulatorsLost("redis", _GONE)
            kept = await self._keep()
        if in_redis is None:
            in_redis = await self._place(kept)
        if in_redis != kept:
            raise AccumulatorsLost("redis", _OTHERS)
        self.value = kept
        return kept

    async def _place(self, kept: str) -> str:
        """Give the mark of Redis, made where the ledger is empty."""
        if not await self._ledger.is_empty():
            # Another worker may have made it meanwhile, and drawn.
            in_redis = await self._in_redis()
            if in_redis is None:
                raise AccumulatorsLost("redis", _GONE)
            return in_redis
        with translated_errors():
            await self._redis.set(self._keys.epoch, kept, nx=True)
        return await self._in_redis() or ""

    async def restore(self) -> str:
        """State that what is in Redis now is what the ledger says, as a rebuild does at its end."""
        kept = await self._kept() or await self._keep()
        with translated_errors():
            await self._redis.set(self._keys.epoch, kept)
        self.value = kept
        return kept

    async def revoke(self) -> None:
        """State that what is in Redis must not be used; workers learn it within a second."""
        self.value, self._trusted_until = None, 0.0
        with translated_errors():
            await self._redis.delete(self._keys.epoch)

    async def _in_redis(self) -> str | None:
        with translated_errors():
            found: Any = await self._redis.get(self._keys.epoch)
        return None if found is None else str(found)

    async def _kept(self) -> str | None:
        """Read the mark of Elasticsearch, in realtime."""
        found = await read_one(self._elasticsearch, self._indices.accounting, EPOCH)
        if found is None:
            return None
        kept = str(found["_source"]["epoch"])
        if kept.rpartition(".")[2] != self._keys.fingerprint:
            raise OtherKey("redis", _OTHER_KEY)
        return kept

    async def _keep(self) -> str:
        """Write a new mark to Elasticsearch, unless another worker was first; gives what stands."""
        await self._archive.trust()
        mark = f"{uuid.uuid4()}.{self._keys.fingerprint}"
        (written,) = await run_bulk(
            self._elasticsearch,
            [
                Operation(
                    action="create",
                    index=self._indices.accounting,
                    id=EPOCH,
                    document={"epoch": mark, "created_at": now()},
                )
            ],
        )
        return mark if written.ok else await self._kept() or mark


@dataclass(eq=False, repr=False)
class Guard:
    """Asked before every movement; mostly it knows the answer already."""

    _durability: Durability
    _epoch: Epoch

    async def ensure(self) -> None:
        """Return when Redis keeps what it acknowledges, and holds what the ledger says.

        Raises NotDurable, AccumulatorsLost, or another EngineFault where an engine cannot be asked.
        """
        await self._durability.ensure()
        await self._epoch.verify()
