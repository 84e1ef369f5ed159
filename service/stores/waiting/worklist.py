"""The worklist: one document a claim, written only over the one that was read."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.work_item import ItemState, Listed, WorkItem, joined
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames, document_id
from service.stores.connection.reading import Found, Listing, Order, read_one, read_page

ATTEMPTS_MAX = 10
_OLDEST_FIRST: Order = [({"offered_at": "asc"}, int), ({"claim_id": "asc"}, str)]
_VERSIONED = {"authorizations"}


@dataclass(eq=False, repr=False)
class Worklist:
    """Items of all payers; by id in realtime. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def read(self, payer: str, claim_id: str) -> Listed | None:
        """Give the item of a claim; None if it was never offered."""
        found = await read_one(
            self._elasticsearch, self._indices.worklist, document_id(payer, claim_id)
        )
        return _listed(found) if found else None

    async def offer(self, payer: str, item: WorkItem) -> bool:
        """Put a claim on the worklist; tells whether that said anything new. May be repeated."""
        for _ in range(ATTEMPTS_MAX):
            known = await self.read(payer, item.claim_id)
            made = joined(known.item if known else None, item)
            if made is None:
                return False
            if await self.write(payer, made, known.seen if known else None):
                return True
        raise EngineUnavailable("elasticsearch", "other writes of one item did not end")

    async def write(self, payer: str, item: WorkItem, seen: tuple[int, int] | None) -> bool:
        """Write an item over what was seen, or as a new one; tells whether that was still so."""
        operation = Operation(
            action="create" if seen is None else "index",
            index=self._indices.worklist,
            id=document_id(payer, item.claim_id),
            document=_document(payer, item),
            seen=seen,
        )
        (written,) = await run_bulk(self._elasticsearch, [operation])
        return written.ok

    async def page(
        self,
        payer: str,
        *,
        state: ItemState | None,
        authorization_id: str | None,
        claim_id: str | None,
        size: int,
        after: str | None,
    ) -> Listing[Listed]:
        """Give items, the oldest offer first; sees all that was written before. BadCursor."""
        clauses = [
            {"term": {name: value}}
            for name, value in (
                ("payer", payer),
                ("state", state),
                ("authorization_ids", authorization_id),
                ("claim_id", claim_id),
            )
            if value is not None
        ]
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.worklist)
        return await read_page(
            self._elasticsearch,
            self._indices.worklist,
            clauses,
            _listed,
            order=_OLDEST_FIRST,
            size=size,
            after=after,
            seq_no_primary_term=True,
        )


def _document(payer: str, item: WorkItem) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(item).items() if name not in _VERSIONED}
    return {
        "payer": payer,
        **{name: value for name, value in fields.items() if value is not None},
        "authorization_ids": list(item.authorizations),
        "authorization_versions": list(item.authorizations.values()),
    }


def _listed(found: Found) -> Listed:
    fields = dict(found["_source"])
    del fields["payer"]
    ids: Iterable[str] = fields.pop("authorization_ids")
    versions: Iterable[int] = fields.pop("authorization_versions")
    item = WorkItem(
        **{**fields, "lines": tuple(fields["lines"])},
        authorizations=dict(zip(ids, versions, strict=True)),
    )
    return Listed(item=item, seen=(found["_seq_no"], found["_primary_term"]))
