"""Copies ledger entries from the streams of Redis to Elasticsearch, and then trims the streams.

An entry is trimmed only after Elasticsearch has confirmed it, and written only where it is not yet:
so it may be copied twice, by two workers or after a crash, and is there once.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable
from typing import Any

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter, Gauge

from service.accounting.replay.ledger import FIRST_ID
from service.background import Background
from service.stores.connection.bulk import bounded, run_bulk
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineFault, EngineUnavailable, translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.scripts import lua
from service.stores.ledger.entry import LedgerEntry, id_after, write_entry

PENDING = Gauge(
    "authmatch_ledger_pending",
    "Ledger entries that were not in Elasticsearch yet when all payers were last looked at.",
    multiprocess_mode="mostrecent",
)
PROJECTED = Counter("authmatch_ledger_projected_total", "Ledger entries copied to Elasticsearch.")
FAULTS = Counter("authmatch_ledger_projection_faults_total", "Times that copying failed.")

_TRIM = lua("stream_trim.lua")

SOON_S = 0.5
"""So long what was moved waits for more to be copied with it."""
BACKOFF_S_MAX = 10.0
LAST_S = 2.0
"""How long a worker that ends goes on copying; what is left is found by the next sweep."""

_ENTRIES_AT_ONCE = 500
_BULK_OPERATIONS = 500
_BULK_CHARACTERS = 8 * 1024 * 1024


class Projection(Background):
    """Copies what this worker moved soon, and what waits of these payers in every sweep."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
        payers: Collection[str],
        *,
        sweep_s: float,
    ) -> None:
        super().__init__("projection_failed", FAULTS, first_s=SOON_S, most_s=BACKOFF_S_MAX)
        self._elasticsearch = elasticsearch
        self._redis = redis
        self._indices = indices
        self._keys = keys
        self._payers = payers
        self._sweep_s = sweep_s
        self._touched: set[str] = set()
        self._wake = asyncio.Event()
        self._next_sweep = time.monotonic()
        self._has_failed = False
        self._is_installed = False

    @property
    def payers(self) -> tuple[str, ...]:
        """The payers whose streams are swept."""
        return tuple(self._payers)

    def touch(self, payer: str) -> None:
        """Remember that something of a payer was moved; returns at once."""
        self._touched.add(payer)
        self._wake.set()

    async def project(self, *payers: str) -> int:
        """Copy what waits of these payers now; says how many entries, raises EngineFault."""
        return sum([await self._project(payer) for payer in payers])

    async def _project(self, payer: str) -> int:
        book, last, count = self._keys.book(payer), FIRST_ID, 0
        while True:
            with translated_errors():
                found: Any = await self._redis.xrange(
                    book.ledger, min=f"({last}", count=_ENTRIES_AT_ONCE
                )
            if not found:
                return count
            await self._check_installed()
            entries = [LedgerEntry(id=name, payer=payer, fields=fields) for name, fields in found]
            for some in bounded(
                entries, _length, count_max=_BULK_OPERATIONS, size_max=_BULK_CHARACTERS
            ):
                operations = [write_entry(self._indices, book, entry) for entry in some]
                await run_bulk(self._elasticsearch, operations)
            last = entries[-1].id
            with translated_errors():  # a stream that is empty keeps its last id
                await self._redis.eval(_TRIM, 2, book.ledger, book.hold, id_after(last))
            PROJECTED.inc(len(entries))
            count += len(entries)

    async def _check_installed(self) -> None:
        """See to it that the first write makes an index of ours, not one of guessed fields."""
        if self._is_installed:
            return
        with translated_errors():
            there = await self._elasticsearch.indices.exists_index_template(
                name=self._indices.template("ledger")
            )
        if not there:
            raise EngineUnavailable("elasticsearch", "the indices are not installed")
        self._is_installed = True

    async def pending(self, payers: Iterable[str] | None = None) -> int:
        """Count the entries that were not copied yet; of these payers, else of all known."""
        return sum((await self._waiting(payers)).values())

    async def sweep(self, payers: Iterable[str] | None = None) -> int:
        """Copy all that waits; of these payers, else of all known."""
        waiting = await self._waiting(payers)
        if payers is None:
            PENDING.set(sum(waiting.values()))
        count = await self.project(*(payer for payer, length in waiting.items() if length))
        if payers is None:
            PENDING.set(0)
        return count

    async def _waiting(self, payers: Iterable[str] | None) -> dict[str, int]:
        names = list(self._payers if payers is None else payers)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for payer in names:
                pipeline.xlen(self._keys.book(payer).ledger)
            return dict(zip(names, await pipeline.execute(), strict=True))

    async def close(self) -> bool:
        """End the background; one that ran copies what this worker touched, if that is quick."""
        has_run = await super().close()
        if has_run:
            with contextlib.suppress(EngineFault, TimeoutError):
                async with asyncio.timeout(LAST_S):
                    await self.project(*self._take_touched())
        return has_run

    def _take_touched(self) -> set[str]:
        self._wake.clear()
        touched, self._touched = self._touched, set()
        return touched

    async def turn(self) -> None:
        """Copy what was touched, and sweep when it is time; after a fault at once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._next_sweep - time.monotonic())):
                await self._wake.wait()
        await asyncio.sleep(SOON_S)
        touched = self._take_touched()
        try:
            await self.project(*touched)
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + self._sweep_s
                if self._has_failed or await self._is_my_turn():
                    await self.sweep()
        except Exception:
            self._touched |= touched
            self._has_failed, self._next_sweep = True, time.monotonic()
            raise
        self._has_failed = False

    async def _is_my_turn(self) -> bool:
        """Whether no other worker has looked at all payers of late."""
        with translated_errors():
            milliseconds = max(1, int(self._sweep_s * 900))
            return bool(await self._redis.set(self._keys.sweep, "1", nx=True, px=milliseconds))


def _length(entry: LedgerEntry) -> int:
    """How many characters it has."""
    return sum(map(len, entry.fields.values()))
