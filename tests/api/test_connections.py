"""Slow, huge, silent and many connections end, and nobody else notices."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.api.bodies import claim_body, ndjson
from tests.ground import Ground
from tests.serving import client_of, keys_of, serving

HEADER_BYTES_MAX = 8192
CONNECTIONS_MAX = 30
PATIENCE_S = 0.5
WAIT_S = 20.0
KEY = b"X-API-Key: key\r\n"
POST = b"POST /match HTTP/1.1\r\nHost: x\r\n"
BATCH = b"POST /match/batch HTTP/1.1\r\nHost: x\r\n" + KEY + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def url(ground: Ground) -> Iterator[str]:
    """A service with little patience and few connections."""
    changes = {
        "api_keys": keys_of({"key": "payer-slow"}),
        "header_bytes_max": HEADER_BYTES_MAX,
        "connections_max": CONNECTIONS_MAX,
        "client_patience_s": PATIENCE_S,
        "body_bytes_max": 1_000_000,
    }
    with serving(ground.settings.model_copy(update=changes)) as url:
        yield url


def opened(url: str) -> socket.socket:
    """A connection to the service."""
    at = urlsplit(url)
    return socket.create_connection((str(at.hostname), at.port or 0), timeout=WAIT_S)


def until_end(line: socket.socket) -> bytes:
    """All that is answered until the service ends the connection; fails where it does not."""
    received = b""
    try:
        while chunk := line.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def ended(url: str, why: str) -> int:
    """How many connections were ended for a reason."""
    with client_of(url) as client:
        found = re.search(
            rf'authmatch_connections_ended_total{{why="{why}"}} ([\d.]+)',
            client.get("/metrics").text,
        )
    return int(float(found[1])) if found else 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (b"POST /match HT", 408),
        (POST + b"X-A: b\r\nX-", 408),
        (POST + b"X-Long: " + b"a" * 100_000, 431),
        (POST + b"X-Long: " + b"a" * 10_000_000, 431),
        (POST + b"X-Long: " + b"a" * HEADER_BYTES_MAX + b"\r\n\r\n", 431),
        (POST + b"".join(b"X-%d: a\r\n" % each for each in range(101)) + b"\r\n", 431),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (POST + KEY + b"Content-Length: 500\r\n\r\n{", 408),
        (POST + KEY + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\r\n", 408),
        (POST + b"Content-Length: 500\r\n\r\n{", 401),
        (BATCH + b"2\r\n{\n\r\n", 200),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /hea", 200),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
    ],
    ids=lambda each: repr(each[:40]) if isinstance(each, bytes) else str(each),
)
def test_what_does_not_go_on_ends(url: str, sent: bytes, status: int | None) -> None:
    """Nothing, half of it, or more than may be: answered where that can be, then ended."""
    with opened(url) as line:
        try:
            line.sendall(sent)
        except (BrokenPipeError, ConnectionResetError):
            assert status == 431  # it was ended while it was still sent
            return
        received = until_end(line)
    answered = re.findall(rb"HTTP/1\.1 (\d+)", received)
    assert answered[:1] == ([] if status is None else [str(status).encode()])
    if status in (408, 431):
        problem = json.loads(received.partition(b"\r\n\r\n")[2])
        assert problem["status"] == status
        assert status == 408 or f"{HEADER_BYTES_MAX} bytes" in problem["detail"]


def test_a_body_that_comes_a_byte_at_a_time_ends(url: str) -> None:
    """Each byte in time is not enough."""
    with opened(url) as line:
        line.sendall(POST + KEY + b"Content-Length: 100000\r\n\r\n")
        deadline = time.monotonic() + WAIT_S
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < deadline:
                line.sendall(b" ")
                time.sleep(0.02)


def test_an_answer_that_nobody_reads_ends(url: str) -> None:
    """More than the buffers between both hold."""
    before = ended(url, "unread")
    with opened(url) as line:
        lines = b"1\n" * 60_000
        line.sendall(BATCH + b"%x\r\n" % len(lines) + lines + b"\r\n0\r\n\r\n")
        deadline = time.monotonic() + WAIT_S
        while ended(url, "unread") == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_many_silent_connections_keep_nobody_out(url: str) -> None:
    """The one that was silent longest makes room; one that is kept alive stays before it."""
    with ExitStack() as stack:
        client = stack.enter_context(client_of(url, "key"))
        assert client.post("/match", json=claim_body()).status_code == 200
        before = ended(url, "evicted")
        lines = [stack.enter_context(opened(url)) for _ in range(3 * CONNECTIONS_MAX)]
        for each in lines:
            with_nobody = client.post("/match", json=claim_body())
            assert with_nobody.status_code == 200
            each.close()
        assert ended(url, "evicted") > before


@pytest.mark.parametrize("path", ["/match/batch", "/adjudicate/batch", "/authorizations/bulk"])
def test_streams_have_a_bound_in_lines(ground: Ground, path: str) -> None:
    """What came before it is answered; the last line says the bound."""
    changes = {"api_keys": keys_of({"key": "payer-lines"}), "stream_lines_max": 20}
    settings = ground.settings.model_copy(update=changes)
    with serving(settings) as url, client_of(url, "key") as client:
        for content, answered in ((b"1\n" * 20, 20), (b"1\n" * 21, 20), (b"\n" * 40_000, 0)):
            lines = client.post(path, content=content).text.splitlines()
            assert len(lines) == answered + (len(content) > 40)
            if len(content) > 40:
                problem = json.loads(lines[-1])["problem"]
                assert (problem["status"], problem["title"]) == (413, "Stream too long")
                assert "20 lines" in problem["detail"]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/match/batch", "application/x-ndjson"),
        ("/match", "application/edi-x12"),
        ("/adjudicate", "application/edi-x12"),
        ("/adjudicate/batch", "application/x-ndjson"),
        ("/authorizations/bulk", "application/x-ndjson"),
        ("/x12", "application/edi-x12"),
        ("/fhir", "application/fhir+ndjson"),
    ],
)
def test_streams_have_a_bound_in_bytes(ground: Ground, path: str, media_type: str) -> None:
    """One that says how long it is is refused at once; another one is read up to the bound."""
    changes = {"api_keys": keys_of({"key": "payer-bytes"}), "stream_bytes_max": 20_000}
    settings = ground.settings.model_copy(update=changes)
    content = ndjson([claim_body()]) * 200
    with serving(settings) as url, client_of(url, "key") as client:
        headers = {"content-type": media_type}
        known = client.post(path, content=content, headers=headers)
        chunked = client.post(
            path, content=iter([content[:10_000], content[10_000:]]), headers=headers
        )
    assert known.status_code == 413
    assert "20000 bytes" in known.text
    assert "20000 bytes" in chunked.text.splitlines()[-1]
