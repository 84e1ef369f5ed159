"""Copies ledger entries from the streams of Redis to Elasticsearch, and then trims the streams."""

from collections.abc import Collection

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter, Gauge

from service.stores.connection.bulk import Operation
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.projection import Entries, Meters, Projection
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

_TRIM = lua("stream_trim.lua")


class LedgerProjection(Projection):
    """Copies the ledgers; one that somebody holds, who compares both engines, is trimmed later."""

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

    def stream(self, payer: str) -> str:
        """Name the ledger of a payer."""
        return self._keys.book(payer).ledger

    def operations(self, payer: str, entries: Entries) -> list[Operation]:
        """Write entries as documents of the month in which they were made."""
        book = self._keys.book(payer)
        return [
            write_entry(self._indices, book, LedgerEntry(id=name, payer=payer, fields=fields))
            for name, fields in entries
        ]

    async def trim(self, payer: str, least: str) -> None:
        """Trim the ledger, unless it is held; one that is empty keeps its last id."""
        book = self._keys.book(payer)
        with translated_errors():
            await self._redis.eval(_TRIM, 2, book.ledger, book.hold, least)
