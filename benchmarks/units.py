"""How fast units are applied: by the accumulators alone, against the bare script on one Redis.

Two contenders take turns with fresh claims, 64 at a time, so that what else the machine does falls
on both. Every claim draws one line on a header and a line, and is kept with a record of 4 KB.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence

from benchmarks.measure import Measured, at_least
from service.accounting.books.books import DrawRequest, Home, Occasion
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
from service.accounting.books.scale import CENT, SCALE
from service.stores.connection.clients import (
    ElasticsearchAccess,
    RedisClient,
    open_elasticsearch,
    open_redis,
)
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.scripts import load_script
from service.stores.members.copies import MemberCopies
from service.stores.members.marks import Visibility
from service.stores.members.records import MemberRecords
from service.stores.members.who import Members
from service.stores.units.accumulators import Accumulators
from service.stores.units.movements import write_draw

CLIENTS = 64
ROUNDS = 7
PAYER, MEMBER, OWNER = "bench", "M1", "0:bench"
RECORD = "r" * 4096
OCCASION = Occasion(kind="apply", at="2026-01-01T00:00:00.000+00:00")

Apply = Callable[[int], Awaitable[object]]


def apply_rows(redis_url: str, applies: int) -> list[Measured]:
    """Measure applies a second, and what contention costs."""
    return asyncio.run(_rows(redis_url, applies))


async def _rows(redis_url: str, applies: int) -> list[Measured]:
    redis = open_redis(redis_url, cluster=False)
    try:
        keys = KeyNames(f"bench-{uuid.uuid4().hex[:8]}:", b"bench")
        bench = _Bench(redis, keys, applies)
        rows = [
            at_least(
                "applies a second, 64 at a time, against the bare EVALSHA",
                *await bench.in_turns(bench.ours(CLIENTS), bench.bare(CLIENTS)),
                0.6,
                "/s",
            ),
            at_least(
                "applies a second, 64 clients on one accumulator, against 64 on 64",
                *await bench.in_turns(bench.ours(1), bench.ours(CLIENTS)),
                0.5,
                "/s",
            ),
        ]
        await clear(redis, keys.prefix)
        return rows
    finally:
        await redis.aclose()


class _Bench:
    def __init__(self, redis: RedisClient, keys: KeyNames, applies: int) -> None:
        self._redis = redis
        self._keys = keys.bucket_of(PAYER, MEMBER)
        self._home = Home(payer=PAYER, bucket=self._keys.number, owner=OWNER)
        self._books = Accumulators(redis, keys, nobody(redis, keys))
        self._batches = max(1, applies // CLIENTS // ROUNDS)
        self._number = 0

    def ours(self, accumulators: int) -> Apply:
        """Apply as the service does: requests written, answers read."""

        async def apply(client: int) -> object:
            return await self._books.draw(self._home, self._request(client % accumulators))

        return apply

    def bare(self, accumulators: int) -> Apply:
        """Call the same script with arguments that are ready, and look at no answer."""
        script = load_script(self._redis, "claim.lua")
        requests = [self._request(each % accumulators) for each in range(self._count)]
        ready: Iterator[tuple[Sequence[str], list[bytes | str]]] = iter(
            [
                (names_of(self._keys, each), [write_draw(each, self._home.last_push), RECORD])
                for each in requests
            ]
        )

        async def apply(client: int) -> object:
            del client
            keys, arguments = next(ready)
            return await script(keys=keys, args=arguments)

        return apply

    @property
    def _count(self) -> int:
        return (ROUNDS + 1) * self._batches * CLIENTS

    async def in_turns(self, ours: Apply, against: Apply) -> tuple[float, float]:
        """Give the medians of the rates of both; the first round of each warms up."""
        rates: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS + 1):
            for place, apply in enumerate((ours, against)):
                rates[place].append(await self._rate(apply))
        first, second = (statistics.median(each[1:]) for each in rates)
        return first, second

    async def _rate(self, apply: Apply) -> float:
        async def client(number: int) -> None:
            for _ in range(self._batches):
                await apply(number)

        started = time.perf_counter()
        await asyncio.gather(*map(client, range(CLIENTS)))
        return self._batches * CLIENTS / (time.perf_counter() - started)

    def _request(self, accumulator: int) -> DrawRequest:
        self._number += 1
        return DrawRequest(
            claim=ClaimState(claim_id=f"C{self._number}"),
            version=1,
            fingerprint="f" * 32,
            state="used",
            plan=plan([f"A{accumulator}"]),
            occasion=OCCASION,
            owner=OWNER,
            record=RECORD,
        )


async def clear(redis: RedisClient, start: str) -> None:
    """Remove the keys that begin so."""
    found = [key async for key in redis.scan_iter(f"{start}*", count=5000)]
    for place in range(0, len(found), 5000):
        await redis.unlink(*found[place : place + 5000])


def names_of(keys: BucketKeys, request: DrawRequest) -> list[str]:
    """Name the keys of a draw as the script takes them."""
    claim = keys.claim(request.claim.claim_id)
    names = [claim, keys.ledger, claim, keys.waiting(request.owner), keys.mark(request.owner)]
    for each in request.authorizations:
        names += [keys.accounts(each), keys.tokens(each)]
    return names


def nobody(redis: RedisClient, keys: KeyNames) -> Members:
    """The members and their marks of pushes, which nothing here looks at."""
    nowhere = open_elasticsearch(ElasticsearchAccess(url="http://127.0.0.1:1"))
    records = MemberRecords(nowhere, IndexNames())
    visibility = Visibility(nowhere, redis, IndexNames(), keys)
    return Members(records, MemberCopies(redis, keys, records), visibility)


def plan(authorizations: Sequence[str]) -> ClaimPlan:
    """Plan for each line of a claim one unit of an authorization, which has more than is drawn.

    Lines of one authorization share its header, and have each an account of its line.
    """
    bounds = Bounds(units=1_000_000_000 * SCALE, unit="UN")
    lines: dict[str, list[int]] = {each: [] for each in authorizations}
    for number, each in enumerate(authorizations, start=1):
        lines[each].append(number)
    return ClaimPlan(
        lines=tuple(
            LinePlan(line=number, whole_only=False, parts=(_part(each, number),))
            for number, each in enumerate(authorizations, start=1)
        ),
        authorizations={
            each: Drawable(
                authorization_id=each,
                version=1,
                bounds=dict.fromkeys(["H", *(f"L{line}" for line in own)], bounds),
            )
            for each, own in lines.items()
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
