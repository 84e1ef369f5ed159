"""Copies a stream of each payer from Redis to Elasticsearch, and then trims it.

An entry is trimmed only after Elasticsearch has confirmed it, and written only where it is not yet:
so it may be copied twice, by two workers or after a crash, and is there once.
"""

import asyncio
import contextlib
import time
from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter, Gauge

from service.accounting.replay.ledger import FIRST_ID, entry_order
from service.background import Background
from service.stores.connection.bulk import bounded
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineFault, EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.turns import is_first

Entries = Sequence[tuple[str, Mapping[str, str]]]
"""Entries of a stream: the id of each, and its fields."""
SOON_S = 0.5
"""So long what was moved waits for more to be copied with it."""
BACKOFF_S_MAX = 10.0
LAST_S = 2.0
"""How long a worker that ends goes on copying; what is left is found by the next sweep."""

_ENTRIES_AT_ONCE = 500
_BULK_OPERATIONS = 500
_BULK_CHARACTERS = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """What is measured of a projection; ``failed`` is how logs name a fault."""

    failed: str
    pending: Gauge
    projected: Counter
    faults: Counter


class Projection(Background):
    """Copies what this worker wrote soon, and what waits of these payers in every sweep."""

    def __init__(  # noqa: PLR0913 - what it speaks to
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        payers: Collection[str],
        *,
        template: str,
        meters: Meters,
        turn_key: str,
        sweep_s: float,
    ) -> None:
        """``template`` must be installed; ``turn_key`` marks the worker that swept last."""
        super().__init__(meters.failed, meters.faults, first_s=SOON_S, most_s=BACKOFF_S_MAX)
        self._elasticsearch = elasticsearch
        self._redis = redis
        self._indices = indices
        self._payers = payers
        self._template = template
        self._meters = meters
        self._turn_key = turn_key
        self._sweep_s = sweep_s
        self._touched: set[str] = set()
        self._wake = asyncio.Event()
        self._next_sweep = time.monotonic()
        self._has_failed = False
        self._is_installed = False

    @abstractmethod
    def stream(self, payer: str) -> str:
        """Name the stream of a payer."""

    @abstractmethod
    async def copy(self, payer: str, entries: Entries) -> None:
        """Write entries to Elasticsearch, so that the same entry is the same document."""

    @abstractmethod
    async def trim(self, payer: str, least: str) -> None:
        """Take out of the stream what stands before an id; raises EngineFault."""

    @property
    def payers(self) -> tuple[str, ...]:
        """The payers whose streams are swept."""
        return tuple(self._payers)

    def touch(self, payer: str) -> None:
        """Remember that something of a payer was written; returns at once."""
        self._touched.add(payer)
        self._wake.set()

    async def project(self, *payers: str) -> int:
        """Copy what waits of these payers now; says how many entries, raises EngineFault."""
        return sum([await self._project(payer) for payer in payers])

    async def _project(self, payer: str) -> int:
        stream, last, count = self.stream(payer), FIRST_ID, 0
        while True:
            with translated_errors():
                found: Any = await self._redis.xrange(
                    stream, min=f"({last}", count=_ENTRIES_AT_ONCE
                )
            if not found:
                return count
            await self._check_installed()
            for some in bounded(
                found, _length, count_max=_BULK_OPERATIONS, size_max=_BULK_CHARACTERS
            ):
                await self.copy(payer, some)
            last = found[-1][0]
            await self.trim(payer, id_after(last))
            self._meters.projected.inc(len(found))
            count += len(found)

    async def _check_installed(self) -> None:
        """See to it that the first write makes an index of ours, not one of guessed fields."""
        if self._is_installed:
            return
        with translated_errors():
            there = await self._elasticsearch.indices.exists_index_template(
                name=self._indices.template(self._template)
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
            self._meters.pending.set(sum(waiting.values()))
        count = await self.project(*(payer for payer, length in waiting.items() if length))
        if payers is None:
            self._meters.pending.set(0)
        return count

    async def _waiting(self, payers: Iterable[str] | None) -> dict[str, int]:
        names = list(self._payers if payers is None else payers)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for payer in names:
                pipeline.xlen(self.stream(payer))
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
                if self._has_failed or await is_first(self._redis, self._turn_key, self._sweep_s):
                    await self.sweep()
        except Exception:
            self._touched |= touched
            self._has_failed, self._next_sweep = True, time.monotonic()
            raise
        self._has_failed = False


def id_after(entry_id: str) -> str:
    """Give the least id that is greater."""
    milliseconds, number = entry_order(entry_id)
    return f"{milliseconds}-{number + 1}"


def month_of(entry_id: str) -> str:
    """The month in which an entry was written, such as 2026.04."""
    at = datetime.fromtimestamp(entry_order(entry_id)[0] / 1000, UTC)
    return f"{at.year:04}.{at.month:02}"


def _length(entry: tuple[str, Mapping[str, str]]) -> int:
    """How many characters it has."""
    return sum(map(len, entry[1].values()))
