"""How many claims of ten lines one Redis takes a second, by how its keys are laid out.

Two layouts take turns on the same Redis, with the same claims from 64 clients, each with one claim
on the way. ``bare`` sends the script commands that were written before, over 64 sockets, and reads
the answers; ``store`` draws as the service does. Every line draws on a header and on a line; a
claim has a record of 4 KB.
"""

import asyncio
import itertools
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from benchmarks.measure import Measured
from benchmarks.units import CLIENTS, OCCASION, PAYER, RECORD, clear, names_of, nobody, plan
from service.accounting.books.books import DrawRequest, Home
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.scale import SCALE
from service.stores.connection.clients import RedisClient, open_redis
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import script_text
from service.stores.units.accumulators import Accumulators
from service.stores.units.movements import write_draw

LINES = 10
ROUNDS = 7
MEMBERS = 1_000
REACH = 1_000


class OneSlot(KeyNames):
    """Keys of a payer in one slot, with one ledger: accounts by authorization, claims by id."""

    def _start(self, payer: str, number: int) -> str:
        del number
        return f"{self.prefix}{{{payer}}}"


@dataclass(slots=True)
class Taken:
    """What the rounds of one contender took: claims a second, and milliseconds of each claim."""

    rates: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


def ten_line_rows(redis_url: str, claims: int) -> Iterator[Measured]:
    """Measure both layouts, with two and with ten authorizations a claim."""
    for authorizations in (2, LINES):
        yield from asyncio.run(_rows(redis_url, claims, authorizations))


async def _rows(redis_url: str, claims: int, authorizations: int) -> list[Measured]:
    redis = open_redis(redis_url, cluster=False)
    rounds = min(ROUNDS, claims // CLIENTS)
    batches = claims // CLIENTS // rounds
    prefix, secret = f"bench-{uuid.uuid4().hex[:8]}-", b"bench"
    layouts = {
        "a stream each bucket": KeyNames(f"{prefix}b:", secret),
        "one slot, one stream": OneSlot(f"{prefix}s:", secret),
    }
    try:
        where = await _where(redis)
        takers = {
            what: _Taker(redis, redis_url, keys, batches, authorizations)
            for what, keys in layouts.items()
        }
        taken: dict[tuple[str, str], Taken] = {}
        for number, (what, taker) in itertools.product(range(rounds + 1), takers.items()):
            for way, drawing in (("bare", taker.bare), ("store", taker.store)):
                rate, times = await drawing()
                if number:  # the first round warms up
                    each = taken.setdefault((what, way), Taken())
                    each.rates.append(rate)
                    each.milliseconds += times
        rows = [
            _rate_row(f"claims of {LINES} lines on {authorizations}, {way}, {what}", each, where)
            for (what, way), each in sorted(taken.items(), key=lambda item: item[0][1])
        ]
        for what, taker in takers.items():
            kept, passing, logged = await taker.bytes_of_a_claim()
            name = f"bytes of a claim of {LINES} lines on {authorizations}"
            note = f"until copied {passing:,.0f}; in the log {logged:,.0f}"
            rows.append(_bytes_row(f"{name}, {what}", kept, note))
            await taker.check()
        return rows
    finally:
        await clear(redis, prefix)
        await redis.aclose()


async def _where(redis: RedisClient) -> str:
    """Name the server and how it keeps what it says."""
    server, kept = await redis.info("server"), await redis.config_get("append*")
    return (
        f"Redis {server['redis_version']}, appendonly {kept['appendonly']}, "
        f"appendfsync {kept['appendfsync']}"
    )


def _rate_row(what: str, taken: Taken, where: str) -> Measured:
    cuts = statistics.quantiles(taken.milliseconds, n=100)
    rate = statistics.median(taken.rates)
    note = (
        f"median of {len(taken.rates)} rounds, best {max(taken.rates):,.0f}; "
        f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms; {where}"
    )
    return Measured(
        what=what,
        ours=rate,
        against=None,
        ratio=None,
        reach=REACH,
        met=rate >= REACH,
        unit="/s",
        note=note,
    )


def _bytes_row(what: str, kept: float, note: str) -> Measured:
    return Measured(
        what=what, ours=kept, against=None, ratio=None, reach=None, met=None, unit="B", note=note
    )


class _Taker:
    """Draws claims of members under one way to name keys."""

    def __init__(
        self, redis: RedisClient, url: str, keys: KeyNames, batches: int, authorizations: int
    ) -> None:
        self._redis, self._url, self._keys = redis, url, keys
        self._batches, self._authorizations = batches, authorizations
        self._books = Accumulators(redis, keys, nobody(redis, keys))
        self._script = script_text("claim.lua")
        self._count = 0

    async def bare(self) -> tuple[float, list[float]]:
        """Send commands that are ready, and look only whether the answer is one."""
        sha = await self._redis.script_load(self._script)
        ready = [[self._command(sha, *each) for each in own] for own in self._requests()]
        async with AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(_line(self._url)) for _ in range(CLIENTS)]
            calls = [
                [partial(_sent, line, command) for command in own]
                for line, own in zip(lines, ready, strict=True)
            ]
            return await _timed(calls)

    async def store(self) -> tuple[float, list[float]]:
        """Draw as the service does: requests written, answers read."""
        return await _timed(
            [
                [partial(self._books.draw, home, request) for request, home in own]
                for own in self._requests()
            ]
        )

    def _requests(self) -> list[list[tuple[DrawRequest, Home]]]:
        """Make the claims of a round, for each client its own."""
        return [[self._request() for _ in range(self._batches)] for _ in range(CLIENTS)]

    def _request(self) -> tuple[DrawRequest, Home]:
        self._count += 1
        member = f"M{self._count % MEMBERS}"
        names = [f"{member}-{line % self._authorizations}" for line in range(LINES)]
        owner = self._keys.owned_by(PAYER, member)
        request = DrawRequest(
            claim=ClaimState(claim_id=f"C{self._count}"),
            version=1,
            fingerprint="f" * 32,
            state="used",
            plan=plan(names),
            occasion=OCCASION,
            owner=owner,
            record=RECORD,
        )
        bucket = self._keys.bucket_of(PAYER, member).number
        return request, Home(payer=PAYER, bucket=bucket, owner=owner)

    def _command(self, sha: str, request: DrawRequest, home: Home) -> bytes:
        names = names_of(self._keys.bucket(home.payer, home.bucket), request)
        parts: list[str | bytes] = ["EVALSHA", sha, str(len(names)), *names]
        parts += [write_draw(request, None), RECORD]
        written = [each if isinstance(each, bytes) else each.encode() for each in parts]
        return b"*%d\r\n" % len(written) + b"".join(
            b"$%d\r\n%s\r\n" % (len(each), each) for each in written
        )

    async def bytes_of_a_claim(self) -> tuple[float, float, float]:
        """Give what a claim keeps in memory, what it adds until it is copied, and to the log."""
        log = 0
        while log <= 0:  # the log was rewritten meanwhile
            log = -await self._log()
            await self.store()
            log += await self._log()
        claims, entries = await self._memory("claim:*"), await self._memory("ledger")
        return claims / self._count, entries / self._count, log / self._batches / CLIENTS

    async def _memory(self, kind: str) -> int:
        pipeline = self._redis.pipeline(transaction=False)
        async for key in self._redis.scan_iter(f"{self._keys.prefix}*:{kind}", count=5000):
            pipeline.memory_usage(key, samples=0)
        return sum(await pipeline.execute())

    async def _log(self) -> int:
        return int((await self._redis.info("persistence")).get("aof_current_size", 0))

    async def check(self) -> None:
        """Raise unless the accounts hold every line of every claim."""
        drawn = 0
        async for key in self._redis.scan_iter(f"{self._keys.prefix}*:accounts:*", count=5000):
            drawn += int(await self._redis.hget(key, "H.uu") or 0)
        if drawn != self._count * LINES * SCALE:
            raise RuntimeError(f"{drawn / SCALE:,} lines were drawn of {self._count * LINES:,}")


Call = Callable[[], Awaitable[object]]
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _timed(calls: Sequence[Sequence[Call]]) -> tuple[float, list[float]]:
    """Make the calls of all clients side by side; gives calls a second, and the time of each."""
    milliseconds = []

    async def client(own: Sequence[Call]) -> None:
        for call in own:
            began = time.perf_counter()
            await call()
            milliseconds.append((time.perf_counter() - began) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*map(client, calls))
    return len(milliseconds) / (time.perf_counter() - started), milliseconds


async def _sent(line: Line, command: bytes) -> None:
    reader, writer = line
    writer.write(command)
    head = await reader.readline()
    if not head.startswith(b"$"):
        raise RuntimeError(f"refused: {head!r}")
    answer = await reader.readexactly(int(head[1:]) + 2)
    if b'"s":"ok"' not in answer:
        raise RuntimeError(f"not drawn: {answer[:200]!r}")


@asynccontextmanager
async def _line(url: str) -> AsyncIterator[Line]:
    """Open a socket to a Redis without a password."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 20)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()
