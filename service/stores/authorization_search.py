"""Searches: the candidates of a claim, within its payer and member, all of them or a fault."""

from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.candidate import Found
from service.querying.search import Search
from service.stores.document import read_candidate
from service.stores.faults import (
    EngineFault,
    EngineTooSlow,
    EngineUnavailable,
    translated_errors,
)
from service.stores.names import IndexNames, routing
from service.stores.visibility import Visibility

_NOT_NEEDED = ["source"]
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


class AuthorizationSearch:
    """Finds candidates; puts the limits of payer and member around whatever a template says."""

    def __init__(
        self, elasticsearch: AsyncElasticsearch, indices: IndexNames, visibility: Visibility
    ) -> None:
        """Share the client and the marks of pushes with the other stores."""
        self._elasticsearch = elasticsearch
        self._alias = indices.authorizations
        self._path = f"/{indices.authorizations}/_search"
        self._visibility = visibility

    async def prepare(self, payer: str, member: str) -> None:
        """Make sure that what was pushed for the member can be found."""
        await self._visibility.ensure(payer, member)

    async def search(self, payer: str, member: str, search: Search) -> Found:
        """Run one search; raises an EngineFault rather than give a part of the hits."""
        with translated_errors():
            response = await self._elasticsearch.perform_request(
                "POST",
                self._path,
                params={
                    "routing": routing(payer, member),
                    "allow_partial_search_results": "false",
                },
                headers=_HEADERS,
                body=search_body(payer, member, search),
            )
        return _read(response.body)

    async def refusal(self, payer: str, member: str, search: Search) -> str | None:
        """Say why Elasticsearch would refuse a search; None when it is valid for the live index."""
        query = search_body(payer, member, search)["query"]
        with translated_errors():
            response = await self._elasticsearch.indices.validate_query(
                index=self._alias, query=query
            )
        if response["valid"]:
            return None
        try:
            await self.search(payer, member, search)  # its refusal names the clause at fault
        except EngineFault as fault:
            return fault.reason
        return "valid for no shard, and yet it ran"


def search_body(payer: str, member: str, search: Search) -> dict[str, Any]:
    """Write the body of a search, with the filters that no template can name."""
    query = search.query()
    query["bool"]["filter"] = [
        {"term": {"member_id": member}},
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


def _read(body: Any) -> Found:
    """Read hits; a part of them is a fault, though Elasticsearch was told so already."""
    if body.get("timed_out"):
        raise EngineTooSlow("elasticsearch", "the search ran out of its time")
    if body["_shards"]["failed"]:
        raise EngineUnavailable("elasticsearch", "a shard did not answer")
    hits = body["hits"]["hits"]
    candidates = tuple(
        read_candidate(
            hit["_source"],
            matched=hit.get("matched_queries", ()),
            score=hit.get("_score"),
            sort=hit.get("sort", ()),
        )
        for hit in hits
    )
    return Found(candidates=candidates, total=body["hits"]["total"]["value"])
