"""Pushes over HTTP while Elasticsearch is away: kept, told of, and stored when it is back."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.settings import StartKey
from service.stores.connection import breaker
from service.stores.intake import courier as couriers
from tests.api.bodies import authorization_body, claim_body, ndjson
from tests.api.test_x12 import CLAIM, EDI, REVIEW, SCAN, send
from tests.ground import Ground
from tests.proxy import Mode, Proxy
from tests.serving import client_of, serving

FAILURES: list[Mode] = ["refuse", "hang", "cut"]
PATH = "/authorizations/A1"
BYTES_MAX = 60_000
CANARY = "CANARY-4e1"
KEYS = 60
BACK_S = 30


@dataclass
class Behind:
    """A service whose engines stand behind proxies."""

    url: str
    elasticsearch: Proxy
    redis: Proxy
    keys: list[str]


@pytest.fixture(scope="module")
def behind(ground: Ground) -> Iterator[Behind]:
    """A service with a short patience and a small outbox; any key is a payer of its own."""
    settings = ground.settings
    proxies = [Proxy(settings.elasticsearch_url or ""), Proxy(settings.redis_url or "")]
    for each in proxies:
        each.start()
    keys = [f"wait-{each}" for each in range(KEYS)]
    changed = settings.model_copy(
        update={
            "elasticsearch_url": proxies[0].url,
            "redis_url": proxies[1].url,
            "elasticsearch_timeout_s": 1,
            "api_keys": {
                SecretStr(each): StartKey(payers=(each,), name="upstream") for each in keys
            },
            "outbox_bytes_max": BYTES_MAX,
        }
    )
    search, cache = proxies
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(breaker, "OPEN_S", 0.2)
        patched.setattr(couriers, "LOOK_S", 0.1)
        patched.setattr(couriers, "BACKOFF_S_MAX", 0.4)
        try:
            with serving(changed) as url:
                yield Behind(url, search, cache, keys)
        finally:
            for each in proxies:
                each.stop()


@pytest.fixture
def caller(behind: Behind) -> Iterator[httpx.Client]:
    """A client with a payer of its own."""
    with client_of(behind.url, behind.keys.pop()) as client:
        yield client


def status_of(caller: httpx.Client, address: str) -> dict[str, object]:
    """What became of a push, once it does not wait any more."""
    deadline = time.monotonic() + BACK_S
    while True:
        answer = caller.get(address)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        if found["status"] != "waiting":
            return found
        assert time.monotonic() < deadline, "it was not delivered"
        time.sleep(0.05)


def classes(answer: httpx.Response) -> list[str]:
    """The class of each result, or the status of a refusal."""
    if answer.status_code != httpx.codes.OK:
        return [str(answer.status_code)]
    return [each["class"] for each in answer.json()["lines"][0]["results"]]


@pytest.mark.parametrize("mode", FAILURES)
def test_a_push_is_kept_while_elasticsearch_is_away(
    behind: Behind, caller: httpx.Client, mode: Mode
) -> None:
    """202 with an address that tells; all are stored after, and the match that follows sees it."""
    with behind.elasticsearch.failing(mode):
        answers = [caller.put(PATH, json=authorization_body(version=each)) for each in (2, 1, 2, 3)]
        waiting = caller.get(answers[0].headers["location"])
        matched = caller.post("/match", json=claim_body())
    found = [status_of(caller, each.headers["location"])["status"] for each in answers]
    versions = caller.get(f"{PATH}/versions").json()["versions"]

    assert [each.status_code for each in answers] == [202] * 4
    assert answers[0].json() == {
        "authorization_id": "A1",
        "version": 2,
        "status": "queued",
        "status_url": answers[0].headers["location"],
    }
    assert answers[0].headers["location"] == answers[2].headers["location"]
    assert waiting.json()["status"] == "waiting"
    assert classes(matched) == ["503"]
    assert found == ["updated", "created", "updated", "updated"]
    assert [each["state"]["version"] for each in versions] == [3, 2, 1]
    assert classes(caller.post("/match", json=claim_body())) == ["exact"]


def test_the_match_after_an_outage_is_right_at_once(behind: Behind, caller: httpx.Client) -> None:
    """It does not wait for the background: 503 as long as it must, and never "none"."""
    seen = set()
    for number in range(5):
        body = authorization_body(authorization_id=f"A{number}", member={"id": f"M{number}"})
        with behind.elasticsearch.failing("refuse"):
            assert caller.put(f"/authorizations/A{number}", json=body).status_code == 202
        deadline = time.monotonic() + BACK_S
        while classes(found := caller.post("/match", json=claim_body(member=body["member"]))) == [
            "503"
        ]:
            assert int(found.headers["retry-after"]) > 0
            assert time.monotonic() < deadline
            time.sleep(0.02)
        seen |= set(classes(found))

    assert seen == {"exact"}


def test_a_withdrawal_is_kept_as_well(behind: Behind, caller: httpx.Client) -> None:
    """Of what is stored and of what is not."""
    caller.put(PATH, json=authorization_body())
    with behind.elasticsearch.failing("refuse"):
        answers = [
            caller.delete(PATH, params={"version": 2}),
            caller.delete("/authorizations/A2", params={"version": 4}),
        ]
    found = [status_of(caller, each.headers["location"])["status"] for each in answers]

    assert [each.status_code for each in answers] == [202, 202]
    assert found == ["updated", "created"]
    assert caller.get(PATH).json()["state"]["void"] is True
    assert classes(caller.post("/match", json=claim_body())) == ["none"]


def until(is_so: Callable[[], bool]) -> None:
    """Wait until the engines are back, and what waited for them is done."""
    deadline = time.monotonic() + BACK_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def amended(caller: httpx.Client, path: str = PATH) -> dict[str, object]:
    """The entry that changed what was drawn on, as soon as it can be read."""
    found: list[dict[str, object]] = []

    def is_there() -> bool:
        found[:] = caller.get(f"{path}/ledger").json().get("entries", ())
        return len(found) > 1

    until(is_there)
    return found[0]


def granting(version: int, units: str) -> dict[str, object]:
    """A1 with so many units."""
    return authorization_body(version=version, line={"limits": {"units": units, "unit": "UN"}})


def draw(caller: httpx.Client) -> None:
    """Have a claim draw a unit of A1, as soon as the engines are back from the test before."""
    caller.put(PATH, json=granting(1, "4"))
    until(lambda: caller.post("/adjudicate", json=claim_body()).status_code == 200)


Json = dict[str, Any]

DOORS: dict[str, Callable[[httpx.Client, Json], httpx.Response]] = {
    "one": lambda caller, _: caller.put(PATH, json=granting(2, "9")),
    "bulk": lambda caller, _: caller.post(
        "/authorizations/bulk",
        content=ndjson([granting(2, "9")]),
        headers={"content-type": "application/x-ndjson"},
    ),
    "withdrawn": lambda caller, _: caller.delete(PATH, params={"version": 2}),
    "fhir": lambda caller, shown: caller.post(
        "/fhir",
        json=shown | {"meta": {**shown["meta"], "versionId": "2"}},
        headers={"content-type": "application/fhir+json"},
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_who_pushed_is_told_of_what_is_stored_late(
    behind: Behind, caller: httpx.Client, door: str
) -> None:
    """The entry that changes what units are left names the sender, whichever door he came by."""
    draw(caller)
    shown = caller.get("/fhir/ClaimResponse/A1").json()
    with behind.elasticsearch.failing("refuse"):
        sent = DOORS[door](caller, shown)
    found = re.search(r'(?:/intake/|"ticket":")([\w-]+)', sent.text)
    assert found is not None, sent.text
    assert status_of(caller, f"/intake/{found[1]}")["status"] == "updated"
    newest = amended(caller)

    assert (newest["kind"], newest["why"]) == ("amend", "pushed")
    assert (newest["by"], newest["on_behalf_of"]) == ("key:upstream", None)


def test_who_sent_a_review_is_told_of_what_is_stored_late(
    behind: Behind, caller: httpx.Client
) -> None:
    """An interchange has many authorizations, and one sender."""
    path = f"/authorizations/{SCAN}"
    until(lambda: send(caller, REVIEW).status_code == 200)
    until(lambda: caller.get(path).status_code == 200)
    until(lambda: caller.post("/adjudicate", content=CLAIM, headers=EDI).status_code == 200)
    later = REVIEW.replace("20260407*1015*18", "20260408*1015*18").replace("*900*UN*1", "*900*UN*3")
    with behind.elasticsearch.failing("refuse"):
        assert send(caller, later).headers["x-results"] == "queued=1"
    newest = amended(caller, path)

    assert (newest["kind"], newest["by"]) == ("amend", "key:upstream")


def test_who_tried_a_letter_again_is_told_of_what_it_brought(
    behind: Behind, caller: httpx.Client
) -> None:
    """And for whom."""
    draw(caller)
    letter = caller.put(PATH, json=granting(2, "9") | {"kind": 1}).json()["dead_letter"]
    caller.post(f"/dead-letters/{letter}/retry", json=granting(2, "9"), params={"by": "jo"})
    newest = amended(caller)

    assert (newest["kind"], newest["by"], newest["on_behalf_of"]) == ("amend", "key:upstream", "jo")


def test_a_full_outbox_says_when_to_come_again(behind: Behind, caller: httpx.Client) -> None:
    """503 and 30 seconds; what it had taken is stored, the rest is sent again."""
    with behind.elasticsearch.failing("refuse"):
        answers = []
        for number in range(100):
            body = authorization_body(authorization_id=f"A{number}", member={"id": f"M{number}"})
            answers.append(caller.put(f"/authorizations/A{number}", json=body))
            if answers[-1].status_code != 202:
                break
        other = caller.put(f"/authorizations/A{number}", json=body)
    for each in answers[:-1]:
        assert status_of(caller, each.headers["location"])["status"] == "created"
    again = caller.put(f"/authorizations/A{number}", json=body)

    assert 10 < len(answers) < 60
    for each in (answers[-1], other):
        assert (each.status_code, each.headers["retry-after"]) == (503, "30")
        assert each.headers["content-type"] == "application/problem+json"
    assert again.status_code == 201


def test_without_both_engines_nothing_is_acknowledged(behind: Behind, caller: httpx.Client) -> None:
    """503; the same push again is taken."""
    with behind.elasticsearch.failing("refuse"), behind.redis.failing("refuse"):
        answers = [
            caller.put(PATH, json=authorization_body()),
            caller.put(PATH, content=b"{"),
            caller.delete(PATH, params={"version": 2}),
        ]

    assert [each.status_code for each in answers] == [503] * 3
    assert all(int(each.headers["retry-after"]) > 0 for each in answers)
    deadline = time.monotonic() + BACK_S
    while (again := caller.put(PATH, json=authorization_body())).status_code == 503:
        assert time.monotonic() < deadline
    assert again.status_code in (201, 202)


def test_what_is_wrong_is_kept_while_elasticsearch_is_away(
    behind: Behind, caller: httpx.Client
) -> None:
    """Its name is known at once, its letter a moment after."""
    with behind.elasticsearch.failing("refuse"):
        answer = caller.put(PATH, content=b'{"kind": 1}')
    name = answer.json()["dead_letter"]
    deadline = time.monotonic() + BACK_S
    while (shown := caller.get(f"/dead-letters/{name}")).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert answer.status_code == 422
    assert (shown.json()["content"], shown.json()["times"]) == ('{"kind": 1}', 1)


def test_what_waits_is_seen_in_health_and_metrics(behind: Behind, caller: httpx.Client) -> None:
    """Degraded as long as it does."""
    with behind.elasticsearch.failing("refuse"):
        answer = caller.put(PATH, json=authorization_body())
        away = caller.get("/health/ready")
    status_of(caller, answer.headers["location"])
    deadline = time.monotonic() + BACK_S
    while caller.get("/health/ready").json()["outbox"] != "empty":
        assert time.monotonic() < deadline
    metrics = caller.get("/metrics").text

    assert away.status_code == 503
    for name in ("waiting", "bytes", "delivered_total", "faults_total"):
        assert f"authmatch_outbox_{name}" in metrics
    assert 'authmatch_pushes_total{status="queued"}' in metrics


def test_a_ticket_is_that_of_its_payer(behind: Behind, caller: httpx.Client) -> None:
    """For another one, and for one that was never given out, there is none."""
    with behind.elasticsearch.failing("refuse"):
        address = caller.put(PATH, json=authorization_body()).headers["location"]
        with client_of(behind.url, behind.keys.pop()) as other:
            answers = [
                other.get(address),
                other.get(f"/intake/{'x' * 32}"),
                other.get("/intake/x"),
                other.get(f"/intake/{{{'x' * 30}}}"),
            ]

    assert [each.status_code for each in answers] == [404] * 4
    assert len({each.content for each in answers}) == 1


def test_nothing_of_what_waits_is_told_to_logs_or_key_names(
    behind: Behind,
    caller: httpx.Client,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Nor to problems, metrics and tickets."""
    caplog.set_level(logging.WARNING)
    body = authorization_body(
        authorization_id=CANARY, number=CANARY, member={"id": CANARY}, status=CANARY
    )
    path = f"/authorizations/{CANARY}"
    with behind.elasticsearch.failing("refuse"):
        queued = caller.put(path, json=body)
        refused = caller.put(path, json={**body, "kind": CANARY})
        caller.delete(path, params={"version": 5})
        matched = caller.post("/match", json=claim_body(member={"id": CANARY}))
    told = status_of(caller, queued.headers["location"])
    out = capfd.readouterr()

    assert told["status"] == "created"
    for text in (
        queued.headers["location"],
        refused.text,
        matched.text,
        caller.get("/metrics").text,
        out.out,
        out.err,
    ):
        assert CANARY not in text
    assert CANARY not in caplog.text
    assert json.loads(refused.text)["dead_letter"]
