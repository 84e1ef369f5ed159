"""Makes the accumulators anew from the ledger in Elasticsearch, after Redis has lost them.

What is at rest, and stands in the archive as the ledger has it, stays there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.accounting.replay.ledger import FIRST_ID, Replayed, entry_order
from service.accounting.replay.ledger_check import check_holdings
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import lua
from service.stores.ledger.epoch import Epoch
from service.stores.ledger.projection import LedgerProjection
from service.stores.ledger.reading import LedgerReading
from service.stores.ledger.shelf_books import Held, Outcome, ShelfBooks, Tell, held_by

_WRITES_AT_ONCE = 200

_GO_ON_AFTER = lua("stream_go_on.lua")


class NotEmpty(Exception):
    """There are accumulators: a rebuild would write over them."""


@dataclass(slots=True, kw_only=True)
class Rebuilt(Outcome):
    """What was written.

    ``waiting`` names by payer the members with claims that wait, without telling who they are.
    """

    waiting: dict[str, list[str]] = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class Rebuilding:
    """Reads the ledger part by part, replays it, and writes what comes out."""

    _redis: RedisClient
    _keys: KeyNames
    _projection: LedgerProjection
    _ledger: LedgerReading
    _epoch: Epoch
    _books: ShelfBooks

    async def run(
        self, payers: Iterable[str], *, force: bool = False, tell: Tell = lambda *_: None
    ) -> Rebuilt:
        """Rebuild these payers, or all that there are; raises NotEmpty, EngineFault.

        With ``force`` what waits in the streams is copied first, then what these payers have in
        Redis is dropped.
        """
        everybody = await self._ledger.everybody()
        result = Rebuilt(payers=tuple(dict.fromkeys(payers)) or everybody)
        if not force:
            await self._demand_empty(result.payers)
        for payer in result.payers:
            await self._epoch.revoke(payer)
        if force:
            await self._projection.sweep(result.payers)
            await self._ledger.refresh()
            await self._clear(result.payers)
        if set(await self._ledger.payers()) <= set(result.payers):
            await self._books.archive.trust()
        for payer in result.payers:
            await self._rebuild(payer, result, tell)
            await self._epoch.restore(payer)
        return result

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
            book = self._keys.book(payer)
            names = [key async for key in self._books.keys_of(payer)]
            names += book.ledger, book.rested, book.recalled, *book.archived_pages
            for start in range(0, len(names), _WRITES_AT_ONCE):
                with translated_errors():
                    pipeline = self._redis.pipeline(transaction=False)
                    for name in names[start : start + _WRITES_AT_ONCE]:
                        # In a cluster `unlink` of a pipeline is another thing.
                        pipeline.execute_command("UNLINK", name)
                    await pipeline.execute()

    async def _rebuild(self, payer: str, result: Rebuilt, tell: Tell) -> None:
        """Rebuild the book of one payer."""
        book, last = self._keys.book(payer), FIRST_ID
        parts = await self._books.parts(payer)
        for done, shelves in enumerate(parts, start=1):
            replayed = await self._books.replayed(payer, shelves)
            result.note(payer, [*replayed.differences, *check_holdings(replayed)])
            everything = list(held_by(replayed, book))
            for held in everything:
                result.condensed.add(held.key, held.of(replayed))
            for start in range(0, len(everything), _WRITES_AT_ONCE):
                some = everything[start : start + _WRITES_AT_ONCE]
                result.archived += await self._write(payer, replayed, some)
            result.entries += replayed.count
            result.hashes += len(everything)
            result.waiting.setdefault(payer, []).extend(replayed.waiting)
            last = max(last, replayed.last, key=entry_order)
            tell(done, len(parts))
        if last != FIRST_ID:
            with translated_errors():
                await self._redis.eval(_GO_ON_AFTER, 1, book.ledger, last)
            result.condensed.add(f"{payer}|last", last)

    async def _write(self, payer: str, replayed: Replayed, some: Sequence[Held]) -> int:
        """Write hashes but those that the archive has; tells how many these are."""
        book, archived = self._keys.book(payer), await self._books.archived(payer, replayed, some)
        resting = {held.key for held in some if archived.get(held.key) == held.of(replayed)}
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for held in some:
                fields: Any = held.of(replayed)
                if held.key in resting:
                    pipeline.setbit(*book.archived_bit(held.key), 1)
                elif held.kind == "waiting":
                    pipeline.zadd(held.key, fields)
                else:
                    pipeline.hset(held.key, mapping=fields)
            await pipeline.execute()
        return len(resting)
