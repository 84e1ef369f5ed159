"""A drill: both engines are lost, and restored from copies of different moments, by the runbook.

Each phase is a dozen claims that are answered; what a copy was taken after, it has.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from elasticsearch import Elasticsearch

from authmatch_local import engines
from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.stores.ledger.shelf_books import Outcome
from tests.api.bodies import Fields
from tests.api.claim_load import approved, authorization_of, claim_of
from tests.ground import Ground, settings_on, shipped_rules
from tests.redis_process import RedisProcess
from tests.serving import client_of, serving

HOME = "tests-backup"
HEAP_MB = 256
MEMBERS = ("B0", "B1", "B2", "B3")
UNITS = 100
PER_MEMBER = 3

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@dataclass
class Site:
    """A service on engines of its own, and what callers were told."""

    ground: Ground
    redis: RedisProcess
    elasticsearch: Elasticsearch
    copy: Path
    told: dict[str, Fields] = field(default_factory=dict)

    @property
    def payer(self) -> str:
        """Whose claims these are."""
        return self.ground.settings.default_payer

    def snapshot(self) -> None:
        """Take a snapshot of all indices."""
        self.elasticsearch.snapshot.create_repository(
            name="drill", repository={"type": "fs", "settings": {"location": self.payer}}
        )
        self.elasticsearch.options(request_timeout=60).snapshot.create(
            repository="drill",
            snapshot="one",
            indices=f"{self.ground.settings.index_prefix}*",
            include_global_state=False,
            wait_for_completion=True,
        )

    def restore(self) -> None:
        """Lose all indices, and have those of the snapshot."""
        client = self.elasticsearch.options(request_timeout=60)
        names = list(client.indices.get(index=f"{self.ground.settings.index_prefix}*"))
        client.indices.delete(index=",".join(names))
        client.snapshot.restore(repository="drill", snapshot="one", wait_for_completion=True)

    def copied(self) -> None:
        """Have every entry of the ledger in Elasticsearch, and out of the stream."""
        self.ground.run(lambda stores: stores.projection.project(self.payer))

    def reconciled(self) -> Outcome:
        """What the tool says."""
        return self.ground.run(lambda stores: stores.reconciliation.run([self.payer]))

    def used(self) -> int:
        """The units that are used, of all members."""

        async def read(stores: Stores) -> int:
            states = [await stores.accumulators.accounts(self.payer, f"A-{m}") for m in MEMBERS]
            balances = [
                account.balances["units"].used
                for state in states
                for account in state.accounts
                if account.name == "H"
            ]
            return sum(balances) // SCALE

        return self.ground.run(read)


def adjudicate(caller: httpx.Client, claim: Fields, **asked: Any) -> httpx.Response:
    """Send a claim."""
    return caller.post("/adjudicate", json=claim, params=asked)


def claims_of(phase: str) -> list[Fields]:
    """The claims of a phase."""
    return [
        {**claim_of(member, number), "claim_id": f"{phase}-{member}-{number}"}
        for member in MEMBERS
        for number in range(PER_MEMBER)
    ]


def names_of(*phases: str) -> set[str]:
    """The ids of all claims of some phases."""
    return {each["claim_id"] for phase in phases for each in claims_of(phase)}


@pytest.fixture(scope="module")
def elasticsearch(engine_progress: Callable[[str], None]) -> Iterator[str]:
    """An engine that may keep snapshots."""
    cache = engines.default_cache()
    try:
        engine = engines.start_elasticsearch(
            cache, progress=engine_progress, heap_mb=HEAP_MB, home=HOME, data="new"
        )
        yield engine.url
    finally:
        engines.stop(cache, home=HOME)


@pytest.fixture
def site(elasticsearch: str, payer: str, tmp_path: Path) -> Iterator[Site]:
    """A payer with a member for each authorization."""
    (tmp_path / "redis").mkdir()
    with RedisProcess(tmp_path / "redis") as redis, Elasticsearch(elasticsearch) as client:
        settings = settings_on(elasticsearch, redis.url, default_payer=payer)
        ground = Ground(settings=settings, rules=shipped_rules())
        ground.run(lambda stores: stores.installation.install())
        yield Site(ground, redis, client, tmp_path / "copy")


def until_lost(site: Site, order: list[str]) -> None:
    """Three phases of claims, with a copy of one engine after each of the first two."""
    take = {
        "redis": lambda: site.redis.copy(site.copy),
        "elasticsearch": site.snapshot,
    }
    with serving(site.ground.settings) as url, client_of(url) as caller:
        for member in MEMBERS:
            pushed = caller.put(f"/authorizations/A-{member}", json=authorization_of(member, UNITS))
            assert pushed.status_code == 201
        for phase, engine in zip("ABC", [*order, None], strict=True):
            for claim in claims_of(phase):
                answer = adjudicate(caller, claim)
                assert answer.status_code == 200, answer.text
                site.told[claim["claim_id"]] = answer.json()
            site.copied()
            if engine:
                take[engine]()


def assert_as_told(site: Site, caller: httpx.Client, phases: str, *, replayed: bool) -> None:
    """Send the claims of some phases again: each has the answer that it had, or is drawn alike."""
    for phase in phases:
        for claim in claims_of(phase):
            answer = adjudicate(caller, claim)
            assert answer.status_code == 200, answer.text
            assert answer.json()["replayed"] == replayed
            assert approved(answer.json()) == approved(site.told[claim["claim_id"]])


def assert_whole(site: Site) -> None:
    """All that was told is used, once, and the books are those of the ledger."""
    found = site.reconciled()
    assert found.differences == []
    assert site.used() == sum(approved(each) for each in site.told.values())


def test_an_older_redis_is_made_anew_from_the_ledger(site: Site) -> None:
    """Its copy lacks what the snapshot has: nothing is granted before the runbook is done."""
    until_lost(site, ["redis", "elasticsearch"])
    site.redis.put_back(site.copy)
    site.restore()

    with serving(site.ground.settings) as url, client_of(url) as caller:
        assert adjudicate(caller, claims_of("D")[0]).status_code == 503
        lost = site.reconciled()
        assert {claim: where for (_, claim), where in lost.claims.items()} == dict.fromkeys(
            names_of("B"), "ledger"
        )
        made = site.ground.run(lambda stores: stores.rebuilding.run([], force=True))
        assert made.differences == []
        assert site.reconciled().differences == []
        assert_as_told(site, caller, "AB", replayed=True)
        gone = {each for each in names_of("C") if caller.get(f"/claims/{each}").status_code == 404}
        assert gone == names_of("C")
        assert_as_told(site, caller, "C", replayed=False)
        assert_whole(site)


def test_an_empty_redis_is_made_anew_from_the_ledger(site: Site, tmp_path: Path) -> None:
    """Without any copy of it: what the snapshot has is there."""
    (tmp_path / "empty").mkdir()
    until_lost(site, ["redis", "elasticsearch"])
    site.redis.put_back(tmp_path / "empty")
    site.restore()

    with serving(site.ground.settings) as url, client_of(url) as caller:
        assert adjudicate(caller, claims_of("D")[0]).status_code == 503
        assert {claim for _, claim in site.reconciled().claims} == names_of("A", "B")
        made = site.ground.run(lambda stores: stores.rebuilding.run([]))
        assert made.differences == []
        assert_as_told(site, caller, "AB", replayed=True)
        assert_as_told(site, caller, "C", replayed=False)
        assert_whole(site)


def test_what_only_a_newer_redis_has_is_named_and_sent_again(site: Site, tmp_path: Path) -> None:
    """The ledger of the snapshot lacks what the copy has: both begin anew from the ledger."""
    (tmp_path / "empty").mkdir()
    until_lost(site, ["elasticsearch", "redis"])
    site.redis.put_back(site.copy)
    site.restore()
    lost = site.reconciled()
    assert {claim: where for (_, claim), where in lost.claims.items()} == dict.fromkeys(
        names_of("B"), "redis"
    )

    site.restore()
    site.redis.put_back(tmp_path / "empty")
    made = site.ground.run(lambda stores: stores.rebuilding.run([]))
    assert made.differences == []
    with serving(site.ground.settings) as url, client_of(url) as caller:
        assert_as_told(site, caller, "A", replayed=True)
        assert_as_told(site, caller, "BC", replayed=False)
        assert_whole(site)
