"""Where an authorization lives: one small document an id, which is also the judge of versions.

A push writes it first, so that two pushes of one authorization meet here, whatever their members.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.names import IndexNames, document_id
from service.stores.connection.reading import Found, read_many

_STORED = (
    "payer",
    "authorization_id",
    "version",
    "content_hash",
    "member_id",
    "members",
    "base",
    "parts",
)
_WRITES = ["docs.found", "docs._version", "docs.error"]
_PLACE = ["docs._source", "docs._seq_no", "docs._primary_term", *_WRITES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The latest version that was taken in, its content, and its member.

    ``members`` are all under whom the authorization was ever stored. ``parts`` are the versions of
    which the state in force is made, oldest first, and ``base`` the last that replaced all before
    it: 0 where none did yet. ``seen`` tells, of a place that was read, which write of it that was,
    and ``writes`` how many there were until then.
    """

    payer: str
    authorization_id: str
    version: int = 0
    content_hash: str | None = None
    member_id: str | None = None
    members: tuple[str, ...] = field(default=())
    base: int = 0
    parts: tuple[int, ...] = ()
    seen: tuple[int, int] | None = None
    writes: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """Who stands for an authorization; ``is_alias``: the two are one, by another name."""

    newer: str
    is_alias: bool = False


def parts_with(
    place: Place, version: int, *, adds: bool, is_void: bool
) -> tuple[int, tuple[int, ...]]:
    """The base and the parts of a place once a version was taken in, in whatever order they came.

    A version before the base is over. What is void is nothing to add to.
    """
    if version in place.parts or version < place.base:
        return place.base, place.parts
    if adds:
        return place.base, tuple(sorted((*place.parts, version)))
    later = tuple(each for each in place.parts if each > version)
    return version, later if is_void else (version, *later)


@dataclass(eq=False, repr=False)
class Locator:
    """Reads and writes places; reads are realtime."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def read(self, payer: str, ids: Iterable[str]) -> dict[str, Place]:
        """Give the places that are known, by authorization id."""
        return _places(await self._there([document_id(payer, each) for each in ids]))

    async def read_all(
        self, payer: str, ids: Sequence[str]
    ) -> tuple[dict[str, Place], dict[str, Link]]:
        """Give the places that are known, and the successors (see ``successors``), in one read."""
        found = await self._there(_keys(payer, ids))
        links = [doc for doc in found if "superseded_by" in doc["_source"]]
        places = [doc for doc in found if "superseded_by" not in doc["_source"]]
        return _places(places), _successors(links)

    async def read_changed(
        self, payer: str, writes: Mapping[str, int]
    ) -> tuple[dict[str, Place], dict[str, Link]]:
        """Give the places that were written more often than this, and all successors.

        Most were not: only counts are read of them, which costs Elasticsearch a fraction.
        """
        ids = list(writes)
        found = await self._count(payer, ids)
        places, links = found[: len(ids)], found[len(ids) :]
        changed = [
            each
            for each, count, is_linked in zip(ids, places, links, strict=True)
            if count != writes[each] or is_linked
        ]
        return await self.read_all(payer, changed)

    async def _count(self, payer: str, ids: Sequence[str]) -> list[int]:
        """Give how often each place was written, then the same of each link; 0 is not there."""
        found = await self._read(_keys(payer, ids), filter_path=_WRITES, source=False)
        return [doc["_version"] if doc else 0 for doc in found]

    async def write(self, places: Sequence[Place]) -> list[bool]:
        """Write places over what was seen there; tells which were still so.

        A push that overlooked another one would not know of its member, and leave it there.
        """
        operations = [
            Operation(
                action="create" if place.seen is None else "index",
                index=self._indices.locator,
                id=document_id(place.payer, place.authorization_id),
                seen=place.seen,
                document={name: getattr(place, name) for name in _STORED},
            )
            for place in places
        ]
        return [each.ok for each in await run_bulk(self._elasticsearch, operations)]

    async def successors(self, payer: str, ids: Iterable[str]) -> dict[str, Link]:
        """Give, for each authorization that another one stands for, which one that is."""
        return _successors(await self._there([_link_id(payer, each) for each in ids]))

    async def link(self, payer: str, successors: Mapping[str, Link]) -> None:
        """Say of authorizations, known yet or not, by which ones they are superseded."""
        operations = [
            Operation(
                action="index",
                index=self._indices.locator,
                id=_link_id(payer, older),
                document={
                    "payer": payer,
                    "authorization_id": older,
                    "superseded_by": link.newer,
                    "is_alias": link.is_alias,
                },
            )
            for older, link in successors.items()
        ]
        await run_bulk(self._elasticsearch, operations)

    async def _there(self, ids: list[str]) -> list[Found]:
        """Read those documents that are there."""
        return [doc for doc in await self._read(ids, filter_path=_PLACE) if doc]

    async def _read(self, ids: list[str], **options: Any) -> list[Found | None]:
        return await read_many(
            self._elasticsearch, self._indices.locator, "a place", ids=ids, **options
        )


def _keys(payer: str, ids: Sequence[str]) -> list[str]:
    """Name places, and after them the links that say who stands for each."""
    return [document_id(payer, each) for each in ids] + [_link_id(payer, each) for each in ids]


def _places(found: Iterable[Found]) -> dict[str, Place]:
    places = {}
    for doc in found:
        source = doc["_source"]
        places[source["authorization_id"]] = Place(
            **{name: source[name] for name in _STORED}
            | {name: tuple(source[name]) for name in ("members", "parts")},
            seen=(doc["_seq_no"], doc["_primary_term"]),
            writes=doc["_version"],
        )
    return places


def _successors(links: Iterable[Found]) -> dict[str, Link]:
    sources = (doc["_source"] for doc in links)
    return {
        each["authorization_id"]: Link(each["superseded_by"], each["is_alias"]) for each in sources
    }


def _link_id(payer: str, authorization_id: str) -> str:
    return f"{document_id(payer, authorization_id)}|superseded-by"
