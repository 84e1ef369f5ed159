"""The disk of Elasticsearch is really full: its node closes its indices itself, and opens them."""

import asyncio
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from authmatch_local import engines
from authmatch_local.engines.home import Home
from service.application.diagnosis import Finding, diagnose
from service.settings import Settings
from tests.api.bodies import Fields, authorization_body, claim_body
from tests.cluster.lab import wait_for
from tests.ground import Ground, settings_on, shipped_rules
from tests.redis_process import RedisProcess
from tests.serving import client_of, serving

HEAP_MB = 256
DISK_MB, FLOOD_MB, LITTLE_MB = 512, 192, 128
FILLED_BYTES = 1024**2
BEFORE, DURING = range(5), range(5, 15)
READY: tuple[int, list[str]] = (200, [])
WATERMARK = "cluster.routing.allocation.disk"


@dataclass(frozen=True)
class SmallNode:
    """A node of Elasticsearch whose data are on a disk of their own."""

    url: str
    disk: Path

    def ask(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """Ask it past the service."""
        answer = httpx.request(method, f"{self.url}{path}", trust_env=False, timeout=30, **options)
        return answer.raise_for_status()

    def watch_the_disk(self) -> None:
        """Have it look every ten seconds, the shortest that it takes, and know what is little."""
        settings = {
            f"{WATERMARK}.threshold_enabled": True,
            f"{WATERMARK}.watermark.low": f"{FLOOD_MB}mb",
            f"{WATERMARK}.watermark.high": f"{FLOOD_MB}mb",
            f"{WATERMARK}.watermark.flood_stage": f"{FLOOD_MB}mb",
            "cluster.info.update.interval": "10s",
        }
        self.ask("/_cluster/settings", "PUT", json={"persistent": settings})

    def has_closed(self, ground: Ground) -> bool:
        """Whether it has closed each of these indices to writes."""
        path = f"/{ground.settings.index_prefix}*/_settings?flat_settings&expand_wildcards=all"
        found = self.ask(path).json().values()
        return all("index.blocks.read_only_allow_delete" in each["settings"] for each in found)

    @property
    def free_bytes(self) -> int:
        """How much of the disk is left to others than root."""
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize

    @contextmanager
    def filled(self, left_bytes: int) -> Iterator[None]:
        """Have so little room for the time of the block."""
        filler = self.disk / "filler"
        try:
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while self.free_bytes > left_bytes:
                    file.write(bytes(min(FILLED_BYTES, self.free_bytes - left_bytes)))
            yield
        finally:
            filler.unlink()


@pytest.fixture(scope="module")
def node(engine_progress: Callable[[str], None]) -> Iterator[SmallNode]:
    """One on a disk of its own; who may mount none has no such test."""
    cache = engines.default_cache()
    home = Home(cache=cache, name=f"tests-disk-{uuid.uuid4().hex[:8]}")
    disk = home.engine_folder("elasticsearch")
    disk.mkdir(parents=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(disk))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        shutil.rmtree(home.folder)
        pytest.skip("only root may mount a small disk")
    try:
        engine = engines.start_elasticsearch(
            cache, progress=engine_progress, heap_mb=HEAP_MB, home=home.name
        )
        made = SmallNode(engine.url, disk)
        made.watch_the_disk()
        yield made
    finally:
        engines.stop(cache, home=home.name)
        subprocess.run(("umount", str(disk)), check=True)
        shutil.rmtree(home.folder)


@pytest.fixture
def ground(node: SmallNode, tmp_path: Path) -> Iterator[Ground]:
    """Indices on that node, and a Redis that has room."""
    with RedisProcess(tmp_path) as redis:
        settings = settings_on(node.url, redis.url, elasticsearch_timeout_s=3)
        made = Ground(settings, shipped_rules())
        made.run(lambda stores: stores.installation.install())
        yield made


def authorization(number: int) -> Fields:
    """An authorization of a person of its own."""
    named = {"authorization_id": f"A{number}", "number": f"AU-{number}"}
    return authorization_body(**named, member={"id": f"M{number}"})


def claim(number: int) -> Fields:
    """A claim that it covers."""
    numbers = [{"value": f"AU-{number}"}]
    member = {"id": f"M{number}"}
    return claim_body(claim_id=f"C{number}", member=member, authorization_numbers=numbers)


def finding(settings: Settings, what: str) -> Finding:
    """What `authmatch doctor` finds of something."""

    async def found() -> list[Finding]:
        return [each async for each in diagnose(settings) if each.what == what]

    (one,) = asyncio.run(found())
    return one


class Caller:
    """Who pushes and asks, by the number of a person."""

    def __init__(self, client: httpx.Client) -> None:
        """Take a client of the service."""
        self._client = client

    def push(self, number: int) -> str:
        """Push an authorization, and give its status."""
        answer = self._client.put(f"/authorizations/A{number}", json=authorization(number))
        return f"{answer.status_code} {answer.json().get('status')}"

    def has_matched(self, number: int) -> bool:
        """Match a claim, and tell whether it found its authorization."""
        answer = self._client.post("/match", json=claim(number))
        if answer.status_code != httpx.codes.OK:
            return False
        return bool(answer.json()["lines"][0]["results"][0]["chosen"] == [f"A{number}"])

    def adjudicate(self, number: int) -> Fields:
        """Adjudicate a claim, and give the answer, or the problem."""
        answer: Fields = self._client.post("/adjudicate", json=claim(number)).json()
        return answer

    def outcome(self, number: int) -> str:
        """What becomes of the line of a claim, or the status of a refusal."""
        answer = self.adjudicate(number)
        return str(answer["lines"][0]["disposition"] if "lines" in answer else answer["status"])

    def has_paid(self, number: int) -> bool:
        """Adjudicate a claim, and tell whether its line is paid, now or before."""
        return self.outcome(number) == "pay"

    def ready(self) -> tuple[int, list[str]]:
        """Ask whether the service is ready, and what is closed."""
        answer = self._client.get("/health/ready")
        return answer.status_code, answer.json().get("closed", [])


@contextmanager
def asked(ground: Ground) -> Iterator[Caller]:
    """Some authorizations and a claim before; after the block, with room, all is as acknowledged.

    By itself the service is ready, what was pushed is found, and what was paid is paid once.
    """
    with serving(ground.settings) as url, client_of(url, timeout=60) as client:
        caller = Caller(client)
        assert {caller.push(each) for each in BEFORE} == {"201 created"}
        first = caller.adjudicate(BEFORE[0])
        yield caller
        wait_for(lambda: caller.ready() == READY, "ready again")
        for number in (*BEFORE, *DURING):
            wait_for(partial(caller.has_matched, number), f"A{number}")
            wait_for(partial(caller.has_paid, number), f"C{number}")
        assert caller.adjudicate(BEFORE[0]) == {**first, "replayed": True}
    payer = ground.settings.default_payer
    found = ground.run(lambda stores: stores.reconciliation.run([payer]))
    assert (found.entries, found.differences) == (len(BEFORE) + len(DURING), [])


@pytest.mark.long
def test_a_full_disk_costs_nothing_that_was_acknowledged(node: SmallNode, ground: Ground) -> None:
    """Past the flood-stage watermark: the node closes indices, which ready and doctor tell.

    It looks at its disk every ten seconds: so long it takes to close them, and to open them.
    """
    with asked(ground) as caller, node.filled(LITTLE_MB * 1024**2):
        wait_for(lambda: node.has_closed(ground), "closed by the node itself")
        assert {caller.push(each) for each in DURING} == {"202 queued"}
        assert all(map(caller.has_matched, BEFORE))
        assert {caller.outcome(each) for each in BEFORE} == {"pay"}
        status, closed = caller.ready()
        assert status == httpx.codes.OK
        assert any("read_only_allow_delete" in each for each in closed)
        writes = finding(ground.settings, "writes")
        assert (writes.level, "its disk is full" in writes.advice) == ("red", True)


@pytest.mark.long
def test_a_disk_without_a_byte_costs_nothing_that_was_acknowledged(
    node: SmallNode, ground: Ground
) -> None:
    """Filled before the node looked: it cannot even close indices, and answers little in time."""
    with asked(ground) as caller, node.filled(0):
        assert {caller.push(each) for each in DURING} == {"202 queued"}
        assert {caller.outcome(each) for each in BEFORE} <= {"pay", "503"}
        assert caller.ready() != READY
