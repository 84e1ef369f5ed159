"""A TCP proxy on loopback that can misbehave: how an engine looks when the network or it fails."""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

Mode = Literal["pass", "refuse", "hang", "cut", "busy"]
"""``hang`` takes requests and never answers; ``cut`` ends in the middle of each answer; ``busy`` is
an Elasticsearch whose queues are full.
"""

Rewrite = Callable[[dict[str, Any]], dict[str, Any]]

BUSY = b'{"error":{"type":"es_rejected_execution_exception","reason":"queue full"},"status":429}'
BUSY_ANSWER = (
    b"HTTP/1.1 429 Too Many Requests\r\nX-elastic-product: Elasticsearch\r\n"
    b"content-type: application/vnd.elasticsearch+json;compatible-with=9\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BUSY), BUSY)
)
CHUNK = 65_536
CUT_AFTER = 40


class Proxy:
    """Stands before one engine; ``mode`` may be changed at any time, for open connections too."""

    def __init__(self, target: str) -> None:
        """Take the address of the engine; of a cluster all are asked through the first node."""
        self._target = urlsplit(target.partition(",")[0])
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._rewrite: Rewrite | None = None
        self.requests: list[bytes] = []
        self.mode: Mode = "pass"
        self.refusal = BUSY_ANSWER
        """What a busy engine answers."""

    @property
    def url(self) -> str:
        """The address to use in place of the engine's."""
        return self._target._replace(netloc=f"127.0.0.1:{self._port}").geturl()

    def start(self) -> None:
        """Listen, in a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="proxy", daemon=True)
        self._thread.start()
        ready.wait(10)

    def stop(self) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set_mode(self, mode: Mode) -> None:
        """Behave so from now on; whoever was connected before is cut off."""
        self.mode = mode
        asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result(10)

    @contextlib.contextmanager
    def failing(self, mode: Mode) -> Iterator[None]:
        """Behave so for the time of the block."""
        self.set_mode(mode)
        try:
            yield
        finally:
            self.set_mode("pass")

    @contextlib.contextmanager
    def rewriting(self, rewrite: Rewrite) -> Iterator[None]:
        """Change the body of every search's answer for the time of the block.

        ``requests`` then holds the first line of every request.
        """
        self.requests = []
        self._rewrite = rewrite
        try:
            yield
        finally:
            self._rewrite = None

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)

        async def listen() -> None:
            self._server = await self.listening()
            self._port = self._server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drop(self) -> None:
        for writer in list(self._writers):
            if writer.transport is not None:
                writer.transport.abort()

    async def listening(self) -> asyncio.Server:
        """Listen on a port that is free."""
        return await asyncio.start_server(self.serve, "127.0.0.1", 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, as the mode says."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self.mode == "refuse":
                writer.transport.abort()
                return
            with contextlib.suppress(OSError, asyncio.CancelledError):
                if self.mode == "busy":
                    await self._refuse(reader, writer)
                else:
                    await self._connect(reader, writer)
        finally:
            self._writers.discard(writer)
            if task is not None:
                self._tasks.discard(task)
            writer.close()

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer each request with a refusal: that there is no room for it, or another one."""
        while request := await reader.read(CHUNK):
            if is_whole(request):
                writer.write(self.refusal)
                await writer.drain()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        engine_reader, engine_writer = await asyncio.open_connection(host, port)
        self._writers.add(engine_writer)
        try:
            await asyncio.gather(
                self._pump(reader, engine_writer, is_answer=False),
                self._pump(engine_reader, writer, is_answer=True),
            )
        finally:
            self._writers.discard(engine_writer)
            engine_writer.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        held = b""
        while chunk := await source.read(CHUNK):
            if self.mode == "hang":
                continue
            if self.mode == "cut" and is_answer:
                sink.write(chunk[:CUT_AFTER])
                await sink.drain()
                break
            if self._rewrite is not None and is_answer:
                held += chunk
                if not is_whole(held):
                    continue
                chunk, held = rewritten(held, self._rewrite), b""
            elif self._rewrite is not None:
                chunk = plainly(chunk)
                self.requests.append(chunk.partition(b"\r\n")[0])
            sink.write(chunk)
            await sink.drain()
        # Whichever side ends first ends the other.
        sink.close()


def plainly(request: bytes) -> bytes:
    """The request without its wish for a compressed answer."""
    return re.sub(rb"(?i)accept-encoding:[^\r]*\r\n", b"", request)


def is_whole(answer: bytes) -> bool:
    """Whether an answer has come to its end."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *([0-9]+)", head)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def rewritten(answer: bytes, rewrite: Rewrite) -> bytes:
    """The answer of a search with its body rewritten; any other as it is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b'"hits"' not in body:
        return answer
    if b"chunked" in head.lower():
        body = b"".join(chunks_of(body))
    changed = json.dumps(rewrite(json.loads(body))).encode()
    framing = re.compile(rb"(?i)(content-length|transfer-encoding):[^\r]*")
    head = framing.sub(b"content-length: %d" % len(changed), head)
    return head + b"\r\n\r\n" + changed


def chunks_of(body: bytes) -> Iterator[bytes]:
    """The pieces of a body that came in chunks."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
