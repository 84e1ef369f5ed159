"""Searches: the candidates of a claim, within its payer and member, all of them or a fault."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.candidate import Found
from service.domain.person import Person
from service.querying.search import Search
from service.stores.authorizations.document import read_candidate
from service.stores.connection.faults import (
    EngineFault,
    EngineRefused,
    EngineTooSlow,
    EngineUnavailable,
    translated_errors,
)
from service.stores.connection.names import IndexNames, routes
from service.stores.members.who import Members

_NOT_NEEDED = ["source"]
_KEEP_ALIVE = "5m"
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


@dataclass(eq=False, repr=False)
class AuthorizationSearch:
    """Finds candidates; puts the limits of payer and member around whatever a template says."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _members: Members

    async def prepare(self, payer: str, member: str) -> Person:
        """Make sure that what was pushed for the member can be found; say who it is now."""
        return await self._members.prepare(payer, member)

    async def search(
        self, payer: str, person: Person, search: Search, *, point: str | None = None
    ) -> Found:
        """Run one search; raises an EngineFault rather than give a part of the hits.

        While a push takes an authorization from one id of a person to another, and is not
        acknowledged, both versions may be found. With a ``point`` in time all is as it was then.
        """
        body = search_body(payer, person.ids, search)
        path, params = "/_search", {"allow_partial_search_results": "false"}
        if point is None:
            path = f"/{self._indices.authorizations}{path}"
            if routed := routes(payer, person.ids):
                params["routing"] = routed
        else:
            body["pit"] = {"id": point, "keep_alive": _KEEP_ALIVE}
        with translated_errors():
            response = await self._elasticsearch.perform_request(
                "POST", path, params=params, headers=_HEADERS, body=body
            )
        if response.body.get("timed_out"):
            raise EngineTooSlow("elasticsearch", "the search ran out of its time")
        if response.body["_shards"]["failed"]:  # though it was told not to give a part
            raise EngineUnavailable("elasticsearch", "a shard did not answer")
        hits = response.body["hits"]
        return _found(hits["hits"], hits["total"]["value"])

    @asynccontextmanager
    async def point_in_time(self) -> AsyncIterator[str]:
        """Name this moment, for searches that are to see the same; all pushed before is seen."""
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.authorizations)
            opened = await self._elasticsearch.open_point_in_time(
                index=self._indices.authorizations, keep_alive=_KEEP_ALIVE
            )
        try:
            yield opened["id"]
        finally:
            with translated_errors():
                await self._elasticsearch.close_point_in_time(id=opened["id"])

    async def refusal(self, payer: str, member: str, search: Search) -> str | None:
        """Say why Elasticsearch would refuse a search; None when it is valid for the live index."""
        query = search_body(payer, [member], search)["query"]
        with translated_errors():
            response = await self._elasticsearch.indices.validate_query(
                index=self._indices.authorizations, query=query
            )
        if response["valid"]:
            return None
        try:
            await self.search(payer, Person.of(member), search)  # its refusal names the clause
        except EngineRefused as fault:
            return fault.words or fault.reason
        except EngineFault as fault:
            return fault.reason
        return "valid for no shard, and yet it ran"


def search_body(payer: str, members: Sequence[str], search: Search) -> dict[str, Any]:
    """Write the body of a search, with the filters that no template can name.

    ``members`` are all ids of the person.
    """
    query = search.query()
    query["bool"]["filter"] = [
        {"terms": {"member_id": list(members)}}
        if len(members) > 1
        else {"term": {"member_id": members[0]}},
        {"term": {"payer": payer}},
        {"term": {"current": True}},
        {"term": {"void": False}},
        *query["bool"].get("filter", []),
    ]
    body: dict[str, Any] = {
        "query": query,
        "size": search.size,
        "track_total_hits": search.size + 1,
        "timeout": f"{search.timeout_ms}ms",
        "_source": {"excludes": _NOT_NEEDED},
        "sort": list(search.sort) or ["_doc"],
    }
    if search.scored:
        body["track_scores"] = True
    if search.after:
        body["search_after"] = list(search.after)
    return body


def _found(hits: Iterable[dict[str, Any]], total: int) -> Found:
    candidates = tuple(
        read_candidate(
            hit["_source"],
            matched=hit.get("matched_queries", ()),
            score=hit.get("_score"),
            sort=hit.get("sort", ()),
        )
        for hit in hits
    )
    return Found(candidates=candidates, total=total)
