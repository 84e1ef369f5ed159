"""Reads the audit trail: a page of what fits, and how far it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.access.chain import write_head
from service.stores.audit._rows import ALL, head_of, with_rows
from service.stores.audit.projection import TrailProjection
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, Listing, Order, read_page

_NEWEST_FIRST: Order = [
    ({"number": {"order": "desc", "unmapped_type": "long", "missing": "_last"}}, int)
]
_HIDDEN = ("payer", "seen")
_COUNTED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to list: all given must hold. ``persons`` are ids of one person, as keys name them.

    ``since`` and ``until`` are times or days, both included.
    """

    persons: tuple[str, ...] = ()
    by: str | None = None
    claim: str | None = None
    authorization: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many rows say what was done by whom, how many of them that it was refused or failed."""

    what: str
    by: str
    rows: int
    refused: int
    last: str


@dataclass(eq=False, repr=False)
class TrailReading:
    """Every reading sees all rows that were written before it; raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames
    _keys: KeyNames
    _projection: TrailProjection

    def person(self, payer: str, members: Sequence[str]) -> tuple[str, ...]:
        """The ids of a person as rows name them."""
        return tuple(map(self._keys.book(payer).owner, members))

    async def page(
        self, payer: str, wanted: Wanted, *, size: int, after: str | None
    ) -> Listing[Mapping[str, Any]]:
        """A page, newest first; raises BadCursor."""
        await self._projection.project(payer)
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.audits)
        return await read_page(
            self._elasticsearch,
            self._indices.audits,
            [{"term": {"payer": payer}}, *_clauses(wanted)],
            _shown,
            order=_NEWEST_FIRST,
            size=size,
            after=after,
            expand_wildcards=ALL,
        )

    async def counted(self, payer: str, whats: Sequence[str], since: str) -> list[Counted]:
        """How many rows say so, by what was done and who did it, the most first."""
        await self._projection.project(payer)
        by = {"terms": {"field": "by", "size": _COUNTED_MAX, "missing": ""}}
        bad = {"filter": {"terms": {"outcome": ["refused", "failed"]}}}
        inner = {"bad": bad, "last": {"max": {"field": "at"}}}
        wanted = [
            {"term": {"payer": payer}},
            {"terms": {"what": list(whats)}},
            {"range": {"at": {"gte": since}}},
        ]
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.audits)
            response = await self._elasticsearch.search(
                index=self._indices.audits,
                query={"bool": {"filter": wanted}},
                aggs={"what": {"terms": {"field": "what"}, "aggs": {"by": {**by, "aggs": inner}}}},
                size=0,
                expand_wildcards=ALL,
                allow_partial_search_results=False,
            )
        found = response.get("aggregations", {}).get("what", {}).get("buckets", ())
        counted = [
            Counted(
                what=what["key"],
                by=each["key"],
                rows=each["doc_count"],
                refused=each["bad"]["doc_count"],
                last=each["last"]["value_as_string"],
            )
            for what in found
            for each in what["by"]["buckets"]
        ]
        return sorted(counted, key=lambda each: (-each.rows, each.what, each.by))

    async def everybody(self) -> tuple[str, ...]:
        """All payers with a trail: those that may call, and those that have rows."""
        found = await with_rows(self._elasticsearch, self._indices)
        return tuple(dict.fromkeys((*self._projection.payers, *sorted(found))))

    async def head(self, payer: str) -> str | None:
        """How far the trail goes, signed; None where it has no row."""
        with translated_errors():
            found: Any = await self._redis.hgetall(self._keys.book(payer).trail_head)
        head = head_of(found)
        return write_head(self._keys.trail_key, payer, head) if head and head.number else None


def _shown(found: Found) -> Mapping[str, Any]:
    return {name: value for name, value in found["_source"].items() if name not in _HIDDEN}


def _clauses(wanted: Wanted) -> list[Mapping[str, Any]]:
    clauses: list[Mapping[str, Any]] = []
    if wanted.persons:
        clauses.append({"terms": {"persons": list(wanted.persons)}})
    named = {"by": wanted.by, "claims": wanted.claim, "authorizations": wanted.authorization}
    clauses += [{"term": {field: value}} for field, value in named.items() if value is not None]
    span = {"gte": wanted.since, "lte": wanted.until}
    if given := {name: value for name, value in span.items() if value is not None}:
        clauses.append({"range": {"at": given}})
    return clauses
