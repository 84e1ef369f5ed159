"""However a node's answers come, each request has its own or a fault; and it is never another's."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from elasticsearch import AsyncElasticsearch

from service.application.parts import Stores
from service.stores.connection.clients import CONNECTIONS_MAX
from service.stores.connection.faults import (
    EngineTooSlow,
    EngineUnavailable,
    translated_errors,
)
from tests.ground import Ground
from tests.proxy import Proxy, is_whole
from tests.stores.outbox_bed import on

PATIENCE_S = 1.0
HEAD_END = b"\r\n\r\n"

Framing = Callable[[bytes], list[bytes]]
"""An answer as the network brings it: in pieces, before the last of which nothing ends."""


class Framer(Proxy):
    """Brings whole answers in another way, and may end the connection after each."""

    frame: Framing | None = None
    ends = False
    connections = 0

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        frame = self.frame
        if frame is None or not is_answer:
            self.connections += not is_answer
            await super()._pump(source, sink, is_answer=is_answer)
            return
        held = b""
        while chunk := await source.read(65_536):
            held += chunk
            if not is_whole(held):
                continue
            for piece in frame(held):
                sink.write(piece)
                await sink.drain()
                await asyncio.sleep(0)
            held = b""
            if self.ends:
                break
        sink.close()


def chunked(answer: bytes) -> list[bytes]:
    """The same body in chunks of seven bytes."""
    head, _, body = answer.partition(HEAD_END)
    lines = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"content-l")]
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    return [
        b"\r\n".join([*lines, b"transfer-encoding: chunked"]) + HEAD_END,
        *(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces),
        b"0\r\n\r\n",
    ]


def named(line: bytes) -> Framing:
    """With one line more in its head."""
    return lambda answer: [answer.replace(b"\r\n", b"\r\n%b\r\n" % line, 1)]


WHOLE: dict[str, tuple[Framing, bool]] = {
    "byte by byte": (lambda answer: [bytes([each]) for each in answer], False),
    "in chunks": (chunked, False),
    "and the connection ends": (lambda answer: [answer], True),
    "and says that it ends": (named(b"connection: close"), True),
    "with a warning of two": (named(b'warning: 299 - "a"\r\nwarning: 299 - "b"'), False),
    "with another answer": (lambda answer: [answer + answer], False),
    "with half of another": (lambda answer: [answer + answer[:40]], False),
    "with what is no HTTP": (lambda answer: [answer + b"-ERR what\r\n"], False),
}

BROKEN: dict[str, Framing] = {
    "nothing": lambda _: [],
    "no HTTP": lambda _: [b"-ERR unknown command\r\n"],
    "another protocol": lambda _: [b"HTTP/1.1 101 No\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
    "half of its head": lambda answer: [answer[:40]],
    "all but a byte": lambda answer: [answer[:-1]],
    "chunks without their end": lambda answer: chunked(answer)[:-1],
    "a length that is none": lambda answer: [
        answer.replace(b"content-length: ", b"content-length: x")
    ],
    "two lengths": named(b"content-length: 2"),
    "a head of megabytes": named(b"x-more: " + b"a" * 2_000_000),
}


@pytest.fixture(scope="module")
def proxy(ground: Ground) -> Iterator[Framer]:
    """What stands before Elasticsearch."""
    made = Framer(ground.settings.elasticsearch_url or "")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def framed(ground: Ground, proxy: Framer) -> Iterator[Ground]:
    """The ground behind it, with a short patience."""
    yield on(ground, elasticsearch_url=proxy.url, elasticsearch_timeout_s=PATIENCE_S)
    proxy.frame, proxy.ends = None, False
    proxy.set_mode("pass")


async def asked(stores: Stores, number: int) -> str:
    """Ask for a document that is not there; the answer says for which."""
    client: AsyncElasticsearch = stores.elasticsearch
    with translated_errors():
        answer = await client.options(ignore_status=404).get(
            index=stores.indices.accounting, id=f"none-{number}"
        )
    assert not answer["found"]
    return str(answer["_id"])


async def each_has_its_own(stores: Stores, numbers: range) -> None:
    """Asked at the same time."""
    answers = await asyncio.gather(*(asked(stores, number) for number in numbers))
    assert answers == [f"none-{number}" for number in numbers]


@pytest.mark.filterwarnings("ignore::elasticsearch.ElasticsearchWarning")
@pytest.mark.parametrize(("frame", "ends"), WHOLE.values(), ids=WHOLE)
def test_a_whole_answer_is_read(framed: Ground, proxy: Framer, frame: Framing, ends: bool) -> None:
    """What comes beyond it is nobody's answer."""
    proxy.frame, proxy.ends = frame, ends

    async def scenario(stores: Stores) -> None:
        for number in range(4):
            assert await asked(stores, number) == f"none-{number}"
        await each_has_its_own(stores, range(10, 14))

    framed.run(scenario)


@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN)
def test_what_is_no_whole_answer_is_a_fault(framed: Ground, proxy: Framer, frame: Framing) -> None:
    """Never an empty one; and the next request is answered."""
    proxy.frame, proxy.ends = frame, True

    async def scenario(stores: Stores) -> None:
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            await asked(stores, 1)
        proxy.frame = None
        assert await asked(stores, 2) == "none-2"

    framed.run(scenario)


def test_another_product_is_a_fault(framed: Ground, proxy: Framer) -> None:
    """As a balancer that answers 200 by itself."""
    proxy.frame = lambda answer: [answer.replace(b"X-elastic-product", b"x-another-product")]

    async def scenario(stores: Stores) -> None:
        with pytest.raises(EngineUnavailable, match="no Elasticsearch"), translated_errors():
            await stores.elasticsearch.count(index=stores.indices.accounting)

    framed.run(scenario)


async def given_up(stores: Stores, proxy: Framer) -> None:
    """Requests whose callers went away."""
    tasks = [asyncio.create_task(asked(stores, number)) for number in range(100, 120)]
    await asyncio.sleep(0.003)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def too_late(stores: Stores, proxy: Framer) -> None:
    """Requests that nobody answered in time."""
    proxy.set_mode("hang")
    with pytest.raises(EngineTooSlow):
        await asked(stores, 1)
    proxy.mode = "pass"


async def ended(stores: Stores, proxy: Framer) -> None:
    """Connections that the node ended while nobody asked."""
    await each_has_its_own(stores, range(5))
    proxy.set_mode("pass")


@pytest.mark.parametrize("happens", [given_up, too_late, ended])
def test_a_request_that_came_to_nothing_leaves_no_answer_behind(
    framed: Ground, proxy: Framer, happens: Callable[[Stores, Framer], Awaitable[None]]
) -> None:
    """Those after it have their own."""

    async def scenario(stores: Stores) -> None:
        for _ in range(3):
            await happens(stores, proxy)
            await each_has_its_own(stores, range(20))

    framed.run(scenario)


def test_connections_are_kept_and_bounded(framed: Ground, proxy: Framer) -> None:
    """More requests than connections take turns; one after the other takes one."""
    proxy.connections = 0

    async def scenario(stores: Stores) -> None:
        for number in range(5):
            await asked(stores, number)
        assert proxy.connections == 1
        await each_has_its_own(stores, range(3 * CONNECTIONS_MAX))
        assert proxy.connections <= CONNECTIONS_MAX

    framed.run(scenario)


def test_a_connection_that_nobody_used_for_long_is_not_used(
    framed: Ground, proxy: Framer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be dead without a word of it."""
    proxy.connections = 0

    async def scenario(stores: Stores) -> None:
        await asked(stores, 1)
        monkeypatch.setattr("service.stores.connection._node.IDLE_S", 0)
        await asked(stores, 2)
        assert proxy.connections == 2

    framed.run(scenario)


def test_a_head_has_no_second_line(ground: Ground) -> None:
    """What would end a line of a header is refused before anything is sent."""

    async def scenario(stores: Stores) -> None:
        for text in ("a\r\nx-more: b", "a\nb", "a\rb"):
            with pytest.raises(ValueError, match="line break"):
                await stores.elasticsearch.options(opaque_id=text).info()
        assert not await stores.elasticsearch.exists(index=stores.indices.accounting, id="none")

    ground.run(scenario)
