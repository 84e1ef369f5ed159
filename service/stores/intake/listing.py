"""Lists and counts dead letters."""

from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.connection.cursor import read_cursor, write_cursor
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames
from service.stores.intake.letter import Letter, read_letter


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """What to list: all given must hold."""

    status: str | None = None
    code: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPage:
    """Some of those that fit, without their content, how many there are, and where to go on."""

    letters: tuple[Letter, ...]
    total: int
    next_: str | None


@dataclass(eq=False)
class LetterListing:
    """Sees every letter that was kept before it is asked."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def page(
        self, payer: str, wanted: LetterFilter, *, size: int, after: str | None = None
    ) -> LetterPage:
        """Give a page, those that came last first; raises BadCursor for a foreign cursor."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.dead_letters)
            response = await self._elasticsearch.search(
                index=self._indices.dead_letters,
                routing=payer,
                query=_query(payer, wanted),
                sort=[{"last_at": "desc"}, {"id": "asc"}],
                search_after=None if after is None else read_cursor(after, (int, str)),
                size=size,
                track_total_hits=True,
                seq_no_primary_term=True,
                source_excludes=["content"],
                allow_partial_search_results=False,
            )
        hits = response["hits"]["hits"]
        return LetterPage(
            letters=tuple(map(read_letter, hits)),
            total=response["hits"]["total"]["value"],
            next_=write_cursor(hits[-1]["sort"]) if len(hits) == size else None,
        )

    async def count(self, payer: str, status: str = "open") -> int:
        """Count the letters of a payer."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.dead_letters)
            response = await self._elasticsearch.count(
                index=self._indices.dead_letters,
                routing=payer,
                query=_query(payer, LetterFilter(status=status)),
            )
        return int(response["count"])


def _query(payer: str, wanted: LetterFilter) -> dict[str, Any]:
    given = {"status": wanted.status, "code": wanted.code, "format": wanted.format}
    clauses = [{"term": {name: value}} for name, value in given.items() if value]
    return {"bool": {"filter": [{"term": {"payer": payer}}, *clauses]}}
