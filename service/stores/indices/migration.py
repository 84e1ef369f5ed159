"""Builds a new index from the sources and puts it in place of the old one.

Reads go on all the while. The old index is closed to writes by Elasticsearch itself, so that every
worker's pushes get a fault and nothing written after the copy began can be missed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from elasticsearch import AsyncElasticsearch

from service.domain.reference import StoredReferences
from service.stores.authorizations.document import Document, made_anew
from service.stores.authorizations.documents import write_document
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.faults import EngineRefused, translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import read_all
from service.stores.indices.installation import Installation

BATCH = 500

Progress = Callable[[int, int], None]
"""Called with documents done and in all."""


@dataclass(eq=False, repr=False)
class Migration:
    """One rebuild of the index of current versions."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _installation: Installation
    _references: StoredReferences

    async def run(self, progress: Progress) -> tuple[str, str, int]:
        """Rebuild and swap; gives old index, new index, and how many documents it holds.

        If it fails, the old index stays in place and takes pushes again. If it is killed, the old
        index stays closed to pushes until the next run, which starts anew.
        """
        old = await self.live_index()
        new = self._indices.generation(_generation_of(old) + 1)
        await self._installation.put_templates()
        with translated_errors():
            await self._elasticsearch.indices.delete(index=new, ignore_unavailable=True)
            await self._elasticsearch.indices.create(index=new)
        try:
            await self._close_to_writes(old, closed=True)
            copied = await self._copy(old, new, progress)
            await self._swap(old, new)
        except BaseException:
            await self._close_to_writes(old, closed=False)
            raise
        return old, new, copied

    async def live_index(self) -> str:
        """Name the index behind the alias."""
        with translated_errors():
            response = await self._elasticsearch.indices.get_alias(
                name=self._indices.authorizations
            )
        names = list(response.body)
        if len(names) != 1:
            raise EngineRefused("elasticsearch", f"the alias names {len(names)} indices, not one")
        return str(names[0])

    async def _close_to_writes(self, index: str, *, closed: bool) -> None:
        with translated_errors():
            await self._elasticsearch.indices.put_settings(
                index=index, settings={"index.blocks.write": closed or None}
            )

    async def _copy(self, old: str, new: str, progress: Progress) -> int:
        done = 0
        async for batch, total in read_all(self._elasticsearch, old, {"match_all": {}}, size=BATCH):
            operations = [self._rebuilt(new, found["_source"]) for found in batch]
            written = await run_bulk(self._elasticsearch, operations)
            if not all(each.ok for each in written):
                raise EngineRefused("elasticsearch", f"{new} already held what was copied into it")
            done += len(batch)
            progress(done, total)
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=new)
            counts = [
                (await self._elasticsearch.count(index=index))["count"] for index in (old, new)
            ]
        if counts[0] != counts[1]:
            raise EngineRefused(
                "elasticsearch", f"{old} has {counts[0]} authorizations and {new} {counts[1]}"
            )
        return done

    def _rebuilt(self, index: str, document: Document) -> Operation:
        """Make the document anew from its source; a tombstone has none and stays as it is."""
        made = made_anew(document, self._references) if "source" in document else document
        return write_document(index, made)

    async def _swap(self, old: str, new: str) -> None:
        """Change the alias in one step: no search falls between the two."""
        alias = self._indices.authorizations
        with translated_errors():
            await self._elasticsearch.indices.update_aliases(
                actions=[
                    {"remove": {"index": old, "alias": alias}},
                    {"add": {"index": new, "alias": alias, "is_write_index": True}},
                ]
            )


def _generation_of(index: str) -> int:
    return int(index.rpartition("-v")[2])
