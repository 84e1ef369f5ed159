"""Sees to it that what waits in the outbox is delivered: in the background, and for a match.

One worker at a time looks after a payer, by a lease that may run out: two who deliver the same
do no harm.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Collection

from prometheus_client import Counter, Gauge

from service.background import Background, backoff_s
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.connection.key_names import UNKNOWN_MEMBER
from service.stores.intake.delivery import Delivery
from service.stores.intake.outbox import Outbox, Waiting

WAITING = Gauge(
    "authmatch_outbox_waiting",
    "Entries that waited in the outbox at the last look.",
    multiprocess_mode="mostrecent",
)
BYTES = Gauge(
    "authmatch_outbox_bytes",
    "Bytes of the outbox that were taken at the last look.",
    multiprocess_mode="mostrecent",
)
FAULTS = Counter("authmatch_outbox_faults_total", "Times that delivering failed.")

LOOK_S = 1.0
BACKOFF_S_MAX = 8.0
TURN_S = 5.0
"""So long one payer is delivered before the others are looked at again."""
LEASE_MS = 30_000
_PAYERS_AT_ONCE = 4
_WAIT = "pushes of this member wait to be stored"


class Courier(Background):
    """Delivers for all payers of this service."""

    def __init__(self, outbox: Outbox, delivery: Delivery, payers: Collection[str]) -> None:
        """Share the other stores; ``payers`` are those whose outbox is looked at."""
        super().__init__("delivery_failed", FAULTS, first_s=LOOK_S, most_s=BACKOFF_S_MAX)
        self._outbox = outbox
        self._delivery = delivery
        self._payers = payers
        self._holder = uuid.uuid4().hex
        self._leased: set[str] = set()
        self._flights: dict[str, asyncio.Task[tuple[int, bool]]] = {}

    async def deliver(self, payer: str) -> int:
        """Deliver what waits now; gives how many. Raises an EngineFault that ends it."""
        count, _ = await self._delivery.run(payer, self._outbox.keys(payer).queue)
        return count

    async def deliver_for(self, payer: str, member: str) -> None:
        """Return when nothing waits that a match of this member must see.

        Raises EngineUnavailable if something still does: it is no answer that there is none.
        """
        keys = self._outbox.keys(payer)
        for _ in range(2):  # what was put while another one's delivery ran needs one more
            for owner in (keys.owner(member), UNKNOWN_MEMBER):
                try:
                    await self._together(payer, keys.queue_of(owner))
                except EngineFault as fault:
                    raise EngineUnavailable(fault.engine, _WAIT) from fault
            if not await self._outbox.is_waiting(payer, member):
                return
        raise EngineUnavailable("elasticsearch", _WAIT)

    async def _together(self, payer: str, queue: str) -> None:
        """Deliver a queue once for all who want that at the same time."""
        flight = self._flights.get(queue)
        if flight is None:
            flight = asyncio.create_task(self._delivery.run(payer, queue))
            self._flights[queue] = flight
            flight.add_done_callback(lambda done: self._landed(queue, done))
        await asyncio.shield(flight)

    def _landed(self, queue: str, flight: "asyncio.Task[tuple[int, bool]]") -> None:
        del self._flights[queue]
        if not flight.cancelled():
            flight.exception()  # whoever waited has it; if all have left, nobody needs it

    def was_waiting(self, payer: str) -> bool:
        """Whether something waited when this worker last looked, or has put something itself."""
        return self._outbox.was_waiting(payer)

    async def waiting(self) -> int:
        """Count what waits of all payers."""
        return sum(each.count for each in (await self._outbox.waiting(self._payers)).values())

    async def look(self) -> bool:
        """Deliver a turn of every payer; gives whether there is more that could be delivered.

        Raises the EngineFault of one of them after all had their turn.
        """
        waiting = await self._look_at_all()
        if not waiting:
            return False
        turns = asyncio.Semaphore(_PAYERS_AT_ONCE)

        async def turn(payer: str) -> bool:
            async with turns:
                return await self._turn(payer)

        outcomes = await asyncio.gather(*map(turn, waiting), return_exceptions=True)
        waiting = await self._look_at_all()
        faults = [each for each in outcomes if isinstance(each, BaseException)]
        if faults:
            raise faults[0]
        return any(outcomes) and bool(waiting)

    async def _look_at_all(self) -> dict[str, Waiting]:
        waiting = await self._outbox.waiting(self._payers)
        WAITING.set(sum(each.count for each in waiting.values()))
        BYTES.set(sum(each.bytes for each in waiting.values()))
        return waiting

    async def _turn(self, payer: str) -> bool:
        """Deliver for a while, if no other worker does; gives whether anything was delivered."""
        if not await self._outbox.take_lease(payer, self._holder, LEASE_MS):
            self._leased.discard(payer)
            return False
        self._leased.add(payer)
        ends = time.monotonic() + TURN_S
        try:
            count, _ = await self._delivery.run(
                payer, self._outbox.keys(payer).queue, lambda: time.monotonic() < ends
            )
        except EngineFault as fault:
            await self._outbox.note_fault(payer, f"{fault.engine}: {type(fault).__name__}")
            raise
        await self._outbox.note_fault(payer, None)
        return count > 0

    async def turn(self) -> None:
        """Look, and wait before the next look unless there is more to deliver."""
        if not await self.look():
            await asyncio.sleep(backoff_s(0, first_s=LOOK_S, most_s=BACKOFF_S_MAX))

    async def close(self) -> bool:
        """End the background; what waits is delivered by another worker, or the next one."""
        for flight in list(self._flights.values()):
            flight.cancel()
        has_run = await super().close()
        for payer in self._leased if has_run else ():
            with contextlib.suppress(EngineFault):
                await self._outbox.give_lease_back(payer, self._holder)
        return has_run
