"""Compares an audit trail with its signatures, its links, and the ends that both engines know."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.access.chain import START, Check, Head, Row
from service.stores.audit._rows import (
    ALL,
    head_of,
    read_anchor,
    row_of_document,
    row_of_fields,
)
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames

_AT_ONCE = 1000
_KEEP_ALIVE = "5m"
_ORDER: list[Mapping[str, Any]] = [
    {"number": {"order": "asc", "unmapped_type": "long", "missing": "_last"}},
    {"_shard_doc": "asc"},
]


@dataclass(slots=True)
class _Waiting:
    """Rows that wait in Redis; those that are in Elasticsearch, too, must be the same."""

    rows: Sequence[Row]
    after: int
    copied: dict[int, Row] = field(default_factory=dict)

    @property
    def first(self) -> int | None:
        return self.rows[0].head.number if self.rows else None

    def see(self, row: Row) -> None:
        """Remember a row of Elasticsearch that may wait in Redis, too."""
        if self.first is not None and row.head.number >= self.first:
            self.copied.setdefault(row.head.number, row)

    def problems(self, check: Check) -> Iterator[str]:
        """What is wrong with them, behind those that were followed."""
        for row in self.rows:
            if row.head.number <= self.after:
                continue
            copy = self.copied.pop(row.head.number, None)
            if copy is None:
                yield from check.follow(row)
            elif copy != row:
                yield f"row {row.head.number}: Redis and Elasticsearch differ"


@dataclass(eq=False, repr=False)
class Verification:
    """Reads all that there is of a trail; raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames
    _keys: KeyNames

    async def problems(self, payer: str, after: Head = START) -> AsyncIterator[str]:
        """All that does not fit, from the row behind ``after`` on; nothing if nobody touched it.

        Rows may be written and copied meanwhile. So what waits in Redis is read first, and what the
        engines know of the end last.
        """
        book = self._keys.book(payer)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.xrange(book.trail)
            pipeline.hgetall(book.trail_head)
            stream, told = await pipeline.execute()
        check, head = Check(self._keys.trail_key, payer, after), head_of(told)
        read = [row_of_fields(fields) for _, fields in stream]
        waiting = _Waiting([row for row in read if row], after.number)
        if None in read:
            yield "there is a row in Redis that is none"
        end, later = head.number if head is not None else 0, list[int]()
        async for problem in self._problems_of_rows(check, end, waiting, later):
            yield problem
        for problem in waiting.problems(check):
            yield problem
        if check.head.number < end:
            yield f"rows {check.head.number + 1} to {end}: missing, and Redis knows of them"
        elif end < after.number:
            yield f"rows {end + 1} to {after.number}: missing, and they were there"
        async for problem in self._problems_of_ends(payer, check, head, waiting.first, later):
            yield problem

    async def _problems_of_rows(
        self, check: Check, end: int, waiting: _Waiting, later: list[int]
    ) -> AsyncIterator[str]:
        """Follow what is in Elasticsearch; what is ``later`` than the end was written since."""
        async for row in self._rows(check.payer, check.head):
            if row is None:
                yield "there is a row in Elasticsearch without a number"
            elif row.head.number <= end:
                waiting.see(row)
                for problem in check.follow(row):
                    yield problem
            else:
                later.append(row.head.number)
                if not check.is_signed(row):
                    yield f"row {row.head.number}: not as it was written"

    async def _problems_of_ends(
        self, payer: str, check: Check, head: Head | None, first: int | None, later: Sequence[int]
    ) -> AsyncIterator[str]:
        """Compare what the engines know of the end with the rows, and with one another.

        What Redis does not hold any more was copied, and with it how far the trail went then.
        """
        is_there, anchor = await read_anchor(
            self._elasticsearch, self._indices, self._keys.trail_key, payer
        )
        with translated_errors():
            told: Any = await self._redis.hgetall(self._keys.book(payer).trail_head)
        now = head_of(told)
        if head is None or now is None:
            if is_there or later or check.head.number:
                yield "Redis does not know how far the trail goes"
            return
        for problem in check.names(head, "Redis"):
            yield problem
        if later and max(later) > now.number:
            yield f"row {max(later)}: Redis knows rows to {now.number} only"
        copied = first - 1 if first is not None else head.number
        if anchor is None:
            if is_there or copied:
                yield "Elasticsearch does not know how far the trail goes"
            return
        if not copied <= anchor.number <= now.number:
            yield (
                f"Elasticsearch knows rows to {anchor.number}, which should be {copied} or more,"
                f" and Redis to {now.number}"
            )
        for problem in check.names(anchor, "Elasticsearch"):
            yield problem

    async def _rows(self, payer: str, after: Head) -> AsyncIterator[Row | None]:
        """All rows in Elasticsearch behind a head, in the order of their numbers."""
        earlier = [{"range": {"number": {"lte": after.number}}}] if after.number else []
        query = {"bool": {"filter": [{"term": {"payer": payer}}], "must_not": earlier}}
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.audits)
            opened = await self._elasticsearch.open_point_in_time(
                index=self._indices.audits, keep_alive=_KEEP_ALIVE, expand_wildcards=ALL
            )
        point, last = opened["id"], None
        try:
            while True:
                with translated_errors():
                    response = await self._elasticsearch.search(
                        pit={"id": point, "keep_alive": _KEEP_ALIVE},
                        query=query,
                        sort=_ORDER,
                        search_after=last,
                        size=_AT_ONCE,
                        allow_partial_search_results=False,
                    )
                point, hits = response["pit_id"], response["hits"]["hits"]
                for hit in hits:
                    yield row_of_document(hit["_source"])
                if len(hits) < _AT_ONCE:
                    return
                last = hits[-1]["sort"]
        finally:
            with translated_errors():
                await self._elasticsearch.close_point_in_time(id=point)
