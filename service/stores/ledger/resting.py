"""Finds what is at rest, by the ledger, and has it archived; see ``units/archive``.

The ledger names what was moved, and the sequence number that it had then: what still has that
number after so long was not moved since. How far the ledger was looked through is kept in Redis,
and begins anew with a rebuild.
"""

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
from prometheus_client import Counter

from service.background import Background
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.turns import by_turns
from service.stores.ledger.reading import LedgerReading
from service.stores.units.archive import Archive, Rested

ARCHIVED = Counter(
    "authmatch_archived_total", "Claims and accounts at rest that were taken out of Redis."
)
FAULTS = Counter("authmatch_archive_faults_total", "Times that archiving failed.")

LOOK_S = 3600.0
"""So often a worker looks for what came to rest; of several one at a time."""
RECALLED_S = 3600.0
"""So long what was recalled stays, if nobody moves it."""
BACKOFF_S_MAX = 600.0
DAY_MS = 24 * 3600 * 1000
_AT_ONCE = 1000


class Resting(Background):
    """Takes out of Redis what nobody moved for so many days."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        ledger: LedgerReading,
        archive: Archive,
        payers: Collection[str],
        *,
        days: int,
    ) -> None:
        """Look after these payers; with 0 days nothing ever rests."""
        super().__init__("archiving_failed", FAULTS, first_s=1.0, most_s=BACKOFF_S_MAX)
        self._redis = redis
        self._keys = keys
        self._ledger = ledger
        self._archive = archive
        self._payers = payers
        self._days = days

    async def rest(self, payer: str, *, now_ms: int | None = None) -> int:
        """Archive what is at rest at a time, else now; says how much. Raises EngineFault."""
        if not self._days:
            return 0
        now = int(time.time() * 1000) if now_ms is None else now_ms
        book, before = self._keys.book(payer), now - self._days * DAY_MS
        with translated_errors():
            rested: Any = await self._redis.get(book.rested)
        await self._ledger.refresh()
        recalled = await self._archive.recalled(payer, now / 1000 - RECALLED_S)
        count = await self._archive.rest(payer, recalled)
        candidates: dict[Rested, int] = {}
        async for moved_at, fields in self._ledger.moved_between(payer, int(rested or 0), before):
            candidates |= dict.fromkeys(moved(fields), moved_at)
            if len(candidates) >= _AT_ONCE:
                count += await self._rest(payer, candidates)
                candidates = {}
        count += await self._rest(payer, candidates)
        ARCHIVED.inc(count)
        return count

    async def _rest(self, payer: str, candidates: Mapping[Rested, int]) -> int:
        """Archive some, and keep how far the ledger was looked through: it may be done again."""
        if not candidates:
            return 0
        count = await self._archive.rest(payer, candidates)
        with translated_errors():
            await self._redis.set(self._keys.book(payer).rested, max(candidates.values()))
        return count

    def start(self) -> None:
        """Look in the background until ``close``, if anything ever rests."""
        if self._days:
            super().start()

    async def turn(self) -> None:
        """Archive for every payer for whom no other worker has done it of late."""
        keys = {payer: self._keys.book(payer).resting for payer in self._payers}
        await by_turns(self._redis, keys, LOOK_S, self.rest)
        await asyncio.sleep(LOOK_S)


def moved(fields: Mapping[str, str]) -> Iterator[Rested]:
    """What a ledger entry moved, with the number that it had then."""
    for name, number in (("c", "n"), ("oc", "on")):
        if fields.get(name):
            yield Rested("claim", fields[name], fields[number])
    for claims in ("cs", "cb"):
        for claim_id, number, *_ in orjson.loads(fields.get(claims) or "[]"):
            yield Rested("claim", claim_id, number)
    for authorization_id, number in orjson.loads(fields.get("q") or "[]"):
        yield Rested("accounts", authorization_id, number)
