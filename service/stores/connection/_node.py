"""The way to a node of Elasticsearch: HTTP/1.1 on connections that are kept.

The official client stands before it, with what it promises: addresses in turn, other nodes after a
fault, rights, what an answer means. The way that comes with it takes three times as long.
"""

import asyncio
import ssl
import time
from collections import deque
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httptools
from elastic_transport import (
    ApiResponseMeta,
    BaseAsyncNode,
    ConnectionError,
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    TlsError,
    TransportApiResponse,
    TransportError,
)
from elastic_transport.client_utils import DEFAULT, DefaultType, client_meta_version

IDLE_S = 15.0
"""A connection that nobody used for so long may have been dropped on the way without a word."""
HEAD_BYTES_MAX = 65_536
"""Of the headers of an answer: what sends more is no node."""


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    is_last: bool
    """Whether the node ends the connection after it."""


class _Connection(asyncio.Protocol):
    """One request at a time; whatever nobody asked for ends it."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._parser: Any = None
        self._is_head = False
        self._answered: asyncio.Future[_Answer] | None = None
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._parts: list[bytes] = []
        self._idle_since = 0.0

    def is_usable(self) -> bool:
        """Whether a further request may be sent on it."""
        is_fresh = time.monotonic() - self._idle_since < IDLE_S
        return is_fresh and not self._transport.is_closing()

    def end(self) -> None:
        self._transport.abort()

    async def ask(self, head: bytes, body: bytes, *, is_head: bool) -> _Answer:
        """Send a request; raises OSError, HttpParserError, and then the connection has ended."""
        self._is_head = is_head
        self._parser, self._headers, self._parts = httptools.HttpResponseParser(self), {}, []
        self._head_bytes = 0
        self._answered = asyncio.get_running_loop().create_future()
        try:
            self._transport.writelines((head, body))
            answer = await self._answered
        except BaseException:
            self.end()
            raise
        finally:
            self._answered = None
        if is_head or answer.is_last:
            self.end()
        self._idle_since = time.monotonic()
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answered is None:
            self.end()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("it ended before the answer did"))

    def _fail(self, error: Exception) -> None:
        self.end()
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    # What the parser calls; what is raised here it raises as an HttpParserError.

    def on_message_begin(self) -> None:
        if self._answered is None or self._answered.done():
            raise ValueError("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise ValueError("more headers than a node sends")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            raise ValueError("something else before the answer")
        if self._is_head:  # its length is that of a body that does not come
            self.on_message_complete()

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            parser, body = self._parser, b"".join(self._parts)
            is_last = not parser.should_keep_alive()
            self._answered.set_result(
                _Answer(parser.get_status_code(), self._headers, body, is_last)
            )


class Node(BaseAsyncNode):
    """A node at one address; raises the client's own exceptions."""

    _CLIENT_META_HTTP_CLIENT = ("ht", client_meta_version(httptools.__version__))

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._fixed = {name.lower(): value for name, value in self.headers.items()}
        self._fixed["host"] = urlsplit(self.base_url).netloc
        self._turns = asyncio.Semaphore(config.connections_per_node)
        self._idle: deque[_Connection] = deque()

    async def perform_request(  # type: ignore[override] # that of the asynchronous ones is awaited
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> TransportApiResponse:
        """Send a request, and wait for all of its answer."""
        head = self._head(method, target, headers or {}, len(body or b""))
        seconds = self.config.request_timeout if request_timeout is DEFAULT else request_timeout
        timer = asyncio.timeout(seconds)
        began = time.monotonic()
        try:
            async with timer, self._turns:
                connection = self._kept() or await self._connected()
                answer = await connection.ask(head, body or b"", is_head=method == "HEAD")
        except (OSError, httptools.HttpParserError) as error:
            raise _told(error, is_late=timer.expired()) from error
        self._idle.append(connection)
        meta = ApiResponseMeta(
            node=self.config,
            duration=time.monotonic() - began,
            http_version="1.1",
            status=answer.status,
            headers=HttpHeaders(answer.headers),
        )
        return TransportApiResponse(meta, answer.body)

    def _head(self, method: str, target: str, headers: Any, length: int) -> bytes:
        named = self._fixed | {name.lower(): value for name, value in headers.items()}
        named["content-length"] = str(length)
        lines = [f"{method} {self.path_prefix}{target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in named.items()]
        text = "\r\n".join([*lines, "", ""])
        if not text.count("\r") == text.count("\n") == len(lines) + 1:
            raise ValueError("a line break in the address or a header of a request")
        return text.encode()

    def _kept(self) -> _Connection | None:
        """The connection that was used last, if any may be used still."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.end()
        return None

    async def _connected(self) -> _Connection:
        by_tls = self.config.ssl_context or self.scheme == "https" or None
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, self.host, self.port, ssl=by_tls
        )
        return connection

    async def close(self) -> None:  # type: ignore[override] # that of the asynchronous ones is awaited
        """End the connections that wait."""
        while self._idle:
            self._idle.pop().end()


def _told(error: Exception, *, is_late: bool) -> TransportError:
    """What went wrong on the way, as the client has it: by that it tells whether to try again."""
    if is_late:
        return ConnectionTimeout("no answer in time", errors=(error,))
    kind = TlsError if isinstance(error, ssl.SSLError) else ConnectionError
    return kind(str(error), errors=(error,))
