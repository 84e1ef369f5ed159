"""Reads of Elasticsearch that the stores share: documents by id, all that fit, or a page."""

import base64
import binascii
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from elasticsearch import AsyncElasticsearch

from service.domain.misfits import Misfit
from service.stores.connection.faults import EngineUnavailable, translated_errors

T = TypeVar("T")

Found = Mapping[str, Any]
"""A document as Elasticsearch gives it, with the number of the write that made it."""

Order = Sequence[tuple[Mapping[str, Any], type]]
"""What a search sorts by, each with the type of its values."""

_KEEP_ALIVE = "5m"
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


class BadCursor(Misfit):
    """A paging cursor that was not given out by a search."""


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[T]):
    """A page: some of what fits, how many there are in all, and where to go on."""

    entries: tuple[T, ...]
    total: int
    next_: str | None


async def read_one(
    elasticsearch: AsyncElasticsearch, index: str, id_: str, **options: Any
) -> Found | None:
    """A document in realtime, None where there is none; a missing index is an EngineFault."""
    with translated_errors():
        response = await elasticsearch.options(ignore_status=404).get(
            index=index, id=id_, **options
        )
    if "error" in response:
        raise EngineUnavailable("elasticsearch", "the indices are not installed")
    return response.body if response["found"] else None


async def read_many(
    elasticsearch: AsyncElasticsearch,
    index: str,
    what: str,
    *,
    ids: Sequence[str] = (),
    docs: Sequence[Mapping[str, Any]] = (),
    **query: Any,
) -> list[Found | None]:
    """Documents in realtime, as ``ids`` or ``docs`` ask for them; None for one that is not there.

    One that could not be read is an EngineFault that says ``what`` it is: it must not look like one
    that is not there.
    """
    if not (docs or ids):
        return []
    with translated_errors():
        # Every claim asks: the client's own method takes a fifth longer.
        response = await elasticsearch.perform_request(
            "POST",
            f"/{index}/_mget",
            params={
                f"_{name}" if name.startswith("source") else name: value
                for name, value in query.items()
                if value is not None
            },
            headers=_HEADERS,
            body={"docs": docs} if docs else {"ids": ids},
        )
    docs = response.body["docs"]
    if any("error" in doc for doc in docs):
        raise EngineUnavailable("elasticsearch", f"{what} could not be read")
    return [doc if doc["found"] else None for doc in docs]


async def read_all(
    elasticsearch: AsyncElasticsearch,
    index: str,
    query: Mapping[str, Any],
    *,
    size: int,
    **options: Any,
) -> AsyncGenerator[tuple[list[Found], int], None]:
    """All that was written before and fits, in parts, each with how many there are in all.

    They are read on one point in time, so that none is missed or read twice.
    """
    with translated_errors():
        await elasticsearch.indices.refresh(index=index)
        opened = await elasticsearch.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)
    point, after, total = opened["id"], None, 0
    try:
        while True:
            with translated_errors():
                response = await elasticsearch.search(
                    pit={"id": point, "keep_alive": _KEEP_ALIVE},
                    query=query,
                    size=size,
                    sort=["_shard_doc"],
                    search_after=after,
                    track_total_hits=after is None,
                    seq_no_primary_term=True,
                    version=True,
                    allow_partial_search_results=False,
                    **options,
                )
            point = response["pit_id"]
            hits = response["hits"]["hits"]
            if not hits:
                return
            if after is None:
                total = response["hits"]["total"]["value"]
            after = hits[-1]["sort"]
            yield hits, total
    finally:
        with translated_errors():
            await elasticsearch.close_point_in_time(id=point)


async def read_page(
    elasticsearch: AsyncElasticsearch,
    index: str,
    clauses: Sequence[Mapping[str, Any]],
    read: Callable[[Found], T],
    *,
    order: Order,
    size: int,
    after: str | None,
    **options: Any,
) -> Listing[T]:
    """A page of what a search sees and all clauses fit.

    Raises BadCursor for an ``after`` that no search gave out, EngineFault.
    """
    with translated_errors():
        response = await elasticsearch.search(
            index=index,
            query={"bool": {"filter": clauses}},
            sort=[by for by, _ in order],
            search_after=None if after is None else read_cursor(after, order),
            size=size,
            track_total_hits=True,
            allow_partial_search_results=False,
            **options,
        )
    if response["timed_out"]:
        raise EngineUnavailable("elasticsearch", "the search ran out of its time")
    hits = response["hits"]["hits"]
    return Listing(
        entries=tuple(map(read, hits)),
        total=response["hits"]["total"]["value"],
        next_=write_cursor(hits[-1]["sort"]) if len(hits) == size else None,
    )


def write_cursor(sort: list[Any]) -> str:
    """The sort values of the last hit, so written that they can be given out."""
    return base64.urlsafe_b64encode(orjson.dumps(sort)).decode().rstrip("=")


def read_cursor(text: str, order: Order) -> list[Any]:
    """Read them back; raises BadCursor unless they are of the types of this order."""
    try:
        sort = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise BadCursor("this cursor was not given out by a search", "query", "after") from error
    if not isinstance(sort, list) or list(map(type, sort)) != [kind for _, kind in order]:
        raise BadCursor("this cursor was not given out by a search", "query", "after")
    return sort
