"""Requests for authorization: one document each, written only over the one that was read.

It is its own outbox: what is to be done next, and when, stands in the same document as what became
of it, so that no crash can part them. It is found by its trace number, in realtime; who asks, for
whom and for what is sealed, where there are keys.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch

from service.domain.request_life import Request, RequestStatus
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames, document_id
from service.stores.connection.reading import (
    Found,
    Listing,
    Order,
    read_all,
    read_many,
    read_one,
    read_page,
)
from service.stores.connection.sealing import Seal

ATTEMPTS_MAX = 10
DUE_AT_ONCE = 50
_AT_ONCE = 200
_NOT_SENT: tuple[RequestStatus, ...] = ("DRAFT", "REFUSED")

_NEWEST: Order = [({"made_at": "desc"}, int), ({"request_id": "asc"}, str)]
_SOONEST: Order = [({"due": "asc"}, int), ({"request_id": "asc"}, str)]

Change = Callable[[Request], Request]


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as it was read; ``seen`` (sequence number, term) tells which write of it."""

    request: Request
    seen: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRequests:
    """Which requests are wanted; None is any. ``follow_up_to`` is a day, that day included."""

    status: RequestStatus | None = None
    member_id: str | None = None
    authorization_id: str | None = None
    charge: str | None = None
    follow_up_to: str | None = None

    def clauses(self, payer: str) -> list[dict[str, Any]]:
        """What a search filters by."""
        terms = {
            "payer": payer,
            "status": self.status,
            "member_id": self.member_id,
            "authorization_id": self.authorization_id,
            "charges": self.charge,
        }
        found: list[dict[str, Any]] = [
            {"term": {name: value}} for name, value in terms.items() if value is not None
        ]
        if self.follow_up_to is not None:
            found.append({"range": {"follow_up": {"lte": self.follow_up_to}}})
        return found


@dataclass(eq=False, repr=False)
class Requests:
    """Requests of all payers. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _keys: KeyNames
    _seal: Seal

    def trace(self, payer: str, request_id: str) -> str:
        """The trace number of a request, always the same one."""
        return self._keys.trace(payer, request_id)

    async def by_trace(self, payer: str, trace: str) -> Kept | None:
        """A request by its trace number; None if it is none of ours."""
        found = await read_one(
            self._elasticsearch, self._indices.requests, document_id(payer, trace)
        )
        return self._kept(found) if found else None

    async def read(self, payer: str, request_id: str) -> Kept | None:
        """A request by its id; None if there is none."""
        return await self.by_trace(payer, self.trace(payer, request_id))

    async def write(self, payer: str, request: Request, seen: tuple[int, int] | None) -> bool:
        """Write a request over what was seen, or as a new one; tells whether that was still so."""
        name = document_id(payer, request.trace)
        content = request.model_dump_json(by_alias=True, exclude_defaults=True)
        document = {
            "payer": payer,
            "request_id": request.asked.request_id,
            "trace": request.trace,
            "member_id": request.asked.member.id,
            "status": request.status,
            "authorization_id": request.authorization_id,
            "charges": [each.charge_id for each in request.asked.charges],
            "made_at": _time(request.made_at),
            "due": _time(request.due),
            "follow_up": request.follow_up.isoformat() if request.follow_up else None,
            "appeal_by": request.appeal_by.isoformat() if request.appeal_by else None,
            "copied_from": request.asked.copied_from,
            "content": self._seal.close(content, _place(name)),
        }
        operation = Operation(
            action="create" if seen is None else "index",
            index=self._indices.requests,
            id=name,
            document={key: each for key, each in document.items() if each not in (None, [])},
            seen=seen,
        )
        (written,) = await run_bulk(self._elasticsearch, [operation])
        return written.ok

    async def read_all(self, payer: str, request_ids: Sequence[str]) -> list[Request]:
        """Those of some requests that are there and on which nothing followed; in realtime.

        What was made of one and sent stands for it, unless the payer did not look at it.
        """
        if not request_ids:
            return []
        names = [document_id(payer, self.trace(payer, each)) for each in request_ids]
        index = self._indices.requests
        found = await read_many(self._elasticsearch, index, "a request", ids=names)
        return await self._standing(payer, [self._kept(each).request for each in found if each])

    async def nearing(
        self, payer: str, day: date, until: date
    ) -> AsyncGenerator[list[Request], None]:
        """Give those that are pended, or to be appealed between two days, in parts."""
        appeal = {"range": {"appeal_by": {"gte": day.isoformat(), "lte": until.isoformat()}}}
        either = [{"term": {"status": "PENDED"}}, appeal]
        clauses = [{"term": {"payer": payer}}, {"bool": {"should": either}}]
        parts = read_all(
            self._elasticsearch,
            self._indices.requests,
            {"bool": {"filter": clauses}},
            size=_AT_ONCE,
        )
        async with aclosing(parts):
            async for found, _ in parts:
                yield await self._standing(payer, [self._kept(each).request for each in found])

    async def _standing(self, payer: str, requests: Sequence[Request]) -> list[Request]:
        """Those on which no message followed."""
        followers = read_all(
            self._elasticsearch,
            self._indices.requests,
            {
                "bool": {
                    "filter": [
                        {"term": {"payer": payer}},
                        {"terms": {"copied_from": [each.asked.request_id for each in requests]}},
                    ],
                    "must_not": {"terms": {"status": _NOT_SENT}},
                }
            },
            size=_AT_ONCE,
            source_includes=["copied_from"],
        )
        async with aclosing(followers):
            followed = {
                each["_source"]["copied_from"] async for found, _ in followers for each in found
            }
        return [each for each in requests if each.asked.request_id not in followed]

    async def change(self, payer: str, trace: str, change: Change) -> Request | None:
        """Change a request, whoever else does meanwhile; None if it is none of ours."""
        for _ in range(ATTEMPTS_MAX):
            kept = await self.by_trace(payer, trace)
            if kept is None:
                return None
            changed = change(kept.request)
            if changed == kept.request or await self.write(payer, changed, kept.seen):
                return changed
        raise EngineUnavailable("elasticsearch", "other writes of one request did not end")

    async def due(self, payer: str, now: datetime) -> list[Kept]:
        """Some of those for which it is time to do something; sees all that was written before."""
        await self._refresh()
        clauses: list[dict[str, Any]] = [
            {"term": {"payer": payer}},
            {"range": {"due": {"lte": _time(now)}}},
        ]
        return list((await self._page(clauses, _SOONEST, DUE_AT_ONCE, None)).entries)

    async def page(
        self, payer: str, wanted: WantedRequests, *, size: int, after: str | None
    ) -> Listing[Kept]:
        """A page, the newest first; sees all that was written before. Raises BadCursor."""
        await self._refresh()
        return await self._page(wanted.clauses(payer), _NEWEST, size, after)

    async def _refresh(self) -> None:
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.requests)

    async def _page(
        self, clauses: list[dict[str, Any]], order: Order, size: int, after: str | None
    ) -> Listing[Kept]:
        return await read_page(
            self._elasticsearch,
            self._indices.requests,
            clauses,
            self._kept,
            order=order,
            size=size,
            after=after,
            seq_no_primary_term=True,
        )

    def _kept(self, found: Found) -> Kept:
        content = self._seal.open(found["_source"]["content"], _place(found["_id"]))
        request = Request.model_validate(orjson.loads(content))
        return Kept(request, (found["_seq_no"], found["_primary_term"]))


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _place(name: str) -> str:
    """To what a sealed text is bound: no other one can stand for it."""
    return f"{name}|content"
