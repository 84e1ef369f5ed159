"""Engines that answer and cannot do it, and clocks that jump: nothing is guessed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.application.parts import Stores
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground, separate
from tests.proxy import Proxy
from tests.redis_process import RedisProcess
from tests.serving import client_of, serving

PATIENCE_S = 1.5
BACK_S = 60
PATH = "/authorizations/A1"


@dataclass
class Alone:
    """A service on indices and a Redis of its own."""

    ground: Ground
    caller: httpx.Client
    proxy: Proxy
    redis: RedisProcess

    def adjudicate(self, claim_id: str) -> httpx.Response:
        """A claim of one unit."""
        return self.caller.post("/adjudicate", json=claim_body(claim_id=claim_id))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the service goes on by itself."""
        deadline = time.monotonic() + BACK_S
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    @contextmanager
    def with_a_full_disk(self) -> Iterator[None]:
        """Have indices closed to writes for the time of the block, as Elasticsearch does itself."""

        async def put(stores: Stores, is_full: bool | None) -> None:
            changes = {"index.blocks.read_only_allow_delete": is_full}
            names = f"{stores.indices.prefix}*"
            await stores.elasticsearch.indices.put_settings(index=names, settings=changes)

        self.ground.run(lambda stores: put(stores, True))
        try:
            yield
        finally:
            self.ground.run(lambda stores: put(stores, None))

    @contextmanager
    def with_lost_shards(self) -> Iterator[None]:
        """Have an index whose shards no node has in the place of the one with authorizations."""

        async def lose(stores: Stores) -> str:
            client, name = stores.elasticsearch.indices, stores.indices.generation(99)
            nobody = {"index.routing.allocation.require._name": "nobody"}
            await client.create(index=name, settings=nobody, wait_for_active_shards="0")
            return await swap(stores, name)

        async def swap(stores: Stores, name: str) -> str:
            live, alias = await stores.migration.live_index(), stores.indices.authorizations
            actions: list[dict[str, Any]] = [
                {"remove": {"index": live, "alias": alias}},
                {"add": {"index": name, "alias": alias, "is_write_index": True}},
            ]
            await stores.elasticsearch.indices.update_aliases(actions=actions)
            return live

        live = self.ground.run(lose)
        try:
            yield
        finally:
            self.ground.run(lambda stores: swap(stores, live))


@pytest.fixture(scope="module")
def alone(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """One for all tests: each leaves it well."""
    proxy = Proxy(ground.settings.elasticsearch_url or "")
    proxy.start()
    try:
        with RedisProcess(tmp_path_factory.mktemp("redis")) as redis:
            changed = {"redis_url": redis.url, "elasticsearch_timeout_s": PATIENCE_S}
            near = Ground(ground.settings.model_copy(update=changed), ground.rules)
            with separate(near) as own, pytest.MonkeyPatch.context() as patch:
                patch.setattr("service.stores.connection.clients.REDIS_TIMEOUT_S", 0.5)
                behind = own.settings.model_copy(update={"elasticsearch_url": proxy.url})
                with serving(behind) as url, client_of(url, timeout=60) as caller:
                    pushed = caller.put(PATH, json=authorization_body())
                    assert pushed.status_code == 201
                    yield Alone(own, caller, proxy, redis)
    finally:
        proxy.stop()


def verdict(answer: httpx.Response) -> str:
    """The class of the first result, or the status of a refusal."""
    if answer.status_code != httpx.codes.OK:
        return str(answer.status_code)
    return str(answer.json()["lines"][0]["results"][0]["class"])


def test_a_full_disk_takes_pushes_into_the_outbox_and_answers_matches(alone: Alone) -> None:
    """Elasticsearch closes indices to writes by itself; it is said, and all is stored after."""
    body = authorization_body(authorization_id="A3", number="AU-3", member={"id": "M0003"})
    other, path = claim_body(member={"id": "M0003"}), "/authorizations/A3"
    with alone.with_a_full_disk():
        pushed = alone.caller.put(path, json=body)
        matched = alone.caller.post("/match", json=claim_body())
        of_the_push = alone.caller.post("/match", json=other)
    assert (pushed.status_code, pushed.json()["status"]) == (202, "queued")
    assert (verdict(matched), verdict(of_the_push)) == ("exact", "503")
    alone.until(lambda: verdict(alone.caller.post("/match", json=other)) == "non-exact")


def test_a_lost_shard_is_never_no_match(alone: Alone) -> None:
    """No node has the shard: neither matched nor adjudicated; what is pushed waits."""
    body = authorization_body(authorization_id="A2", number="AU-2")
    with alone.with_lost_shards():
        matched = alone.caller.post("/match", json=claim_body())
        adjudicated = alone.adjudicate("C-red")
        pushed = alone.caller.put("/authorizations/A2", json=body)
        ready = alone.caller.get("/health/ready")
    assert [each.status_code for each in (matched, adjudicated, pushed, ready)] == [
        *(503, 503, 202, 503)
    ]
    assert int(matched.headers["retry-after"]) > 0
    alone.until(lambda: verdict(alone.caller.post("/match", json=claim_body())) == "exact")


def test_full_queues_are_a_fault_that_passes(alone: Alone) -> None:
    """429 of Elasticsearch is tried again by us, then by the caller; nothing is decided."""
    with alone.proxy.failing("busy"):
        matched = alone.caller.post("/match", json=claim_body())
        adjudicated = alone.adjudicate("C-busy")
    for each in (matched, adjudicated):
        assert each.status_code == 503, each.text
        assert int(each.headers["retry-after"]) > 0
    alone.until(lambda: alone.adjudicate("C-busy").status_code == 200)
    assert alone.adjudicate("C-busy").json()["replayed"] is True


def test_a_redis_whose_disk_stalls_is_told_and_the_repeat_tells_the_truth(alone: Alone) -> None:
    """It stands still in the middle of a sync: 503 in time, and what it did after all is once."""
    first = alone.adjudicate("C-before")
    with alone.redis.standing_still():
        stalled = alone.adjudicate("C-stall")
    assert (first.status_code, stalled.status_code) == (200, 503)
    alone.until(lambda: alone.adjudicate("C-stall").status_code == 200)
    again = alone.adjudicate("C-stall").json()
    assert (again["replayed"], again["lines"][0]["disposition"]) == (True, "pay")
    payer = alone.ground.settings.default_payer
    found = alone.ground.run(lambda stores: stores.reconciliation.run([payer]))
    assert found.differences == []


@pytest.mark.parametrize("hours", [-1, 24, -40 * 24])
def test_a_clock_that_jumps_changes_no_answer(
    alone: Alone, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Of a worker, back or ahead: versions order what is pushed, and Redis what is moved."""

    class Jumped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Jumped":
            return super().now(tz) + timedelta(hours=hours)

    claim, caller = f"C-clock{hours}", alone.caller
    first = alone.adjudicate(claim)
    monkeypatch.setattr("service.stores.connection.clock.datetime", Jumped)
    again = alone.adjudicate(claim)
    reversed_ = caller.post(f"/claims/{claim}/reverse", json={})
    name = f"CLOCK{hours}"
    body = authorization_body(authorization_id=name, number=name, member={"id": name})
    pushed = caller.put(f"/authorizations/{name}", json=body)
    matched = caller.post("/match", json=claim_body(member={"id": name}))

    assert {**again.json(), "replayed": False} == first.json()
    assert (again.json()["replayed"], reversed_.status_code, pushed.status_code) == (True, 200, 201)
    assert verdict(matched) != "none"
    payer = alone.ground.settings.default_payer
    found = alone.ground.run(lambda stores: stores.reconciliation.run([payer]))
    assert found.differences == []


def test_a_damaged_log_keeps_redis_from_starting_and_the_ledger_makes_it_anew(
    alone: Alone, tmp_path: Path
) -> None:
    """Bytes flipped in the middle: an empty Redis is filled by the ledger, and holds the same."""
    payer = alone.ground.settings.default_payer
    for each in range(5):
        assert alone.adjudicate(f"C-log-{each}").status_code == 200
    before = alone.ground.run(lambda stores: stores.reconciliation.run([payer]))
    alone.redis.kill()
    with alone.redis.damaged(), pytest.raises(RuntimeError, match="did not start"):
        alone.redis.start()
    alone.redis.start()

    with RedisProcess(tmp_path) as empty:
        changed = alone.ground.settings.model_copy(update={"redis_url": empty.url})
        anew = Ground(changed, alone.ground.rules)
        made = anew.run(lambda stores: stores.rebuilding.run([]))
        after = anew.run(lambda stores: stores.reconciliation.run([payer]))
    assert (made.differences, after.difference_count) == ([], 0)
    assert made.digest == after.digest == before.digest
