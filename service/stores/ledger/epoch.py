"""Tells the book of a payer from one that Redis lost, or of which it has an older state.

Both engines hold the same mark, the epoch, and beside it in Redis stands the server on which the
book was last found whole. Every script that moves units compares both in its own step. Where they
do not fit, the book is compared with the ledger before anything is moved: a server that was started
again, or a replica that took over, may lack what was acknowledged last.
"""

import asyncio
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter

from service.accounting.replay.ledger import FIRST_ID, entry_order
from service.background import Background
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.durability import Durability
from service.stores.connection.faults import EngineFault, EngineUnavailable, translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, read_one
from service.stores.connection.scripts import lua
from service.stores.ledger.reading import LedgerReading
from service.stores.units.archive import EPOCH, Archive

FAULTS = Counter("authmatch_epoch_faults_total", "Times that looking after the books failed.")

OTHERS_S = 2.5
"""So long other workers are given to say that a server lacks what it acknowledged to them."""
LOOK_S = 1.0
"""So often a worker looks at the books that it moved of late."""
LATE_S = 15.0
"""What was moved longer ago is in Elasticsearch, or waits for it in every replica."""

_LOOK, _SET = (f"{lua('epoch.lua')}\n{lua(name)}" for name in ("epoch_look.lua", "epoch_set.lua"))
_ANY = "*"
_BACK, _CLOSED = "back", "closed"
_ATTEMPTS_MAX = 10
_GONE = "the accumulators are gone: run `authmatch accumulators rebuild`"
_WENT_BACK = (
    "Redis went back to an older state, and lacks what it acknowledged: reconcile, then run"
    " `authmatch accumulators rebuild --force`"
)
_NOT_REBUILT = "a rebuild of the accumulators runs, or was killed: run it again with --force"
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
_TOLD = {"": _GONE, _BACK: _WENT_BACK, _CLOSED: _NOT_REBUILT}


class OtherKey(EngineFault):
    """The secret that names Redis keys is not the one under which the accumulators were made."""

    is_lasting = True


class AccumulatorsLost(EngineUnavailable):
    """What Redis holds is not what the ledger says; nothing may be decided on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """The mark in Elasticsearch: the one before, and where the ledger stood then.

    A book that is not open yet was never moved by anybody. ``seen`` is the write that made it.
    """

    epoch: str
    previous: str = ""
    last: str = FIRST_ID
    is_open: bool = False
    seen: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """A book in Redis: its mark, the server that it was found whole on, the one that it is on."""

    epoch: str
    server: str
    here: str
    last: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What this worker knows of a book: its mark, what it moved itself last, and when."""

    epoch: str
    last: str = FIRST_ID
    moved_at: float = float("-inf")


class Epoch(Background):
    """The marks of all books; made with the first use."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
        ledger: LedgerReading,
        archive: Archive,
    ) -> None:
        super().__init__("books_not_looked_at", FAULTS, first_s=LOOK_S / 2, most_s=LOOK_S)
        self._elasticsearch = elasticsearch
        self._redis = redis
        self._indices = indices
        self._keys = keys
        self._ledger = ledger
        self._archive = archive
        self._known: dict[str, _Known] = {}
        self._settling: dict[str, asyncio.Task[str]] = {}

    async def of(self, payer: str) -> str:
        """Give the mark that a script compares, as this worker found it last; see ``settle``."""
        known = self._known.get(payer)
        return known.epoch if known else await self.settle(payer)

    def moved(self, payer: str, entry: str) -> None:
        """Remember that an entry of the ledger was acknowledged to this worker."""
        known = self._known.get(payer)
        if known and entry_order(entry) > entry_order(known.last):
            self._known[payer] = replace(known, last=entry, moved_at=time.monotonic())

    async def confirm(self, payer: str) -> None:
        """Return when the book is whole: of what it lacks it may be said that there is none.

        Raises what ``settle`` raises.
        """
        found = await self._look(payer)
        known = self._known.get(payer)
        if known is None or (found.epoch, found.server) != (known.epoch, found.here):
            await self.settle(payer)

    async def settle(self, payer: str) -> str:
        """Find out whether the book is whole, and give its mark, made where there was none.

        Callers that come meanwhile share it. Raises AccumulatorsLost, OtherKey, or EngineFault
        where an engine cannot be asked.
        """
        running = self._settling.get(payer)
        if running is None or running.done():
            running = self._settling[payer] = asyncio.create_task(self._settle(payer))
            running.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(running)

    async def _settle(self, payer: str) -> str:
        for _ in range(_ATTEMPTS_MAX):  # other workers do the same, and may be faster
            found = await self._look(payer)  # before the other, which is written first
            kept = await self._kept(payer)
            wrong = await self._wrong(payer, found.epoch, kept)
            if wrong:
                if (await self._look(payer)).epoch == found.epoch:
                    raise wrong
                continue
            if kept is None:
                await self._begin(payer)
            elif not kept.is_open:
                await self._open(payer, found, kept)
            elif (found.epoch, found.server) == (kept.epoch, found.here):
                if await self._take(payer, found, kept):
                    return kept.epoch
            else:
                await self._take_up(payer, found, kept)
        raise EngineUnavailable("redis", "the mark of the accumulators changes again and again")

    async def _begin(self, payer: str) -> None:
        """Make the mark of a book of which nothing was ever moved."""
        if await self._read(EPOCH) is None:
            await self._archive.trust()
            await self._write(EPOCH, {"epoch": self._new()}, is_new=True)
        await self._keep(payer, _Kept(epoch=self._new()), is_new=True)

    async def _open(self, payer: str, found: _Look, kept: _Kept) -> None:
        """Mark a book in Redis, then say that it may be moved: from then on it must be there."""
        if found.epoch or await self._set(payer, "", kept.epoch):
            await self._keep(payer, replace(kept, is_open=True))

    async def _take(self, payer: str, found: _Look, kept: _Kept) -> bool:
        """Know this book from now on, unless it lacks what was acknowledged to this worker.

        Tells whether it is known; raises AccumulatorsLost.
        """
        known = self._known.get(payer, _Known(kept.epoch))
        if known.epoch != kept.epoch:
            if not kept.previous:  # it was made anew from the ledger
                known = _Known(kept.epoch)
            elif _is_before(kept.last, known.last):
                return await self._go_back(payer, found)
        if _is_before(found.last, known.last):
            return await self._go_back(payer, found)
        self._known[payer] = replace(known, epoch=kept.epoch)
        return True

    async def _take_up(self, payer: str, found: _Look, kept: _Kept) -> None:
        """Give a book a new mark on a server that did not have it before, if it lacks nothing."""
        await asyncio.sleep(OTHERS_S)
        before, found = found, await self._look(payer)
        if found.epoch != before.epoch:
            return
        known = self._known.get(payer)
        last = await self._ledger.last(payer)
        if _is_before(found.last, last) or (known and _is_before(found.last, known.last)):
            await self._go_back(payer, found)
            return
        if found.epoch == kept.epoch:
            after = replace(kept, epoch=self._new(), previous=kept.epoch, last=found.last)
            if not await self._keep(payer, after):
                return
            kept = after
        if found.epoch == kept.previous:
            await self._set(payer, found.epoch, kept.epoch)

    async def _go_back(self, payer: str, found: _Look) -> bool:
        """Close a book that lacks what was acknowledged, and raise AccumulatorsLost.

        False where it was made anew, or taken up, meanwhile.
        """
        if await self._set(payer, found.epoch, _BACK):
            raise AccumulatorsLost("redis", _WENT_BACK)
        return False

    async def restore(self, payer: str) -> None:
        """State that what is in Redis now is what the ledger says, as a rebuild does at its end."""
        epoch = self._new()
        await self._keep(payer, _Kept(epoch=epoch, is_open=True))
        await self._set(payer, _ANY, epoch)
        self._known[payer] = _Known(epoch)

    async def revoke(self, payer: str) -> None:
        """State that what is in Redis must not be used: from now on nothing is moved.

        Raises OtherKey.
        """
        await self._kept(payer)
        await self._set(payer, _ANY, _CLOSED)

    async def turn(self) -> None:
        """Look whether what was acknowledged to this worker of late is there still."""
        await asyncio.sleep(LOOK_S)
        since = time.monotonic() - LATE_S
        for payer, known in list(self._known.items()):
            if known.moved_at < since:
                continue
            found = await self._look(payer)
            if found.epoch == known.epoch and _is_before(found.last, known.last):
                await self._set(payer, known.epoch, _BACK)

    async def obstacle(self, payers: Collection[str]) -> str | None:
        """Say why units of some payer could not be moved now, by trying; None where they could.

        Raises EngineFault.
        """
        probes = [self._keys.book(payer) for payer in payers]
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for book in probes:
                pipeline.set(book.probe, "1", px=1000)
                pipeline.hget(book.epoch, "e")
            answers = (await pipeline.execute())[1::2]
        for payer, epoch in zip(payers, answers, strict=True):
            known = self._known.get(payer)
            if known is None or epoch != known.epoch:
                wrong = await self._wrong(payer, epoch or "", await self._kept(payer))
                if wrong and (await self._look(payer)).epoch == (epoch or ""):
                    return wrong.reason
        return None

    async def _wrong(self, payer: str, epoch: str, kept: _Kept | None) -> AccumulatorsLost | None:
        """Why a mark in Redis does not fit that in Elasticsearch; None where it does."""
        if kept is None:
            if epoch:
                return AccumulatorsLost("elasticsearch", _FORGOTTEN)
            is_new = await self._ledger.is_empty(payer)
            return None if is_new else AccumulatorsLost("redis", _GONE)
        fitting = {kept.epoch, kept.previous} - {""} if kept.is_open else {kept.epoch, ""}
        return None if epoch in fitting else AccumulatorsLost("redis", _TOLD.get(epoch, _OTHERS))

    def _new(self) -> str:
        return f"{uuid.uuid4()}.{self._keys.fingerprint}"

    async def _look(self, payer: str) -> _Look:
        book = self._keys.book(payer)
        with translated_errors():
            found: Any = await self._redis.eval(_LOOK, 2, book.epoch, book.ledger)
        return _Look(*map(str, found))

    async def _set(self, payer: str, expected: str, epoch: str) -> bool:
        with translated_errors():
            done: Any = await self._redis.eval(
                _SET, 1, self._keys.book(payer).epoch, expected, epoch
            )
        return bool(done)

    async def _keep(self, payer: str, kept: _Kept, *, is_new: bool = False) -> bool:
        """Write a mark to Elasticsearch, unless another worker was faster."""
        document = {
            "epoch": kept.epoch,
            "previous": kept.previous,
            "last": kept.last,
            "is_open": kept.is_open,
        }
        return await self._write(_document(payer), document, is_new=is_new, seen=kept.seen)

    async def _write(
        self,
        id_: str,
        document: dict[str, Any],
        *,
        is_new: bool,
        seen: tuple[int, int] | None = None,
    ) -> bool:
        operation = Operation(
            action="create" if is_new else "index",
            index=self._indices.accounting,
            id=id_,
            document=document | {"created_at": now()},
            seen=seen,
        )
        (written,) = await run_bulk(self._elasticsearch, [operation])
        return written.ok

    async def _kept(self, payer: str) -> _Kept | None:
        """Read the mark of Elasticsearch, in realtime."""
        found = await self._read(_document(payer))
        if found is None:
            return None
        source = found["_source"]
        return _Kept(
            epoch=source["epoch"],
            previous=source["previous"],
            last=source["last"],
            is_open=source["is_open"],
            seen=(found["_seq_no"], found["_primary_term"]),
        )

    async def _read(self, id_: str) -> Found | None:
        """Read a mark of Elasticsearch; raises OtherKey."""
        found = await read_one(self._elasticsearch, self._indices.accounting, id_)
        if found and found["_source"]["epoch"].rpartition(".")[2] != self._keys.fingerprint:
            raise OtherKey("redis", _OTHER_KEY)
        return found


@dataclass(eq=False, repr=False)
class Guard:
    """Asked before every movement; mostly it knows the answer already."""

    _durability: Durability
    epoch: Epoch

    async def ensure(self, payer: str) -> str:
        """Give the mark of the book for the script, when Redis keeps what it acknowledges.

        Raises NotDurable, AccumulatorsLost, or another EngineFault where an engine cannot be asked.
        """
        await self._durability.ensure()
        return await self.epoch.of(payer)

    async def obstacle(self, payers: Collection[str]) -> str | None:
        """Say why units of these payers could not be moved now; None where they could.

        Raises EngineFault.
        """
        await self._durability.ensure()
        return await self.epoch.obstacle(payers)


def _document(payer: str) -> str:
    """Name the mark of a payer's book."""
    return f"book|{payer}"


def _is_before(entry: str, other: str) -> bool:
    return entry_order(entry) < entry_order(other)
