"""NDJSON in and out: a result a line, in order, while the input is still on its way."""

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body, ndjson
from tests.api.conftest import LINE_BYTES_MAX, Service

BULK, BATCH = "/authorizations/bulk", "/match/batch"
TOO_LONG = json.dumps({"claim_id": "x" * LINE_BYTES_MAX}).encode() + b"\n"


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of an answer."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def authorization(number: int) -> dict[str, Any]:
    """An authorization of a member of its own."""
    return authorization_body(authorization_id=f"A{number}", member={"id": f"M{number}"})


def claim(number: int) -> dict[str, Any]:
    """The claim of that member."""
    return claim_body(claim_id=f"C{number}", member={"id": f"M{number}"})


def test_every_line_of_a_bulk_gets_its_result(caller: httpx.Client) -> None:
    """In order; what is wrong with a line in the middle does not stop the rest."""
    good = [ndjson([authorization(number)]) for number in range(8)]
    lines = [
        good[0], b"\n", good[1], b"{\n", good[2], b'{"authorization_id": "B1", "version": 3}\n',
        good[3], b"\xff\xfe\n", TOO_LONG, good[4], b"[]\n", good[4], good[5], b'{"a": NaN}\n',
        good[6], good[7].rstrip(b"\n"),
    ]  # fmt: skip
    told = results(caller.post(BULK, content=b"".join(lines)))

    assert [each["line"] for each in told] == [1, *range(3, 17)]
    assert [each["status"] for each in told] == [
        "created", "created", "rejected", "created", "rejected", "created", "rejected", "rejected",
        "created", "rejected", "unchanged", "created", "rejected", "created", "created",
    ]  # fmt: skip
    assert told[4]["authorization_id"] == "B1"
    assert {each["path"] for each in told[4]["errors"]} == {"/kind", "/setting", "/member"}
    assert caller.get("/authorizations").json()["total"] == 8


def test_versions_of_one_authorization_in_one_bulk(caller: httpx.Client) -> None:
    """They are taken one after the other, so that results do not depend on chance."""
    versions = [authorization_body(version=number) for number in (1, 3, 2, 3, 4)]
    versions.append(authorization_body(version=4, number="X"))
    told = results(caller.post(BULK, content=ndjson(versions)))

    assert [each["status"] for each in told] == [
        "created", "updated", "superseded", "unchanged", "updated", "conflict",
    ]  # fmt: skip


def test_every_line_of_a_batch_gets_its_answer(caller: httpx.Client) -> None:
    """In order; a claim that does not fit is told so in its place."""
    caller.post(BULK, content=ndjson(authorization(number) for number in range(30)))
    bodies = [ndjson([claim(number)]) for number in range(30)]
    bodies[7:7] = [b"{\n", b'{"claim_id": "C", "payer": "x"}\n', TOO_LONG, b"\n", b"\xff\n"]
    told = results(caller.post(BATCH, content=b"".join(bodies)))
    answers = [each for each in told if "problem" not in each]
    problems = [each for each in told if "problem" in each]

    assert [each["claim_id"] for each in answers] == [f"C{number}" for number in range(30)]
    assert [each["lines"][0]["results"][0]["chosen"] for each in answers] == [
        [f"A{number}"] for number in range(30)
    ]
    assert [each["input_line"] for each in problems] == [8, 9, 10, 12]
    assert [each["problem"]["status"] for each in problems] == [400, 422, 413, 400]
    assert told.index(problems[0]) == 7


@pytest.mark.parametrize(("path", "make"), [(BULK, authorization), (BATCH, claim)])
def test_results_begin_before_the_input_has_ended(
    service: Service, path: str, make: Callable[[int], dict[str, Any]]
) -> None:
    """A sender that waits for results before it sends more is answered."""
    at = urlsplit(service.url)
    key = service.keys.pop()
    with socket.create_connection((at.hostname, at.port), timeout=20) as line:
        line.sendall(
            f"POST {path} HTTP/1.1\r\nHost: test\r\nX-API-Key: {key}\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
        )
        body = ndjson(make(number) for number in range(20))
        line.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        received = b""
        while b"\n{" not in received and b"C3" not in received and b"A1" not in received:
            chunk = line.recv(65_536)
            assert chunk, "it ended before a result came"
            received += chunk
        last = ndjson([make(99)])
        line.sendall(f"{len(last):x}\r\n".encode() + last + b"\r\n0\r\n\r\n")
        while chunk := line.recv(65_536):
            received += chunk

    assert b" 200 OK" in received
    assert received.count(b'"C99"') + received.count(b'"A99"') == 1


def test_a_sender_that_reads_only_at_the_end_is_served(caller: httpx.Client) -> None:
    """Megabytes of claims, of which no answer is read before the last was sent."""
    caller.post(BULK, content=ndjson([authorization(1)]))
    told = results(caller.post(BATCH, content=ndjson(claim(1) for _ in range(1_500))))

    assert len(told) == 1_500
    assert all(each["lines"][0]["results"][0]["chosen"] == ["A1"] for each in told)


def test_a_sender_that_leaves_half_way_harms_nobody(service: Service) -> None:
    """What it sent is stored or not; the service goes on."""
    at = urlsplit(service.url)
    with service.caller() as caller:
        key = caller.headers["x-api-key"]
        with socket.create_connection((at.hostname, at.port), timeout=20) as line:
            line.sendall(
                f"POST {BULK} HTTP/1.1\r\nHost: test\r\nX-API-Key: {key}\r\n"
                "Content-Length: 1000000\r\n\r\n".encode()
            )
            line.sendall(ndjson(authorization(number) for number in range(8)))
        answer = caller.post(BULK, content=ndjson(authorization(number) for number in range(8)))

        assert {each["status"] for each in results(answer)} <= {"created", "unchanged"}
        assert caller.get("/authorizations").json()["total"] == 8


def test_an_empty_stream_has_no_results(caller: httpx.Client) -> None:
    """Nothing in, nothing out."""
    assert results(caller.post(BULK, content=b"")) == []
    assert results(caller.post(BATCH, content=b"\n\n")) == []
