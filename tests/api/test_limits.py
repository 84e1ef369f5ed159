"""A caller that asks for too much is told so, and the others are served."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from service.settings import StartKey
from tests.api.bodies import claim_body
from tests.ground import Ground
from tests.proxy import Proxy
from tests.serving import client_of, serving

AT_ONCE, RATE, FAILURES = 3, 5, 2


@pytest.fixture(scope="module")
def search(ground: Ground) -> Iterator[Proxy]:
    """What stands before Elasticsearch."""
    proxy = Proxy(ground.settings.elasticsearch_url or "")
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def url(ground: Ground, search: Proxy) -> Iterator[str]:
    """A service with small limits."""
    keys = {
        SecretStr(name): StartKey(payers=("payer-limits",), name=name)
        for name in ("greedy", "modest", "streams", "guess")
    }
    changes = {
        "api_keys": keys,
        "elasticsearch_url": search.url,
        "limit_rate": RATE,
        "limit_at_once": AT_ONCE,
        "limit_failures": FAILURES,
    }
    with serving(ground.settings.model_copy(update=changes)) as url:
        yield url


def test_a_rate_is_kept(url: str, search: Proxy) -> None:
    """What is beyond it is 429 with the bound and when to come again, and asks no engine.

    Another caller is served.
    """
    with client_of(url, "greedy") as greedy, client_of(url, "modest") as modest:
        with search.rewriting(lambda body: body):
            answers = [greedy.post("/match", json=claim_body()) for _ in range(60)]
            searches = [each for each in search.requests if b"authorizations/_search" in each]
        assert len(searches) == sum(each.status_code == 200 for each in answers)
        refused = [each for each in answers if each.status_code == 429]
        assert {each.status_code for each in answers} == {200, 429}
        assert modest.post("/match", json=claim_body()).status_code == 200
        assert modest.get("/health/live").status_code == 200
    for each in refused:
        assert int(each.headers["retry-after"]) >= 1
        assert each.headers["ratelimit-policy"] == f'"rate";q={2 * RATE};w=2'
        assert each.headers["ratelimit"] == f'"rate";r=0;t={each.headers["retry-after"]}'
        assert each.headers["content-type"] == "application/problem+json"
        assert each.json()["type"] == "urn:authmatch:problem:too-many-requests"
        assert f"{RATE} requests" in each.json()["detail"]


def test_no_more_is_at_work_than_may_be(url: str) -> None:
    """Streams that do not end hold their places; one that ends makes room."""
    at = urlsplit(url)
    with ExitStack() as stack, client_of(url, "streams") as client:
        lines = []
        for _ in range(AT_ONCE):
            line = stack.enter_context(
                socket.create_connection((str(at.hostname), at.port or 0), timeout=20)
            )
            line.sendall(
                b"POST /match/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: streams\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n2\r\n{\n\r\n"
            )
            assert b" 200 " in line.recv(65_536)
            lines.append(line)
        refused = client.post("/match", json=claim_body())
        assert refused.status_code == 429
        assert f"{AT_ONCE} requests of a caller at once" in refused.json()["detail"]
        policy = f'"at_once";q={AT_ONCE};qu="concurrent-requests"'
        assert refused.headers["ratelimit-policy"] == policy
        assert refused.headers["ratelimit"] == '"at_once";r=0'
        lines[0].sendall(b"0\r\n\r\n")
        while b"0\r\n\r\n" not in lines[0].recv(65_536):
            pass
        assert client.post("/match", json=claim_body()).status_code == 200


def test_who_guesses_keys_is_slowed_down(url: str) -> None:
    """Wrong credentials of an address are 429 after a while; who has a right one goes on."""
    with client_of(url) as client:
        answers = [
            client.get("/authorizations", headers={"x-api-key": f"wrong-{each}"})
            for each in range(20 * FAILURES)
        ]
        right = client.get("/authorizations", headers={"x-api-key": "guess"})
    assert {each.status_code for each in answers} == {401, 429}
    assert right.status_code == 200
    for each in answers:
        if each.status_code == 429:
            assert each.headers["ratelimit-policy"] == f'"failures";q={10 * FAILURES};w=10'
            assert each.headers["ratelimit"] == f'"failures";r=0;t={each.headers["retry-after"]}'


def test_fhir_addresses_say_it_in_their_way(url: str) -> None:
    """As an OperationOutcome."""
    with client_of(url, "greedy") as greedy:
        answers = [greedy.get("/fhir/ClaimResponse", params={"_id": "a"}) for _ in range(40)]
    refused: list[httpx.Response] = [each for each in answers if each.status_code == 429]
    assert refused
    assert all(each.json()["resourceType"] == "OperationOutcome" for each in refused)
    assert all(each.headers["ratelimit"].startswith('"rate";r=0') for each in refused)
