"""What can be said of both engines from outside: whether they answer, versions, clocks."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames

TIMEOUT_S = 2.0
FULL_DISK = "read_only_allow_delete"
"""The block by which Elasticsearch itself closes indices on a full disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEngine:
    """An Elasticsearch cluster: its versions, how many nodes, and its own word on its health."""

    versions: tuple[str, ...]
    nodes: int
    health: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Block:
    """What keeps an index from being written to, by Elasticsearch's own name of it."""

    index: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A Redis: version, and its clock against ours."""

    version: str
    clock_ahead_s: float


@dataclass(eq=False, repr=False)
class Inspection:
    """Asks the engines, and changes nothing."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames

    async def check(self) -> bool:
        """Return when the index answers; raises EngineFault. Tells whether Redis answers too.

        Without Redis matches are answered as ever, after a refresh; only pushes must wait.
        """
        with translated_errors():
            client = self._elasticsearch.options(request_timeout=TIMEOUT_S)
            health = await client.cluster.health(index=self._indices.authorizations)
        if health["status"] == "red":
            raise EngineUnavailable("elasticsearch", "a part of the index is not available")
        try:
            with translated_errors():
                async with asyncio.timeout(TIMEOUT_S):
                    await self._redis.ping()
        except EngineUnavailable:
            return False
        return True

    async def elasticsearch(self) -> SearchEngine:
        """Ask the cluster; the address `/` is not asked, for not every distribution answers it."""
        with translated_errors():
            nodes = (await self._elasticsearch.nodes.info(filter_path="nodes.*.version"))["nodes"]
            health = await self._elasticsearch.cluster.health()
        versions = sorted({node["version"] for node in nodes.values()})
        return SearchEngine(
            versions=tuple(versions), nodes=len(nodes), health=str(health["status"])
        )

    async def is_installed(self) -> bool:
        """Whether the alias of the authorizations is there."""
        with translated_errors():
            return bool(
                await self._elasticsearch.indices.exists_alias(name=self._indices.authorizations)
            )

    async def blocks(self) -> list[Block]:
        """What closes an index that is written to: a full disk, a rebuild, or somebody."""
        with translated_errors():
            found = await self._elasticsearch.indices.get_settings(
                index=",".join(self._indices.written),
                name="index.blocks.*",
                flat_settings=True,
                ignore_unavailable=True,
            )
        return sorted(
            Block(index=index, kind=name.removeprefix("index.blocks."))
            for index, each in found.items()
            for name, value in each["settings"].items()
            if str(value) == "true"
        )

    async def count(self) -> int:
        """Count the documents behind the alias, tombstones included, as far as searchable."""
        with translated_errors():
            response = await self._elasticsearch.count(index=self._indices.authorizations)
        return int(response["count"])

    async def redis(self) -> Cache:
        """Ask the server; half of the way there and back is taken off the clock's difference."""
        with translated_errors():
            before = time.time()
            seconds, microseconds = _of_one_node(await self._redis.time())
            after = time.time()
            info = _of_one_node(await self._redis.info("server"), has="redis_version")
        return Cache(
            version=str(info["redis_version"]),
            clock_ahead_s=seconds + microseconds / 1e6 - (before + after) / 2,
        )


def _of_one_node(answer: Any, *, has: str = "") -> Any:
    """Give the answer of a server, of the first one where a cluster answers node by node."""
    is_by_node = isinstance(answer, dict) and bool(answer) and has not in answer
    return next(iter(answer.values())) if is_by_node else answer
