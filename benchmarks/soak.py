"""A soak: workers under load for some time, and what they hold: `python -m benchmarks.soak`.

Memory, descriptors and connections must be flat under load, and fall back after it; every answer
must be right, no worker may be another one, and the books must agree with the ledger.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from authmatch_local import engines
from authmatch_local.samples.data import SampleData
from benchmarks.loading import PAYER, load
from benchmarks.service_process import serving
from service.application.parts import application
from service.settings import Settings

Say = Callable[[str], None]

MINUTES = 30.0
HOURS_MAX = 24
WORKERS = 2
CLIENTS = 8
AUTHORIZATIONS = 5_000
CLAIMS = 2_000
SAMPLES = 180
AFTER_S = 40.0
"""Longer than a connection to an engine is kept without use."""
MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a worker holds at a moment."""

    pid: int
    memory_mb: float
    descriptors: int
    connections: int


def held(pid: int) -> Held:
    """Look at a process."""
    process = psutil.Process(pid)
    with process.oneshot():
        return Held(
            pid=pid,
            memory_mb=process.memory_full_info().uss / MB,
            descriptors=process.num_fds(),
            connections=len(process.net_connections("tcp")),
        )


def workers_of(pid: int) -> list[int]:
    """The processes that answer, of a service with several."""
    children = psutil.Process(pid).children()
    return [each.pid for each in children if "--multiprocessing-fork" in each.cmdline()]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of what a worker holds: the middle third of the load, its last third, after it."""

    what: str
    middle: float
    last: float
    after: float
    slack: float

    @property
    def is_flat(self) -> bool:
        """Whether the last third is hardly more than the middle one, and what is after it no more.

        By five percent, or what single samples differ by.
        """
        most = max(self.middle * 1.05, self.middle + self.slack)
        return self.last <= most and self.after <= max(most, self.last)


def rows_of(name: str, samples: Sequence[Held], after: Held) -> Iterator[Row]:
    """What the samples of one worker come to."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    for what, slack in (("memory_mb", 3.0), ("descriptors", 4.0), ("connections", 4.0)):
        yield Row(
            f"{name}: {what}",
            statistics.median(getattr(each, what) for each in middle),
            statistics.median(getattr(each, what) for each in last),
            float(getattr(after, what)),
            slack,
        )


@dataclass(slots=True)
class Load:
    """Clients that match, adjudicate, reverse and push again and again; ``told`` counts answers."""

    url: str
    sample: SampleData
    told: Counter[str] = field(default_factory=Counter)
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Go on until it is ended."""
        claims = [*self.sample.bench_claims(count=CLAIMS)]
        papers = [*islice(self.sample.authorizations(), CLAIMS)]
        async with (
            httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60) as http,
            asyncio.TaskGroup() as clients,
        ):
            for number in range(CLIENTS):
                clients.create_task(self._client(http, number, claims, papers))

    async def _client(
        self, http: httpx.AsyncClient, number: int, claims: list[Any], papers: list[Any]
    ) -> None:
        chance = random.Random(number)
        for step in count():
            if self.has_ended.is_set():
                return
            claim = {**chance.choice(claims), "claim_id": f"SOAK-{number}-{step}"}
            match chance.randrange(10):
                case 0:
                    paper = chance.choice(papers)
                    path = f"/authorizations/{paper['authorization_id']}"
                    await self._told(http.put(path, json=paper), "push")
                case 1 | 2 | 3:
                    await self._told(http.post("/adjudicate", json=claim), "adjudicate")
                    if step % 3 == 0:
                        path = f"/claims/{claim['claim_id']}/reverse"
                        await self._told(http.post(path, json={}), "reverse")
                case _:
                    await self._told(http.post("/match", json=claim), "match")

    async def _told(self, request: Any, what: str) -> None:
        answer = await request
        self.told[f"{what} {answer.status_code}"] += 1


async def _watched(url: str, pids: Sequence[int], sample: SampleData, seconds: float) -> Any:
    """Load for so long, with a look at the workers all the while; then a look after a pause."""
    load_, samples = Load(url, sample), {pid: list[Held]() for pid in pids}
    running = asyncio.create_task(load_.run())
    end = time.monotonic() + seconds
    while time.monotonic() < end and not running.done():
        await asyncio.sleep(max(0.2, seconds / SAMPLES))
        for pid, each in samples.items():
            each.append(held(pid))
    load_.has_ended.set()
    await running
    await asyncio.sleep(min(AFTER_S, seconds))
    return load_.told, samples, {pid: held(pid) for pid in pids}


async def _differences(settings: Settings) -> int:
    async with application(settings) as parts:
        return (await parts.stores.reconciliation.run([PAYER])).difference_count


def soak(settings: Settings, seconds: float, say: Say) -> tuple[list[Row], list[str]]:
    """Run it; gives what was measured, and what is wrong."""
    sample = SampleData(1, AUTHORIZATIONS)
    say(f"loading {AUTHORIZATIONS:,} authorizations")
    load(settings, sample, lambda _: None)
    with serving(settings, PAYER, WORKERS) as (url, pid):
        pids = workers_of(pid)
        say(f"{CLIENTS} clients for {seconds / 60:g} minutes, and a pause")
        told, samples, after = asyncio.run(_watched(url, pids, sample, seconds))
        are_same = workers_of(pid) == pids
    say(", ".join(f"{what}: {number:,}" for what, number in sorted(told.items())))
    rows = [
        row
        for number, each in enumerate(pids, start=1)
        for row in rows_of(f"worker {number}", samples[each], after[each])
    ]
    wrong = [f"{each.what} is not flat" for each in rows if not each.is_flat]
    wrong += [f"answers {each}" for each in told if each.split()[1] not in ("200", "201")]
    if not are_same:
        wrong.append("a worker is another one")
    if differences := asyncio.run(_differences(settings)):
        wrong.append(f"{differences} differences between the books and the ledger")
    return rows, wrong


def main() -> int:
    """Soak, print, and give 1 where anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    minutes = parser.parse_args().minutes
    if not 0 < minutes <= HOURS_MAX * 60:
        parser.error(f"--minutes: up to {HOURS_MAX * 60}")
    console, settings = Console(), Settings()
    with engines.using(
        engines.default_cache(), progress=console.print, home="soak", data="new"
    ) as local:
        own = settings.model_copy(
            update={
                "elasticsearch_url": local.elasticsearch_url,
                "redis_url": local.redis_url,
                "index_prefix": f"soak-{uuid.uuid4().hex[:8]}-",
                "open_profile": True,
            }
        )
        rows, wrong = soak(own, minutes * 60, console.print)
    table = Table("what", "middle third", "last third", "after", "flat")
    for each in rows:
        figures = (f"{value:,.1f}" for value in (each.middle, each.last, each.after))
        table.add_row(each.what, *figures, "yes" if each.is_flat else "no")
    console.print(table)
    for text in wrong:
        console.print(f"[red]{text}[/]")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
