"""Delivers what waits in the outbox, in the order of its versions.

It is delivered at least once: whatever ends this in the middle, the same pushes come again, and
what was stored already is then ``unchanged``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from pydantic import ValidationError

from service.domain.submission import Code, DeadLetter, Pushed, PushResult, write_withdrawal
from service.stores.connection.faults import EngineFault, EngineRefused
from service.stores.intake._outbox_entry import Entry, runs
from service.stores.intake.dead_letters import DeadLetters
from service.stores.intake.entrance import Entrance
from service.stores.intake.letter import read_waiting
from service.stores.intake.outbox import Delivered, Outbox

log = structlog.get_logger()

DELIVERED = Counter(
    "authmatch_outbox_delivered_total",
    "What was taken out of the outbox, by what became of it.",
    ["status"],
)

TRIES_MAX = 5
"""So often Elasticsearch may refuse a push before it becomes a dead letter."""

ORIGIN = "outbox"
_NO_LONGER_FITS = "it does not fit any more"


@dataclass(eq=False, repr=False)
class Delivery:
    """Pushes, settles, and makes dead letters of what cannot be pushed."""

    _outbox: Outbox
    _entrance: Entrance
    _letters: DeadLetters

    async def run(
        self, payer: str, queue: str, go_on: Callable[[], bool] = lambda: True
    ) -> tuple[int, bool]:
        """Deliver a queue once through; gives how many, and whether some stay.

        Those stay that Elasticsearch refused, to be tried again. Raises the EngineFault that ends
        it; ``go_on`` is asked after every call.
        """
        count, stay = 0, set[str]()
        while go_on():
            entries = await self._outbox.head(payer, queue, after=len(stay))
            fresh = [each for each in entries if each.ticket not in stay]
            if not fresh:
                return count, bool(stay)
            for run in runs(fresh):
                delivered = await self._deliver(payer, run)
                count += len(delivered)
                stay |= {each.ticket for each in run} - {each.entry.ticket for each in delivered}
        return count, True

    async def _deliver(self, payer: str, run: Sequence[Entry]) -> list[Delivered]:
        """Deliver what may go together, and halve it where one is refused; gives what went."""
        try:
            delivered = await self._attempt(payer, run)
        except Exception as error:
            if not _is_of_one(error):
                raise
            if len(run) > 1:
                half = len(run) // 2
                first = await self._deliver(payer, run[:half])
                return [*first, *await self._deliver(payer, run[half:])]
            delivered = await self._refused(payer, run[0], error)
        await self._outbox.settle(payer, delivered)
        for each in delivered:
            DELIVERED.labels(each.status).inc()
        return delivered

    async def _attempt(self, payer: str, run: Sequence[Entry]) -> list[Delivered]:
        if run[0].kind == "letter":
            await self._letters.store(payer, [read_waiting(each.content) for each in run])
            return [Delivered(entry=each, status="kept") for each in run]
        if run[0].kind == "withdrawal":
            entry = run[0]
            result = await self._entrance.withdraw(
                payer, entry.authorization_id, entry.version, entry.actor
            )
            return [await self._delivered(payer, entry, result)]
        pushed: list[Pushed] = []
        fitting: list[Entry] = []
        delivered: list[Delivered] = []
        for each in run:
            try:
                pushed.append(each.pushed())
                fitting.append(each)
            except ValidationError:  # the model has changed since it was put
                delivered.append(await self._dead(payer, each, "invalid", _NO_LONGER_FITS))
        if pushed:
            results = await self._entrance.push(payer, pushed)
            for each, result in zip(fitting, results, strict=True):
                delivered.append(await self._delivered(payer, each, result))
        return delivered

    async def _delivered(self, payer: str, entry: Entry, result: PushResult) -> Delivered:
        if result.status == "conflict":
            reason = result.reason or "this version is there with other content"
            return await self._dead(payer, entry, result.code, reason, result.on_file)
        return Delivered(entry=entry, status=result.status, current_version=result.current_version)

    async def _refused(self, payer: str, entry: Entry, error: Exception) -> list[Delivered]:
        """Try it some times, then make a dead letter of it; a letter itself stays."""
        reason = _told(error)
        tries = await self._outbox.tried(payer, entry, reason)
        log.warning("outbox_refused", kind=entry.kind, tries=tries, reason=reason)
        if tries < TRIES_MAX or entry.kind == "letter":
            return []
        return [await self._dead(payer, entry, "refused", reason)]

    async def _dead(
        self, payer: str, entry: Entry, code: Code, reason: str, on_file: str | None = None
    ) -> Delivered:
        """Keep what cannot be pushed; it is taken out of the outbox after that."""
        content = content_of(entry)
        letter = DeadLetter(
            format="json",
            content=content,
            content_bytes=len(content),
            code=code,
            reason=reason,
            origin=ORIGIN,
            authorization_id=entry.authorization_id,
            version=entry.version,
            on_file=on_file,
        )
        (name,) = await self._letters.keep(payer, [letter], at=entry.since, is_bounded=False)
        status = "refused" if code in ("refused", "invalid") else "conflict"
        return Delivered(entry=entry, status=status, reason=reason, dead_letter=name)


def content_of(entry: Entry) -> bytes:
    """Give what was sent; of a withdrawal, which has no content, what it says."""
    if entry.kind == "push":
        return entry.content.encode()
    return write_withdrawal(entry.authorization_id, entry.version)


def _is_of_one(error: Exception) -> bool:
    """Whether one of the pushes is at fault, and not an engine.

    Anything unforeseen is taken for that: one push must not hold up all others for good.
    """
    return isinstance(error, EngineRefused) or not isinstance(error, EngineFault)


def _told(error: Exception) -> str:
    """Say why, with status and type of a refusal: the rest of its text may hold values."""
    if isinstance(error, EngineRefused):
        return f"{error.engine} refused it: {error.reason.partition(':')[0][:100]}"
    return f"it could not be stored ({type(error).__name__})"
