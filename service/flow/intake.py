"""Takes a stream of submissions in: bounded memory, one result each, in the order they came.

They are read and checked while earlier ones are on their way to the stores. What cannot be taken
becomes a dead letter. What cannot be stored now, since the search engine is away, waits in the
outbox; where that fails too, the result says so, and the same may be sent again.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from service.access.act import note
from service.domain.engine_fault import EngineFault
from service.domain.submission import (
    Code,
    DeadLetter,
    Notice,
    Pushed,
    PushResult,
    Queued,
    Sent,
    Submission,
)

Result = dict[str, Any]
"""What became of one submission, ready to be written as JSON."""

BATCH_BYTES_MAX = 8 * 1024 * 1024
"""A batch of long submissions is closed early: memory is bounded in bytes, not in their number."""

SUBMISSIONS_AT_A_TIME = 8

FAILED_BATCHES_MAX = 3
"""After so many batches in a row that failed whole, the rest of the stream is not tried."""

TAKEN = ("created", "updated", "unchanged", "superseded", "queued", "noted")
NOT_TAKEN = ("conflict", "rejected", "failed")
STATUSES = (*TAKEN, *NOT_TAKEN)
"""``queued`` waits in the outbox, ``noted`` is no authorization and no fault, ``failed`` may be
sent again."""


_SHOWN_CODES = ("duplicate-grant", "other-person")
"""What is to be done with these is told by no other field of a result."""


class Store(Protocol):
    """Where versions are pushed to, some at a time; their ids differ."""

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Store versions; raises an EngineFault if any could not be stored."""
        ...


class Outbox(Protocol):
    """Where pushes wait, durably, until the search engine is back."""

    async def put(self, payer: str, pushed: Sequence[Pushed]) -> list[Queued]:
        """Keep pushes; raises an EngineFault if there is no room or no engine."""
        ...


class Letters(Protocol):
    """Where is kept what could not be taken."""

    async def keep(self, payer: str, letters: Sequence[DeadLetter]) -> list[str]:
        """Keep letters, and give their ids; raises an EngineFault if that failed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where submissions may go; ``origin`` is the way they came in, for their dead letters.

    Without ``letters`` nothing is kept: what is tried again is kept already.
    """

    payer: str
    store: Store
    outbox: Outbox
    letters: Letters | None
    origin: str
    letter_bytes_max: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A submission and what became of it."""

    submission: Submission
    result: Result


@dataclass(slots=True, eq=False)
class _Batch:
    """Submissions that go to the store together, and all in between, in the order they came."""

    given: list[Taken | Notice] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    bytes: int = 0

    def add(self, submission: Submission) -> None:
        taken = Taken(submission, _result(submission))
        self.given.append(taken)
        self.taken.append(taken)
        self.bytes += len(submission.content)
        if submission.pushed is not None:
            self.ids.add(submission.pushed.authorization.authorization_id)


async def take_in(
    sent: AsyncIterable[Sent], doors: Doors, *, batch: int, in_flight: int = 4
) -> AsyncIterator[Taken | Notice]:
    """Push every submission, ``batch`` of them at a time, and give a result for each.

    An id that comes again waits for its earlier version, so that results do not depend on chance.
    A notice is handed on in its place.
    """
    intake = _Intake(doors)
    running: dict[_Batch, asyncio.Task[None]] = {}
    open_ = _Batch()
    number = 0
    try:
        async for each in sent:
            if isinstance(each, Notice):
                open_.given.append(each)
                continue
            number += 1
            if number % SUBMISSIONS_AT_A_TIME == 0:
                await asyncio.sleep(0)  # reading costs time: let a match that waits go first
            if each.pushed and any(each.authorization_id in one.ids for one in (open_, *running)):
                running[open_] = intake.start(open_)
                open_ = _Batch()
                for given in await _finished(running, down_to=0):
                    yield given
            open_.add(each)
            if len(open_.taken) >= batch or open_.bytes >= BATCH_BYTES_MAX:
                running[open_] = intake.start(open_)
                open_ = _Batch()
                for given in await _finished(running, down_to=in_flight - 1):
                    yield given
        running[open_] = intake.start(open_)
        for given in await _finished(running, down_to=0):
            yield given
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def _finished(
    running: dict[_Batch, asyncio.Task[None]], *, down_to: int
) -> list[Taken | Notice]:
    """Give what the oldest batches gave, until only so many are on their way."""
    given: list[Taken | Notice] = []
    while len(running) > down_to:
        batch = next(iter(running))
        await running[batch]
        del running[batch]
        given += batch.given
    return given


class _Intake:
    """Takes batches in, and knows when there is no use in trying more."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._failed_in_a_row = 0

    def start(self, batch: _Batch) -> asyncio.Task[None]:
        return asyncio.create_task(self._run(batch))

    async def _run(self, batch: _Batch) -> None:
        going = [
            (each.result, pushed) for each in batch.taken if (pushed := each.submission.pushed)
        ]
        outcomes = await self._outcomes([pushed for _, pushed in going])
        for (result, pushed), outcome in zip(going, outcomes, strict=True):
            result.update(outcome)
            if result["status"] != "failed":
                authorization = pushed.authorization
                ids = (authorization.authorization_id,)
                note(authorizations=ids, members=(authorization.member.id,))
        await self._bury(batch)

    async def _outcomes(self, pushed: Sequence[Pushed]) -> list[Result]:
        if not pushed:
            return []
        if self._failed_in_a_row >= FAILED_BATCHES_MAX:
            return [_failed("not tried: the engines failed again and again")] * len(pushed)
        outcomes = await self._push(pushed)
        has_failed = all(each["status"] == "failed" for each in outcomes)
        self._failed_in_a_row = self._failed_in_a_row + 1 if has_failed else 0
        return outcomes

    async def _push(self, pushed: Sequence[Pushed]) -> list[Result]:
        """Push some; where the engine refuses one of them as wrong, the others are still taken."""
        try:
            results = await self._doors.store.push(self._doors.payer, pushed)
        except EngineFault as fault:
            if not fault.is_lasting:
                return await self._put(pushed, fault)
            if len(pushed) == 1:
                return [{"status": "rejected", "code": "refused", "reason": str(fault)}]
            half = len(pushed) // 2
            return [*await self._push(pushed[:half]), *await self._push(pushed[half:])]
        return [
            {
                "status": each.status,
                "current_version": each.current_version,
                "reason": each.reason,
                **_of_others(each),
            }
            for each in results
        ]

    async def _put(self, pushed: Sequence[Pushed], fault: EngineFault) -> list[Result]:
        """Leave to the outbox what could not be stored now, if that is what it is for."""
        if not fault.can_wait:
            return [_failed(str(fault))] * len(pushed)
        try:
            queued = await self._doors.outbox.put(self._doors.payer, pushed)
        except EngineFault as full:
            return [_failed(str(full))] * len(pushed)
        return [{"status": "queued", "ticket": each.ticket} for each in queued]

    async def _bury(self, batch: _Batch) -> None:
        """Keep what cannot be taken, once; where even that fails, it must be sent again.

        Parts of one document are kept as that document. Where nothing was left of what came, as of
        a segment that was cut off, the result alone says so.
        """
        buried = [
            (each.result, _letter(each.submission, each.result, self._doors))
            for each in batch.taken
            if each.result["status"] in ("rejected", "conflict")
        ]
        for each in batch.taken:
            if each.result.get("code") not in _SHOWN_CODES:
                each.result.pop("code", None)
        kept = {(letter.format, letter.content): letter for _, letter in buried if letter.content}
        letters = self._doors.letters
        if not kept or letters is None:
            return
        try:
            ids = await letters.keep(self._doors.payer, list(kept.values()))
        except EngineFault as fault:
            for result, _ in buried:
                result |= _failed(f"{result['reason']}; it could not be kept: {fault}")
            return
        named = dict(zip(kept, ids, strict=True))
        for result, letter in buried:
            if letter.content:
                result["dead_letter"] = named[letter.format, letter.content]


def _result(submission: Submission) -> Result:
    """Start the result of a submission: complete unless it is to be pushed."""
    result: Result = {
        **submission.position,
        "authorization_id": submission.authorization_id,
        "version": submission.version,
        "status": None,
        "current_version": None,
        "reason": submission.reason,
        "errors": list(submission.errors),
        "start": submission.start,
    }
    if submission.warnings:
        result["warnings"] = list(submission.warnings)
    if submission.reference:
        result["reference"] = submission.reference
    if submission.is_known:
        result |= {"status": "unchanged", "current_version": submission.version}
    elif submission.pushed is None:
        result["status"] = "noted" if submission.code is None else "rejected"
        result["code"] = submission.code
    return result


def _letter(submission: Submission, result: Mapping[str, Any], doors: Doors) -> DeadLetter:
    code: Code = result.get("code") or "invalid"
    content, size = submission.content, submission.content_bytes
    if submission.excerpt is not None:
        content, is_whole = submission.excerpt()
        size = len(content) + (not is_whole)
    return DeadLetter(
        format=submission.format,
        content=content[: doors.letter_bytes_max],
        content_bytes=size,
        code=code,
        reason=result["reason"] or "",
        errors=submission.errors,
        position=submission.position,
        origin=doors.origin,
        authorization_id=submission.authorization_id,
        version=submission.version,
        on_file=result.get("on_file"),
    )


def _of_others(result: PushResult) -> Result:
    """Say under which id it went, and what it has to do with other authorizations."""
    if result.status != "conflict":
        overlaps = {"overlaps": list(result.overlaps)} if result.overlaps else {}
        named = {"authorization_id": result.authorization_id, "version": result.version}
        return {**named, **overlaps}
    return {"code": result.code, **({"on_file": result.on_file} if result.on_file else {})}


def _failed(reason: str) -> Result:
    return {"status": "failed", "reason": reason}
