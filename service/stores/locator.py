"""Where an authorization lives: one small document an id, which is also the judge of versions.

A push writes it first, so that two pushes of one authorization meet here, whatever their members.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.bulk import Operation, run_bulk
from service.stores.faults import EngineUnavailable, translated_errors
from service.stores.names import IndexNames, document_id

Found = Mapping[str, Any]
"""A document as Elasticsearch gives it, with the number of the write that made it."""

_PLACE = ["docs._source", "docs._seq_no", "docs._primary_term", "docs.error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The latest version that was taken in, its content, and its member.

    ``members`` are all under whom the authorization was ever stored. ``seen`` tells, of a place
    that was read, which write of it that was.
    """

    payer: str
    authorization_id: str
    version: int = 0
    content_hash: str | None = None
    member_id: str | None = None
    members: tuple[str, ...] = field(default=())
    seen: tuple[int, int] | None = None


class Locator:
    """Reads and writes places; reads are realtime."""

    def __init__(self, elasticsearch: AsyncElasticsearch, indices: IndexNames) -> None:
        """Share the client with the other stores."""
        self._elasticsearch = elasticsearch
        self._index = indices.locator

    async def read(self, payer: str, ids: Iterable[str]) -> dict[str, Place]:
        """Give the places that are known, by authorization id."""
        return _places(await self._read([document_id(payer, each) for each in ids]))

    async def read_all(
        self, payer: str, ids: Sequence[str]
    ) -> tuple[dict[str, Place], dict[str, str]]:
        """Give the places that are known, and the successors (see ``successors``), in one read."""
        places, links = await self._read_with_links(payer, ids)
        return _places(places), _successors(links)

    async def read_latest(
        self, payer: str, ids: Sequence[str]
    ) -> tuple[dict[str, int], dict[str, str]]:
        """Give the latest versions, and the successors: all that a push looks at a second time."""
        only = ["authorization_id", "version", "superseded_by"]
        places, links = await self._read_with_links(payer, ids, only=only)
        sources = [doc["_source"] for doc in places]
        return {each["authorization_id"]: each["version"] for each in sources}, _successors(links)

    async def write(self, places: Sequence[Place]) -> list[bool]:
        """Write places over what was seen there; tells which were still so.

        A push that overlooked another one would not know of its member, and leave it there.
        """
        operations = [
            Operation(
                action="create" if place.seen is None else "index",
                index=self._index,
                id=document_id(place.payer, place.authorization_id),
                seen=place.seen,
                document=_written(place),
            )
            for place in places
        ]
        return [each.ok for each in await run_bulk(self._elasticsearch, operations)]

    async def successors(self, payer: str, ids: Iterable[str]) -> dict[str, str]:
        """Give, for each authorization that another one stands for, the id of that one."""
        return _successors(await self._read([_link_id(payer, each) for each in ids]))

    async def link(self, payer: str, authorization_id: str, superseded_by: str) -> None:
        """Say that an authorization, known yet or not, is superseded by another."""
        with translated_errors():
            await self._elasticsearch.index(
                index=self._index,
                id=_link_id(payer, authorization_id),
                document={
                    "payer": payer,
                    "authorization_id": authorization_id,
                    "superseded_by": superseded_by,
                },
            )

    async def _read_with_links(
        self, payer: str, ids: Sequence[str], *, only: list[str] | None = None
    ) -> tuple[list[Found], list[Found]]:
        """Read places and the links that say who stands for them, in one request."""
        wanted = [document_id(payer, each) for each in ids]
        wanted += [_link_id(payer, each) for each in ids]
        found = await self._read(wanted, only=only)
        links = [doc for doc in found if "superseded_by" in doc["_source"]]
        return [doc for doc in found if "superseded_by" not in doc["_source"]], links

    async def _read(self, ids: list[str], *, only: list[str] | None = None) -> list[Found]:
        if not ids:
            return []
        with translated_errors():
            response = await self._elasticsearch.mget(
                index=self._index, ids=ids, filter_path=_PLACE, source_includes=only
            )
        docs = response.body.get("docs", ())
        if any("error" in doc for doc in docs):
            raise EngineUnavailable("elasticsearch", "a place could not be read")
        return [doc for doc in docs if doc]


def _places(found: Iterable[Found]) -> dict[str, Place]:
    places = {}
    for doc in found:
        source = doc["_source"]
        members, seen = tuple(source["members"]), (doc["_seq_no"], doc["_primary_term"])
        places[source["authorization_id"]] = Place(**{**source, "members": members, "seen": seen})
    return places


def _successors(links: Iterable[Found]) -> dict[str, str]:
    sources = (doc["_source"] for doc in links)
    return {each["authorization_id"]: each["superseded_by"] for each in sources}


def _written(place: Place) -> dict[str, Any]:
    return {
        "payer": place.payer,
        "authorization_id": place.authorization_id,
        "version": place.version,
        "content_hash": place.content_hash,
        "member_id": place.member_id,
        "members": place.members,
    }


def _link_id(payer: str, authorization_id: str) -> str:
    return f"{document_id(payer, authorization_id)}|superseded-by"
