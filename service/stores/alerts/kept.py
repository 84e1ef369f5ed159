"""Alerts in Elasticsearch: a document each, made once under its id, changed over what was read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.alert import Alert, AlertKind, AlertState, fields_of, read_alert
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames, document_id
from service.stores.connection.reading import Found, Listing, Order, read_many, read_page

_NEWEST_FIRST: Order = [({"since": "desc"}, int), ({"alert_id": "asc"}, str)]
_COUNTED_MAX = 20

Seen = tuple[int, int]
"""Which write of a document was read: its sequence number and term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which alerts are wanted; None is any. ``untold``: that were not sent to somebody yet."""

    state: AlertState | None = "open"
    kinds: tuple[AlertKind, ...] = ()
    authorization_id: str | None = None
    member_id: str | None = None
    since: str | None = None
    untold: str | None = None

    def clauses(self, payer: str) -> list[dict[str, Any]]:
        """What a search filters by."""
        terms = {
            "payer": payer,
            "state": self.state,
            "authorization_id": self.authorization_id,
            "member_id": self.member_id,
        }
        clauses: list[dict[str, Any]] = [
            {"term": {name: value}} for name, value in terms.items() if value is not None
        ]
        if self.kinds:
            clauses.append({"terms": {"kind": list(self.kinds)}})
        if self.since is not None:
            clauses.append({"range": {"since": {"gte": self.since}}})
        if self.untold is not None:
            clauses.append({"bool": {"must_not": {"term": {"told": self.untold}}}})
        return clauses


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert as it was read."""

    alert: Alert
    seen: Seen


@dataclass(eq=False, repr=False)
class Alerts:
    """Alerts of all payers; by id in realtime. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def found(self, payer: str, alerts: Sequence[Alert]) -> int:
        """Keep what was found, each once; says how many are new, or so again. May be repeated.

        What was dismissed stays so, and what was over is open again.
        """
        unique = list({each.alert_id: each for each in alerts}.values())
        made = await self.write(payer, [(each, None) for each in unique])
        known = [each for each, ok in zip(unique, made, strict=True) if not ok]
        there = await self.read_all(payer, [each.alert_id for each in known])
        again = [
            (kept.alert.again(each), kept.seen)
            for each, kept in zip(known, there, strict=True)
            if kept is not None and kept.alert.state == "over"
        ]
        return sum(made) + sum(await self.write(payer, again))

    async def read_all(self, payer: str, ids: Sequence[str]) -> list[Kept | None]:
        """Give many, None for each that never was."""
        names = [document_id(payer, each) for each in ids]
        index = self._indices.alerts
        found = await read_many(self._elasticsearch, index, "an alert", ids=names)
        return [_kept(each) if each else None for each in found]

    async def write(self, payer: str, alerts: Iterable[tuple[Alert, Seen | None]]) -> list[bool]:
        """Write alerts, each over what was seen, or as a new one.

        Tells of each whether that was still so.
        """
        operations = [
            Operation(
                action="create" if seen is None else "index",
                index=self._indices.alerts,
                id=document_id(payer, alert.alert_id),
                document=_document(payer, alert),
                seen=seen,
            )
            for alert, seen in alerts
        ]
        return [each.ok for each in await run_bulk(self._elasticsearch, operations)]

    async def page(
        self, payer: str, wanted: Wanted, *, size: int, after: str | None
    ) -> Listing[Kept]:
        """Give alerts, the newest first; sees all that was written before. Raises BadCursor."""
        await self.refresh()
        return await read_page(
            self._elasticsearch,
            self._indices.alerts,
            wanted.clauses(payer),
            _kept,
            order=_NEWEST_FIRST,
            size=size,
            after=after,
            seq_no_primary_term=True,
        )

    async def counts(self, payer: str) -> Mapping[AlertKind, int]:
        """Count the open ones by kind; sees all that was written before."""
        await self.refresh()
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.alerts,
                query={"bool": {"filter": Wanted().clauses(payer)}},
                aggs={"kind": {"terms": {"field": "kind", "size": _COUNTED_MAX}}},
                size=0,
                allow_partial_search_results=False,
            )
        buckets = response["aggregations"]["kind"]["buckets"]
        return {each["key"]: each["doc_count"] for each in buckets}

    async def refresh(self) -> None:
        """Make all that was written searchable."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.alerts)


def _document(payer: str, alert: Alert) -> dict[str, Any]:
    said = {name: each for name, each in fields_of(alert).items() if each not in (None, ())}
    return {"payer": payer, **said}


def _kept(found: Found) -> Kept:
    fields = {name: each for name, each in found["_source"].items() if name != "payer"}
    return Kept(read_alert(fields), (found["_seq_no"], found["_primary_term"]))
