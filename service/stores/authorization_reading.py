"""Reads authorizations back: one by id, its versions, or a page of those that fit a filter."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch

from service.domain import codes
from service.domain.authorization import Authorization
from service.domain.candidate import Standing
from service.stores.document import Document
from service.stores.documents import read_document, read_documents
from service.stores.faults import translated_errors
from service.stores.locator import Locator
from service.stores.names import IndexNames, document_id, routing
from service.stores.visibility import Visibility

VERSIONS_MAX = 1000
_STANDING = ["source", "void", "current", "member_id"]
_STATE = ("version", "void", "current", "superseded_by", "pushed_at", "member_id", "action")


class BadCursor(ValueError):
    """A paging cursor that was not given out by a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An authorization as it was pushed, and what became of it since.

    ``members`` are all under whom it was ever stored, where the current version was asked for.
    """

    source: dict[str, Any]
    state: dict[str, Any]
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to list: all given must hold. ``status`` is an HCR action or a status text."""

    member: str | None = None
    number: str | None = None
    provider: str | None = None
    status: str | None = None
    from_: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of those that fit, how many there are in all, and where to go on."""

    entries: tuple[Stored, ...]
    total: int
    next_: str | None


class AuthorizationReading:
    """Realtime by id; a listing sees all pushes that were acknowledged before it."""

    def __init__(
        self, elasticsearch: AsyncElasticsearch, indices: IndexNames, visibility: Visibility
    ) -> None:
        """Share the client and the marks with the other stores."""
        self._elasticsearch = elasticsearch
        self._indices = indices
        self._visibility = visibility
        self._locator = Locator(elasticsearch, indices)

    async def get(self, payer: str, authorization_id: str) -> Stored | None:
        """Give the current version, a tombstone included; None when it was never pushed."""
        place = (await self._locator.read(payer, [authorization_id])).get(authorization_id)
        document = await read_document(self._elasticsearch, self._indices, place) if place else None
        return replace(_stored(document), members=place.members) if place and document else None

    async def standing(self, payer: str, member: str, ids: Iterable[str]) -> dict[str, Standing]:
        """Give authorizations of one member as they stand now; one of another is not there.

        Members may share a shard, in which an id is found whoever asks.
        """
        wanted = list(dict.fromkeys(ids))
        route = routing(payer, member)
        docs = [{"_id": document_id(payer, each), "routing": route} for each in wanted]
        found = await read_documents(
            self._elasticsearch, self._indices.authorizations, docs, only=_STANDING
        )
        return {
            name: Standing(
                authorization=Authorization.model_validate(document["source"]),
                void=document["void"],
                current=document["current"],
            )
            for name, document in zip(wanted, found, strict=True)
            if document is not None and "source" in document and document["member_id"] == member
        }

    async def versions(self, payer: str, authorization_id: str) -> list[Stored]:
        """Give all versions that were taken in, newest first."""
        current = await self.get(payer, authorization_id)
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.history)
            response = await self._elasticsearch.search(
                index=self._indices.history,
                routing=document_id(payer, authorization_id),
                query={
                    "bool": {
                        "filter": [
                            {"term": {"payer": payer}},
                            {"term": {"authorization_id": authorization_id}},
                        ]
                    }
                },
                sort=[{"version": "desc"}],
                size=VERSIONS_MAX,
                allow_partial_search_results=False,
            )
        older = [
            Stored(
                source=hit["_source"]["source"],
                state={
                    "version": hit["_source"]["version"],
                    "void": hit["_source"]["void"],
                    "current": False,
                    "recorded_at": hit["_source"]["recorded_at"],
                },
            )
            for hit in response["hits"]["hits"]
        ]
        newest = current.state["version"] if current else None
        return ([current] if current else []) + [
            each for each in older if each.state["version"] != newest
        ]

    async def page(self, payer: str, wanted: Filter, *, size: int, after: str | None) -> Page:
        """Give a page, newest certification first; raises BadCursor for a foreign cursor."""
        if wanted.member:
            await self._visibility.ensure(payer, wanted.member)
        else:
            await self._visibility.ensure_all()
        body: dict[str, Any] = {
            "query": {"bool": {"filter": _clauses(payer, wanted)}},
            "sort": [
                {"certification_date": {"order": "desc", "missing": "_last"}},
                {"authorization_id": "asc"},
            ],
            "size": size,
            "track_total_hits": True,
            "source_excludes": ["lines"],
            "allow_partial_search_results": False,
        }
        if after is not None:
            body["search_after"] = _read_cursor(after)
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.authorizations,
                routing=routing(payer, wanted.member) if wanted.member else None,
                **body,
            )
        hits = response["hits"]["hits"]
        return Page(
            entries=tuple(_stored(hit["_source"]) for hit in hits),
            total=response["hits"]["total"]["value"],
            next_=_cursor(hits[-1]["sort"]) if len(hits) == size else None,
        )


def _stored(document: Document) -> Stored:
    state = {name: document[name] for name in _STATE if name in document}
    return Stored(source=document["source"], state=state)


def _clauses(payer: str, wanted: Filter) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = [
        {"term": {"payer": payer}},
        {"exists": {"field": "content_hash"}},
    ]
    if wanted.member:
        clauses.append({"term": {"member_id": wanted.member}})
    if wanted.number:
        number = codes.authorization_number(wanted.number)
        clauses.append({"term": {"numbers_all": number}})
    if wanted.provider:
        clauses.append({"term": {"provider_npis": wanted.provider}})
    if wanted.status:
        any_of: list[Mapping[str, Any]] = [
            {"term": {"action": wanted.status.upper()}},
            {"term": {"status": wanted.status}},
        ]
        clauses.append({"bool": {"should": any_of}})
    if wanted.from_ or wanted.to:
        window = {"gte": wanted.from_, "lte": wanted.to}
        given = {name: day for name, day in window.items() if day}
        clauses.append({"range": {"windows": {**given, "relation": "intersects"}}})
    return clauses


def _cursor(sort: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(sort)).decode().rstrip("=")


def _read_cursor(text: str) -> list[Any]:
    try:
        sort = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise BadCursor("this cursor was not given out by a search") from error
    if not isinstance(sort, list) or [type(each) for each in sort] != [int, str]:
        raise BadCursor("this cursor was not given out by a search")
    return sort
