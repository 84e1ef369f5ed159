"""Elasticsearch is killed under load, as by a power cut, and comes back."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from authmatch_local import engines
from service.application.parts import Stores
from service.settings import Settings
from tests.api.bodies import authorization_body, claim_body, ndjson
from tests.ground import Ground, settings_on, shipped_rules
from tests.serving import client_of, serving

HOME = "tests-killed"
HEAP_MB = 256
CALLERS = 6
BACK_S = 60
VERSIONS = 10
SENDERS, SENT_AT_ONCE, SENT_S = 8, 50, 240


class Load:
    """Callers that match and push without pause, and what they were told."""

    def __init__(self, url: str) -> None:
        """Take the address of the service."""
        self._url = url
        self._ended = threading.Event()
        self.wrong: list[str] = []
        self.right = 0
        self.unavailable = 0
        self.queued = 0
        self.acknowledged: set[str] = set()
        self.stored = 0
        self._threads = [
            threading.Thread(target=self._match if number else self._push)
            for number in range(CALLERS)
        ]

    def __enter__(self) -> "Load":
        """Begin."""
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        for each in self._threads:
            each.join(60)

    def _match(self) -> None:
        with client_of(self._url) as client:
            while not self._ended.is_set():
                self._told(client.post("/match", json=claim_body()))

    def _told(self, answer: httpx.Response) -> None:
        if answer.status_code == 503:
            self.unavailable += 1
            time.sleep(0.05)
        elif answer.status_code == 200 and chosen_in(answer) == ["A1"]:
            self.right += 1
        else:
            self.wrong.append(answer.text[:500])

    def _push(self) -> None:
        with client_of(self._url) as client:
            number = 0
            while not self._ended.is_set():
                name = f"P{number}"
                body = authorization_body(authorization_id=name, member={"id": name})
                answer = client.put(f"/authorizations/{name}", json=body)
                if answer.status_code in (200, 201, 202):
                    self.acknowledged.add(name)
                    self.queued += answer.status_code == 202
                    self.stored += answer.status_code != 202
                    number += 1
                    if answer.status_code == 202:  # it is quick to say that it must wait
                        time.sleep(0.02)
                elif answer.status_code != 503:
                    self.wrong.append(answer.text[:500])


def chosen_in(answer: httpx.Response) -> object:
    """The authorizations that were chosen for the first line."""
    return answer.json()["lines"][0]["results"][0]["chosen"]


@dataclass
class Killable:
    """An engine of this module alone, and a service on it."""

    cache: Path
    progress: Callable[[str], None]
    settings: Settings
    engine: Any

    def kill(self) -> None:
        """End it without a word, as a power cut would."""
        self.engine.kill()

    def start(self) -> None:
        """Start it again, on its data."""
        self.engine = engines.start_elasticsearch(
            self.cache, progress=self.progress, heap_mb=HEAP_MB, home=HOME
        )


@pytest.fixture(scope="module")
def killable(
    elasticsearch_url: str, redis_url: str, engine_progress: Callable[[str], None]
) -> Iterator[Killable]:
    """Start an engine that may be killed, where engines of this run are ours to start."""
    local = engines.status(engines.default_cache(), home="tests").elasticsearch
    if local is None or local.url != elasticsearch_url:
        pytest.skip("the engines of this run are not ours to kill; test_faults cuts them off")
    cache = engines.default_cache()
    try:
        engine = engines.start_elasticsearch(
            cache, progress=engine_progress, heap_mb=HEAP_MB, home=HOME, data="new in memory"
        )
        settings = settings_on(engine.url, redis_url, elasticsearch_timeout_s=3)
        ground = Ground(settings=settings, rules=shipped_rules())

        async def install(stores: Stores) -> None:
            await stores.installation.install()

        ground.run(install)
        yield Killable(cache, engine_progress, settings, engine)
    finally:
        engines.stop(cache, home=HOME)


def test_a_killed_elasticsearch_costs_no_wrong_answer_and_no_push(killable: Killable) -> None:
    """Every answer is right or 503; afterwards all goes on, and what was acknowledged is there."""
    with serving(killable.settings) as url, client_of(url) as client:
        assert client.put("/authorizations/A1", json=authorization_body()).status_code == 201
        with Load(url) as load:
            wait_until(lambda: load.right > 20 and len(load.acknowledged) > 5)
            killable.kill()
            wait_until(lambda: load.unavailable > 0 and load.queued > 0)
            assert client.get("/health/live").status_code == 200
            assert client.get("/health/ready").status_code == 503
            before = load.right
            killable.start()
            wait_until(lambda: load.right >= before + 20)  # it goes on by itself

        assert load.wrong == []
        wait_until(lambda: client.get("/health/ready").json()["outbox"] == "empty")
        for name in sorted(load.acknowledged):
            answer = client.post("/match", json=claim_body(member={"id": name}))
            assert chosen_in(answer) == [name]


class Senders:
    """Clients that push their shares of all versions in random order, until each was taken."""

    def __init__(self, url: str, pushes: list[dict[str, Any]]) -> None:
        """Take the pushes in the order in which they are to be sent."""
        self._url = url
        self._pushes = pushes
        self.taken: Counter[str] = Counter()
        self.wrong: list[Any] = []

    def run(self) -> None:
        """Send all of them, and return when each was acknowledged."""
        shares = [self._pushes[number::SENDERS] for number in range(SENDERS)]
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(self._send, shares))

    def _send(self, share: list[dict[str, Any]]) -> None:
        with client_of(self._url, timeout=120) as client:
            for start in range(0, len(share), SENT_AT_ONCE):
                left = share[start : start + SENT_AT_ONCE]
                while left:
                    answer = client.post("/authorizations/bulk", content=ndjson(left))
                    results = [json.loads(line) for line in answer.text.splitlines()]
                    self.taken.update(each["status"] for each in results)
                    self.wrong += [
                        each for each in results if each["status"] in ("rejected", "conflict")
                    ]
                    failed = [each["status"] == "failed" for each in results]
                    left = [each for each, is_failed in zip(left, failed, strict=True) if is_failed]


@pytest.mark.parametrize("count", [10, pytest.param(1_000, marks=pytest.mark.long)])
def test_the_order_of_pushes_does_not_matter(killable: Killable, count: int) -> None:
    """Ten versions of many authorizations, in random order and some twice, from eight clients.

    The engine is killed in between. In the end each stands as if all had come in their order.
    """
    run = f"R{count}X"
    rng = random.Random(20_260_401)
    pushes = [
        authorization_body(
            authorization_id=f"{run}{number}",
            version=version,
            number=f"AU-{number}-{version}",
            member={"id": f"M{run}{number if version % 4 else number + 1}"},
        )
        for number in range(count)
        for version in range(1, VERSIONS + 1)
    ]
    rng.shuffle(pushes)
    for each in rng.sample(pushes, len(pushes) // 10):
        pushes.insert(rng.randrange(len(pushes)), each)
    with serving(killable.settings) as url, client_of(url) as client:
        senders = Senders(url, pushes)
        sending = threading.Thread(target=senders.run)
        sending.start()
        wait_until(lambda: senders.taken.total() > len(pushes) // 4)
        killable.kill()
        wait_until(lambda: senders.taken["queued"] > 0)
        killable.start()
        sending.join(SENT_S)
        wait_until(lambda: client.get("/health/ready").json().get("status") == "ready")

        assert not sending.is_alive()
        assert senders.wrong == []
        for number in range(count):
            name = f"{run}{number}"
            versions = client.get(f"/authorizations/{name}/versions").json()["versions"]
            found = [each["state"]["version"] for each in versions]
            assert found == list(range(VERSIONS, 0, -1)), name
            assert versions[0]["authorization"]["number"] == f"AU-{number}-{VERSIONS}"
            assert versions[0]["state"]["member_id"] == f"M{name}"
        for number in rng.sample(range(count), min(count, 50)):
            claim = claim_body(member={"id": f"M{run}{number}"}, authorization_numbers=[])
            assert chosen_in(client.post("/match", json=claim)) == [f"{run}{number}"]


def wait_until(holds: Callable[[], object]) -> None:
    """Return when something holds, or fail after a while."""
    deadline = time.monotonic() + BACK_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
