"""Puts the parts together: settings and files become rules, clients become stores."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from service.domain.adjudication import Adjudication
from service.domain.reference import References
from service.flow.adjudicate import Adjudicated, adjudicate
from service.flow.live_check import LiveCheck
from service.flow.rooms import Rooms, Run
from service.flow.rules import RuleBook
from service.rule_files import load_rules
from service.settings import Settings
from service.stores.accounting_stores import AccountingStores, open_accounting
from service.stores.authorization_reading import AuthorizationReading
from service.stores.authorization_search import AuthorizationSearch
from service.stores.authorization_store import AuthorizationStore
from service.stores.clients import (
    ElasticsearchAccess,
    ElasticsearchClient,
    RedisClient,
    open_elasticsearch,
    open_redis,
)
from service.stores.faults import EngineUnavailable
from service.stores.health import Health
from service.stores.history import now
from service.stores.installation import Installation
from service.stores.migration import Migration
from service.stores.names import IndexNames, KeyNames
from service.stores.visibility import Visibility


class NotConfigured(Exception):
    """A setting that is needed is missing, or does not fit the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores(AccountingStores):
    """All rooms that speak to an engine."""

    elasticsearch: ElasticsearchClient
    redis: RedisClient
    indices: IndexNames
    visibility: Visibility
    search: AuthorizationSearch
    authorizations: AuthorizationStore
    reading: AuthorizationReading
    installation: Installation
    migration: Migration
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything that an entry needs."""

    settings: Settings
    rules: RuleBook
    stores: Stores
    live_check: LiveCheck


@asynccontextmanager
async def application(settings: Settings, *, serving: bool = False) -> AsyncIterator[Application]:
    """Build everything, and close what was opened.

    ``serving`` starts the work in the background, but not on a Redis that may forget: NotDurable.
    """
    rules = load_rules(settings)
    stores = open_stores(settings, rules.references)
    live_check = LiveCheck(settings.live_check_share)
    try:
        if serving:
            with suppress(EngineUnavailable):  # it is asked again before units are moved
                await stores.durability.ensure()
            stores.projection.start()
        yield Application(settings=settings, rules=rules, stores=stores, live_check=live_check)
    finally:
        await live_check.close()
        await stores.projection.close()
        await stores.elasticsearch.close()
        await stores.redis.aclose()


async def run_claim(
    parts: Application, payer: str, claim: Adjudication, *, dry: bool = False, again: bool = False
) -> Adjudicated:
    """Adjudicate one claim in these stores, and see to it that what it moved is projected.

    Raises what ``adjudicate`` raises, and first of all what the guard of the books does.
    """
    stores = parts.stores
    await stores.guard.ensure()
    rooms = Rooms(
        rules=parts.rules,
        source=stores.search,
        standing=stores.reading,
        books=stores.accumulators,
        records=stores.records,
    )
    done = await adjudicate(claim, Run(payer=payer, at=now(), dry=dry, again=again), rooms)
    if done.home is not None:
        stores.projection.touch(stores.accumulators.keys_of(done.home))
    if done.matched is not None:
        parts.live_check.offer(done.matched)
    return done


def open_stores(settings: Settings, references: References) -> Stores:
    """Open the clients; raises NotConfigured where an address is missing."""
    if not settings.elasticsearch_url or not settings.redis_url:
        raise NotConfigured(
            "AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL are needed "
            "(`authmatch run` starts engines of its own)"
        )
    elasticsearch = open_elasticsearch(_access(settings, settings.elasticsearch_url))
    redis = open_redis(settings.redis_url, cluster=settings.redis_cluster)
    indices = IndexNames(settings.index_prefix)
    secret = settings.surrogate_key.get_secret_value().encode()
    keys = KeyNames(prefix=f"authmatch:{settings.index_prefix}", secret=secret)
    visibility = Visibility(elasticsearch, redis, indices, keys)
    installation = Installation(
        elasticsearch,
        indices,
        read_es_templates(settings.es_templates_dir),
        references.attached,
        settings.index_shards,
    )
    accounting = open_accounting(
        elasticsearch,
        redis,
        indices,
        visibility,
        payers=settings.payers,
        sweep_s=settings.ledger_sweep_s,
        is_weak_allowed=settings.allow_weak_redis,
    )
    return Stores(
        elasticsearch=elasticsearch,
        redis=redis,
        indices=indices,
        visibility=visibility,
        search=AuthorizationSearch(elasticsearch, indices, visibility),
        authorizations=AuthorizationStore(
            elasticsearch, indices, visibility, references, accounting.balances
        ),
        reading=AuthorizationReading(elasticsearch, indices, visibility),
        installation=installation,
        migration=Migration(elasticsearch, indices, installation, references),
        health=Health(elasticsearch, redis, indices),
        **accounting.by_name(),
    )


def _access(settings: Settings, url: str) -> ElasticsearchAccess:
    api_key, password = settings.elasticsearch_api_key, settings.elasticsearch_password
    return ElasticsearchAccess(
        url=url,
        api_key=api_key.get_secret_value() if api_key else None,
        username=settings.elasticsearch_username,
        password=password.get_secret_value() if password else None,
        ca_certs=settings.elasticsearch_ca_certs,
        request_timeout_s=settings.elasticsearch_timeout_s,
    )


def read_es_templates(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read the Elasticsearch templates of a folder."""
    found = {path.stem: orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise NotConfigured(f"there are no Elasticsearch templates in {folder}")
    return found
