"""Opens the clients of both engines; nothing is connected before it is used."""

from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch, OrjsonSerializer
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

ElasticsearchClient = AsyncElasticsearch
RedisClient = Redis | RedisCluster

CONNECTIONS_MAX = 50
REDIS_CONNECTIONS_MAX = 100
REDIS_TURN_S = 20.0
"""How long a request waits while all connections are busy, which is no fault of Redis."""
REDIS_TIMEOUT_S = 5.0
REDIS_RETRIES = 2


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
