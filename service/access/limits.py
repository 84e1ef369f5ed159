"""How much one caller may ask for: so many requests a second in all, so many at once of a worker.

Each worker has a bucket for each caller, and asks nobody while it answers. Beside that the workers
tell one another every second, through Redis, how much each caller asked of them: of the rate a
worker gives the share that was asked of it. While Redis is away each gives all of it.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Counter

from service.access.subject import Subject
from service.background import Background
from service.domain.engine_fault import EngineFault
from service.settings import Settings

TELL_S = 1.0
BURST_S = 2.0
"""So many seconds of its rate a caller may ask for at once, after it was silent."""
FAILURES_BURST_S = 10.0
ADDRESSES_MAX = 10_000
"""Of so many addresses wrong credentials are counted; of more, all begin anew."""
_SILENT_S = 60.0

REFUSED = Counter(
    "authmatch_limited_total", "Requests that were refused for a limit, by which.", ["limit"]
)
FAULTS = Counter("authmatch_limits_faults_total", "Times that workers could not tell each other.")

Asker = tuple[str, str, frozenset[str]]
"""A caller: how he was authenticated, his name, his payers."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in a window of so many seconds; without one, so many at once."""

    limit: str
    most: int
    window_s: int | None = None


def quota_of(limit: str, rate: float, burst_s: float) -> Quota:
    """A rate as a quota in whole numbers, which never says more than the rate gives."""
    window_s = math.ceil(max(burst_s, 1 / rate))
    return Quota(limit, max(1, math.floor(rate * window_s)), window_s)


class TooMany(Exception):
    """A caller asks for more than he may; ``retry_after_s`` is when to ask again."""

    def __init__(self, quota: Quota, reason: str, retry_after_s: int = 1) -> None:
        """Say which bound it is, in a text that names it."""
        super().__init__(reason)
        self.quota = quota
        self.retry_after_s = retry_after_s
        REFUSED.labels(quota.limit).inc()


class Usage(Protocol):
    """Where workers tell one another what was asked of them."""

    async def told(self, asked: Mapping[Asker, int]) -> Mapping[Asker, tuple[int, int]]:
        """Add to what was asked of this worker; gives that of late, and of all workers."""
        ...


@dataclass(slots=True)
class Bucket:
    """What a caller may still ask for; ``at_once`` is what is at work."""

    tokens: float
    filled: float
    share: float = 1.0
    asked: int = 0
    at_once: int = 0

    def take(self, now: float, rate: float, most: float) -> bool:
        """Take one, if there is one."""
        self.tokens = min(most, self.tokens + (now - self.filled) * rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Limits(Background):
    """The buckets of a worker; a rate or number of 0 is no limit."""

    def __init__(self, usage: Usage, *, rate: float, at_once: int, failures: float) -> None:
        """Take a caller's requests a second and at once, and an address's failures a second."""
        super().__init__("limits_failed", FAULTS, first_s=TELL_S, most_s=TELL_S * 30)
        self._usage = usage
        self._rate, self._at_once, self._failures = rate, at_once, failures
        self._buckets: dict[Asker, Bucket] = {}
        self._addresses: dict[str, Bucket] = {}

    def enter(self, subject: Subject) -> Bucket:
        """Count a request; who calls takes it out of ``at_once`` at its end. Raises TooMany."""
        asker = (subject.kind, subject.name, subject.payers)
        now = time.monotonic()
        bucket = self._buckets.get(asker)
        if bucket is None:
            bucket = self._buckets[asker] = Bucket(max(1.0, self._rate * BURST_S), now)
        bucket.asked += 1
        if self._at_once and bucket.at_once >= self._at_once:
            reason = f"at most {self._at_once} requests of a caller at once"
            raise TooMany(Quota("at_once", self._at_once), reason)
        rate = self._rate * bucket.share
        if rate and not bucket.take(now, rate, max(1.0, rate * BURST_S)):
            reason = f"at most {self._rate:g} requests of a caller a second"
            retry_after_s = math.ceil((1 - bucket.tokens) / rate)
            raise TooMany(quota_of("rate", self._rate, BURST_S), reason, retry_after_s)
        bucket.at_once += 1
        return bucket

    def failed(self, address: str) -> None:
        """Count a credential that is not known; raises TooMany. What is known goes on."""
        if not self._failures:
            return
        now = time.monotonic()
        if len(self._addresses) >= ADDRESSES_MAX:
            self._addresses.clear()
        most = max(1.0, self._failures * FAILURES_BURST_S)
        bucket = self._addresses.setdefault(address, Bucket(most, now))
        if not bucket.take(now, self._failures, most):
            reason = f"at most {self._failures:g} wrong credentials of an address a second"
            quota = quota_of("failures", self._failures, FAILURES_BURST_S)
            raise TooMany(quota, reason, math.ceil((1 - bucket.tokens) / self._failures))

    async def turn(self) -> None:
        """Tell the others, and take the share that was asked of this worker."""
        await asyncio.sleep(TELL_S)
        await self.tell()

    async def tell(self) -> None:
        """Do so now; raises EngineFault, and gives all of the rate from then on."""
        asked = {asker: each.asked for asker, each in self._buckets.items() if each.asked}
        for asker in asked:
            self._buckets[asker].asked = 0
        self._forget(time.monotonic())
        if not asked or not self._rate:
            return
        try:
            told = await self._usage.told(asked)
        except EngineFault:
            for each in self._buckets.values():
                each.share = 1.0
            raise
        for asker, (own, of_all) in told.items():
            if asker in self._buckets:
                self._buckets[asker].share = own / of_all if own and of_all > own else 1.0

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again."""
        for asker, each in list(self._buckets.items()):
            if not each.at_once and not each.asked and now - each.filled > _SILENT_S:
                del self._buckets[asker]


def limits_of(settings: Settings, usage: Usage) -> Limits:
    """The limits that the settings give."""
    return Limits(
        usage,
        rate=settings.limit_rate,
        at_once=settings.limit_at_once,
        failures=settings.limit_failures,
    )
