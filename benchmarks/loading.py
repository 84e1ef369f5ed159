"""Puts sample authorizations into an index, by the service or by the client's own helper."""

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk, scan

from authmatch_local.samples import SampleData
from benchmarks.measure import Connection
from benchmarks.service_process import environment
from service.application.parts import Application, application
from service.domain.authorization import Authorization
from service.domain.submission import Pushed
from service.settings import Settings
from service.stores.authorizations.reading import Filter

PAYER = "demo"
BATCH = 500
THREADS = 4
PART = 2_500
READY = 20_000
SETTLED_S = 300


def load(settings: Settings, sample: SampleData, say: Callable[[str], None]) -> None:
    """Load a sample through the stores, and merge nothing: as a running system has it."""
    asyncio.run(_load(settings, sample, say))


async def _load(settings: Settings, sample: SampleData, say: Callable[[str], None]) -> None:
    async with application(settings) as parts:
        await parts.stores.installation.install()
        await parts.stores.visibility.ensure_all()
        page = await parts.stores.reading.page(PAYER, Filter(), size=1, after=None)
        if page.total == sample.total:
            say("  they are there already")
            return
        done, started = 0, time.perf_counter()
        running: set[asyncio.Task[Any]] = set()
        for batch in _batches(sample.authorizations(), BATCH):
            pushed = [
                Pushed(authorization=Authorization.model_validate(each), source=each)
                for each in batch
            ]
            running.add(asyncio.create_task(parts.stores.authorizations.push(PAYER, pushed)))
            if len(running) > 1:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            done += len(batch)
            if done % 50_000 < BATCH:
                say(f"  {done:,} in {time.perf_counter() - started:.0f} s")
        if running:
            await asyncio.wait(running)
        await parts.stores.visibility.ensure_all()
        await _settle(parts)


async def _settle(parts: Application) -> None:
    """Wait until Elasticsearch has merged what was written: a running system has that behind it."""
    deadline = time.monotonic() + SETTLED_S
    while time.monotonic() < deadline:
        stats = await parts.stores.elasticsearch.nodes.stats(metric="indices", index_metric="merge")
        nodes = stats["nodes"].values()
        if not any(each["indices"]["merges"]["current"] for each in nodes):
            return
        await asyncio.sleep(1)


def push_rate(url: str, sample: SampleData) -> float:
    """Push a sample to the service as NDJSON streams, and give documents a second.

    As many streams as the client's helper has threads.
    """
    parts = [
        b"\n".join(map(orjson.dumps, batch)) for batch in _batches(sample.authorizations(), PART)
    ]

    def push(own: list[bytes]) -> int:
        count = 0
        with Connection(url) as service:
            for part in own:
                answer = service.post("/authorizations/bulk", part, "application/x-ndjson")
                for result in map(orjson.loads, answer.splitlines()):
                    if result["status"] not in ("created", "unchanged"):
                        raise RuntimeError(f"not taken: {result}")
                    count += 1
        return count

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        counts = pool.map(push, [parts[place::THREADS] for place in range(THREADS)])
        count = sum(counts)
    return count / (time.perf_counter() - started)


def file_rate(settings: Settings, payer: str, sample: SampleData) -> float:
    """Load a sample from an NDJSON file by the command line; gives documents a second.

    Until they can be found; without what the command needs to start, which a file of one shows.
    """
    client = Elasticsearch(settings.elasticsearch_url, request_timeout=120)
    index = f"{settings.index_prefix}authorizations"
    with tempfile.TemporaryDirectory() as folder:
        file, first = Path(folder) / "sample.ndjson", Path(folder) / "first.ndjson"
        with file.open("wb") as lines:
            for each in sample.authorizations():
                lines.write(orjson.dumps(each) + b"\n")
        with file.open("rb") as lines:
            first.write_bytes(next(lines))
        start_s = _load_file(first, settings, payer)
        load_s = _load_file(file, settings, payer)
    started = time.perf_counter()
    client.indices.refresh(index=index)
    load_s += time.perf_counter() - started
    found = client.count(index=index, query={"term": {"payer": payer}})["count"]
    if found != sample.total:
        raise RuntimeError(f"{found} of {sample.total} can be found")
    client.close()
    return sample.total / (load_s - start_s)


def _load_file(file: Path, settings: Settings, payer: str) -> float:
    """Give how many seconds the command took."""
    command = [sys.executable, "-m", "service.cli", "load", str(file), "--payer", payer]
    started = time.perf_counter()
    subprocess.run(command, env=environment(settings), check=True, capture_output=True)
    return time.perf_counter() - started


def parallel_bulk_rate(settings: Settings) -> float:
    """Write the very documents of an index into a new one, and give documents a second.

    Until they can be found. They are read some thousand at a time, which does not count.
    """
    client = Elasticsearch(settings.elasticsearch_url, request_timeout=120)
    source = f"{settings.index_prefix}authorizations"
    target = f"{source}-v99"
    client.indices.refresh(index=source)
    client.indices.delete(index=target, ignore_unavailable=True)
    client.indices.create(index=target)
    count, seconds = 0, 0.0
    hits = scan(client, index=source, size=2_000, scroll="30m")
    while documents := [_ready(hit, target) for hit in itertools.islice(hits, READY)]:
        started = time.perf_counter()
        for ok, item in parallel_bulk(
            client, documents, thread_count=THREADS, chunk_size=BATCH, queue_size=THREADS
        ):
            if not ok:
                raise RuntimeError(f"not written: {item}")
        seconds += time.perf_counter() - started
        count += len(documents)
    started = time.perf_counter()
    client.indices.refresh(index=target)
    seconds += time.perf_counter() - started
    client.indices.delete(index=target)
    client.close()
    return count / seconds


def _ready(hit: Mapping[str, Any], target: str) -> dict[str, Any]:
    return {
        "_op_type": "index",
        "_index": target,
        "_id": hit["_id"],
        "_routing": hit["_routing"],
        "_source": hit["_source"],
    }


def _batches(items: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(items, size)):
        yield batch
