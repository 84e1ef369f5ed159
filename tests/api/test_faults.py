"""Engines that fail: an outage is a 503 to be tried again, never "no match"."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from service.ingest.fhir import to_claim_response
from tests.api.bodies import authorization_body, claim_body, ndjson
from tests.builders import build_authorization
from tests.ground import Ground
from tests.proxy import Mode, Proxy
from tests.serving import client_of, keys_of, serving

FAILURES: list[Mode] = ["refuse", "hang", "cut"]
BACK_S = 30
PATH = "/authorizations/A1"


@dataclass
class Behind:
    """A service whose engines stand behind proxies."""

    url: str
    elasticsearch: Proxy
    redis: Proxy


@pytest.fixture(scope="module")
def behind(ground: Ground) -> Iterator[Behind]:
    """A service of its own, with a short patience; any key is a payer of its own."""
    settings = ground.settings
    proxies = [Proxy(settings.elasticsearch_url or ""), Proxy(settings.redis_url or "")]
    for each in proxies:
        each.start()
    changed = settings.model_copy(
        update={
            "elasticsearch_url": proxies[0].url,
            "redis_url": proxies[1].url,
            "elasticsearch_timeout_s": 1.5,
            "api_keys": keys_of({f"fault-{each}": f"fault-{each}" for each in range(60)}),
            "bulk_batch": 2,
        }
    )
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("service.stores.connection.clients.REDIS_TIMEOUT_S", 1.0)
            with serving(changed) as url:
                yield Behind(url, *proxies)
    finally:
        for each in proxies:
            each.stop()


@pytest.fixture
def caller(behind: Behind, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client with a payer of its own."""
    keys = request.config.stash.setdefault(KEYS, [f"fault-{each}" for each in range(60)])
    with client_of(behind.url, keys.pop()) as client:
        yield client


KEYS = pytest.StashKey[list[str]]()


def verdict(answer: httpx.Response) -> str:
    """The class of the first result, or the status of a refusal."""
    if answer.status_code != httpx.codes.OK:
        return str(answer.status_code)
    return str(answer.json()["lines"][0]["results"][0]["class"])


def prepare(caller: httpx.Client) -> None:
    """Return when an authorization is there and found: earlier faults are forgotten by then."""
    deadline = time.monotonic() + BACK_S
    while (
        caller.put(PATH, json=authorization_body()).status_code not in (200, 201)
        or verdict(caller.post("/match", json=claim_body())) != "exact"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def assert_try_again(answer: httpx.Response) -> None:
    """503 with Retry-After and the form of every problem."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert "M0001" not in answer.text


@pytest.mark.parametrize("mode", FAILURES)
def test_without_elasticsearch_nothing_is_decided(
    behind: Behind, caller: httpx.Client, mode: Mode
) -> None:
    """Match and reading are 503; live stays 200, ready is 503; then all goes on by itself."""
    caller.put(PATH, json=authorization_body())
    with behind.elasticsearch.failing(mode):
        calls = [
            lambda: caller.post("/match", json=claim_body()),
            lambda: caller.get(PATH),
            lambda: caller.get("/authorizations"),
            lambda: caller.get("/dead-letters"),
            lambda: caller.get("/health/ready"),
        ]
        with ThreadPoolExecutor(len(calls)) as pool:
            answers = list(pool.map(lambda call: call(), calls))
        live = caller.get("/health/live")

    for each in answers:
        assert_try_again(each)
    assert live.status_code == 200
    assert caller.get("/health/ready").status_code == 200
    assert verdict(caller.post("/match", json=claim_body())) == "exact"
    assert caller.put(PATH, json=authorization_body(version=4)).json()["status"] == "updated"


@pytest.mark.parametrize("mode", FAILURES)
def test_without_redis_nothing_is_given_out(
    behind: Behind, caller: httpx.Client, mode: Mode
) -> None:
    """What cannot be a row of the audit trail is not answered; a push is completed by the next."""
    with behind.redis.failing(mode):
        pushed = caller.put(PATH, json=authorization_body())
        matched = caller.post("/match", json=claim_body())
        ready = caller.get("/health/ready")
    again = caller.put(PATH, json=authorization_body())

    assert_try_again(pushed)
    assert_try_again(matched)
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert (again.status_code, again.json()["status"]) in ((201, "created"), (200, "unchanged"))
    assert verdict(caller.post("/match", json=claim_body())) == "exact"
    assert len(caller.get(f"{PATH}/versions").json()["versions"]) == 1


def numbered(first: int, count: int) -> list[dict[str, Any]]:
    """Authorizations with a number each, as one number is one grant; A1 is the usual one."""
    return [
        authorization_body(authorization_id=f"A{each}", number=f"AU-{each}")
        for each in range(first, first + count)
    ]


def test_streams_tell_the_fault_in_every_line(behind: Behind, caller: httpx.Client) -> None:
    """A bulk waits in the outbox and a batch is 503, line by line; then both are answered."""
    authorizations = numbered(0, 5)
    with behind.elasticsearch.failing("refuse"):
        bulk = caller.post("/authorizations/bulk", content=ndjson(authorizations))
        batch = caller.post("/match/batch", content=ndjson([claim_body(), claim_body()]))
    prepare(caller)
    again = caller.post("/authorizations/bulk", content=ndjson(authorizations))

    queued = lines(bulk)
    assert [each["status"] for each in queued] == ["queued"] * 5
    assert len({each["ticket"] for each in queued}) == 5
    assert [each["problem"]["status"] for each in lines(batch)] == [503, 503]
    assert {each["status"] for each in lines(again)} == {"unchanged"}


def test_a_bulk_that_can_neither_be_stored_nor_wait_has_failed(
    behind: Behind, caller: httpx.Client
) -> None:
    """Without both engines nothing is acknowledged, and what is wrong is not kept, either."""
    authorizations = numbered(11, 3)
    content = ndjson(authorizations) + b"{\n"
    with behind.elasticsearch.failing("refuse"), behind.redis.failing("refuse"):
        bulk = caller.post("/authorizations/bulk", content=content)
    prepare(caller)
    again = caller.post("/authorizations/bulk", content=content)

    assert [each["status"] for each in lines(bulk)] == ["failed"] * 4
    assert [each["status"] for each in lines(again)] == ["created"] * 3 + ["rejected"]
    assert lines(again)[-1]["dead_letter"]


def test_fhir_says_a_fault_as_an_operation_outcome(behind: Behind, caller: httpx.Client) -> None:
    """Nothing is given without its balances; what cannot be stored now waits in the outbox."""
    authorization = build_authorization(authorization_id="B1", number="AU-B1")
    document = json.dumps(to_claim_response(authorization)).encode()
    search = "/fhir/ClaimResponse?patient=M0001"

    def push(kind: str) -> httpx.Response:
        headers = {"content-type": f"application/fhir+{kind}"}
        return caller.post("/fhir", content=document, headers=headers)

    with ThreadPoolExecutor(3) as pool:
        with behind.elasticsearch.failing("refuse"):
            queued, line = pool.map(push, ("json", "ndjson"))
            unsearched = caller.get(search)
        with behind.elasticsearch.failing("refuse"), behind.redis.failing("refuse"):
            failed = push("json")
        prepare(caller)
        stored = push("json")
        with behind.redis.failing("refuse"):
            without_units = list(pool.map(caller.get, (search, "/fhir/ClaimResponse/B1")))

    for each in (failed, unsearched, *without_units):
        assert (each.status_code, each.json()["issue"][0]["code"]) == (503, "transient")
        assert int(each.headers["retry-after"]) > 0
    assert failed.json()["issue"][0]["details"]["coding"][0]["code"] == "failed"
    for each in (queued, line):
        coding = each.json()["issue"][0]["details"]["coding"][0]
        assert coding == {"system": "urn:authmatch:push", "code": "queued"}
    assert (queued.status_code, line.status_code) == (202, 200)
    assert stored.status_code == 200
    prepare(caller)
    found = [each["resource"]["id"] for each in caller.get(search).json()["entry"]]
    assert sorted(found) == ["A1", "B1"]


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of a stream."""
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_search_that_runs_out_of_its_time_is_no_answer(
    behind: Behind, caller: httpx.Client
) -> None:
    """Elasticsearch gives what it has so far; we give none of it."""
    prepare(caller)

    def timed_out(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "timed_out": True, "hits": {"total": {"value": 0}, "hits": []}}

    with behind.elasticsearch.rewriting(timed_out):
        answer = caller.post("/match", json=claim_body())

    assert_try_again(answer)
    assert "out of its time" in answer.json()["detail"]


def test_hits_of_a_part_of_the_shards_are_no_answer(behind: Behind, caller: httpx.Client) -> None:
    """Nor when a shard failed: partial results are refused on both sides."""
    prepare(caller)

    def partial(body: dict[str, Any]) -> dict[str, Any]:
        shards = {"total": 1, "successful": 0, "failed": 1}
        return {**body, "_shards": shards, "hits": {"total": {"value": 0}, "hits": []}}

    with behind.elasticsearch.rewriting(partial):
        answer = caller.post("/match", json=claim_body())

    assert_try_again(answer)
    assert "a shard did not answer" in answer.json()["detail"]
    searches = [each for each in behind.elasticsearch.requests if b"/_search" in each]
    assert searches
    assert all(b"allow_partial_search_results=false" in each for each in searches)


@pytest.mark.parametrize("mode", FAILURES)
def test_under_load_every_answer_is_right_or_503(
    behind: Behind, caller: httpx.Client, mode: Mode
) -> None:
    """Elasticsearch fails and returns while sixteen callers match: none is told a wrong answer."""
    prepare(caller)

    def one(number: int) -> str:
        if number == 40:
            behind.elasticsearch.set_mode(mode)
        if number == 80:
            behind.elasticsearch.set_mode("pass")
        return verdict(caller.post("/match", json=claim_body()))

    try:
        with ThreadPoolExecutor(16) as pool:
            verdicts = list(pool.map(one, range(200)))
    finally:
        behind.elasticsearch.set_mode("pass")

    assert set(verdicts) <= {"exact", "503"}
    assert verdicts[0] == verdict(caller.post("/match", json=claim_body())) == "exact"
