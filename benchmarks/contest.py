"""The contests, in the order of the table."""

import asyncio
import itertools
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from authmatch_local.samples import SampleData
from benchmarks import alerts, bodies, loading, postgres, reading, tuning, units, worklist
from benchmarks.measure import Connection, Measured, at_least, at_most, milliseconds, p50_in_turns
from benchmarks.service_process import resident_mb, serving
from benchmarks.sizes import Size
from benchmarks.units import Rows
from service.domain.work_item import line_item
from service.rules.texts import load_rules
from service.settings import Settings

PAYER = "demo"
SEED = 20260101
IN_FLIGHT = 8
MEMORY_LINES = 3
MEMORY_STREAM = 500
MEMORY_MAX_MB = 250
GROWTH_MAX = 1.05
HELP_ROUNDS = 5
MANY, FEW = 200, 5
"""Authorizations of a member that could cover a claim."""

Say = Callable[[str], None]
Part = Callable[[], Iterator[Measured]]
Claim = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contest:
    """One run of all contests on one node."""

    size: Size
    elasticsearch_url: str
    redis_url: str
    say: Say
    prefix: str = "bench-"
    _stack: ExitStack = field(default_factory=ExitStack)
    _served: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Part]:
        """Name the parts, in the order in which they are run."""
        return {
            "reading": self.reading,
            "command-line": self.command_line,
            "units": self.units,
            "ten-lines": self.ten_lines,
            "match": self.matching,
            "adjudicate": self.adjudication,
            "charges": self.charges,
            "pages": self.pages,
            "tuning": self.tuning,
            "worklist": self.worklist,
            "alerts": self.alerts,
            "growth": self.growth,
            # Last: the first writes of a node that just booted are slow, and ours come first.
            "bulk": self.bulk,
        }

    def reading(self) -> Iterator[Measured]:
        """Read X12 files, which needs no engine."""
        self.say(f"X12 files of {self.size.x12_mb:g} MB, and one of {self.size.x12_large_mb:g}")
        yield from reading.reading_rows(self.size)

    def command_line(self) -> Iterator[Measured]:
        """List the commands, against importing what draws the list."""
        self.say("authmatch --help")
        ours = [_run("-m", "service.cli", "--help")] * HELP_ROUNDS
        against = [_run("-c", "import typer, rich")] * HELP_ROUNDS
        what = "authmatch --help, p50, against importing typer and rich"
        yield at_most(what, *p50_in_turns(ours, against), 4.0, "ms")

    def bulk(self) -> Iterator[Measured]:
        """Push documents in bulk, over HTTP and from a file, against the client's own helper."""
        count = self.size.bulk_documents
        self.say(f"bulk push of {count:,} authorizations")
        # Elasticsearch compiles what it runs often: both sides are to meet it warm.
        self._loaded(self.size.small_index)
        settings, run = self._settings("bulk-"), uuid.uuid4().hex[:8]
        url, _ = self._serving("bulk-", f"bulk-{run}")
        ours = loading.push_rate(url, SampleData(SEED, count))
        self.close()
        against = loading.parallel_bulk_rate(settings)
        yield at_least("bulk push, documents a second", ours, against, 0.6, "docs/s")
        count = self.size.file_documents
        self.say(f"a file of {count:,} authorizations")
        ours = loading.file_rate(settings, f"file-{run}", SampleData(SEED, count))
        against = loading.parallel_bulk_rate(settings)
        what = "NDJSON file to searchable, documents a second"
        yield at_least(what, ours, against, 0.6, "docs/s")

    def matching(self) -> Iterator[Measured]:
        """Match claims one by one and as a stream, against bare searches of the same queries."""
        sample, name = self._loaded(self.size.authorizations)
        rules = load_rules(Settings())
        index = f"{self.prefix}{name}authorizations"
        claims = list(sample.bench_claims(lines=10, count=self.size.claims))
        (url, pid), warm_up = self._serving(name), self.size.warm_up
        with Connection(url) as service, Connection(self.elasticsearch_url) as engine:
            self.say("claims of 10 lines, one client")
            multi = [bodies.msearch(each, PAYER, rules, index) for each in claims]
            ten = _p50(service, engine, claims, [("/_msearch", each) for each in multi], warm_up)
            yield at_most("/match, claim of 10 lines, p50", *ten, 0.4, "ms")
            searches = [bodies.candidates(each, PAYER, rules, index) for each in claims]
            found = _p50(service, engine, claims, searches, warm_up)
            yield at_most("/match, 10 lines, p50, against its bare search", *found, 3.0, "ms")
            self.say("claims of 1 line, one client")
            singles = bodies.with_lines(claims, 1)
            single = [bodies.one_search(each, PAYER, rules, index) for each in singles]
            one = _p50(service, engine, singles, single, warm_up)
            yield at_most("/match, 1 line, p50", *one, 1.7, "ms")
            bare = [bodies.candidates(each, PAYER, rules, index) for each in singles]
            found = _p50(service, engine, singles, bare, warm_up)
            yield at_most("/match, 1 line, p50, against its bare search", *found, 2.2, "ms")
            self.say("a stream of claims")
            yield from self._batch(service, claims, multi, searches)
        yield self._postgres(sample, claims, ten[0])
        self.say(f"memory over {self.size.memory_claims:,} claims")
        with Connection(url) as service:  # anew: one that was idle for long is closed
            yield from self._memory(service, pid, claims)

    def adjudication(self) -> Iterator[Measured]:
        """Adjudicate claims, each for the first time, against matching the same ones."""
        sample, name = self._loaded(self.size.authorizations)
        claims = list(sample.bench_claims(lines=10, count=self.size.claims))
        with Connection(self._serving(name)[0]) as service:
            self.say("claims of 10 lines, adjudicated and matched in turns")
            run = uuid.uuid4().hex[:8]
            named = [each | {"claim_id": f"B{run}-{i}"} for i, each in enumerate(claims)]
            ours = [_call(service, "/adjudicate", orjson.dumps(each)) for each in named]
            against = [_call(service, "/match", orjson.dumps(each)) for each in named]
            warm_up = self.size.warm_up
            for each in (*ours[:warm_up], *against[:warm_up]):
                each()
            pair = p50_in_turns(ours[warm_up:], against[warm_up:])
            what = "/adjudicate, claim of 10 lines, p50, against /match of the same"
            yield at_most(what, *pair, 1.5, "ms")

    def charges(self) -> Iterator[Measured]:
        """Check charges, against matching the same lines with balances."""
        sample, name = self._loaded(self.size.authorizations)
        claims = list(sample.bench_claims(lines=1, count=self.size.claims))
        with Connection(self._serving(name)[0]) as service:
            self.say("charges of a line, checked and matched in turns")
            checked = [orjson.dumps(bodies.charge(each)) for each in claims]
            ours = [_call(service, "/charges/check", each) for each in checked]
            path = "/match?balances=true"
            against = [_call(service, path, orjson.dumps(each)) for each in claims]
            warm_up = self.size.warm_up
            p50_in_turns(ours[:warm_up], against[:warm_up])
            what = "/charges/check, p50, against /match of its line with balances"
            yield at_most(what, *p50_in_turns(ours, against), 1.2, "ms")

    def pages(self) -> Iterator[Measured]:
        """Open the page of a line that waits, against matching it with balances."""
        sample, name = self._loaded(self.size.authorizations)
        run = uuid.uuid4().hex[:8]
        claims = [
            each | {"claim_id": f"P{run}-{i}", "lines": [each["lines"][0] | {"modifiers": ["Q9"]}]}
            for i, each in enumerate(sample.bench_claims(lines=1, count=self.size.claims))
        ]
        with Connection(self._serving(name)[0]) as service:
            self.say("lines that wait, opened and matched in turns")
            waiting = []
            for each in claims:
                done = orjson.loads(service.post("/adjudicate", orjson.dumps(each)))["lines"][0]
                if done["disposition"] == "suspend":
                    waiting.append((each, done["line"]))
            ours = [_page(service, each["claim_id"], line) for each, line in waiting]
            path = "/match?balances=true"
            against = [_call(service, path, orjson.dumps(each)) for each, _ in waiting]
            warm_up = min(self.size.warm_up, len(ours) // 2)
            p50_in_turns(ours[:warm_up], against[:warm_up])
            what = "page of guided resolution, p50, against /match of its line with balances"
            yield at_most(what, *p50_in_turns(ours, against), 2.0, "ms")

    def tuning(self) -> Iterator[Measured]:
        """Judge a study in memory, against matching its claims."""
        sample, name = self._loaded(self.size.authorizations)
        self.say(f"a study of {self.size.study_claims:,} claims of 10 lines")
        claims = list(sample.bench_claims(lines=10, count=self.size.study_claims))
        study = tuning.frozen(self._settings(name), PAYER, claims)
        with Connection(self._serving(name)[0]) as service:
            yield from tuning.rows(study, service, claims)

    def worklist(self) -> Iterator[Measured]:
        """Page a long worklist, against the bare search."""
        sample, name = self._loaded(self.size.small_index)
        self.say(f"a worklist of {self.size.worklist_items:,} items")
        claims = list(sample.bench_claims(lines=1, count=worklist.PAGE))
        settings, turns = self._settings(name), self.size.claims
        with (
            Connection(self._serving(name)[0]) as service,
            Connection(self.elasticsearch_url) as engine,
        ):
            count = self.size.worklist_items
            yield from worklist.rows(settings, PAYER, service, engine, claims, count, turns)

    def alerts(self) -> Iterator[Measured]:
        """Look for alerts after a day's use, against one scan of the accumulators."""
        self.say(f"alerts of {self.size.alerts:,} authorizations")
        settings, payer = self._settings("alerts-"), f"alerts-{uuid.uuid4().hex[:8]}"
        yield asyncio.run(alerts.row(settings, payer, self.size.alerts))

    def units(self) -> Iterator[Measured]:
        """Apply units by the accumulators alone."""
        self.say(f"{self.size.applies:,} applies, 64 at a time")
        yield from self._units(units.applies, self.size.applies)

    def ten_lines(self) -> Iterator[Measured]:
        """Take claims of ten lines by the accumulators alone."""
        self.say(f"{self.size.ten_line_claims:,} claims of ten lines, 64 at a time")
        yield from self._units(units.ten_lines, self.size.ten_line_claims)

    def growth(self) -> Iterator[Measured]:
        """Match in a large index and in a small one."""
        medians = []
        for count in (self.size.small_index, self.size.large_index):
            sample, name = self._loaded(count)
            claims = list(sample.bench_claims(lines=10, count=self.size.claims))
            with Connection(self._serving(name)[0]) as service:
                calls = [_call(service, "/match", orjson.dumps(each)) for each in claims]
                for each in calls[: self.size.warm_up]:
                    each()
                medians.append(sorted(map(milliseconds, calls))[len(calls) // 2])
        what = (
            f"p50 of a 10-line claim, {self.size.large_index:,} against "
            f"{self.size.small_index:,} authorizations"
        )
        yield at_most(what, medians[1], medians[0], 1.3, "ms")
        yield self._heavy_member(sample, name)

    def _heavy_member(self, sample: SampleData, name: str) -> Measured:
        """Match for a member with many authorizations that could cover, and for one with few."""
        claim = next(sample.bench_claims(lines=10, count=1))
        (one, *_) = (
            each
            for each in sample.authorizations()
            if each["member"]["id"] == claim["member"]["id"]
        )
        with Connection(self._serving(name)[0]) as service:
            claims = []
            for count in (MANY, FEW):
                member = {"id": f"OF-{count}"}
                copies = [
                    one
                    | {"authorization_id": f"{count}-{i}", "number": f"{count}N{i}"}
                    | {"member": member, "distinct": True}
                    for i in range(count)
                ]
                stream = b"\n".join(map(orjson.dumps, copies))
                service.post("/authorizations/bulk", stream, "application/x-ndjson")
                claims.append(claim | {"member": member})
            many, few = (
                [_call(service, "/match", orjson.dumps(each))] * self.size.claims for each in claims
            )
            p50_in_turns(many[: self.size.warm_up], few[: self.size.warm_up])
            what = f"p50 of a 10-line claim of a member with {MANY} candidates, against {FEW}"
            return at_most(what, *p50_in_turns(many, few), 3.0, "ms")

    def _batch(
        self,
        service: Connection,
        claims: list[Claim],
        multi: list[bytes],
        searches: list[tuple[str, bytes]],
    ) -> Iterator[Measured]:
        """Stream claims in, against as many bare searches in flight, of both kinds."""
        count = self.size.batch_claims
        stream = b"\n".join(map(orjson.dumps, itertools.islice(itertools.cycle(claims), count)))
        service.post("/match/batch", stream, "application/x-ndjson")
        ours = milliseconds(lambda: service.post("/match/batch", stream, "application/x-ndjson"))
        lines = sum(len(each["lines"]) for each in itertools.islice(itertools.cycle(claims), count))
        scored = [("/_msearch", each) for each in multi]
        for words, requests, reach in (
            ("`_msearch`", scored, 1.5),
            ("candidate searches", searches, 0.5),
        ):
            every = list(itertools.islice(itertools.cycle(requests), count))
            against = milliseconds(partial(self._in_flight, every))
            what = f"/match/batch, lines a second, against bare {words}, {IN_FLIGHT} in flight"
            yield at_least(what, lines / ours * 1000, lines / against * 1000, reach, "lines/s")

    def _in_flight(self, requests: list[tuple[str, bytes]]) -> None:
        def run(own: list[tuple[str, bytes]]) -> None:
            with Connection(self.elasticsearch_url) as engine:
                for path, body in own:
                    engine.post(path, body, _kind(path))

        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            list(pool.map(run, [requests[place::IN_FLIGHT] for place in range(IN_FLIGHT)]))

    def _postgres(self, sample: SampleData, claims: list[Claim], ours_ms: float) -> Measured:
        what = "the same match as hand-written SQL in PostgreSQL, 10-line claim, p50"
        self.say("PostgreSQL")
        result = postgres.p50(sample, claims, self.say)
        return Measured(
            what=what,
            ours=ours_ms,
            against=result.milliseconds,
            ratio=ours_ms / result.milliseconds if result.milliseconds else None,
            reach=None,
            met=None,
            unit="ms",
            note=result.note,
        )

    def _memory(self, service: Connection, pid: int, claims: list[Claim]) -> Iterator[Measured]:
        """Stream many claims, and look at the heaviest worker after two thirds and at the end."""
        short = bodies.with_lines(claims, MEMORY_LINES)
        at_once = min(MEMORY_STREAM, self.size.memory_claims // 3)
        stream = b"\n".join(map(orjson.dumps, itertools.islice(itertools.cycle(short), at_once)))
        rounds = self.size.memory_claims // at_once
        at_two_thirds = 0.0
        for done in range(1, rounds + 1):
            service.post("/match/batch", stream, "application/x-ndjson")
            if done == rounds * 2 // 3:
                at_two_thirds = resident_mb(pid)
        final = resident_mb(pid)
        note = f"after {rounds * at_once:,} claims of {MEMORY_LINES} lines"
        yield Measured(
            what="memory of a worker",
            ours=final,
            against=None,
            ratio=None,
            reach=MEMORY_MAX_MB,
            met=final < MEMORY_MAX_MB,
            unit="MB",
            note=note,
        )
        what = "memory of a worker, growth in the last third"
        yield at_most(what, final, at_two_thirds, GROWTH_MAX, "MB")

    def _loaded(self, count: int) -> tuple[SampleData, str]:
        """Load so many authorizations, once; gives them and how their indices are named."""
        self.say(f"loading {count:,} authorizations")
        sample, name = SampleData(SEED, count), f"{count}-"
        loading.load(self._settings(name), sample, self.say)
        return sample, name

    def _settings(self, name: str) -> Settings:
        return Settings(
            elasticsearch_url=self.elasticsearch_url,
            redis_url=self.redis_url,
            index_prefix=f"{self.prefix}{name}",
        )

    def _units(self, rows: Rows, claims: int) -> Iterator[Measured]:
        settings = self._settings(f"{self.size.small_index}-")
        yield from units.measured(settings, rows, claims, self.size.rounds)

    def _serving(self, name: str, payer: str = PAYER) -> tuple[str, int]:
        """Serve these indices, and nothing beside; the service goes on until others are asked for.

        Gives the address and the pid of the first process.
        """
        if name not in self._served:
            self.close()
            served = serving(self._settings(name), payer, self.size.workers)
            self._served[name] = self._stack.enter_context(served)
        return self._served[name]

    def close(self) -> None:
        """Stop the service."""
        self._stack.close()
        self._served.clear()


def _p50(
    service: Connection,
    engine: Connection,
    claims: list[Claim],
    searches: list[tuple[str, bytes]],
    warm_up: int,
) -> tuple[float, float]:
    """Time every claim against its own bare search, in turns, after a warm-up of both."""
    ours = [_call(service, "/match", orjson.dumps(each)) for each in claims]
    against = [_call(engine, path, body, _kind(path)) for path, body in searches]
    p50_in_turns(ours[:warm_up], against[:warm_up])
    return p50_in_turns(ours, against)


def _kind(path: str) -> str:
    return "application/x-ndjson" if path == "/_msearch" else "application/json"


def _call(
    connection: Connection, path: str, body: bytes, kind: str = "application/json"
) -> Callable[[], object]:
    return lambda: connection.post(path, body, kind)


def _run(*words: str) -> Callable[[], object]:
    """Run Python, whose output nobody wants."""
    return lambda: subprocess.run((sys.executable, *words), check=True, capture_output=True)


def _page(connection: Connection, claim_id: str, line: int) -> Callable[[], object]:
    path = f"/workbench/worklist/{line_item(claim_id, line)}"
    return lambda: connection.get(path)
