"""Brings all that is kept sealed under the key that seals now; may be repeated at any time."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, bounded, run_bulk
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import read_all
from service.stores.connection.sealing import Seal

_BATCH = 100
_STEP_BYTES = 8 * 1024 * 1024
_SEALED_FIELDS = ("content", "fields", "tokens")

Hit = Mapping[str, Any]


@dataclass(eq=False, repr=False)
class Resealing:
    """Rewrites dead letters, what is at rest, the golden set, and requests.

    What is changed meanwhile is sealed by that.
    """

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _seal: Seal

    async def run(self, tell: Callable[[int, int], None]) -> int:
        """Seal anew what is not under the first key; gives how many. Raises EngineFault."""
        count = done = 0
        indices = self._indices
        kept = (indices.dead_letters, indices.archive, indices.golden, indices.requests)
        for index in kept:
            async for hits, total in read_all(
                self._elasticsearch, index, {"match_all": {}}, size=_BATCH
            ):
                async for written in self._write(index, hits):
                    count += written
                done += len(hits)
                tell(done, total)
        return count

    async def _write(self, index: str, hits: list[Any]) -> AsyncIterator[int]:
        old = (each for each in hits if self._is_old(each["_source"]))
        operations = (self._operation(index, each) for each in old)
        for some in bounded(operations, _length, count_max=_BATCH, size_max=_STEP_BYTES):
            yield sum(each.ok for each in await run_bulk(self._elasticsearch, some))

    def _is_old(self, source: Mapping[str, Any]) -> bool:
        return any(not self._seal.is_current(text) for _, text in _sealed_in(source))

    def _operation(self, index: str, hit: Hit) -> Operation:
        source = dict(hit["_source"])
        for name, text in list(_sealed_in(source)):
            place = f"{hit['_id']}|{name}"
            source[name] = self._seal.close(self._seal.open(text, place), place)
        known: dict[str, Any] = (
            # The archive counts its versions by the entries of the ledger.
            {"version": hit["_version"], "same_version": True}
            if index == self._indices.archive
            else {"seen": (hit["_seq_no"], hit["_primary_term"]), "routing": hit.get("_routing")}
        )
        return Operation(action="index", index=index, id=hit["_id"], document=source, **known)


def _sealed_in(source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if source.get("kind") == "mark":
        return
    for name in _SEALED_FIELDS:
        if isinstance(source.get(name), str):
            yield name, source[name]


def _length(operation: Operation) -> int:
    return sum(len(text) for _, text in _sealed_in(operation.document))
