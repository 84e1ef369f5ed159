"""Nothing that a caller sends stands in a log, a metric, a problem or a name of either engine.

Generated from the routes and their recorded examples: each is asked with telling words in its
address, its parameters and its body, as it wants them and otherwise, with both engines there, with
either of them away, and with one that quotes them. As an operator starts it, with the most that is
logged.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.api.app import create_app
from service.application.parts import Stores
from service.settings import Settings, shipped
from tests.api.bodies import authorization_body, charge_body, claim_body
from tests.api.service_process import ServiceProcess
from tests.api.test_scopes import matrix
from tests.ground import Ground
from tests.proxy import Proxy

WORD, DAY = "QXCANARY7731", "1931-07-29"
PERSON = {"id": WORD, "birth_date": DAY}
CLAIM = claim_body(
    claim_id=WORD,
    member=PERSON,
    authorization_numbers=[{"value": WORD}],
    attached={"note": WORD},
    diagnoses=[{"code": WORD}],
)
CHARGE = charge_body(WORD, member=PERSON, diagnoses=[{"code": WORD}])
AUTHORIZATION = authorization_body(
    authorization_id=WORD,
    number=WORD,
    status=WORD,
    member={**PERSON, "subscriber_id": WORD},
    notes=[{"text": WORD}],
)
X12 = f"ISA*00*{WORD}*{DAY.replace('-', '')}~NM1*IL*1*{WORD}~"
BODIES: dict[str, Any] = {
    "/match": CLAIM,
    "/match/batch": CLAIM,
    "/match/why-not": {"claim": CLAIM, "line": 1, "number": WORD},
    "/claims/populate": CLAIM,
    "/charges/check": CHARGE,
    "/charges/attach": {"charge": CHARGE, "authorization_id": WORD},
    "/adjudicate": CLAIM,
    "/adjudicate/batch": CLAIM,
    "/authorizations/bulk": AUTHORIZATION,
    "/authorizations/{authorization_id}": AUTHORIZATION,
    "/x12": X12,
    "/fhir": {"resourceType": "ClaimResponse", "id": WORD, "patient": {"reference": WORD}},
    "/members/{member_id}/merge": {"into": f"{WORD}B", "by": WORD, "reason": WORD},
    "/claims/{claim_id}/benefit-limits": {
        "lines": [{"line": 1, "limit_adjustments": [{"group": WORD}]}]
    },
    "/keys": {"name": WORD, "role": "examiner"},
}
SAYS_NOTHING = {"POST /keys/{key_id}/rotate", "POST /golden/decisions"}
"""Their bodies have days and numbers alone."""
EXAMPLES = json.loads((shipped("docs") / "examples" / "api.json").read_bytes())
PATHS = create_app(Settings()).openapi()["paths"]
_TELLING = re.compile(r"[^\n]*[A-Z ?.][^\n]*")
"""Ids, numbers and what people write; not a word of a list, an amount, or a day."""
OTHERWISE = {"note": WORD, "by": WORD, "reason": WORD, "version": WORD, "lines": [WORD]}
ASKED = dict.fromkeys(("member", "patient", "number", "_id", "claim", "after", "status"), WORD)
ROUTES = sorted(matrix())


def planted(value: Any, key: str = "") -> Any:
    """An example with telling words in it."""
    if isinstance(value, dict):
        return {name: planted(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [planted(each, key) for each in value]
    if key == "birth_date":
        return DAY
    is_short = isinstance(value, str) and len(value) < 4 and key not in ("by", "reason")
    if not isinstance(value, str) or is_short:
        return value
    return WORD if key in ("by", "reason") or _TELLING.fullmatch(value) else value


def body_of(method: str, path: str) -> Any:
    """What a route is sent that takes a body: of its own here, else its example; else None."""
    if path in BODIES:
        return BODIES[path]
    if "requestBody" not in PATHS[path][method.lower()]:
        return None
    example = next(iter(EXAMPLES[f"{method} {path}"]["bodies"].values()))
    return f"{example}{WORD}" if isinstance(example, str) else planted(example)


@dataclass
class Watched:
    """A service whose output goes to a file, with what stands before its engines."""

    client: httpx.Client
    elasticsearch: Proxy
    redis: Proxy
    output: Path
    ground: Ground


@pytest.fixture(scope="module")
def watched(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Started as a process of its own, on engines that can be cut off."""
    proxies = [
        Proxy(str(each)) for each in (ground.settings.elasticsearch_url, ground.settings.redis_url)
    ]
    for each in proxies:
        each.start()
    urls = {"elasticsearch_url": proxies[0].url, "redis_url": proxies[1].url}
    settings = ground.settings.model_copy(update={**urls, "default_payer": "payer-canary"})
    output = tmp_path_factory.mktemp("canary") / "output"
    try:
        with output.open("wb") as file:
            service = ServiceProcess(settings, stdout=file, AUTHMATCH_LOG_LEVEL="DEBUG")
            with service, httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
                yield Watched(client, proxies[0], proxies[1], output, ground)
    finally:
        for each in proxies:
            each.stop()


def sent(method: str, path: str, *, as_wanted: bool) -> dict[str, Any]:
    """What a route is sent: in its way, or otherwise."""
    if method == "GET":
        named = PATHS[path]["get"].get("parameters", [])
        every = {each["name"]: WORD for each in named if each["in"] == "query"}
        return {"params": ASKED if as_wanted else {**every, **ASKED}}
    headers = {"if-match": WORD}
    if path.endswith("_search"):
        return {"data": ASKED, "headers": headers}
    if not as_wanted:
        return {"content": json.dumps([OTHERWISE])[:-1], "params": {"by": WORD}, "headers": headers}
    body = body_of(method, path) or OTHERWISE
    if isinstance(body, str):
        return {"content": body, "headers": headers | {"content-type": "application/edi-x12"}}
    params = {"version": "3"} if path.startswith("/authorizations") else {"why": WORD}
    return {"content": json.dumps(body), "params": params, "headers": headers}


def ask(watched: Watched, *, as_wanted: bool, may_fail: bool = False) -> list[str]:
    """Ask every route; gives those whose problem quotes something, and what it says."""
    quoting = []
    for method, path in ROUTES:
        address = re.sub(r"\{\w+\}", WORD, path)
        answer = watched.client.request(method, address, **sent(method, path, as_wanted=as_wanted))
        is_problem = answer.status_code >= 400 or '"problem"' in answer.text
        if is_problem and (WORD in answer.text or DAY in answer.text):
            quoting.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code == 500 and not may_fail:
            quoting.append(f"{method} {path}: 500 {answer.text[:300]}")
    return quoting


def test_no_problem_quotes_what_was_sent(watched: Watched) -> None:
    """Whatever is wrong: the request, or either engine."""
    address = f"/authorizations/{WORD}"
    assert watched.client.put(address, json=AUTHORIZATION).status_code == 201
    assert watched.client.post("/adjudicate", json=CLAIM).status_code == 200
    quoting = [*ask(watched, as_wanted=False), *ask(watched, as_wanted=True)]
    for engine in (watched.elasticsearch, watched.redis):
        with engine.failing("refuse"):
            quoting += ask(watched, as_wanted=True)
    said = {"type": "parsing_exception", "reason": f"[{WORD}] of {DAY}"}
    told = json.dumps({"error": {**said, "root_cause": [said]}, "status": 400}).encode()
    head = b"HTTP/1.1 400 Bad Request\r\nX-Elastic-Product: Elasticsearch\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    watched.elasticsearch.refusal = head % len(told) + told
    with watched.elasticsearch.failing("busy"):
        quoting += ask(watched, as_wanted=True, may_fail=True)
    assert len(ROUTES) > 40
    assert quoting == []


def test_every_body_has_a_canary() -> None:
    """Of a new route, too: its example says what it takes."""
    takes = [each for each in ROUTES if "requestBody" in PATHS[each[1]][each[0].lower()]]
    bare = {
        " ".join(each)
        for each in takes
        if WORD not in str(sent(*each, as_wanted=True).get("content", WORD))
    }
    assert len(takes) > 50
    assert bare == SAYS_NOTHING


def test_no_metric_quotes_what_was_sent(watched: Watched) -> None:
    """Nor any label."""
    metrics = watched.client.get("/metrics").text
    assert "authmatch_request_seconds" in metrics
    assert WORD not in metrics
    assert DAY not in metrics


def test_no_name_in_the_engines_quotes_what_was_sent(watched: Watched) -> None:
    """Keys of Redis, indices, aliases and templates of Elasticsearch."""

    async def names(stores: Stores) -> list[str]:
        prefix = stores.indices.prefix
        keys = [str(each) async for each in stores.redis.scan_iter(f"*{prefix}*", count=10_000)]
        indices = await stores.elasticsearch.indices.get(index=f"{prefix}*")
        return [*keys, json.dumps(dict(indices.body))]

    async def run() -> list[str]:
        async with watched.ground.stores() as stores:
            return await names(stores)

    found = asyncio.run(run())
    assert len(found) > 5
    assert [each for each in found if WORD in each.upper() or DAY in each] == []


def test_no_line_of_the_log_quotes_what_was_sent(watched: Watched) -> None:
    """Neither ours nor those of the server and the clients; each is an event as JSON."""
    lines = watched.output.read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert "engine_fault" in events
    assert [line for line in lines if WORD in line.upper() or DAY in line] == []
