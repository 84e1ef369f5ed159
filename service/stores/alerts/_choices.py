"""Who wants to be told of which alerts, in Elasticsearch: a document each payer and person."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.alert_choice import KeptChoice
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, read_one

CHOICES_MAX = 10_000
"""So many choices of all payers at the most are looked at."""


@dataclass(eq=False, repr=False)
class Choices:
    """Reads and writes choices; raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def read(self, choice: KeptChoice) -> tuple[KeptChoice, tuple[int, int] | None]:
        """Give what the person of a choice chose, in realtime; this one where that is nothing.

        Also which write that was.
        """
        found = await read_one(self._elasticsearch, self._indices.alert_choices, choice.id)
        if found is None:
            return choice, None
        return _choice(found), (found["_seq_no"], found["_primary_term"])

    async def write(self, choice: KeptChoice, seen: tuple[int, int] | None) -> bool:
        """Write a choice over what was seen; tells whether that was still so."""
        operation = Operation(
            action="create" if seen is None else "index",
            index=self._indices.alert_choices,
            id=choice.id,
            document=choice.model_dump(mode="json", exclude_none=True),
            seen=seen,
        )
        (written,) = await run_bulk(self._elasticsearch, [operation])
        return written.ok

    async def of_payers(self, payers: Collection[str]) -> list[KeptChoice]:
        """Give the choices of all people of these payers."""
        return await self._find({"terms": {"payer": sorted(payers)}})

    async def of_calendar(self, hashed: str) -> KeptChoice | None:
        """Give the choice with a calendar whose token has this hash."""
        found = await self._find({"term": {"calendar": hashed}})
        return found[0] if found else None

    async def _find(self, query: dict[str, Any]) -> list[KeptChoice]:
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.alert_choices)
            response = await self._elasticsearch.search(
                index=self._indices.alert_choices,
                query=query,
                size=CHOICES_MAX,
                allow_partial_search_results=False,
            )
        return [_choice(each) for each in response["hits"]["hits"]]


def _choice(found: Found) -> KeptChoice:
    return KeptChoice.model_validate(found["_source"])
