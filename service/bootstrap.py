"""Puts the parts together: settings and files become rules, clients become stores."""

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from service.domain.adjudication import Adjudication
from service.domain.reference import References
from service.flow.adjudicate import Adjudicated, adjudicate
from service.flow.late_claims import LateClaims
from service.flow.late_watch import LateWatch
from service.flow.live_check import LiveCheck
from service.flow.rooms import Rooms, Run
from service.flow.rules import RuleBook
from service.flow.worklist import Examining
from service.rule_files import load_rules
from service.settings import Settings
from service.stores.accounting_stores import AccountingStores, open_accounting
from service.stores.authorization_search import AuthorizationSearch
from service.stores.authorization_store import AuthorizationStore
from service.stores.clients import (
    ElasticsearchAccess,
    ElasticsearchClient,
    RedisClient,
    open_elasticsearch,
    open_redis,
)
from service.stores.control_numbers import ControlNumbers
from service.stores.faults import EngineUnavailable
from service.stores.health import Health
from service.stores.history import now
from service.stores.installation import Installation
from service.stores.intake_stores import Clients, IntakeStores, open_intake
from service.stores.key_names import KeyNames
from service.stores.late_queue import LateQueue
from service.stores.member_copies import MemberCopies
from service.stores.member_merge import MemberMerge
from service.stores.member_records import MemberRecords
from service.stores.members import Members
from service.stores.migration import Migration
from service.stores.names import IndexNames
from service.stores.visibility import Visibility
from service.stores.waiting_claims import WaitingClaims
from service.stores.worklist import Worklist

GC_ALLOCATIONS = 50_000
GC_ALLOCATIONS_LOADING = 400_000
"""While files are loaded thousands of authorizations are on their way, and nobody waits."""


class NotConfigured(Exception):
    """A setting that is needed is missing, or does not fit the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores(AccountingStores, IntakeStores):
    """All rooms that speak to an engine."""

    elasticsearch: ElasticsearchClient
    redis: RedisClient
    indices: IndexNames
    visibility: Visibility
    members: Members
    merging: MemberMerge
    search: AuthorizationSearch
    installation: Installation
    migration: Migration
    health: Health
    control_numbers: ControlNumbers
    late_queue: LateQueue
    waiting: WaitingClaims
    worklist: Worklist


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything that an entry needs."""

    settings: Settings
    rules: RuleBook
    stores: Stores
    live_check: LiveCheck

    @property
    def late_claims(self) -> LateClaims:
        """What is done with claims that wait, once an authorization arrived."""
        return LateClaims(
            books=self.stores.accumulators,
            claims=self.stores.waiting,
            offers=self.stores.worklist,
            run=partial(_run, self),
            now=now,
            automatic=self.settings.late_authorizations == "automatic",
        )

    def examining(self, payer: str) -> Examining:
        """Give the worklist of a payer."""
        stores = self.stores
        return Examining(
            payer=payer, items=stores.worklist, claims=stores.waiting, late=self.late_claims
        )


@asynccontextmanager
async def application(
    settings: Settings, *, serving: bool = False, rules: RuleBook | None = None
) -> AsyncIterator[Application]:
    """Build everything, and close what was opened; without ``rules`` those of the files are read.

    ``serving`` starts the work in the background, but not on a Redis that may forget: NotDurable.
    """
    rules = rules or load_rules(settings)
    stores = open_stores(settings, rules.references)
    live_check = LiveCheck(settings.live_check_share)
    parts = Application(settings=settings, rules=rules, stores=stores, live_check=live_check)
    watch = LateWatch(stores.late_queue, stores.waiting, parts.late_claims.look, settings.payers)
    try:
        if serving:
            with suppress(EngineUnavailable):  # it is asked again before units are moved
                await stores.durability.ensure()
            stores.projection.start()
            stores.courier.start()
            if settings.late_authorizations != "off":
                watch.start()
        yield parts
    finally:
        await watch.close()
        await live_check.close()
        await stores.courier.close()
        await stores.projection.close()
        await stores.elasticsearch.close()
        await stores.redis.aclose()


def quieten_collector(allocations: int = GC_ALLOCATIONS) -> None:
    """Let the garbage collector pass over the rules, and look less often.

    A claim or a push makes thousands of short-lived values and no cycles; by default the collector
    would walk all rules again and again for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(allocations, 20, 20)


async def run_claim(
    parts: Application, payer: str, claim: Adjudication, *, dry: bool = False, again: bool = False
) -> Adjudicated:
    """Adjudicate one claim in these stores, and see to it that what it moved is projected.

    Raises what ``adjudicate`` raises, and first of all what the guard of the books does.
    """
    return await _run(parts, claim, Run(payer=payer, at=now(), dry=dry, again=again))


async def _run(parts: Application, claim: Adjudication, run: Run) -> Adjudicated:
    stores = parts.stores
    await stores.guard.ensure()
    rooms = Rooms(
        rules=parts.rules,
        source=stores.search,
        standing=stores.reading,
        books=stores.accumulators,
        records=stores.records,
        gathering=stores.merging,
    )
    done = await adjudicate(claim, run, rooms)
    if done.home is not None:
        stores.projection.touch(stores.accumulators.keys_of(done.home))
    if done.matched is not None:
        parts.live_check.offer(done.matched)
    return done


def open_stores(settings: Settings, references: References) -> Stores:
    """Open the clients; raises NotConfigured where an address is missing."""
    elasticsearch, redis = _open_clients(settings)
    indices = IndexNames(settings.index_prefix)
    keys = _key_names(settings)
    installation = _installation(settings, elasticsearch, indices, references)
    late_queue = LateQueue(redis, keys, is_open=settings.late_authorizations != "off")
    members = _open_members(elasticsearch, redis, indices, keys)
    accounting = open_accounting(
        elasticsearch,
        redis,
        indices,
        members,
        payers=settings.payers,
        sweep_s=settings.ledger_sweep_s,
        is_weak_allowed=settings.allow_weak_redis,
    )
    clients = Clients(
        elasticsearch=elasticsearch,
        redis=redis,
        indices=indices,
        members=members,
        durability=accounting.durability,
    )
    authorizations = AuthorizationStore(
        elasticsearch, indices, references, accounting.balances, late_queue, members
    )
    return Stores(
        elasticsearch=elasticsearch,
        redis=redis,
        indices=indices,
        visibility=members.visibility,
        members=members,
        merging=MemberMerge(elasticsearch, indices, members, authorizations, late_queue),
        search=AuthorizationSearch(elasticsearch, indices, members),
        installation=installation,
        migration=Migration(elasticsearch, indices, installation, references),
        health=Health(elasticsearch, redis, indices),
        control_numbers=ControlNumbers(redis, keys),
        late_queue=late_queue,
        waiting=WaitingClaims(redis, keys, accounting.records, accounting.accumulators),
        worklist=Worklist(elasticsearch, indices),
        **accounting.by_name(),
        **open_intake(
            clients,
            authorizations,
            payers=settings.payers,
            outbox_bytes_max=settings.outbox_bytes_max,
        ).by_name(),
    )


def _key_names(settings: Settings) -> KeyNames:
    secret = settings.surrogate_key.get_secret_value().encode()
    return KeyNames(prefix=f"authmatch:{settings.index_prefix}", secret=secret)


def _open_members(
    elasticsearch: ElasticsearchClient, redis: RedisClient, indices: IndexNames, keys: KeyNames
) -> Members:
    records = MemberRecords(elasticsearch, indices)
    visibility = Visibility(elasticsearch, redis, indices, keys)
    return Members(records, MemberCopies(redis, keys, records), visibility)


def _installation(
    settings: Settings,
    elasticsearch: ElasticsearchClient,
    indices: IndexNames,
    references: References,
) -> Installation:
    return Installation(
        elasticsearch,
        indices,
        read_es_templates(settings.es_templates_dir),
        references.attached,
        settings.index_shards,
    )


def _open_clients(settings: Settings) -> tuple[ElasticsearchClient, RedisClient]:
    if not settings.elasticsearch_url or not settings.redis_url:
        raise NotConfigured(
            "AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL are needed "
            "(`authmatch run` starts engines of its own)"
        )
    elasticsearch = open_elasticsearch(_access(settings, settings.elasticsearch_url))
    return elasticsearch, open_redis(settings.redis_url, cluster=settings.redis_cluster)


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
