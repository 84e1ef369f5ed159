"""Opens the clients of both engines; nothing is connected before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from elasticsearch import AsyncElasticsearch, OrjsonSerializer
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.crc import key_slot

ElasticsearchClient = AsyncElasticsearch
RedisClient = Redis | RedisCluster

CONNECTIONS_MAX = 50
REDIS_CONNECTIONS_MAX = 100
REDIS_TURN_S = 20.0
"""How long a request waits while all connections are busy, which is no fault of Redis."""
REDIS_TIMEOUT_S = 5.0
REDIS_RETRIES = 2
KEYS_AT_ONCE = 500

Named = TypeVar("Named")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchAccess:
    """Where Elasticsearch is, and with what it is opened."""

    url: str
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    ca_certs: str | None = None
    request_timeout_s: float = 10.0


def open_elasticsearch(access: ElasticsearchAccess) -> AsyncElasticsearch:
    """Open a client; connection faults are tried again, a slow answer is not."""
    options: dict[str, Any] = {}
    if access.api_key:
        options["api_key"] = access.api_key
    elif access.username and access.password:
        options["basic_auth"] = (access.username, access.password)
    if access.ca_certs:
        options["ca_certs"] = access.ca_certs
    return AsyncElasticsearch(
        access.url,
        serializer=OrjsonSerializer(),
        request_timeout=access.request_timeout_s,
        max_retries=2,
        retry_on_timeout=False,
        retry_on_status=(),
        connections_per_node=CONNECTIONS_MAX,
        **options,
    )


def open_redis(url: str, *, cluster: bool) -> RedisClient:
    """Open a client of one Redis, or of a Redis Cluster."""
    retry = Retry(ExponentialBackoff(cap=0.2, base=0.02), REDIS_RETRIES)
    if cluster:
        return RedisCluster.from_url(
            url, decode_responses=True, socket_timeout=REDIS_TIMEOUT_S, retry=retry
        )
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=REDIS_CONNECTIONS_MAX,
        timeout=REDIS_TURN_S,
        decode_responses=True,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=retry,
    )
    return Redis.from_pool(pool)


def together(redis: RedisClient, keys: Mapping[Named, str]) -> list[list[Named]]:
    """Group what one command may name, each by its key: in a cluster only those of one slot."""
    is_cluster = isinstance(redis, RedisCluster)
    groups: dict[int, list[Named]] = {}
    for place, (named, key) in enumerate(keys.items()):
        group = key_slot(key.encode()) if is_cluster else place // KEYS_AT_ONCE
        groups.setdefault(group, []).append(named)
    return list(groups.values())
