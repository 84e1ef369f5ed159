"""One connection of a client: what it may take of memory, of time, and of all connections.

The server's own protocol has no bound on headers and no patience that ends but between requests.
"""

import asyncio
from functools import cache, partial
from typing import Any

import orjson
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.problem import MEDIA_TYPE, Refused, problem_content
from service.settings import Settings

HEADERS_MAX = 100
BODY_BYTES_MIN = 1024
"""So much of a body must come in half the patience: one byte at a time is not a body on its way."""
LAST_S = 0.5
"""While the service ends, an idle connection is kept so long for a request that is on its way."""

ENDED = Counter(
    "authmatch_connections_ended_total",
    "Connections that were ended, by why: headers, slow, unread, evicted, full.",
    ["why"],
)


@cache
def _limits() -> Settings:
    """The settings of the process, read once."""
    return Settings()


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with bounds; what goes beyond them is answered where that can be, and ended.

    A look at each connection is taken twice in the time of patience.
    """

    def __init__(self, *words: Any, limits: Settings | None = None, **named: Any) -> None:
        """Take what the server gives; ``limits`` are those of the environment."""
        super().__init__(*words, **named)
        self._limits = limits or _limits()
        self._look: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._in_headers, self._header_bytes = True, 0
        self._in_body, self._body_bytes = False, 0
        self._was_waiting = False
        self._is_ending = False
        self.idle_since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; where there are too many the one that is idle longest ends."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections_max:
            self._make_room()
        if not transport.is_closing():
            self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        for timer in (self._look, self._unread):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take the next bytes, within the bound of headers."""
        if self._in_headers:
            self._header_bytes += len(data)
        else:
            self._body_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > self._limits.header_bytes_max:
            self._end("headers", _too_many(self._limits.header_bytes_max))

    def on_message_begin(self) -> None:
        """Say that something of the next request is there."""
        super().on_message_begin()
        self._header_bytes += 1

    def on_headers_complete(self) -> None:
        """Begin a request; one with too many headers, or too long ones, is refused."""
        self._in_headers, self._in_body = False, True
        app = self.app
        if len(self.headers) > HEADERS_MAX or self._is_too_long():
            ENDED.labels("headers").inc()
            self.app = partial(_refuse, _too_many(self._limits.header_bytes_max))
        super().on_headers_complete()
        self.app = app
        if self._is_ending:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_message_complete()
        self._in_headers, self._header_bytes = True, 0
        self._in_body, self._body_bytes = False, 0

    def on_response_complete(self) -> None:
        """Be idle from now on."""
        super().on_response_complete()
        self.idle_since = self.loop.time()
        if self._is_ending and not self.transport.is_closing():
            self.shutdown()

    def pause_writing(self) -> None:
        """Give a client that does not read so much time, and no more."""
        super().pause_writing()
        self._unread = self.loop.call_later(self._limits.client_patience_s, self._abort, "unread")

    def resume_writing(self) -> None:
        """Go on: it read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def shutdown(self) -> None:
        """End with the next answer, which says so: no request that is on its way is cut off."""
        self._is_ending = True
        if not self.is_at_work:
            self.loop.call_later(LAST_S, self._end_idle)
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False

    @property
    def is_at_work(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _is_our_turn(self) -> bool:
        """Whether there is something of the body that we have not read yet."""
        return self.flow.read_paused or (self.is_at_work and self.cycle.message_event.is_set())

    def _is_too_long(self) -> bool:
        """Whether the headers are; they are added up only where all that came with them is."""
        most = self._limits.header_bytes_max
        if self._header_bytes <= most:
            return False
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > most

    def _end_idle(self) -> None:
        """End, unless a request has come, or is coming."""
        if self._header_bytes:
            self.shutdown()
        elif not self.is_at_work:
            self.transport.close()

    def _make_room(self) -> None:
        """End the connection that waits longest for a request; else this one."""
        others = (each for each in self.connections if isinstance(each, BoundedProtocol))
        idle = [each for each in others if each is not self and not each.is_at_work]
        if not idle:
            self._end("full", Refused(503, "Too many connections", "try again later"))
            return
        # One that has never asked for anything goes before one that a balancer keeps.
        oldest = min(idle, key=lambda each: (each.cycle is not None, each.idle_since))
        self.connections.discard(oldest)
        oldest._abort("evicted")

    def _look_later(self) -> None:
        self._look = self.loop.call_later(self._limits.client_patience_s / 2, self._look_now)

    def _look_now(self) -> None:
        """End what has not moved since the last look, where it is the client's turn."""
        is_waiting, self._was_waiting = self._was_waiting, False
        if self.transport.is_closing():
            self._abort("unread")  # what was written last is not read
            return
        if self._in_headers and not self.is_at_work:
            has_begun = self.cycle is None or self._header_bytes > 0
            self._was_waiting = has_begun
            if has_begun and is_waiting:
                self._end("slow", _TOO_SLOW if self._header_bytes else None)
        elif self._in_body and not self._is_our_turn:
            is_slow = self._body_bytes < BODY_BYTES_MIN or not self.is_at_work
            self._was_waiting = is_slow
            if is_slow and is_waiting:
                self._end("slow", None if self._has_answered() else _TOO_SLOW)
        self._body_bytes = 0
        self._look_later()

    def _has_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_started

    def _end(self, why: str, refused: Refused | None) -> None:
        """Answer, if there is anything to say, and close; who waits for the body is told."""
        ENDED.labels(why).inc()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if refused is not None and not self.transport.is_closing():
            self.transport.write(_written(refused))
        self.transport.close()

    def _abort(self, why: str) -> None:
        ENDED.labels(why).inc()
        self.transport.abort()


_TOO_SLOW = Refused(408, "Request timeout", "the request did not come in time: send it again")


def _too_many(bytes_max: int) -> Refused:
    detail = f"at most {HEADERS_MAX} headers of {bytes_max} bytes in all"
    return Refused(431, "Headers too large", detail)


def _written(refused: Refused) -> bytes:
    """A whole response, for a connection that ends with it."""
    content = orjson.dumps(problem_content(refused))
    head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(content)}\r\nconnection: close\r\n"
    return STATUS_LINE[refused.status] + head.encode() + b"\r\n" + content


async def _refuse(refused: Refused, _: Any, __: Any, send: Any) -> None:
    """An application that says no, and ends the connection."""
    content = orjson.dumps(problem_content(refused))
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
