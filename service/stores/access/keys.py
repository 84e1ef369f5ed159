"""API keys in Elasticsearch: a document each, written only over the one that was read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch, ConflictError

from service.access.keys import ApiKey, Secret
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, read_one

KEYS_MAX = 10_000
"""So many keys at the most are looked at, those that were revoked among them."""


@dataclass(eq=False, repr=False)
class ApiKeys:
    """Reads and writes keys; a write is seen by every look that begins when it is done."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def all(self) -> Sequence[ApiKey]:
        """All keys, the newest first; raises EngineFault."""
        with translated_errors():
            found = await self._elasticsearch.search(
                index=self._indices.keys,
                size=KEYS_MAX,
                sort=[{"made_at": "desc"}],
                seq_no_primary_term=True,
                allow_partial_search_results=False,
            )
        return [_read(hit) for hit in found["hits"]["hits"]]

    async def get(self, key_id: str) -> ApiKey | None:
        """One key in realtime; raises EngineFault."""
        found = await read_one(self._elasticsearch, self._indices.keys, key_id)
        return _read(found) if found else None

    async def write(self, key: ApiKey) -> bool:
        """Write a key over what was read of it, or as a new one; tells whether that was still so.

        Raises EngineFault.
        """
        document = {
            name: value for name, value in asdict(key).items() if name not in ("id", "seen")
        }
        over: dict[str, Any] = {"op_type": "create"}
        if key.seen is not None:
            over = {"if_seq_no": key.seen[0], "if_primary_term": key.seen[1]}
        with translated_errors():
            try:
                await self._elasticsearch.index(
                    index=self._indices.keys, id=key.id, document=document, refresh=True, **over
                )
            except ConflictError:
                return False
        return True

    async def used(self, key_id: str, at: str) -> None:
        """Write the last use of a key, beside whatever else becomes of it; raises EngineFault."""
        with translated_errors():
            await self._elasticsearch.update(
                index=self._indices.keys, id=key_id, doc={"last_used_at": at}, retry_on_conflict=3
            )


def _read(found: Found) -> ApiKey:
    source = dict(found["_source"])
    return ApiKey(
        **{
            **source,
            "payers": tuple(source["payers"]),
            "scopes": tuple(source["scopes"]),
            "secrets": tuple(Secret(**each) for each in source["secrets"]),
        },
        id=found["_id"],
        seen=(found["_seq_no"], found["_primary_term"]),
    )
