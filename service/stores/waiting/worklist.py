"""The worklist: one document an item, written only over the one that was read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from elasticsearch import AsyncElasticsearch

from service.domain.work_item import (
    Handling,
    ItemKind,
    ItemState,
    Listed,
    WorkItem,
    fields_of,
    found_again,
    joined,
)
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames, document_id
from service.stores.connection.reading import (
    Found,
    Listing,
    Order,
    read_many,
    read_one,
    read_page,
)

ATTEMPTS_MAX = 10

Sorting = Literal["due", "oldest", "newest", "amount"]

_ORDERS: Mapping[Sorting, Order] = {
    "due": [({"priority": "asc"}, int), ({"due": "asc"}, int), ({"item_id": "asc"}, str)],
    "oldest": [({"since": "asc"}, int), ({"item_id": "asc"}, str)],
    "newest": [({"since": "desc"}, int), ({"item_id": "asc"}, str)],
    "amount": [({"amount": {"order": "desc", "missing": 0}}, float), ({"item_id": "asc"}, str)],
}
_LISTS = {"events", "outcomes", "lines"}
_HANDLING_LISTS = {"watchers", "skipped_by"}
_COUNTED: Mapping[str, str] = {
    "kind": "kind",
    "event": "events",
    "claim_type": "claim_type",
    "team": "handling.team",
    "assignee": "handling.assignee",
    "priority": "priority",
}
_COUNTED_MAX = 200

Merge = Callable[[WorkItem | None, WorkItem], WorkItem | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which items are wanted; None is any.

    ``day`` is today, by which ``held`` and ``overdue`` are judged; ``free`` are those that nobody
    has, and ``mine`` those of somebody and of nobody.
    """

    state: ItemState | None = "open"
    kind: ItemKind | None = None
    event: str | None = None
    claim_type: str | None = None
    claim_id: str | None = None
    authorization_id: str | None = None
    member_id: str | None = None
    assignee: str | None = None
    team: str | None = None
    watcher: str | None = None
    unassigned: bool = False
    amount_from: str | None = None
    amount_to: str | None = None
    since_from: str | None = None
    since_to: str | None = None
    due_to: str | None = None
    held: bool | None = None
    not_skipped_by: str | None = None
    today: str = ""

    def clauses(self, payer: str) -> list[dict[str, Any]]:
        """What a search filters by."""
        terms = {
            "payer": payer,
            "state": self.state,
            "kind": self.kind,
            "events": self.event,
            "claim_type": self.claim_type,
            "claim_id": self.claim_id,
            "authorization_ids": self.authorization_id,
            "member_id": self.member_id,
            "handling.assignee": self.assignee,
            "handling.team": self.team,
            "handling.watchers": self.watcher,
        }
        ranges = {
            "amount": {"gte": self.amount_from, "lte": self.amount_to},
            "since": {"gte": self.since_from, "lte": self.since_to},
            "due": {"lte": self.due_to},
        }
        clauses: list[dict[str, Any]] = [
            {"term": {name: value}} for name, value in terms.items() if value is not None
        ]
        for name, bounds in ranges.items():
            given = {side: bound for side, bound in bounds.items() if bound is not None}
            clauses += [{"range": {name: given}}] if given else []
        absent: list[dict[str, Any]] = []
        if self.unassigned:
            absent.append({"exists": {"field": "handling.assignee"}})
        if self.not_skipped_by is not None:
            absent.append({"term": {"handling.skipped_by": self.not_skipped_by}})
        if self.held is not None:
            is_held: dict[str, Any] = {"range": {"handling.hold_until": {"gt": self.today}}}
            (clauses if self.held else absent).append(is_held)
        return [*clauses, {"bool": {"must_not": absent}}] if absent else clauses


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many items fit, how many of them are overdue or held, their charges, and by what."""

    total: int
    overdue: int
    held: int
    amount: str
    by: Mapping[str, Mapping[str, int]]


@dataclass(eq=False, repr=False)
class Worklist:
    """Items of all payers; by id in realtime. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def read(self, payer: str, item_id: str) -> Listed | None:
        """Give an item; None if there never was one of this id."""
        found = await read_one(
            self._elasticsearch, self._indices.worklist, document_id(payer, item_id)
        )
        return _listed(found) if found else None

    async def read_all(self, payer: str, ids: Sequence[str]) -> list[Listed | None]:
        """Give many items, None for each that never was."""
        docs = await read_many(
            self._elasticsearch,
            self._indices.worklist,
            "an item",
            ids=[document_id(payer, each) for each in ids],
        )
        return [_listed(found) if found else None for found in docs]

    async def offer(self, payer: str, item: WorkItem) -> bool:
        """Put something on the worklist; tells whether that said anything new. May be repeated."""
        return bool(await self.put(payer, [item], joined))

    async def found(self, payer: str, items: Sequence[WorkItem]) -> int:
        """Put on the worklist what an adjudication left; says of how many it was new."""
        return await self.put(payer, items, found_again)

    async def put(self, payer: str, items: Iterable[WorkItem], merge: Merge) -> int:
        """Write items over those that are there, as ``merge`` says; says how many were new."""
        left = {each.item_id: each for each in items}
        known: dict[str, Listed | None] = dict.fromkeys(left)
        written = 0
        for _ in range(ATTEMPTS_MAX):
            made = {
                name: merge(was.item if was else None, left[name]) for name, was in known.items()
            }
            wanted = [(each, known[name]) for name, each in made.items() if each is not None]
            done = await self.write_all(payer, wanted)
            written += sum(done)
            again = [each.item_id for (each, _), ok in zip(wanted, done, strict=True) if not ok]
            if not again:
                return written
            known = dict(zip(again, await self.read_all(payer, again), strict=True))
        raise EngineUnavailable("elasticsearch", "other writes of one item did not end")

    async def write(self, payer: str, item: WorkItem, seen: tuple[int, int]) -> bool:
        """Write an item over what was seen; tells whether that was still so."""
        (ok,) = await self.write_all(payer, [(item, Listed(item=item, seen=seen))])
        return ok

    async def write_all(
        self, payer: str, items: Sequence[tuple[WorkItem, Listed | None]]
    ) -> list[bool]:
        """Write items, each over what was seen or as a new one; tells if that was still so."""
        operations = [
            Operation(
                action="create" if was is None else "index",
                index=self._indices.worklist,
                id=document_id(payer, item.item_id),
                document=_document(payer, item),
                seen=None if was is None else was.seen,
            )
            for item, was in items
        ]
        return [each.ok for each in await run_bulk(self._elasticsearch, operations)]

    async def page(
        self, payer: str, wanted: Wanted, *, sort: Sorting, size: int, after: str | None
    ) -> Listing[Listed]:
        """Give items in an order, as of the last refresh; raises BadCursor."""
        return await read_page(
            self._elasticsearch,
            self._indices.worklist,
            wanted.clauses(payer),
            _listed,
            order=_ORDERS[sort],
            size=size,
            after=after,
            seq_no_primary_term=True,
        )

    async def of_claims(self, payer: str, claims: Iterable[str]) -> list[Listed]:
        """Give the open items of some claims; sees all that was written before."""
        found: list[Listed] = []
        names, after = sorted(set(claims)), None
        if not names:
            return found
        await self.refresh()
        clauses = [
            *Wanted(state="open").clauses(payer),
            {"terms": {"claim_id": names}},
        ]
        while True:
            page = await read_page(
                self._elasticsearch,
                self._indices.worklist,
                clauses,
                _listed,
                order=_ORDERS["oldest"],
                size=1000,
                after=after,
                seq_no_primary_term=True,
            )
            found += page.entries
            after = page.next_
            if after is None:
                return found

    async def counts(self, payer: str, wanted: Wanted, *, now: str) -> Counts:
        """Count the items that fit, by queue, in one search, as of the last refresh."""
        by: dict[str, Any] = {
            name: {"terms": {"field": field, "size": _COUNTED_MAX}}
            for name, field in _COUNTED.items()
        }
        overdue = {"filter": {"range": {"due": {"lt": now}}}}
        held = {"filter": {"range": {"handling.hold_until": {"gt": wanted.today}}}}
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.worklist,
                query={"bool": {"filter": wanted.clauses(payer)}},
                aggs={
                    **by,
                    "overdue": overdue,
                    "held": held,
                    "amount": {"sum": {"field": "amount"}},
                },
                size=0,
                track_total_hits=True,
                allow_partial_search_results=False,
            )
        found = response["aggregations"]
        return Counts(
            total=response["hits"]["total"]["value"],
            overdue=found["overdue"]["doc_count"],
            held=found["held"]["doc_count"],
            amount=format(found["amount"]["value"], ".2f"),
            by={
                name: {str(each["key"]): each["doc_count"] for each in found[name]["buckets"]}
                for name in _COUNTED
            },
        )

    async def refresh(self) -> None:
        """Make all that was written searchable."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.worklist)


def _document(payer: str, item: WorkItem) -> dict[str, Any]:
    fields = fields_of(item)
    versions = fields.pop("authorizations")
    handling = fields_of(fields.pop("handling"))
    return {
        "payer": payer,
        **_said(fields),
        "authorization_ids": list(versions),
        "authorization_versions": list(versions.values()),
        "handling": _said(handling),
    }


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [])}


def _listed(found: Found) -> Listed:
    fields = dict(found["_source"])
    del fields["payer"]
    ids: Iterable[str] = fields.pop("authorization_ids")
    versions: Iterable[int] = fields.pop("authorization_versions")
    handling = fields.pop("handling")
    item = WorkItem(
        **_with_tuples(fields, _LISTS),
        authorizations=dict(zip(ids, versions, strict=True)),
        handling=Handling(**_with_tuples(handling, _HANDLING_LISTS)),
    )
    return Listed(item=item, seen=(found["_seq_no"], found["_primary_term"]))


def _with_tuples(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {**fields, **{name: tuple(fields[name]) for name in names if name in fields}}
