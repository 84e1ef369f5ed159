"""Elasticsearch is killed under load, as by a power cut, and comes back."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from service import engines
from service.bootstrap import Stores
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground, settings_on, shipped_rules
from tests.serving import client_of, serving

HOME = "tests-killed"
HEAP_MB = 256
CALLERS = 6
BACK_S = 60


class Load:
    """Callers that match and push without pause, and what they were told."""

    def __init__(self, url: str) -> None:
        """Take the address of the service."""
        self._url = url
        self._ended = threading.Event()
        self.wrong: list[str] = []
        self.right = 0
        self.unavailable = 0
        self.acknowledged: set[str] = set()
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
                if answer.status_code in (200, 201):
                    self.acknowledged.add(name)
                    number += 1
                elif answer.status_code != 503:
                    self.wrong.append(answer.text[:500])


def chosen_in(answer: httpx.Response) -> object:
    """The authorizations that were chosen for the first line."""
    return answer.json()["lines"][0]["results"][0]["chosen"]


def test_a_killed_elasticsearch_costs_no_wrong_answer_and_no_push(
    elasticsearch_url: str, redis_url: str, engine_progress: Callable[[str], None]
) -> None:
    """Every answer is right or 503; afterwards all goes on, and what was acknowledged is there."""
    local = engines.status(engines.default_cache(), home="tests").elasticsearch
    if local is None or local.url != elasticsearch_url:
        pytest.skip("the engines of this run are not ours to kill; test_faults cuts them off")
    cache = engines.default_cache()
    try:
        kill_and_return(cache, redis_url, engine_progress)
    finally:
        engines.stop(cache, home=HOME)


def kill_and_return(cache: Path, redis_url: str, progress: Callable[[str], None]) -> None:
    """Serve on an engine of its own, kill it under load, start it again."""
    engine = engines.start_elasticsearch(
        cache, progress=progress, heap_mb=HEAP_MB, home=HOME, fresh=True
    )
    settings = settings_on(engine.url, redis_url, elasticsearch_timeout_s=3)
    ground = Ground(settings=settings, rules=shipped_rules())

    async def install(stores: Stores) -> None:
        await stores.installation.install()

    ground.run(install)
    with serving(settings) as url, client_of(url) as client:
        assert client.put("/authorizations/A1", json=authorization_body()).status_code == 201
        with Load(url) as load:
            time.sleep(1.5)
            engine.kill()
            time.sleep(1.5)
            assert client.get("/health/live").status_code == 200
            assert client.get("/health/ready").status_code == 503
            before = load.right
            engines.start_elasticsearch(cache, progress=progress, heap_mb=HEAP_MB, home=HOME)
            deadline = time.monotonic() + BACK_S
            while load.right < before + 20 and time.monotonic() < deadline:
                time.sleep(0.1)

        assert load.wrong == []
        assert load.right >= before + 20, "the service did not go on by itself"
        assert load.unavailable > 0
        assert len(load.acknowledged) > 5
        for name in sorted(load.acknowledged):
            answer = client.post("/match", json=claim_body(member={"id": name}))
            assert chosen_in(answer) == [name]
