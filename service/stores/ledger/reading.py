"""Reads the ledger: one entry, or the history of an authorization or a claim, newest first.

What waits in the stream of the payer is copied first, so that nothing acknowledged is missing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.accounting.replay.ledger import FIRST_ID
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames, ledger_id
from service.stores.connection.reading import Listing, Order, read_page
from service.stores.ledger.entry import LedgerEntry, index_of, read_entry
from service.stores.ledger.projection import LedgerProjection

Clause = dict[str, Any]

PAGE = 100
_SHELF_PAGE = 500
_NEWEST_FIRST: Order = [({"ms": "desc"}, int), ({"seq": "desc"}, int)]
_NEWEST_FIRST_OF_ANY = [
    {name: {"order": "desc", "unmapped_type": "long"}} for name in ("ms", "seq")
]
_OLDEST_FIRST = [{"ms": "asc"}, {"seq": "asc"}]
_ALL = "open,closed"
"""A month that was closed is a fault, not an empty month."""


LedgerPage = Listing[LedgerEntry]

About = tuple[str, ...]
"""What a page of the ledger is about: the fields of which one must name it."""
MOVED: About = ("authorization_ids",)
"""What moved, amended or gave back units of an authorization."""
MATCHED: About = ("matched_ids",)
"""The adjudications that found an authorization, whether they drew on it or not."""
OF_CLAIM: About = ("claim_id", "original_claim_id")
"""What happened to a claim, also by the claim that replaced or voided it."""


@dataclass(eq=False, repr=False)
class LedgerReading:
    """Every reading sees all that was acknowledged before it; raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames
    _keys: KeyNames
    _projection: LedgerProjection

    async def entry(self, payer: str, entry_id: str) -> LedgerEntry | None:
        """Read one entry, wherever it is; None where there is none.

        The stream is asked first: an entry leaves it only when it is in Elasticsearch.
        """
        with translated_errors():
            found: Any = await self._redis.xrange(self._keys.book(payer).ledger, entry_id, entry_id)
            if found:
                ((name, fields),) = found
                return LedgerEntry(id=name, payer=payer, fields=fields)
            response = await self._elasticsearch.options(ignore_status=404).get(
                index=index_of(self._indices, entry_id),
                id=ledger_id(payer, entry_id),
            )
        return read_entry(response["_source"]) if response.get("found") else None

    async def page(
        self,
        payer: str,
        name: str | Sequence[str],
        of: About,
        *,
        size: int = PAGE,
        after: str | None = None,
    ) -> LedgerPage:
        """A page about authorizations or claims, newest first; raises BadCursor."""
        names = [name] if isinstance(name, str) else list(name)
        about = [{"terms": {field: names}} for field in of]
        await self._projection.project(payer)
        await self.refresh()
        return await read_page(
            self._elasticsearch,
            self._indices.ledgers,
            [{"term": {"payer": payer}}, {"bool": {"should": about, "minimum_should_match": 1}}],
            lambda hit: read_entry(hit["_source"]),
            order=_NEWEST_FIRST,
            size=size,
            after=after,
            expand_wildcards=_ALL,
        )

    async def of_shelves(
        self, payer: str, shelves: range, *, with_records: bool = False
    ) -> AsyncIterator[LedgerEntry]:
        """Read all entries about what stands on some shelves, oldest first; see ``refresh``."""
        clause = {"range": {"shelves": {"gte": shelves.start, "lt": shelves.stop}}}
        excluded = None if with_records else ["fields.b"]
        async for source in self._all(payer, clause, excludes=excluded):
            yield read_entry(source)

    async def moved_between(
        self, payer: str, after: int, before: int
    ) -> AsyncIterator[tuple[int, Mapping[str, str]]]:
        """Read what was moved between two times (milliseconds), oldest first: when, and the names.

        The fields are those that name claims and authorizations, with their sequence numbers.
        """
        clause = {"range": {"ms": {"gte": after, "lt": before}}}
        names = ("c", "n", "oc", "on", "q", "cs", "cb")
        wanted = ["ms", "seq", *(f"fields.{name}" for name in names)]
        async for source in self._all(payer, clause, includes=wanted):
            yield source["ms"], source["fields"]

    async def _all(
        self,
        payer: str,
        clause: Clause,
        *,
        includes: list[str] | None = None,
        excludes: list[str] | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Read all entries of a payer that fit, oldest first."""
        last: list[Any] | None = None
        while True:
            with translated_errors():
                response = await self._elasticsearch.search(
                    index=self._indices.ledgers,
                    query={"bool": {"filter": [{"term": {"payer": payer}}, clause]}},
                    sort=_OLDEST_FIRST,
                    search_after=last,
                    size=_SHELF_PAGE,
                    source_includes=includes,
                    source_excludes=excludes,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                    expand_wildcards=_ALL,
                )
            hits = response["hits"]["hits"]
            for hit in hits:
                yield hit["_source"]
            if len(hits) < _SHELF_PAGE:
                return
            last = hits[-1]["sort"]

    async def shelves_of(self, payer: str) -> dict[int, int]:
        """Count the entries of a payer that a search sees, by the shelves that they are about."""
        counted = await self._values("shelves", [{"term": {"payer": payer}}])
        return {int(shelf): count for shelf, count in counted.items()}

    async def payers(self) -> list[str]:
        """Give all payers with entries that a search sees."""
        return list(map(str, await self._values("payer", [])))

    async def everybody(self) -> tuple[str, ...]:
        """All payers with units: those that may call, and those of the ledger."""
        await self.refresh()
        return tuple(dict.fromkeys((*self._projection.payers, *await self.payers())))

    async def _values(self, field: str, clauses: list[Clause]) -> dict[Any, int]:
        """Count the entries by the values of a field; asked in pages, so that none is left out."""
        values: dict[Any, int] = {}
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
            values |= {each["key"]["value"]: each["doc_count"] for each in found.get("buckets", ())}
            after = found.get("after_key")
        return values

    async def refresh(self) -> None:
        """Make every entry that was copied searchable."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(
                index=self._indices.ledgers, expand_wildcards="open"
            )

    async def is_empty(self, payer: str) -> bool:
        """Whether no entry of a payer was ever copied; refreshes first."""
        return await self.last(payer) == FIRST_ID

    async def last(self, payer: str) -> str:
        """The last entry of a payer that was copied, FIRST_ID where none was; refreshes first."""
        await self.refresh()
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.ledgers,
                query={"term": {"payer": payer}},
                sort=_NEWEST_FIRST_OF_ANY,
                size=1,
                source_includes=["ms", "seq"],
                allow_partial_search_results=False,
                expand_wildcards=_ALL,
            )
        hits = response["hits"]["hits"]
        return f"{hits[0]['_source']['ms']}-{hits[0]['_source']['seq']}" if hits else FIRST_ID
