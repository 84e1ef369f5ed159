"""Whatever a caller writes is answered with its place, and is never a fault of the service."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body, ndjson

BIG = 2**70
FAR = 2**53 - 1


def with_limits(value: object) -> dict[str, Any]:
    """A claim with a benefit limit of its own."""
    body = claim_body()
    body["lines"][0]["benefit"] = {"limit_adjustments": [{"a": value}]}
    return body


@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("POST", "/match", claim_body() | {"version": BIG}, "/version"),
        ("POST", "/adjudicate", claim_body() | {"version": BIG}, "/version"),
        ("POST", "/adjudicate", claim_body() | {"version": 2**63}, "/version"),
        ("POST", "/adjudicate", claim_body() | {"version": 2**53}, "/version"),
        ("POST", "/adjudicate", claim_body() | {"version": FAR}, "/version"),
        ("POST", "/match", claim_body() | {"attached": {"a": BIG}}, "/attached"),
        ("POST", "/match", with_limits(BIG), "/lines/0/benefit/limit_adjustments/0"),
        ("POST", "/adjudicate", with_limits([BIG]), "/lines/0/benefit/limit_adjustments/0"),
        (
            "POST",
            "/claims/C/benefit-limits",
            {"lines": [{"line": 1, "limit_adjustments": [{"a": BIG}]}]},
            "/lines/0/limit_adjustments/0",
        ),
        ("PUT", "/authorizations/A1", authorization_body(version=1) | {"version": FAR}, "/version"),
        ("PUT", "/authorizations/A1", authorization_body() | {"version": BIG}, "/version"),
        ("PUT", "/authorizations/A1", authorization_body() | {"number": "A\0B"}, "/number"),
        (
            "PUT",
            "/authorizations/A1",
            authorization_body() | {"attached": {"a": BIG}},
            "/attached",
        ),
        ("DELETE", f"/authorizations/A1?version={FAR}", None, "/query/version"),
        *(
            ("DELETE", f"/authorizations/{name}?version=1", None, "/path/authorization_id")
            for name in ("x%0A%7B", "ZEBRA%00x", "a%7C3", "%C3%A9%20%E2%98%83", "%FF", "a" * 600)
        ),
        *(
            ("GET", f"/authorizations?{name}={'a' * 20_000}", None, f"/query/{name}")
            for name in ("member", "number", "provider", "status", "after")
        ),
        *(
            ("GET", f"/dead-letters?{name}={'a' * 5_000}", None, f"/query/{name}")
            for name in ("status", "code", "format", "after")
        ),
        *(
            ("GET", f"/worklist?{name}={'a' * 5_000}", None, f"/query/{name}")
            for name in ("authorization", "claim", "state", "after")
        ),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(
    caller: httpx.Client, method: str, path: str, body: object, place: str
) -> None:
    """422, and nothing is kept as an authorization."""
    answer = caller.request(method, path, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == place
    assert caller.get("/authorizations").json()["total"] == 0


def twice(body: dict[str, Any], key: str) -> bytes:
    """A body in which a key stands twice."""
    return json.dumps(body)[:-1].encode() + f', "{key}": "other"}}'.encode()


@pytest.mark.parametrize(
    ("method", "path", "content", "place"),
    [
        ("POST", "/match", twice(claim_body(), "claim_id"), "/claim_id"),
        ("POST", "/adjudicate", twice(claim_body(), "member"), "/member"),
        ("PUT", "/authorizations/A1", twice(authorization_body(), "member"), "/member"),
        ("POST", "/members/M1/merge", b'{"into": "M2", "into": "M3"}', "/into"),
        (
            "POST",
            "/adjudicate",
            json.dumps(claim_body()).replace('"line": 1', '"line": 1, "line": 1').encode(),
            "/lines/0/line",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(
    caller: httpx.Client, method: str, path: str, content: bytes, place: str
) -> None:
    """400 with its place: which of both was meant nobody knows."""
    answer = caller.request(method, path, content=content)
    if answer.status_code == 422:  # the last one does not fit either
        assert answer.json()["errors"][0]["path"].startswith(place)
        return
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"] == [
        {"path": place, "message": "the key stands twice in its object"}
    ]


def test_in_streams_it_is_told_in_its_place(caller: httpx.Client) -> None:
    """A claim has its problem, an authorization is rejected and kept."""
    good = ndjson([claim_body()])
    lines = caller.post("/match/batch", content=good + twice(claim_body(), "claim_id") + b"\n")
    problem = json.loads(lines.text.splitlines()[1])["problem"]
    assert (problem["status"], problem["errors"][0]["path"]) == (400, "/claim_id")
    far = authorization_body(authorization_id="A2") | {"version": FAR}
    sent = twice(authorization_body(), "kind") + b"\n" + ndjson([far])
    told = [
        json.loads(line)
        for line in caller.post("/authorizations/bulk", content=sent).text.splitlines()
    ]
    assert [each["status"] for each in told] == ["rejected", "rejected"]
    assert [each["errors"][0]["path"] for each in told] == ["/kind", "/version"]
    assert all(each["dead_letter"] for each in told)


def test_a_version_that_was_refused_keeps_no_later_one_out(caller: httpx.Client) -> None:
    """Nor a claim's."""
    body = authorization_body()
    caller.put("/authorizations/A1", json=body | {"version": FAR})
    assert caller.put("/authorizations/A1", json=body | {"version": 20261129}).status_code == 201
    caller.post("/adjudicate", json=claim_body() | {"version": FAR})
    assert caller.post("/adjudicate", json=claim_body() | {"version": 2}).status_code == 200


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/authorizations/A1", "DELETE, GET, PUT"),
        ("/match", "POST"),
        ("/authorizations", "GET"),
        ("/keys/0123456789abcdef", "DELETE, GET"),
    ],
)
def test_a_wrong_method_is_told_all_that_there_are(
    caller: httpx.Client, path: str, methods: str
) -> None:
    """In Allow."""
    for method in ("OPTIONS", "PATCH", "HEAD"):
        answer = caller.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_who_asks_comes_before_what_he_asks(caller: httpx.Client) -> None:
    """Without a key a wrong parameter is nobody's."""
    for path in ("/authorizations?size=0", "/dead-letters?size=x", "/keys/x", "/worklist?state=a"):
        assert caller.get(path, headers={"x-api-key": "wrong"}).status_code == 401
        assert caller.get(path).status_code == 422


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("path", ["/match", "/match/batch", "/authorizations/bulk"])
def test_nothing_is_unpacked(caller: httpx.Client, path: str, coding: str) -> None:
    """A body is read as it is: a small one never becomes a large one."""
    body = gzip.compress(ndjson([claim_body()] * 1000))
    answer = caller.post(path, content=body, headers={"content-encoding": coding})
    problems = [json.loads(line) for line in answer.text.splitlines()]
    assert len(problems) < 20
    assert all(each.get("status") != "created" and "lines" not in each for each in problems)
