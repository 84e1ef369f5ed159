"""Works off the queue of members for whom an authorization arrived late, in the background.

One member at a time, a bounded number of claims of it, and then the next member: one with thousands
of waiting claims holds nobody up.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge

from service.background import Background, backoff_s, reason_of
from service.domain.engine_fault import EngineFault
from service.domain.late_pass import ANY, LatePass
from service.flow.late.claims import How

log = structlog.get_logger()

OFFERS = Counter(
    "authmatch_late_offers_total",
    "Waiting claims for which an authorization arrived, by what was done: put on the worklist,"
    " adjudicated anew (automatic), or not able to be run again (refused); and claims that were put"
    " there since they fall outside of an authorization that changed (review).",
    ["how"],
)
QUEUE = Gauge(
    "authmatch_late_queue",
    "Members with waiting claims that are still to be looked at for what arrived.",
    multiprocess_mode="mostrecent",
)
FAULTS = Counter("authmatch_late_faults_total", "Times that looking at a waiting claim failed.")

CLAIMS_AT_ONCE = 50
"""So many waiting claims of one member are looked at before the next member has its turn."""
SWEEP_S = 5.0
"""So often the queue is looked at for what other workers noted, or left."""
BACKOFF_S = 0.5
BACKOFF_S_MAX = 60.0
SKIPPED_S_MAX = 600.0
"""How often at least a claim is tried again that cannot be looked at whatever the engines do."""


class Queue(Protocol):
    """The members that are to be looked at."""

    async def noted(self, timeout_s: float) -> None:
        """Return when what was noted here is due, or after a time."""
        ...

    async def length(self, payers: Iterable[str]) -> Mapping[str, int]:
        """Count the members of each payer."""
        ...

    async def take(self, payer: str) -> LatePass | None:
        """Take the next member that is due."""
        ...

    async def later(self, one: LatePass, *, pause_s: float = 0.0) -> None:
        """Go on with it later."""
        ...

    async def done(self, one: LatePass) -> None:
        """End it."""
        ...


class Pages(Protocol):
    """Where it is known which claims of a member wait."""

    async def page(self, payer: str, owner: str, *, after: str, size: int) -> list[str]:
        """Some of them in order, those after one."""
        ...


class Look(Protocol):
    """What is done with a claim."""

    async def __call__(
        self, payer: str, claim_id: str, arrived: Collection[str] | None
    ) -> How | None:
        """Look at one; raises EngineFault."""
        ...


class Review(Protocol):
    """What is done with claims that drew on an authorization which changed."""

    async def __call__(self, payer: str, authorization_id: str) -> int:
        """Have those looked at that fall outside; says how many, raises EngineFault."""
        ...


class LateWatch(Background):
    """The background of one worker; several workers share one queue."""

    def __init__(
        self, queue: Queue, claims: Pages, look: Look, review: Review, payers: Collection[str]
    ) -> None:
        """Take what it works with; ``payers`` are those whose queues are looked at."""
        super().__init__("late_watch_failed", FAULTS, first_s=BACKOFF_S, most_s=BACKOFF_S_MAX)
        self._queue = queue
        self._claims = claims
        self._look = look
        self._review = review
        self._payers = payers

    async def turn(self) -> None:
        """Work when something was noted, else every now and then."""
        await self._queue.noted(SWEEP_S)
        await self.work()

    async def work(self) -> None:
        """Look at all members that are due, those of the payers in turn; raises EngineFault."""
        lengths = await self._queue.length(self._payers)
        QUEUE.set(sum(lengths.values()))
        waiting = [payer for payer, length in lengths.items() if length]
        while waiting:
            for payer in tuple(waiting):
                one = await self._queue.take(payer)
                if one is None:
                    waiting.remove(payer)
                else:
                    await self._some(one)
        if any(lengths.values()):
            QUEUE.set(sum((await self._queue.length(self._payers)).values()))

    async def _some(self, one: LatePass) -> None:
        """Look at some claims of a member; where an engine fails the rest has to wait."""
        names = await self._claims.page(one.payer, one.owner, after=one.after, size=CLAIMS_AT_ONCE)
        for name in names:
            try:
                how = await self._look(one.payer, name, one.ids)
            except Exception as error:  # noqa: BLE001 - the others must go on; it is counted
                log.warning("late_claim_failed", reason=reason_of(error))
                if await self._is_put_off(one, error):
                    return
                one = replace(one, after=name, skipped=True)
            else:
                one = replace(one, after=name, failures=0)
                if how is not None:
                    OFFERS.labels(how).inc()
        is_last = len(names) < CLAIMS_AT_ONCE
        if is_last and not await self._reviewed(one):
            return
        await self._end(one, is_last=is_last)

    async def _reviewed(self, one: LatePass) -> bool:
        """Have claims looked at that fall outside by now; where an engine fails it has to wait."""
        for name in sorted(one.arrived.keys() - {ANY}):
            try:
                OFFERS.labels("review").inc(await self._review(one.payer, name))
            except Exception as error:  # noqa: BLE001 - the others must go on; it is counted
                log.warning("review_failed", reason=reason_of(error))
                if await self._is_put_off(one, error):
                    return False
        return True

    async def _is_put_off(self, one: LatePass, error: Exception) -> bool:
        """Count a fault, and have the rest wait where it is of an engine that will be back."""
        FAULTS.inc()
        if not isinstance(error, EngineFault) or error.is_lasting:
            return False
        failed = replace(one, failures=one.failures + 1)
        await self._queue.later(failed, pause_s=_backoff(failed.failures))
        return True

    async def _end(self, one: LatePass, *, is_last: bool) -> None:
        """End a pass, or go on with it later; what was skipped is looked at again after a while."""
        if not is_last:
            await self._queue.later(one)
        elif one.skipped:
            again = replace(one, after="", skipped=False, rounds=one.rounds + 1)
            await self._queue.later(again, pause_s=_backoff(again.rounds, most=SKIPPED_S_MAX))
        else:
            await self._queue.done(one)


def _backoff(failures: int, *, most: float = BACKOFF_S_MAX) -> float:
    return backoff_s(failures, first_s=BACKOFF_S, most_s=most)
