"""Reads the ledger: one entry, or the history of an authorization or a claim, newest first.

What waits in the stream of the bucket is copied first, so that nothing acknowledged is missing.
"""

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch

from service.accounting.replay.ledger import FIRST_ID, entry_order
from service.stores.connection.clients import RedisClient
from service.stores.connection.cursor import BadCursor
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import BucketKeys
from service.stores.connection.names import IndexNames, ledger_id, ledger_routing
from service.stores.ledger.entry import LedgerEntry, index_of, read_entry
from service.stores.ledger.projection import Projection

Clause = dict[str, Any]
Buckets = BucketKeys | Sequence[BucketKeys]
"""The bucket in which something is kept; all of them where it was kept in several."""

PAGE = 100
_BUCKET_PAGE = 500
_NEWEST_FIRST = [{"ms": "desc"}, {"seq": "desc"}, {"bucket": "desc"}]
_OLDEST_FIRST = [{"ms": "asc"}, {"seq": "asc"}]
_ALL = "open,closed"
"""A month that was closed is a fault, not an empty month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Some entries, newest first, how many there are in all, and where to go on."""

    entries: tuple[LedgerEntry, ...]
    total: int
    next_: str | None


class LedgerReading:
    """Every reading sees all that was acknowledged before it; raises EngineFault."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        projection: Projection,
    ) -> None:
        """Share the clients with the other stores."""
        self._elasticsearch = elasticsearch
        self._redis = redis
        self._indices = indices
        self._projection = projection

    async def entry(self, keys: BucketKeys, entry_id: str) -> LedgerEntry | None:
        """Give one entry, wherever it is; None where there is none.

        The stream is asked first: an entry leaves it only when it is in Elasticsearch.
        """
        with translated_errors():
            found: Any = await self._redis.xrange(keys.ledger, entry_id, entry_id)
            if found:
                ((name, fields),) = found
                return LedgerEntry(id=name, payer=keys.payer, bucket=keys.number, fields=fields)
            response = await self._elasticsearch.options(ignore_status=404).get(
                index=index_of(self._indices, entry_id),
                id=ledger_id(keys.payer, keys.number, entry_id),
                routing=ledger_routing(keys.payer, keys.number),
            )
        return read_entry(response["_source"]) if response.get("found") else None

    async def of_authorization(
        self, keys: Buckets, authorization_id: str, *, size: int = PAGE, after: str | None = None
    ) -> LedgerPage:
        """Give what moved, amended or gave back units of an authorization."""
        return await self._page(keys, _moved(authorization_id), size, after)

    async def matches(
        self, keys: Buckets, authorization_id: str, *, size: int = PAGE, after: str | None = None
    ) -> LedgerPage:
        """Give the adjudications that found an authorization, whether they drew on it or not."""
        return await self._page(keys, _matched(authorization_id), size, after)

    async def related(
        self, keys: Buckets, authorization_id: str, *, size: int = PAGE, after: str | None = None
    ) -> LedgerPage:
        """Give all that moved units of an authorization or found it."""
        clause = _any_of(_moved(authorization_id), _matched(authorization_id))
        return await self._page(keys, clause, size, after)

    async def of_claim(
        self, keys: Buckets, claim_id: str, *, size: int = PAGE, after: str | None = None
    ) -> LedgerPage:
        """Give what happened to a claim, also by the claim that replaced or voided it."""
        clause = _any_of(
            {"term": {"claim_id": claim_id}}, {"term": {"original_claim_id": claim_id}}
        )
        return await self._page(keys, clause, size, after)

    async def of_bucket(
        self, payer: str, bucket: int, *, after: str = FIRST_ID, with_records: bool = False
    ) -> AsyncIterator[LedgerEntry]:
        """Give all entries of a bucket that a search sees, oldest first; see ``refresh``."""
        clauses = [{"term": {"payer": payer}}, {"term": {"bucket": bucket}}]
        last = list(entry_order(after))
        while True:
            with translated_errors():
                response = await self._elasticsearch.search(
                    index=self._indices.ledgers,
                    routing=ledger_routing(payer, bucket),
                    query={"bool": {"filter": clauses}},
                    sort=_OLDEST_FIRST,
                    search_after=last,
                    size=_BUCKET_PAGE,
                    source_excludes=None if with_records else ["fields.b", "fields.cl"],
                    track_total_hits=False,
                    allow_partial_search_results=False,
                    expand_wildcards=_ALL,
                )
            hits = response["hits"]["hits"]
            for hit in hits:
                yield read_entry(hit["_source"])
            if len(hits) < _BUCKET_PAGE:
                return
            last = hits[-1]["sort"]

    async def buckets_of(self, payer: str) -> list[int]:
        """Give the buckets of a payer with entries that a search sees."""
        return [int(each) for each in await self._values("bucket", [{"term": {"payer": payer}}])]

    async def payers(self) -> list[str]:
        """Give all payers with entries that a search sees."""
        return list(map(str, await self._values("payer", [])))

    async def _values(self, field: str, clauses: list[Clause]) -> list[Any]:
        """Give the values of a field, in order; asked in pages, so that none is left out."""
        values: list[Any] = []
        after: dict[str, Any] | None = {}
        while after is not None:
            composite = {"size": 1000, "sources": [{"value": {"terms": {"field": field}}}]}
            with translated_errors():
                response = await self._elasticsearch.search(
                    index=self._indices.ledgers,
                    query={"bool": {"filter": clauses}},
                    aggs={"values": {"composite": composite | ({"after": after} if after else {})}},
                    size=0,
                    allow_partial_search_results=False,
                    expand_wildcards=_ALL,
                )
            found = response.get("aggregations", {}).get("values", {})
            values += [each["key"]["value"] for each in found.get("buckets", ())]
            after = found.get("after_key")
        return values

    async def refresh(self) -> None:
        """Make every entry that was copied searchable."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(
                index=self._indices.ledgers, expand_wildcards="open"
            )

    async def is_empty(self) -> bool:
        """Whether no entry was ever copied; refreshes first."""
        await self.refresh()
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.ledgers,
                size=0,
                track_total_hits=1,
                allow_partial_search_results=False,
                expand_wildcards=_ALL,
            )
        return bool(response["hits"]["total"]["value"] == 0)

    async def _page(
        self, keys: Buckets, clause: Clause, size: int, after: str | None
    ) -> LedgerPage:
        """Give a page; raises BadCursor for a cursor that was not given out here."""
        cursor = None if after is None else _read_cursor(after)
        buckets = [keys] if isinstance(keys, BucketKeys) else list(keys)
        await self._projection.project_all(buckets)
        await self.refresh()
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.ledgers,
                query={"bool": {"filter": [{"term": {"payer": buckets[0].payer}}, clause]}},
                sort=_NEWEST_FIRST,
                search_after=cursor,
                size=size,
                track_total_hits=True,
                allow_partial_search_results=False,
                expand_wildcards=_ALL,
            )
        if response["timed_out"]:
            raise EngineUnavailable("elasticsearch", "the search ran out of its time")
        hits = response["hits"]["hits"]
        return LedgerPage(
            entries=tuple(read_entry(hit["_source"]) for hit in hits),
            total=response["hits"]["total"]["value"],
            next_=_cursor(hits[-1]["sort"]) if len(hits) == size else None,
        )


def _moved(authorization_id: str) -> Clause:
    return {"term": {"authorization_ids": authorization_id}}


def _matched(authorization_id: str) -> Clause:
    return {"term": {"matched_ids": authorization_id}}


def _any_of(*clauses: Clause) -> Clause:
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _cursor(sort: list[int]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(sort)).decode().rstrip("=")


def _read_cursor(text: str) -> list[int]:
    try:
        sort = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise BadCursor("this cursor was not given out by a search") from error
    if not isinstance(sort, list) or [type(each) for each in sort] != [int, int, int]:
        raise BadCursor("this cursor was not given out by a search")
    return sort
