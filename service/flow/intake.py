"""Takes a stream of authorizations in: bounded memory, one result a line, in the order they came.

Lines are read and checked while earlier ones are on their way to the stores. What is wrong with a
line is a result, and so is an engine that fails: the same line may then be sent again.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.domain.engine_fault import EngineFault
from service.domain.push import Pushed, PushResult
from service.querying.source import pointer

Result = dict[str, Any]
"""What became of one line, ready to be written as JSON."""

ERRORS_MAX = 20
BATCH_BYTES_MAX = 8 * 1024 * 1024
"""A batch of long lines is closed early: memory is bounded in bytes, not in lines."""

LINES_AT_A_TIME = 8

FAILED_BATCHES_MAX = 3
"""After so many batches in a row that failed whole, the rest of the stream is not tried."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands for a line that was longer than allowed, and was skipped."""


class Store(Protocol):
    """Where versions are pushed to, some at a time; their ids differ."""

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Store versions; raises an EngineFault if any could not be stored."""
        ...


async def split_lines(
    chunks: AsyncIterable[bytes], line_bytes_max: int
) -> AsyncIterator[bytes | TooLong]:
    """Split a stream into lines, without their ends; holds at most one line and one chunk."""
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            size += len(part)
            if size > line_bytes_max:
                yield TooLong()
            else:
                yield b"".join((*held, part))
            held, size = [], 0
        size += len(rest)
        # Of a line that is too long nothing is kept but its length.
        held = [*held, rest] if size <= line_bytes_max else []
    if size:
        yield TooLong() if size > line_bytes_max else b"".join(held)


@dataclass(slots=True, eq=False)
class _Batch:
    """Lines that go to the store together, and those in between that are rejected already."""

    results: list[Result] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    pushed: list[Pushed] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    bytes: int = 0

    def add(self, result: Result, pushed: Pushed | None, size: int) -> None:
        if pushed is not None:
            self.places.append(len(self.results))
            self.pushed.append(pushed)
            self.ids.add(pushed.authorization.authorization_id)
            self.bytes += size
        self.results.append(result)


async def take_in(
    lines: AsyncIterable[bytes | TooLong],
    payer: str,
    store: Store,
    *,
    batch: int,
    in_flight: int = 4,
    line_bytes_max: int,
) -> AsyncIterator[Result]:
    """Push every line, ``batch`` of them at a time, and give a result for each that is not empty.

    An id that comes again waits for its earlier version, so that results do not depend on chance.
    """
    intake = _Intake(payer, store)
    running: dict[_Batch, asyncio.Task[None]] = {}
    open_ = _Batch()
    number = 0
    try:
        async for line in lines:
            number += 1
            if number % LINES_AT_A_TIME == 0:
                await asyncio.sleep(0)  # reading costs time: let a match that waits go first
            if isinstance(line, bytes) and not line.strip():
                continue
            result, pushed = read_line(number, line, line_bytes_max)
            if pushed and any(result["authorization_id"] in each.ids for each in (open_, *running)):
                running[open_] = intake.start(open_)
                open_ = _Batch()
                for each in await _finished(running, down_to=0):
                    yield each
            open_.add(result, pushed, len(line) if isinstance(line, bytes) else 0)
            if len(open_.results) >= batch or open_.bytes >= BATCH_BYTES_MAX:
                running[open_] = intake.start(open_)
                open_ = _Batch()
                for each in await _finished(running, down_to=in_flight - 1):
                    yield each
        running[open_] = intake.start(open_)
        for each in await _finished(running, down_to=0):
            yield each
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def _finished(running: dict[_Batch, asyncio.Task[None]], *, down_to: int) -> list[Result]:
    """Give the results of the oldest batches, until only so many are on their way."""
    results: list[Result] = []
    while len(running) > down_to:
        batch = next(iter(running))
        await running[batch]
        del running[batch]
        results += batch.results
    return results


class _Intake:
    """Pushes batches, and knows when there is no use in trying more."""

    def __init__(self, payer: str, store: Store) -> None:
        self._payer = payer
        self._store = store
        self._failed_in_a_row = 0

    def start(self, batch: _Batch) -> asyncio.Task[None]:
        return asyncio.create_task(self._run(batch))

    async def _run(self, batch: _Batch) -> None:
        if not batch.pushed:
            return
        if self._failed_in_a_row >= FAILED_BATCHES_MAX:
            outcomes = [_failed("not tried: the engines failed again and again")] * len(
                batch.pushed
            )
        else:
            outcomes = await self._push(batch.pushed)
            has_failed = all(each["status"] == "failed" for each in outcomes)
            self._failed_in_a_row = self._failed_in_a_row + 1 if has_failed else 0
        for place, outcome in zip(batch.places, outcomes, strict=True):
            batch.results[place] |= outcome

    async def _push(self, pushed: Sequence[Pushed]) -> list[Result]:
        """Push some; where the engine refuses one of them as wrong, the others are still taken."""
        try:
            results = await self._store.push(self._payer, pushed)
        except EngineFault as fault:
            if fault.is_lasting and len(pushed) > 1:
                half = len(pushed) // 2
                return [*await self._push(pushed[:half]), *await self._push(pushed[half:])]
            return [_failed(str(fault))] * len(pushed)
        return [
            {
                "status": each.status,
                "current_version": each.current_version,
                "reason": each.reason,
            }
            for each in results
        ]


def read_line(
    number: int, line: bytes | TooLong, line_bytes_max: int
) -> tuple[Result, Pushed | None]:
    """Read and check one line; with what it pushes, or with why it is rejected."""
    if isinstance(line, TooLong) or len(line) > line_bytes_max:
        return _rejected(number, f"longer than {line_bytes_max} bytes"), None
    try:
        source = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _rejected(number, f"not JSON: {error}"), None
    if not isinstance(source, dict):
        return _rejected(number, "an authorization is a JSON object"), None
    try:
        authorization = Authorization.model_validate(source)
    except ValidationError as error:
        return _rejected(number, *places(error), source=source), None
    result = _result(number, authorization.authorization_id, authorization.version)
    return result, Pushed(authorization=authorization, source=source)


def places(error: ValidationError) -> tuple[str, list[dict[str, str]]]:
    """Say what does not fit and where, first in one line; never what was written there."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [
        {"path": pointer(each["loc"]), "message": each["msg"].removeprefix("Value error, ")}
        for each in found
    ]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    reason = f"{errors[0]['path'] or '/'}: {errors[0]['message']}{more}"
    return reason, errors[:ERRORS_MAX]


def _result(number: int, authorization_id: str | None, version: int | None) -> Result:
    return {
        "line": number,
        "authorization_id": authorization_id,
        "version": version,
        "status": None,
        "current_version": None,
        "reason": None,
        "errors": [],
    }


def _rejected(
    number: int,
    reason: str,
    errors: Sequence[dict[str, str]] = (),
    *,
    source: dict[str, Any] | None = None,
) -> Result:
    """Reject a line; its id and version are named where they can be read."""
    id_, version = (source or {}).get("authorization_id"), (source or {}).get("version")
    result = _result(
        number,
        id_ if isinstance(id_, str) and len(id_) <= 100 else None,
        version if type(version) is int else None,
    )
    return result | {"status": "rejected", "reason": reason, "errors": list(errors)}


def _failed(reason: str) -> Result:
    return {"status": "failed", "reason": reason}
