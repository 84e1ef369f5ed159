"""How many claims one Redis takes a second: drawn by the accumulators alone, nothing is matched.

Contenders take turns with fresh claims of 64 clients, each with one claim on the way, so that what
else the machine does falls on all. ``bare`` sends commands that were written before; ``store``
draws as the service does. Every line draws on a header and on a line; a claim has a record of 4 KB.
"""

import asyncio
import random
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import orjson
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from benchmarks.measure import Measured, at_least
from service.accounting.books.books import DrawRequest, Occasion
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.plan import (
    Bounds,
    ClaimPlan,
    Debit,
    Draw,
    Drawable,
    LinePlan,
    Part,
    Way,
)
from service.accounting.books.record import pack
from service.accounting.books.scale import CENT, SCALE
from service.application.parts import Stores, application
from service.settings import DEVELOPMENT_SECRET, Settings
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import script_text
from service.stores.ledger.resting import DAY_MS
from service.stores.units.movements import write_draw

CLIENTS = 64
LINES = 10
MEMBERS = 1_000
REACH = 1_000
ARCHIVED_MAX = 256
RECORD = pack(
    {
        "claim": {"claim_type": "professional"},
        "lines": [],
        "sent": orjson.dumps({"note": random.Random(1).randbytes(2600).hex()}).decode(),
    }
)
"""About as long as that of a claim of a few lines, some 4 kB, which does not shrink further."""
OCCASION = Occasion(kind="apply", at="2026-01-01T00:00:00.000+00:00")

Call = Callable[[], Awaitable[object]]
Rows = Callable[[Stores, int, int], AsyncIterator[Measured]]
"""Gives the rows of a part, of so many claims in so many rounds."""


@dataclass(slots=True)
class Taken:
    """What the rounds of one contender took: claims a second, and milliseconds of each claim."""

    rates: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rates)

    def row(self, what: str) -> Measured:
        """Set it against what one Redis is to take."""
        cuts = statistics.quantiles(self.milliseconds, n=100)
        return Measured(
            what=what,
            ours=self.rate,
            against=None,
            ratio=None,
            reach=REACH,
            met=self.rate >= REACH,
            unit="/s",
            note=f"best round {max(self.rates):,.0f}; p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms",
        )


class Drawing:
    """Draws claims of a payer of its own: so many lines, each on one of so many authorizations."""

    def __init__(self, stores: Stores, *, lines: int, authorizations: int, members: int) -> None:
        """Draw on as many authorizations for each of some members, who take turns."""
        self.stores, self.payer = stores, f"bench-{uuid.uuid4().hex[:8]}"
        names = KeyNames(f"authmatch:{stores.indices.prefix}", DEVELOPMENT_SECRET.encode())
        self._book, self._late = names.book(self.payer), names.late(self.payer)
        self._plans = [
            plan([f"M{member}-{line % authorizations}" for line in range(lines)])
            for member in range(members)
        ]
        self._lines, self.count = lines, 0

    def request(self) -> DrawRequest:
        """Make the next claim."""
        member = self.count % len(self._plans)
        owner = self._book.owner(f"M{member}")
        self.count += 1
        return DrawRequest(
            claim=ClaimState(claim_id=f"C{self.count}"),
            version=1,
            fingerprint="f" * 32,
            state="used",
            plan=self._plans[member],
            occasion=OCCASION,
            owner=owner,
            marked=owner,
            record=RECORD,
        )

    async def store(self, batches: int) -> Taken:
        """Draw as the service does: requests written, answers read."""
        draw = partial(self.stores.accumulators.draw, self.payer)
        return await taken(
            [[partial(draw, self.request()) for _ in range(batches)] for _ in range(CLIENTS)]
        )

    async def bare(self, batches: int) -> Taken:
        """Send commands that are ready, and see only that they were not refused."""
        redis = self.stores.redis
        assert isinstance(redis, Redis)
        sha = await redis.script_load(script_text("claim.lua"))
        epoch = await self.stores.guard.ensure(self.payer)
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(redis.client()) for _ in range(CLIENTS)]
            lines = [client.connection for client in clients if client.connection]
            return await taken(
                [
                    [partial(_sent, line, self._command(line, sha, epoch)) for _ in range(batches)]
                    for line in lines
                ]
            )

    def _command(self, line: AbstractConnection, sha: str, epoch: str) -> list[bytes]:
        request, book = self.request(), self._book
        claim, waiting = book.claim(request.claim.claim_id), book.waiting(request.owner)
        due, arrived = self._late.due, self._late.arrived(request.owner)
        keys = [claim, book.ledger, claim, waiting, waiting, book.mark(request.marked)]
        keys += [due, arrived, arrived]
        for name in request.authorizations:
            keys += [book.accounts(name), book.tokens(name)]
        keys += [book.archived, book.epoch, book.trail, book.trail_head]
        sent = write_draw(request, request.authorizations), request.record, epoch, "", ""
        return line.pack_command("EVALSHA", sha, len(keys), *keys, *sent)

    async def end(self) -> None:
        """Remove the payer; raises unless its accounts hold every line of every claim."""
        plans = self._plans[: self.count]
        names = [name for each in plans for name in each.authorizations]
        committed = await self.stores.accumulators.committed(self.payer, names)
        drawn = sum(units["H"] for units in committed.values())
        if drawn != self.count * self._lines * SCALE:
            raise RuntimeError(f"{drawn / SCALE:,} lines were drawn of {self.count:,} claims")
        redis = self.stores.redis
        keys = [key async for key in redis.scan_iter(f"{self._book.prefix}:*", count=5000)]
        for place in range(0, len(keys), 5000):
            await redis.unlink(*keys[place : place + 5000])


async def in_turns(
    draws: Sequence[Callable[[int], Awaitable[Taken]]], claims: int, rounds: int
) -> list[Taken]:
    """Let each take about so many claims, in rounds; the first one warms up."""
    totals = [Taken() for _ in draws]
    for number in range(rounds + 1):
        for draw, total in zip(draws, totals, strict=True):
            round_ = await draw(max(1, claims // CLIENTS // rounds))
            if number:
                total.rates += round_.rates
                total.milliseconds += round_.milliseconds
    return totals


async def taken(calls: Sequence[Sequence[Call]]) -> Taken:
    """Make the calls of all clients side by side, those of each one after the other."""
    milliseconds = []

    async def client(own: Sequence[Call]) -> None:
        for call in own:
            began = time.perf_counter()
            await call()
            milliseconds.append((time.perf_counter() - began) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*map(client, calls))
    return Taken([len(milliseconds) / (time.perf_counter() - started)], milliseconds)


async def _sent(line: AbstractConnection, command: list[bytes]) -> None:
    await line.send_packed_command(command)
    answer = await line.read_response()
    if '"s":"ok"' not in answer:
        raise RuntimeError(f"not drawn: {answer[:200]!r}")


def measured(settings: Settings, rows: Rows, claims: int, rounds: int) -> Iterator[Measured]:
    """Open the stores, and give rows as they come."""

    async def opened() -> AsyncIterator[Measured]:
        async with application(settings) as parts:
            await parts.stores.installation.install()
            async for row in rows(parts.stores, claims, rounds):
                yield row

    coming = opened()

    async def following() -> Measured | None:
        return await anext(coming, None)

    with asyncio.Runner() as runner:
        while row := runner.run(following()):
            yield row


async def applies(stores: Stores, count: int, rounds: int) -> AsyncIterator[Measured]:
    """Claims of one line a second, and what contention costs."""
    many = Drawing(stores, lines=1, authorizations=1, members=CLIENTS)
    one = Drawing(stores, lines=1, authorizations=1, members=1)
    ours, against = await in_turns((many.store, many.bare), count, rounds)
    what = "applies a second, 64 at a time, against the bare EVALSHA"
    yield at_least(what, ours.rate, against.rate, 0.6, "/s")
    ours, against = await in_turns((one.store, many.store), count, rounds)
    what = "applies a second, 64 clients on one accumulator, against 64 on 64"
    yield at_least(what, ours.rate, against.rate, 0.5, "/s")
    await many.end()
    await one.end()


async def ten_lines(stores: Stores, count: int, rounds: int) -> AsyncIterator[Measured]:
    """Claims of ten lines a second, on two and on ten authorizations; last from the archive."""
    for authorizations in (2, LINES):
        drawing = Drawing(stores, lines=LINES, authorizations=authorizations, members=MEMBERS)
        what = f"claims of 10 lines on {authorizations} authorizations a second, 64 at a time"
        bare, store = await in_turns((drawing.bare, drawing.store), count, rounds)
        yield bare.row(f"{what}, bare EVALSHA")
        yield store.row(f"{what}, as the service draws")
        await drawing.end()
    yield await _archived(stores, min(count, ARCHIVED_MAX))


async def _archived(stores: Stores, count: int) -> Measured:
    """Read claims that are at rest, and once more when they are back."""
    drawing = Drawing(stores, lines=LINES, authorizations=2, members=count)
    await drawing.store(count // CLIENTS)
    await stores.projection.project(drawing.payer)
    later = int(time.time() * 1000) + 1000 * DAY_MS
    if await stores.resting.rest(drawing.payer, now_ms=later) != drawing.count * 3:
        raise RuntimeError("not all claims and accounts came to rest")
    read = partial(stores.accumulators.read_claim, drawing.payer)
    names = [f"C{number + 1}" for number in range(drawing.count)]
    calls = [[partial(read, name) for name in names[place::CLIENTS]] for place in range(CLIENTS)]
    archived, again = await taken(calls), await taken(calls)
    await drawing.end()
    return Measured(
        what="claims of 10 lines read from the archive a second, against those in Redis",
        ours=archived.rate,
        against=again.rate,
        ratio=archived.rate / again.rate,
        reach=None,
        met=None,
        unit="/s",
    )


def plan(names: Sequence[str]) -> ClaimPlan:
    """Plan for each line of a claim one unit of an authorization, which has more than is drawn.

    Lines of one authorization share its header, and have each an account of its line.
    """
    bounds = Bounds(units=1_000_000_000 * SCALE, unit="UN")
    numbered = list(enumerate(names, start=1))
    return ClaimPlan(
        lines=tuple(
            LinePlan(line=number, whole_only=False, parts=(_part(name, number),))
            for number, name in numbered
        ),
        authorizations={
            name: Drawable(
                authorization_id=name,
                version=1,
                bounds={"H": bounds}
                | {f"L{number}": bounds for number, each in numbered if each == name},
            )
            for name in dict.fromkeys(names)
        },
    )


def _part(authorization_id: str, line: int) -> Part:
    draw = Draw(
        authorization_id=authorization_id,
        line=line,
        origin="automatic",
        debits=(Debit(account="H"), Debit(account=f"L{line}")),
    )
    return Part(
        number=1,
        want=SCALE,
        step=SCALE,
        charge=100 * SCALE,
        cent=CENT,
        days=1,
        ways=(Way(kind="authorization", draws=(draw,)),),
    )
