"""Opens the clients of both engines; nothing is connected before it is used."""

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from elasticsearch import AsyncElasticsearch, OrjsonSerializer
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.crc import key_slot
from redis.exceptions import ConnectionError as NoConnection

from service.stores.connection._node import Node
from service.stores.connection.tls import EngineTrust

ElasticsearchClient = AsyncElasticsearch
RedisClient = Redis | RedisCluster

CONNECTIONS_MAX = 50
RETRIES = 2
REDIS_CONNECTIONS_MAX = 100
REDIS_TURN_S = 20.0
"""How long a request waits while all connections are busy, which is no fault of Redis."""
REDIS_TIMEOUT_S = 3.0
"""After it a request is given up, and not sent again: whoever asked repeats it."""
REDIS_RETRIES = 2
REDIS_PORT = 6379
KEYS_AT_ONCE = 500

# Where OpenTelemetry is installed the client would make spans of its own, with ids in them.
os.environ.setdefault("OTEL_PYTHON_INSTRUMENTATION_ELASTICSEARCH_ENABLED", "false")

Named = TypeVar("Named")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchAccess:
    """Where the nodes of Elasticsearch are, all by TLS or none, and with what they are opened."""

    urls: tuple[str, ...]
    api_key: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: EngineTrust
    request_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAccess:
    """Where Redis is, of a cluster perhaps several nodes; the first may hold user and password."""

    urls: tuple[str, ...] = field(repr=False)
    is_cluster: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: EngineTrust


class _Pool(BlockingConnectionPool):
    """A pool that hands out what is free at once; only who has to wait goes the library's way.

    Its locks, limits and counts of every turn are a third of what a request costs this process.
    """

    _waiting = 0

    async def get_connection(self, *asked: Any, **options: Any) -> Any:
        """A connection that is sound; raises ConnectionError where none is free in time."""
        if not self._available_connections:
            wait: Any = super().get_connection
            self._waiting += 1
            try:
                return await wait(*asked, **options)
            finally:
                self._waiting -= 1
        connection = self._available_connections.pop()
        self._in_use_connections.add(connection)
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: Any) -> None:
        """Take it back; whoever waits is told."""
        if self._waiting or connection.should_reconnect():
            await super().release(connection)
        else:
            self._in_use_connections.remove(connection)
            self._available_connections.append(connection)


def open_elasticsearch(access: ElasticsearchAccess) -> AsyncElasticsearch:
    """Open a client; connection faults are tried again at another node, a slow answer is not.

    Raises BadCertificate.
    """
    options: dict[str, Any] = {}
    if access.api_key:
        options["api_key"] = access.api_key
    elif access.username and access.password:
        # RFC 7617 lets both be UTF-8; the client would take ASCII alone.
        pair = f"{access.username}:{access.password}".encode()
        options["basic_auth"] = base64.b64encode(pair).decode()
    if access.urls[0].startswith("https:"):
        options["ssl_context"] = access.trust.context()
    return AsyncElasticsearch(
        list(access.urls),
        node_class=Node,
        serializer=OrjsonSerializer(),
        request_timeout=access.request_timeout_s,
        max_retries=max(RETRIES, len(access.urls)),
        retry_on_timeout=False,
        retry_on_status=(),
        connections_per_node=CONNECTIONS_MAX,
        **options,
    )


def open_redis(access: RedisAccess) -> RedisClient:
    """Open a client of one Redis, or of a Redis Cluster. Raises BadCertificate."""
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": REDIS_TIMEOUT_S,
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.02), REDIS_RETRIES, (NoConnection,)),
    }
    named = {"username": access.username, "password": access.password}
    options |= {name: value for name, value in named.items() if value}
    first, *others = access.urls
    if first.startswith("rediss:"):
        access.trust.context()  # what cannot be used is told now
        options |= {
            "ssl_ca_certs": access.trust.ca_certs,
            "ssl_certfile": access.trust.client_cert,
            "ssl_keyfile": access.trust.client_key or access.trust.client_cert,
            "ssl_password": "",
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
    if access.is_cluster:
        nodes = [ClusterNode(urlsplit(url).hostname or "", _port(url)) for url in others]
        # A payer whose primary is away is no reason to keep out all others.
        return RedisCluster.from_url(
            first, startup_nodes=nodes, require_full_coverage=False, **options
        )
    pool = _Pool.from_url(
        first,
        max_connections=REDIS_CONNECTIONS_MAX,
        timeout=REDIS_TURN_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        **options,
    )
    return Redis.from_pool(pool)


def _port(url: str) -> int:
    return urlsplit(url).port or REDIS_PORT


def together(redis: RedisClient, keys: Mapping[Named, str]) -> list[list[Named]]:
    """Group what one command may name, each by its key: in a cluster only those of one slot."""
    is_cluster = isinstance(redis, RedisCluster)
    groups: dict[int, list[Named]] = {}
    for place, (named, key) in enumerate(keys.items()):
        group = key_slot(key.encode()) if is_cluster else place // KEYS_AT_ONCE
        groups.setdefault(group, []).append(named)
    return list(groups.values())
