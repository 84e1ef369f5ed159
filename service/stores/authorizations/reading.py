"""Reads authorizations back: one by id, its versions, or a page of those that fit a filter."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.access.act import note
from service.accounting.answers.status import ACTIVE_ACTIONS, Status
from service.domain import codes
from service.domain.authorization import Authorization
from service.domain.candidate import Standing
from service.domain.decision_clock import decision_clock
from service.domain.person import Person
from service.domain.terms import counting_in
from service.stores.authorizations.document import Document
from service.stores.authorizations.documents import read_document, read_documents, read_places
from service.stores.authorizations.locator import Locator
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames, document_id, routes, routing
from service.stores.connection.reading import Found, Listing, Order, read_all, read_page
from service.stores.members.who import Members

VERSIONS_MAX = 1000
_NEWEST_FIRST: Order = [
    ({"certification_date": {"order": "desc", "missing": "_last"}}, int),
    ({"authorization_id": "asc"}, str),
]
_STANDING = ["source", "void", "current", "member_id", "version", "terms.counted"]
_IDS = ("authorization_id", "fhir_id")
_STATE = (
    "version",
    "void",
    "current",
    "superseded_by",
    "pushed_at",
    "member_id",
    "action",
    "made_of",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An authorization as it was pushed, and what became of it since.

    ``members`` are all under whom it was ever stored, where the current version was asked for.
    """

    source: dict[str, Any]
    state: dict[str, Any]
    members: tuple[str, ...] = ()


Times = Mapping[str, str]
"""A span of time, as ``gte`` and ``lt``, either or both."""


@dataclass(frozen=True, slots=True)
class Name:
    """What an authorization is called by: its id, or any of its id, numbers and traces."""

    value: str
    is_id: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to list: all given must hold. ``status`` is an HCR action or a status text.

    ``named``: one of each group is its name. ``ids`` are its own, or those of its resource in FHIR.
    ``standing``: neither void nor superseded; ``made`` is when it was made, ``pushed`` when stored.
    ``stands``: how it may stand on a day; what is left of it, the stored document does not know.
    """

    member: str | None = None
    number: str | None = None
    provider: str | None = None
    status: str | None = None
    from_: str | None = None
    to: str | None = None
    ids: tuple[str, ...] = ()
    named: tuple[tuple[Name, ...], ...] = ()
    standing: bool | None = None
    made: tuple[Times, ...] = ()
    pushed: tuple[Times, ...] = ()
    stands: tuple[Status, date] | None = None


Page = Listing[Stored]
_STANDING_ONES = Filter(standing=True)
_AT_ONCE = 500


@dataclass(eq=False, repr=False)
class AuthorizationReading:
    """Realtime by id; a listing sees all pushes that were acknowledged before it."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _locator: Locator
    _members: Members

    async def get(self, payer: str, authorization_id: str) -> Stored | None:
        """Give the current version, a tombstone included; None when it was never pushed."""
        place = (await self._locator.read(payer, [authorization_id])).get(authorization_id)
        document = await read_document(self._elasticsearch, self._indices, place) if place else None
        if not (place and document):
            return None
        (stored,) = _noted([_stored(document)])
        return replace(stored, members=place.members)

    async def get_all(self, payer: str, ids: Sequence[str]) -> list[Stored]:
        """Give the current versions of those that are there; it is noted of nobody's act."""
        places = await self._locator.read(payer, ids)
        found = await read_places(self._elasticsearch, self._indices, list(places.values()))
        return [_stored(each) for each in found if each]

    async def decide_by(
        self, payer: str, ids: Sequence[str], zone: tzinfo
    ) -> Mapping[str, datetime]:
        """By when to decide about those of these that are requests without a decision, by id."""
        found = await self.get_all(payer, ids)
        stands = (Authorization.model_validate(each.source) for each in found)
        clocks = {each.authorization_id: decision_clock(each, zone) for each in stands}
        return {
            name: clock.due
            for name, clock in clocks.items()
            if clock.due is not None and clock.decided is None and not clock.is_withdrawn
        }

    async def nearing(
        self, payer: str, day: date, until: date
    ) -> AsyncGenerator[list[Stored], None]:
        """Give what stands and is pended, or valid on a day and no more after another, in parts."""
        await self._members.visibility.ensure_all()
        later = {"range": {"windows": {"gt": until.isoformat(), "relation": "intersects"}}}
        on = {"gte": day.isoformat(), "lte": day.isoformat(), "relation": "intersects"}
        ending = {"bool": {"filter": {"range": {"windows": on}}, "must_not": later}}
        pended = {"bool": {"filter": _may_stand("PENDING", day)}}
        clauses = [*_clauses(payer, _STANDING_ONES, ()), _any_of([ending, pended])]
        parts = read_all(
            self._elasticsearch,
            self._indices.authorizations,
            {"bool": {"filter": clauses}},
            size=_AT_ONCE,
            source_includes=["source", *_STATE],
        )
        async with aclosing(parts):
            async for found, _ in parts:
                yield [_stored(_document(each)) for each in found]

    async def standing(self, payer: str, person: Person, ids: Iterable[str]) -> dict[str, Standing]:
        """Read authorizations of one person as they stand now; one of another is not there."""
        wanted = [(each, member) for each in dict.fromkeys(ids) for member in person.ids]
        docs = [
            {"_id": document_id(payer, each), "routing": routing(payer, member)}
            for each, member in wanted
        ]
        found = await read_documents(
            self._elasticsearch, self._indices.authorizations, docs, only=_STANDING
        )
        documents: dict[str, Document] = {}
        for (name, member), document in zip(wanted, found, strict=True):
            # Several members may share a shard, where an id is found for all.
            if document is not None and "source" in document and document["member_id"] == member:
                documents[name] = _newer(documents.get(name), document)
        return {
            name: Standing(
                authorization=Authorization.model_validate(each["source"]),
                void=each["void"],
                current=each["current"],
                counted=counting_in(each["terms"]),
            )
            for name, each in documents.items()
        }

    async def versions(self, payer: str, authorization_id: str) -> list[Stored]:
        """Give all versions that were taken in, newest first."""
        current = await self.get(payer, authorization_id)
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.history)
        page = await read_page(
            self._elasticsearch,
            self._indices.history,
            [{"term": {"payer": payer}}, {"term": {"authorization_id": authorization_id}}],
            _replaced,
            order=[({"version": "desc"}, int)],
            size=VERSIONS_MAX,
            after=None,
            routing=document_id(payer, authorization_id),
        )
        newest = current.state["version"] if current else None
        before = [each for each in page.entries if each.state["version"] != newest]
        return ([current] if current else []) + _noted(before)

    async def lives(
        self, payer: str, only: Sequence[str]
    ) -> AsyncIterator[list[list[Mapping[str, Any]]]]:
        """Read all authorizations of a payer, some at a time, each with its versions in order.

        Of each version the fields named are read; those that were withdrawn are left out.
        """
        names = ["version", "void", "authorization_id", *(f"source.{each}" for each in only)]
        query = {"bool": {"filter": [{"term": {"payer": payer}}]}}
        # What is current now and replaced a moment later is then found twice, and never missed.
        parts = read_all(
            self._elasticsearch,
            self._indices.authorizations,
            query,
            size=VERSIONS_MAX,
            source_includes=names,
        )
        async for hits, _ in parts:
            versions: dict[str, dict[int, Mapping[str, Any]]] = {}
            for document in (hit["_source"] for hit in hits):
                versions[document["authorization_id"]] = {document["version"]: document}
            which = {"terms": {"authorization_id": list(versions)}}
            before = read_all(
                self._elasticsearch,
                self._indices.history,
                {"bool": {"filter": [*query["bool"]["filter"], which]}},
                size=VERSIONS_MAX,
                source_includes=names,
            )
            async for older, _ in before:
                for document in (hit["_source"] for hit in older):
                    kept = versions[document["authorization_id"]]
                    kept.setdefault(document["version"], document)
            yield [
                [each["source"] for _, each in sorted(kept.items()) if not each["void"]]
                for kept in versions.values()
            ]

    async def page(self, payer: str, wanted: Filter, *, size: int, after: str | None) -> Page:
        """Give a page, newest certification first; raises BadCursor for a foreign cursor."""
        members: tuple[str, ...] = ()
        if wanted.member:
            members = (await self._members.prepare(payer, wanted.member)).ids
        else:
            await self._members.visibility.ensure_all()
        page = await read_page(
            self._elasticsearch,
            self._indices.authorizations,
            _clauses(payer, wanted, members),
            _document,
            order=_NEWEST_FIRST,
            size=size,
            after=after,
            routing=routes(payer, members),
            source_excludes=["lines"],
        )
        entries = tuple(_noted(_each_once(page.entries)))
        note(members=members)
        return Page(entries=entries, total=page.total, next_=page.next_)


def _noted(given: Iterable[Stored]) -> list[Stored]:
    """Note whose authorizations are given out."""
    found = list(given)
    note(
        authorizations=filter(None, (each.source.get("authorization_id") for each in found)),
        members=filter(None, (each.source.get("member", {}).get("id") for each in found)),
    )
    return found


def _document(found: Found) -> Document:
    document: Document = found["_source"]
    return document


def _replaced(found: Found) -> Stored:
    """A version in the history."""
    kept = found["_source"]
    state = {"version": kept["version"], "void": kept["void"], "current": False}
    return Stored(source=kept["source"], state=state | {"recorded_at": kept["recorded_at"]})


def _stored(document: Document) -> Stored:
    state = {name: document[name] for name in _STATE if name in document}
    return Stored(source=document["source"], state=state)


def _each_once(documents: Iterable[Document]) -> Iterable[Stored]:
    """Read what is listed: what goes from one id of a person to another may stand under both."""
    newest: dict[str, Document] = {}
    for each in documents:
        name = each["authorization_id"]
        newest[name] = _newer(newest.get(name), each)
    return map(_stored, newest.values())


def _newer(known: Document | None, other: Document) -> Document:
    return other if known is None or known["version"] < other["version"] else known


def _clauses(payer: str, wanted: Filter, members: Sequence[str]) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = [
        {"term": {"payer": payer}},
        {"exists": {"field": "content_hash"}},
    ]
    if members:
        clauses.append({"terms": {"member_id": list(members)}})
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
    if wanted.ids:
        clauses.append(_any_of({"terms": {name: wanted.ids}} for name in _IDS))
    clauses += [_any_of(each for name in names for each in _called(name)) for names in wanted.named]
    if wanted.standing is not None:
        gone: list[Mapping[str, Any]] = [{"term": {"void": True}}, {"term": {"current": False}}]
        clauses.append({"bool": {"must_not": gone}} if wanted.standing else _any_of(gone))
    if wanted.stands is not None:
        clauses += _may_stand(*wanted.stands)
    clauses += [{"range": {"created": dict(each)}} for each in wanted.made]
    clauses += [{"range": {"pushed_at": dict(each)}} for each in wanted.pushed]
    return clauses


def _may_stand(status: Status, day: date) -> list[dict[str, Any]]:
    """Narrow to what may stand so: all that does, and little that does not."""
    void, current = {"term": {"void": True}}, {"term": {"current": True}}
    if status == "VOID":
        return [_any_of([void, {"bool": {"must_not": {"exists": {"field": "windows"}}}}])]
    if status == "SUPERSEDED":
        return [{"bool": {"must_not": [void, current]}}]
    granted = {"terms": {"lines.action": sorted(ACTIVE_ACTIONS)}}
    on = day.isoformat()
    days: dict[Status, dict[str, str]] = {"EXPIRED": {"lt": on}, "UPCOMING": {"gt": on}}
    line = [granted, {"range": {"lines.effective": days.get(status, {"gte": on, "lte": on})}}]
    of_lines = {"nested": {"path": "lines", "query": {"bool": {"filter": line}}}}
    if status in ("DENIED", "PENDING"):
        of_lines = {"bool": {"must_not": {"nested": {"path": "lines", "query": granted}}}}
    return [current, {"bool": {"must_not": void}}, of_lines]


def _any_of(clauses: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _called(name: Name) -> Iterable[Mapping[str, Any]]:
    yield {"term": {"authorization_id": name.value}}
    if name.is_id:
        return
    yield {"term": {"trace_numbers": name.value}}
    if number := codes.authorization_number(name.value):
        yield {"term": {"numbers_all": number}}
