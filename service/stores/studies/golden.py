"""The golden set as it is stored: labels, and the claims that they are of, written once."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import read_all
from service.stores.connection.sealing import Seal

Json = dict[str, Any]
Kind = Literal["label", "claim"]

_PAGE = 1_000
_CLAIMS_AT_ONCE = 10_000
"""Elasticsearch takes 65,536 terms in one clause."""


@dataclass(frozen=True, slots=True)
class KeptGolden:
    """A label or a claim as plain JSON; ``key`` tells it from all others of its kind."""

    kind: Kind
    claim_id: str
    key: tuple[str | int, ...]
    content: Json


@dataclass(eq=False, repr=False)
class Golden:
    """Of all payers. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _seal: Seal

    async def add(self, payer: str, entries: Sequence[KeptGolden]) -> list[bool]:
        """Write where nothing stands; tells of each whether it was written."""
        done: list[bool] = []
        for start in range(0, len(entries), _PAGE):
            part = [self._operation(payer, each) for each in entries[start : start + _PAGE]]
            done += [each.ok for each in await run_bulk(self._elasticsearch, part)]
        return done

    def _operation(self, payer: str, entry: KeptGolden) -> Operation:
        id_ = hashlib.sha256(orjson.dumps([payer, entry.kind, *entry.key])).hexdigest()
        return Operation(
            action="create",
            index=self._indices.golden,
            id=id_,
            document={
                "payer": payer,
                "kind": entry.kind,
                "claim_id": entry.claim_id,
                "content": self._seal.close(orjson.dumps(entry.content).decode(), _place(id_)),
            },
        )

    async def labels(self, payer: str, claims: Iterable[str] | None = None) -> list[Json]:
        """All labels, or those of some claims, in no order; sees all that was written before."""
        if claims is None:
            return [each async for each in self._read(payer, "label")]
        wanted = sorted(set(claims))
        return [
            each
            for start in range(0, len(wanted), _CLAIMS_AT_ONCE)
            async for each in self._read(
                payer, "label", {"terms": {"claim_id": wanted[start : start + _CLAIMS_AT_ONCE]}}
            )
        ]

    def claims(self, payer: str) -> AsyncIterator[Json]:
        """All claims of which lines are labelled, in no order."""
        return self._read(payer, "claim")

    async def _read(self, payer: str, kind: Kind, *clauses: Json) -> AsyncIterator[Json]:
        fitting = [{"term": {"payer": payer}}, {"term": {"kind": kind}}, *clauses]
        query = {"bool": {"filter": fitting}}
        async for hits, _ in read_all(self._elasticsearch, self._indices.golden, query, size=_PAGE):
            for hit in hits:
                yield orjson.loads(self._seal.open(hit["_source"]["content"], _place(hit["_id"])))


def _place(id_: str) -> str:
    """To what a sealed text is bound: no other one can stand for it."""
    return f"{id_}|content"
