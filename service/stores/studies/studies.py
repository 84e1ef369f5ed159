"""Studies, reports and suggestions as they are stored: how far each is, and the parts of it.

They are written once, and stand together in the index of the month in which they were made.
"""

import base64
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, Listing, Order, read_many, read_page
from service.stores.connection.sealing import Seal
from service.stores.studies.kept import month_of

Kind = Literal["study", "report", "suggestion"]
Status = Literal["waiting", "running", "done", "failed"]

PART_BYTES = 4 * 1024 * 1024
"""A part of a study has about so many bytes of JSON, before it is condensed."""

_NEWEST_FIRST: Order = [({"at": "desc"}, int), ({"id": "desc"}, str)]
_BODIES = ["content", "page"]

Names = Sequence[tuple[str, Sequence[int]]]
"""Claims by their ids, each with the numbers of its lines."""
_LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a study, report or suggestion: ``said`` is all that an answer shows."""

    kind: Kind
    id: str
    status: Status
    at: str
    beat: str
    by: str
    said: Mapping[str, Any]
    study: str | None = None


@dataclass(eq=False, repr=False)
class Studies:
    """Of all payers; heads by id in realtime. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _seal: Seal

    async def write(self, payer: str, head: Head) -> None:
        """Write a head, over the one that stands."""
        await self._write(payer, head, {})

    async def write_report(self, payer: str, head: Head, content: bytes, page: bytes) -> None:
        """Write a report that is done: its JSON, and its page."""
        await self._write(
            payer,
            head,
            {
                name: self._closed(body, f"{_id(payer, head.id)}|{name}")
                for name, body in (("content", content), ("page", page))
            },
        )

    async def _write(self, payer: str, head: Head, bodies: Mapping[str, str]) -> None:
        document = {
            "payer": payer,
            "kind": head.kind,
            "id": head.id,
            "status": head.status,
            "at": head.at,
            "beat": now(),
            "by": head.by,
            "head": dict(head.said),
            **({"study": head.study} if head.study else {}),
            **bodies,
        }
        operation = Operation(
            action="index",
            index=self._indices.studies(month_of(head.at)),
            id=_id(payer, head.id),
            document=document,
        )
        await run_bulk(self._elasticsearch, [operation])

    async def write_part(
        self, payer: str, head: Head, number: int, content: bytes, names: Names
    ) -> None:
        """Write a part of a study, and what its claims are called; parts are numbered from 0."""
        operation = Operation(
            action="index",
            index=self._indices.studies(month_of(head.at)),
            id=f"{_id(payer, head.id)}|{number}",
            document={
                "payer": payer,
                "kind": "part",
                "study": head.id,
                "number": number,
                "names": {
                    "claims": [claim for claim, _ in names],
                    "lines": [lines for _, lines in names],
                },
                "content": self._closed(content, f"{_id(payer, head.id)}|{number}"),
            },
        )
        await run_bulk(self._elasticsearch, [operation])

    async def read(self, payer: str, kind: Kind, id_: str) -> Head | None:
        """The head of one; None where there is none."""
        found = await self._found(payer, kind, id_, excludes=_BODIES)
        return _head(found) if found else None

    async def bodies(self, payer: str, id_: str) -> tuple[bytes, bytes] | None:
        """The JSON and the page of a report; None where there is none, or it is not done."""
        found = await self._found(payer, "report", id_, excludes=[])
        if found is None or "content" not in found["_source"]:
            return None
        source = found["_source"]
        content, page = (
            self._opened(source[name], f"{_id(payer, id_)}|{name}") for name in _BODIES
        )
        return content, page

    async def parts(self, payer: str, head: Head, some: Iterable[int]) -> AsyncIterator[bytes]:
        """Parts of a study by their numbers, in that order; one that is not there is a fault."""
        for number in some:
            (source,) = await self._parts(payer, head, [number])
            yield self._opened(source["content"], f"{_id(payer, head.id)}|{number}")

    async def names(self, payer: str, head: Head, count: int) -> list[Names]:
        """What the claims of each part of a study are called, without their contents."""
        found = await self._parts(payer, head, range(count), source_includes="names")
        return [
            list(zip(each["names"]["claims"], each["names"]["lines"], strict=True))
            for each in found
        ]

    async def _parts(
        self, payer: str, head: Head, some: Iterable[int], **options: Any
    ) -> list[Mapping[str, Any]]:
        ids = [f"{_id(payer, head.id)}|{number}" for number in some]
        index = self._indices.studies(month_of(head.at))
        found = await read_many(self._elasticsearch, index, "a study", ids=ids, **options)
        there = [each["_source"] for each in found if each is not None]
        if len(there) < len(ids):
            raise EngineUnavailable("elasticsearch", "a part of a study is not there")
        return there

    async def page(self, payer: str, kind: Kind, *, size: int, after: str | None) -> Listing[Head]:
        """A page of heads, the newest first; sees all that was written before. BadCursor."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.all_studies)
        return await read_page(
            self._elasticsearch,
            self._indices.all_studies,
            [{"term": {"payer": payer}}, {"term": {"kind": kind}}],
            _head,
            order=_NEWEST_FIRST,
            size=size,
            after=after,
            source_excludes=_BODIES,
        )

    def _closed(self, content: bytes, place: str) -> str:
        return self._seal.close(base64.b64encode(zlib.compress(content, _LEVEL)).decode(), place)

    def _opened(self, kept: str, place: str) -> bytes:
        return zlib.decompress(base64.b64decode(self._seal.open(kept, place)))

    async def _found(
        self, payer: str, kind: Kind, id_: str, *, excludes: list[str]
    ) -> Found | None:
        """Look in all months: an id does not say when it was made."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.all_studies)
            response = await self._elasticsearch.search(
                index=self._indices.all_studies,
                query={
                    "bool": {
                        "filter": [
                            {"term": {"payer": payer}},
                            {"term": {"kind": kind}},
                            {"term": {"id": id_}},
                        ]
                    }
                },
                size=1,
                source_excludes=excludes,
                allow_partial_search_results=False,
            )
        hits = response["hits"]["hits"]
        return hits[0] if hits else None


def _id(payer: str, name: str) -> str:
    return f"{payer}|{name}"


def _head(found: Found) -> Head:
    source = found["_source"]
    return Head(
        kind=source["kind"],
        id=source["id"],
        status=source["status"],
        at=source["at"],
        beat=source["beat"],
        by=source["by"],
        said=source["head"],
        study=source.get("study"),
    )
