"""Makes the accumulators anew from the ledger in Elasticsearch, after Redis has lost them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.accounting.replay.ledger import FIRST_ID, Replayed
from service.accounting.replay.ledger_check import check_holdings, digest, digest_of_all
from service.accounting.replay.ledger_page import Difference
from service.accounting.replay.travelled import Kept, check_travelled, kept_in
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import BUCKETS, BucketKeys, KeyNames
from service.stores.ledger.bucket_books import BucketBooks, Held, held_by
from service.stores.ledger.epoch import AccumulatorsLost, Epoch
from service.stores.ledger.projection import Projection
from service.stores.ledger.reading import LedgerReading

Tell = Callable[[int, int], None]
"""Is told how many buckets are done, of how many."""

SETTLE_S = 5.0
"""So long claims that are on their way are given to end, where the accumulators were in use."""

DIFFERENCES_MAX = 1000
_WRITES_AT_ONCE = 200

_GO_ON_AFTER = """
redis.call('XADD', KEYS[1], ARGV[1], 'k', 'rebuilt')
redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
return 1
"""
"""The stream is empty, and gives out greater ids than the ledger has."""


class NotEmpty(Exception):
    """There are accumulators: a rebuild would write over them."""


@dataclass(slots=True, kw_only=True)
class Rebuilt:
    """What was written. ``is_in_use`` says whether units may be moved again.

    ``waiting`` names by payer the members with claims that wait, without telling who they are.
    """

    payers: tuple[str, ...] = ()
    buckets: int = 0
    entries: int = 0
    hashes: int = 0
    is_in_use: bool = False
    differences: list[tuple[str, int, Difference]] = field(default_factory=list)
    digest: str = ""
    waiting: dict[str, list[str]] = field(default_factory=dict)


class Rebuilding:
    """Reads the ledger bucket by bucket, replays it, and writes what comes out."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        projection: Projection,
        ledger: LedgerReading,
        epoch: Epoch,
        books: BucketBooks,
    ) -> None:
        """Share the client with the other stores."""
        self._redis = redis
        self._keys = keys
        self._projection = projection
        self._ledger = ledger
        self._epoch = epoch
        self._books = books

    async def run(
        self, payers: Iterable[str], *, force: bool = False, tell: Tell = lambda *_: None
    ) -> Rebuilt:
        """Rebuild these payers, or all that there are; raises NotEmpty, EngineFault.

        With ``force`` what waits in the streams is copied first, then what these payers have in
        Redis is dropped.
        """
        await self._ledger.refresh()
        everybody = (*self._projection.payers, *await self._ledger.payers())
        result = Rebuilt(payers=tuple(dict.fromkeys(payers)) or tuple(dict.fromkeys(everybody)))
        if not force:
            await self._demand_empty(result.payers)
        was_in_use = await self._is_in_use()
        await self._epoch.revoke()
        if was_in_use:
            await asyncio.sleep(SETTLE_S)
        if force:
            await self._projection.sweep(result.payers)
            await self._ledger.refresh()
            await self._clear(result.payers)
        digests = [each async for each in self._rebuild_all(result, tell)]
        result.digest = digest_of_all(digests)
        if was_in_use or set(await self._ledger.payers()) <= set(result.payers):
            await self._epoch.restore()
            result.is_in_use = True
        return result

    async def _rebuild_all(self, result: Rebuilt, tell: Tell) -> AsyncIterator[tuple[str, str]]:
        """Rebuild all buckets; gives the digest of each."""
        for payer in result.payers:
            numbers = await self._ledger.buckets_of(payer)
            journeys: dict[str, list[Kept]] = {}
            for done, number in enumerate(numbers, start=1):
                keys = self._keys.bucket(payer, number)
                yield f"{payer}|{number:04}", await self._rebuild(keys, result, journeys)
                tell(done, len(numbers))
            for name, kept in journeys.items():
                _note(result, self._keys.bucket(payer, numbers[0]), check_travelled(name, kept))

    async def _is_in_use(self) -> bool:
        """Whether the accumulators of the payers that are not rebuilt can be trusted."""
        try:
            await self._epoch.ensure()
        except AccumulatorsLost:
            return False
        return True

    async def _demand_empty(self, payers: Iterable[str]) -> None:
        for payer in payers:
            async for _ in self._books.keys_of(payer):
                raise NotEmpty(
                    f"there are accumulators of {payer}: look with `authmatch accumulators"
                    " reconcile`; --force drops them first"
                )
            if await self._projection.pending([payer]):
                raise NotEmpty(
                    f"ledger entries of {payer} wait in Redis: copy them with `authmatch"
                    " accumulators project`"
                )

    async def _clear(self, payers: Iterable[str]) -> None:
        """Drop the hashes and streams of payers; nothing else that is kept for them."""
        for payer in payers:
            names = [key async for key in self._books.keys_of(payer)]
            names += [self._keys.bucket(payer, each).ledger for each in range(BUCKETS)]
            for start in range(0, len(names), _WRITES_AT_ONCE):
                with translated_errors():
                    pipeline = self._redis.pipeline(transaction=False)
                    for name in names[start : start + _WRITES_AT_ONCE]:
                        pipeline.unlink(name)
                    await pipeline.execute()

    async def _rebuild(
        self, keys: BucketKeys, result: Rebuilt, journeys: dict[str, list[Kept]]
    ) -> str:
        """Rebuild one bucket; gives the digest of what was written."""
        replayed = await self._books.replayed(keys)
        _note(result, keys, [*replayed.differences, *check_holdings(replayed)])
        for name, kept in kept_in(replayed).items():
            journeys.setdefault(name, []).append(kept)
        everything = list(held_by(replayed, keys))
        hashes = {each.key: each.of(replayed) for each in everything}
        await self._write(keys, replayed, everything)
        result.buckets += 1
        result.entries += replayed.count
        result.hashes += len(hashes)
        result.waiting.setdefault(keys.payer, []).extend(replayed.waiting)
        return digest({**hashes, "owners": replayed.owners_here(), "last": replayed.last})

    async def _write(
        self, keys: BucketKeys, replayed: Replayed, everything: Sequence[Held]
    ) -> None:
        here = replayed.owners_here()
        owners = [
            (self._keys.owner(keys.payer, claim), owner, claim not in here)
            for claim, owner in replayed.owners.items()
        ]
        with translated_errors():
            for start in range(0, max(len(everything), len(owners)), _WRITES_AT_ONCE):
                pipeline = self._redis.pipeline(transaction=False)
                for each in everything[start : start + _WRITES_AT_ONCE]:
                    fields: Any = each.of(replayed)
                    if each.kind == "waiting":
                        pipeline.zadd(each.key, fields)
                    else:
                        pipeline.hset(each.key, mapping=fields)
                for name, owner, has_left in owners[start : start + _WRITES_AT_ONCE]:
                    # The bucket to which a claim went says more, whichever comes first.
                    pipeline.set(name, owner, nx=has_left)
                await pipeline.execute()
            if replayed.last != FIRST_ID:
                await self._redis.eval(_GO_ON_AFTER, 1, keys.ledger, replayed.last)


def _note(result: Rebuilt, keys: BucketKeys, wrong: Iterable[Difference]) -> None:
    """Keep differences, as far as there is room."""
    room = DIFFERENCES_MAX - len(result.differences)
    result.differences += [(keys.payer, keys.number, each) for each in list(wrong)[:room]]
