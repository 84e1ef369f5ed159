"""How both engines are reached: from the settings to clients, and whether others may listen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import SecretStr

from service.settings import Settings, is_loopback
from service.stores.connection.clients import (
    ElasticsearchAccess,
    ElasticsearchClient,
    RedisAccess,
    RedisClient,
    open_elasticsearch,
    open_redis,
)
from service.stores.connection.key_names import KeyNames
from service.stores.connection.tls import BadCertificate, Encryption, EngineTrust, encryption_of


class NotConfigured(Exception):
    """A setting that is needed is missing, or does not fit the others."""


def open_clients(settings: Settings) -> tuple[ElasticsearchClient, RedisClient]:
    """Clients of both; nothing is connected yet. Raises NotConfigured."""
    if not settings.elasticsearch_url or not settings.redis_url:
        raise NotConfigured(
            "AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL are needed "
            "(`authmatch run` starts engines of its own)"
        )
    try:
        elasticsearch = open_elasticsearch(_elasticsearch_access(settings))
        return elasticsearch, open_redis(_redis_access(settings))
    except BadCertificate as error:
        raise NotConfigured(str(error)) from error


def elasticsearch_trust(settings: Settings) -> EngineTrust:
    """Whose certificates are trusted for Elasticsearch, and ours."""
    return EngineTrust(
        ca_certs=settings.elasticsearch_ca_certs,
        client_cert=settings.elasticsearch_client_cert,
        client_key=settings.elasticsearch_client_key,
    )


def redis_trust(settings: Settings) -> EngineTrust:
    """Whose certificates are trusted for Redis, and ours."""
    return EngineTrust(
        ca_certs=settings.redis_ca_certs,
        client_cert=settings.redis_client_cert,
        client_key=settings.redis_client_key,
    )


def _elasticsearch_access(settings: Settings) -> ElasticsearchAccess:
    return ElasticsearchAccess(
        urls=settings.elasticsearch_urls,
        api_key=_told(settings.elasticsearch_api_key),
        username=settings.elasticsearch_username,
        password=_told(settings.elasticsearch_password),
        trust=elasticsearch_trust(settings),
        request_timeout_s=settings.elasticsearch_timeout_s,
    )


def _redis_access(settings: Settings) -> RedisAccess:
    return RedisAccess(
        urls=settings.redis_urls,
        is_cluster=settings.redis_cluster,
        username=settings.redis_username,
        password=_told(settings.redis_password),
        trust=redis_trust(settings),
    )


def _told(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way to an engine: its address without user and password, and who is trusted there."""

    engine: str
    url: str
    trust: EngineTrust
    has_secret: bool

    @property
    def host(self) -> str:
        """The machine at its end."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_encrypted(self) -> bool:
        """Whether it is by TLS."""
        return self.url.startswith(("https:", "rediss:"))

    @property
    def is_open_to_others(self) -> bool:
        """Whether health data and passwords cross a network in clear text."""
        return not self.is_encrypted and not is_loopback(self.host)

    async def look(self) -> Encryption | None:
        """How it is encrypted, None where it cannot be reached: that is told elsewhere."""
        try:
            return await encryption_of(self.url, self.trust)
        except (OSError, BadCertificate):
            return None


def routes(settings: Settings) -> Iterator[Route]:
    """The ways to every address of both engines."""
    secret = settings.elasticsearch_api_key or settings.elasticsearch_password
    for url in settings.elasticsearch_urls:
        trust = elasticsearch_trust(settings)
        yield Route(engine="Elasticsearch", url=url, trust=trust, has_secret=secret is not None)
    for url in settings.redis_urls:
        yield Route(
            engine="Redis",
            url=url,
            trust=redis_trust(settings),
            has_secret=settings.redis_password is not None or "@" in url,
        )


def read_es_templates(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read the Elasticsearch templates of a folder; raises NotConfigured where there are none."""
    found = {path.stem: orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise NotConfigured(f"there are no Elasticsearch templates in {folder}")
    return found


def key_names(settings: Settings) -> KeyNames:
    """How the keys of Redis are named under these settings."""
    secret = settings.surrogate_key.get_secret_value().encode()
    return KeyNames(prefix=f"authmatch:{settings.index_prefix}", secret=secret)
