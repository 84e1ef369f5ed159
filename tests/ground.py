"""Real stores on an index prefix of this run, and what a test pushes into them.

A session has one prefix, a test its own payers: tests share indices and never meet.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import Any, TypeVar

import pytest

from service.application.parts import Stores
from service.domain.answers import MatchedLine
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.submission import Pushed
from service.flow.matching.match import match_claim
from service.rules.book import RuleBook
from service.rules.texts import load_rules
from service.settings import Settings
from tests.builders import build_authorization

T = TypeVar("T")
Scenario = Callable[[Stores], Awaitable[T]]


@dataclass(frozen=True)
class Ground:
    """The settings of this run; stores are opened for one scenario at a time.

    ``spoiled`` are the payers whose books a test has tampered with.
    """

    settings: Settings
    rules: RuleBook
    spoiled: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def stores(self, settings: Settings | None = None) -> AsyncIterator[Stores]:
        """Open stores of their own, as another worker has them."""
        stores = Stores(settings or self.settings, self.rules.stored)
        try:
            yield stores
        finally:
            await stores.close()

    def run(self, scenario: Scenario[T]) -> T:
        """Run a scenario on stores of its own."""

        async def opened() -> T:
            async with self.stores() as stores:
                return await scenario(stores)

        return asyncio.run(opened())


@cache
def shipped_rules() -> RuleBook:
    """Give the shipped rules."""
    return load_rules(Settings())


def seeds(few: int, many: int) -> list[Any]:
    """Seeds of a round that is costly: a few for the suite, the others for the long rounds."""
    return [*range(few), *(pytest.param(each, marks=pytest.mark.long) for each in range(few, many))]


def new_prefix() -> str:
    """Give a prefix that no other run has."""
    return f"t-{uuid.uuid4().hex[:10]}-"


def settings_on(elasticsearch_url: str, redis_url: str, **changes: Any) -> Settings:
    """Give settings for these engines, under a prefix of their own.

    Several addresses are those of a cluster.
    """
    fields: dict[str, Any] = {
        "redis_cluster": "," in redis_url,
        "elasticsearch_url": elasticsearch_url,
        "redis_url": redis_url,
        "index_prefix": new_prefix(),
        "index_shards": 3,
        "live_check_share": 0,
        "open_profile": True,
    }
    fields["documents_dir"] = Path(gettempdir()) / f"authmatch-{fields['index_prefix']}documents"
    return Settings(**{**fields, **changes})


async def _install(stores: Stores) -> None:
    await stores.installation.install()


async def uninstall(stores: Stores) -> None:
    """Take everything of a prefix out of both engines."""
    prefix = stores.indices.prefix
    client = stores.elasticsearch.options(request_timeout=60)
    names = list((await client.indices.get(index=f"{prefix}*", expand_wildcards="all")).body)
    if names:
        await client.indices.delete(index=",".join(names))
    await client.indices.delete_index_template(name=f"authmatch-{prefix}*")
    await client.cluster.delete_component_template(name=f"authmatch-{prefix}*")
    keys = [key async for key in stores.redis.scan_iter(f"authmatch:{prefix}*", count=1000)]
    for key in keys:  # one by one: in a cluster they live on several nodes
        await stores.redis.delete(key)


@pytest.fixture(scope="session")
def ground(elasticsearch_url: str, redis_url: str) -> Iterator[Ground]:
    """Installed indices under a prefix of this run; taken out at its end."""
    settings = settings_on(elasticsearch_url, redis_url)
    made = Ground(settings=settings, rules=shipped_rules())
    made.run(_install)
    try:
        yield made
        made.run(partial(reconciled, spoiled=made.spoiled))
    finally:
        made.run(uninstall)
        rmtree(settings.documents_dir or "", ignore_errors=True)


@pytest.fixture
def own(ground: Ground) -> Iterator[Ground]:
    """Installed indices under a prefix of one test alone, which may lose or rebuild them."""
    with separate(ground) as made:
        yield made


@contextmanager
def separate(ground: Ground) -> Iterator[Ground]:
    """Installed indices under another prefix, for the time of the block."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})
    made = Ground(settings=settings, rules=ground.rules)
    made.run(_install)
    yield made
    made.run(uninstall)


async def reconciled(stores: Stores, spoiled: set[str]) -> None:
    """See to it that after all tests the books, the ledger and what claims hold agree."""
    keys = stores.redis.scan_iter(f"authmatch:{stores.indices.prefix}*:ledger", count=10_000)
    payers = {str(key).partition("{")[2].rpartition("}")[0] async for key in keys}
    if whole := sorted(payers - spoiled):
        found = await stores.reconciliation.run(whole)
        assert found.difference_count == 0, found.differences[:20]


@pytest.fixture
def payer() -> str:
    """A payer that no other test has."""
    return f"p-{uuid.uuid4().hex[:12]}"


def as_pushed(authorization: Authorization) -> Pushed:
    """Give an authorization as its sender writes it."""
    source = authorization.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Pushed(authorization=authorization, source=source)


def version_of(version: int = 1, query: str = "professional", **header: Any) -> Pushed:
    """Give a version of an authorization that covers the usual claim of a query in full.

    One that has an id has a number of its own, too: a number is one grant.
    """
    if "authorization_id" in header:
        header.setdefault("number", f"NO-{header['authorization_id']}")
    return as_pushed(build_authorization(query, version=version, **header))


async def push(stores: Stores, payer: str, *pushed: Pushed) -> list[str]:
    """Push, and give the statuses."""
    results = await stores.authorizations.push(payer, pushed)
    return [each.status for each in results]


async def match(
    stores: Stores, payer: str, claim: Claim, rules: RuleBook | None = None
) -> list[MatchedLine]:
    """Match a claim, and give its lines."""
    matched = await match_claim(claim, payer, rules=rules or shipped_rules(), source=stores.search)
    return matched.answer["lines"]


async def found(stores: Stores, payer: str, claim: Claim) -> list[str]:
    """Match a claim of one line, and give the authorizations that it found."""
    (line,) = await match(stores, payer, claim)
    return [
        each["authorization_id"]
        for result in line["results"]
        for each in (*result["candidates"], *result["near_misses"])
    ]
