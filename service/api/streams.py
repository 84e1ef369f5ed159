"""Streams in and out at once: results are written while the input is still being read.

Many clients send their whole body before they read a byte of the answer. If results had to wait for
the client, and the client for us to read on, both would wait for ever. So results go to a spool,
in memory and beyond that in a file without a name, and never hold up the input.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.access.act import streaming, tell_notes
from service.api.body import NDJSON, BoundedStream
from service.api.problem import Refused, in_line, refused_of
from service.domain.engine_fault import EngineFault

log = structlog.get_logger()

MEMORY_BYTES_MAX = 1024 * 1024
SPOOL_BYTES_MAX = 512 * 1024 * 1024
"""Beyond this the input waits until the client has read some of the results."""
CHUNK_BYTES = 64 * 1024


class Spool:
    """Holds results that were made and not yet sent."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES_MAX)  # noqa: SIM115
        self._written = 0
        self._read = 0
        self._is_complete = False
        self._changed = asyncio.Event()

    async def fill(self, results: AsyncIterator[object], tell: Callable[[Refused], object]) -> None:
        """Write every result as a line, as fast as they come, once it is in the audit trail.

        One that cannot be there is not given out: ``tell`` says so in its place.
        """
        try:
            async for each in results:
                try:
                    await tell_notes()
                    line = each
                except EngineFault as fault:
                    line = _beside(each, tell(refused_of(fault)))
                self._append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                while self._written - self._read > SPOOL_BYTES_MAX:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._is_complete = True
            self._changed.set()

    async def drain(self) -> AsyncIterator[bytes]:
        """What was written, until all results are."""
        while True:
            if self._read < self._written:
                yield self._take()
            elif self._is_complete:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    def close(self) -> None:
        """Drop what is left; the file goes with it."""
        self._file.close()

    def _append(self, line: bytes) -> None:
        self._file.seek(self._written)
        self._file.write(line)
        self._written += len(line)
        self._changed.set()

    def _take(self) -> bytes:
        self._file.seek(self._read)
        chunk = self._file.read(CHUNK_BYTES)
        self._read += len(chunk)
        if self._read == self._written:
            # All was sent: a client that reads along never lets the spool grow.
            self._file.seek(0)
            self._file.truncate()
            self._read = self._written = 0
            self._changed.set()
        return chunk


def _beside(result: object, told: object) -> object:
    """Say where in what was sent the result is from that is not given out, and no id of it."""
    if not (isinstance(result, dict) and isinstance(told, dict)):
        return told
    has_place = "start" in result and "problem" in told
    return {"start": result["start"], **told} if has_place else told


async def _with_excess(
    results: AsyncIterator[object], body: BoundedStream, tell: Callable[[Refused], object]
) -> AsyncIterator[object]:
    async for each in results:
        yield each
    if body.excess is not None:
        yield tell(body.excess)


class StreamedResults(Response):
    """An NDJSON answer whose results are made from the request's own stream.

    The framework's streaming response listens for the client's leaving on the channel that carries
    the request's body, and would take parts of it: here the reader of the body is the only one.
    """

    def __init__(
        self,
        results: AsyncIterator[object],
        body: BoundedStream,
        media_type: str = NDJSON,
        tell: Callable[[Refused], object] = in_line,
    ) -> None:
        """Take the results of a body; nothing is read before the answer starts.

        ``tell`` writes the last line where the body went beyond its bound.
        """
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._results, self._tell = _with_excess(results, body, tell), tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send results as they are made; a client that leaves ends the work."""
        spool = Spool()
        filling = asyncio.create_task(spool.fill(self._results, self._tell))
        start: dict[str, Any] = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        try:
            async with streaming():
                await send(start)
                async for chunk in spool.drain():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await filling
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ClientDisconnect:
            log.info("client_left")
        finally:
            filling.cancel()
            with contextlib.suppress(asyncio.CancelledError, ClientDisconnect):
                await filling
            spool.close()
