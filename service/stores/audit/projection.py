"""Copies rows of the audit trail from the streams of Redis to Elasticsearch, and trims the streams.

With the last rows goes how far the trail is, signed, to a document of its own.
"""

from collections.abc import Collection

from elasticsearch import AsyncElasticsearch
from prometheus_client import Counter, Gauge

from service.stores.audit._rows import row_of_fields, write_anchor, write_document
from service.stores.connection.bulk import run_bulk
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.projection import Entries, Meters, Projection, month_of

METERS = Meters(
    failed="audit_projection_failed",
    pending=Gauge(
        "authmatch_audit_pending",
        "Rows of audit trails that were not in Elasticsearch yet, of all payers.",
        multiprocess_mode="mostrecent",
    ),
    projected=Counter(
        "authmatch_audit_projected_total", "Rows of audit trails copied to Elasticsearch."
    ),
    faults=Counter(
        "authmatch_audit_projection_faults_total", "Times that copying audit trails failed."
    ),
)


class TrailProjection(Projection):
    """Copies the audit trails."""

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
            template="audit",
            meters=METERS,
            turn_key=keys.trail_sweep,
            sweep_s=sweep_s,
        )
        self._keys = keys

    def stream(self, payer: str) -> str:
        """Name the stream of a payer's trail."""
        return self._keys.book(payer).trail

    async def copy(self, payer: str, entries: Entries) -> None:
        """Write rows as documents of their month; what is no row is left out, and then missing."""
        read = [(self._indices.audit(month_of(name)), row_of_fields(row)) for name, row in entries]
        rows = [(index, row) for index, row in read if row is not None]
        operations = [write_document(index, payer, row) for index, row in rows]
        if rows:
            head = max(row.head for _, row in rows)
            operations.append(write_anchor(self._indices, self._keys.trail_key, payer, head))
        await run_bulk(self._elasticsearch, operations)

    async def trim(self, payer: str, least: str) -> None:
        """Trim the stream; how far the trail goes stands beside it."""
        with translated_errors():
            await self._redis.xtrim(self.stream(payer), minid=least, approximate=False)
