"""Copies ledger entries from the streams of Redis to Elasticsearch, and then trims the streams."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter, Gauge

from service.accounting.books.record import Draft, unpack
from service.stores.connection.bulk import run_bulk
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.projection import Entries, Meters, Projection
from service.stores.connection.replicas import Replicas
from service.stores.connection.scripts import lua
from service.stores.ledger.entry import LedgerEntry, write_entry

METERS = Meters(
    failed="projection_failed",
    pending=Gauge(
        "authmatch_ledger_pending",
        "Ledger entries that were not in Elasticsearch yet when all payers were last looked at.",
        multiprocess_mode="mostrecent",
    ),
    projected=Counter(
        "authmatch_ledger_projected_total", "Ledger entries copied to Elasticsearch."
    ),
    faults=Counter("authmatch_ledger_projection_faults_total", "Times that copying failed."),
)

Follow = Callable[[str, Sequence[tuple[LedgerEntry, Draft]]], Awaitable[None]]
"""Who is told what was copied, each entry with its record; raises EngineFault."""

_TRIM = lua("stream_trim.lua")


class LedgerProjection(Projection):
    """Copies the ledgers; one that somebody holds, who compares both engines, is trimmed later."""

    def __init__(  # noqa: PLR0913 - what it speaks to
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
        payers: Collection[str],
        follow: Follow,
        replicas: Replicas,
        *,
        sweep_s: float,
    ) -> None:
        """``follow`` is told of every entry before it is trimmed, perhaps once more.

        What ``replicas`` lack waits: a replica that takes over may not be behind its ledger.
        """
        super().__init__(
            elasticsearch,
            redis,
            indices,
            payers,
            template="ledger",
            meters=METERS,
            turn_key=keys.sweep,
            sweep_s=sweep_s,
        )
        self._keys = keys
        self._follow = follow
        self._replicas = replicas

    def stream(self, payer: str) -> str:
        """Name the ledger of a payer."""
        return self._keys.book(payer).ledger

    async def copy(self, payer: str, entries: Entries) -> None:
        """Write entries as documents of the month in which they were made, and tell of them."""
        book = self._keys.book(payer)
        await self._replicas.confirm(book.probe)
        read = [
            (LedgerEntry(id=name, payer=payer, fields=fields), unpack(fields.get("b", "")))
            for name, fields in entries
        ]
        written = [write_entry(self._indices, book, *each) for each in read]
        await run_bulk(self._elasticsearch, written)
        await self._follow(payer, read)

    async def trim(self, payer: str, least: str) -> None:
        """Trim the ledger, unless it is held; one that is empty keeps its last id."""
        book = self._keys.book(payer)
        with translated_errors():
            await self._redis.eval(_TRIM, 2, book.ledger, book.hold, least)
