"""What is wrong with a body is told by place and reason, never by what was written there."""

import json
from typing import Any

import httpx
import pytest

from service.domain.member_ids import written_member_id
from tests.api.bodies import authorization_body, claim_body
from tests.api.conftest import BODY_BYTES_MAX

PERSONAL = "Jane-Doe-555-12-3456"
PUT = ("PUT", "/authorizations/A1")
MATCH = ("POST", "/match")
WHY = ("POST", "/match/why-not")
BODIES = {PUT: authorization_body(), MATCH: claim_body()}
Call = tuple[str, str]


def changed(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The body with one place written anew."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *way, last = path.strip("/").split("/")
    place: Any = copy
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    place[last] = value
    return copy


@pytest.mark.parametrize(
    ("call", "path", "value"),
    [
        (MATCH, "/payer", PERSONAL),
        (PUT, "/payer", PERSONAL),
        (MATCH, "/member/ssn", PERSONAL),
        (PUT, "/lines/0/unknown", PERSONAL),
        (MATCH, "/type", PERSONAL),
        (MATCH, "/version", PERSONAL),
        (MATCH, "/version", 0),
        (MATCH, "/version", "1"),
        (PUT, "/version", 2**53),
        (MATCH, "/member/id", f"{PERSONAL}/x"),
        (MATCH, "/member/id", f"{PERSONAL}\0"),
        (MATCH, "/claim_id", f"{PERSONAL} x"),
        (MATCH, "/member/birth_date", PERSONAL),
        (MATCH, "/lines/0/from", "2026-02-30"),
        (MATCH, "/lines/0/from", "12.03.2026"),
        (MATCH, "/lines/0/from", 20260312),
        (MATCH, "/lines/0/from", "1066-10-14"),
        (PUT, "/effective/to", "2026-02-30"),
        (MATCH, "/lines/0/units", 4.5),
        (MATCH, "/lines/0/units", PERSONAL),
        (MATCH, "/lines/0/units", "-1"),
        (MATCH, "/lines/0/units", "NaN"),
        (MATCH, "/lines/0/units", "1e400"),
        (MATCH, "/lines/0/units", True),
        (PUT, "/limits", {"units": 24.0, "unit": "UN"}),
        (MATCH, "/lines", []),
        (MATCH, "/lines", {"0": PERSONAL}),
        (MATCH, "/lines/0/procedure", ["97110"]),
        (MATCH, "/lines/0/modifiers", PERSONAL),
        (MATCH, "/rendering_provider/npi", PERSONAL),
        (MATCH, "/rendering_provider/tin", PERSONAL),
        (MATCH, "/authorization_numbers", [{"value": "--"}]),
        (MATCH, "/emergency", PERSONAL),
        (PUT, "/decision/action", PERSONAL),
        (PUT, "/kind", PERSONAL),
        (PUT, "/lines/0/line", PERSONAL),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused_by_place(
    caller: httpx.Client, call: Call, path: str, value: object
) -> None:
    """422 with a JSON pointer to the place; the value is health data, perhaps, and not repeated."""
    answer = caller.request(*call, json=changed(BODIES[call], path, value))
    problem = answer.json()

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == 422
    assert any(each["path"].startswith(path) for each in problem["errors"]), problem
    assert PERSONAL not in answer.text
    assert written_member_id(PERSONAL) not in answer.text


@pytest.mark.parametrize(
    ("call", "changes", "told"),
    [
        (MATCH, {"/lines/0/to": "2026-03-01"}, ["2026-03-01", "2026-03-12"]),
        (PUT, {"/effective": {"from": "2026-05-05", "to": "2026-04-04"}}, ["2026-04-04"]),
        (PUT, {"/lines/0/procedure": {"from": "97140", "to": "97110"}}, ["97140", "97110"]),
        (PUT, {"/lines/0/procedure": {"from": "97110", "to": "D2740"}}, ["D2740"]),
        (MATCH, {"/lines/0/from": "2026-02-30"}, ["2026-02-30"]),
    ],
    ids=str,
)
def test_values_that_contradict_each_other_are_not_repeated_either(
    caller: httpx.Client, call: Call, changes: dict[str, object], told: list[str]
) -> None:
    """Dates of service and procedures are health data too."""
    body = BODIES[call]
    for path, value in changes.items():
        body = changed(body, path, value)
    answer = caller.request(*call, json=body)

    assert answer.status_code == 422
    assert [each for each in told if each in answer.text] == []


@pytest.mark.parametrize("call", [PUT, MATCH, WHY])
@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"  \n ", 400),
        (b"{", 400),
        (b"{'a': 1}", 400),
        (b'{"a": "\xff\xfe"}', 400),
        ('{"a": "x"}'.encode("utf-16"), 400),
        (b'{"member": {"id": "\\ud800"}}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 30_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b'{"attached": ' + b"[" * 100 + b"]" * 100 + b"}", 422),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_body_that_is_not_json_is_refused(
    caller: httpx.Client, call: Call, content: bytes, status: int
) -> None:
    """400 where it cannot be read, 422 where it is no object; never 500."""
    answer = caller.request(*call, content=content)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("call", [PUT, MATCH])
def test_a_number_that_is_none_is_refused_or_harmless(
    caller: httpx.Client, call: Call, text: str
) -> None:
    """NaN is no JSON; where a reader takes it, it is no quantity and no attached number."""
    for path in ("/lines/0/unit_price", "/attached/risk_level"):
        body = json.dumps(changed(BODIES[call], path, "@")).replace('"@"', text)
        answer = caller.request(*call, content=body)

        assert answer.status_code in (200, 201, 400, 422), answer.text


@pytest.mark.parametrize("depth", [50, 500, 900, 990])
def test_deeply_nested_attached_data_is_kept_or_refused(caller: httpx.Client, depth: int) -> None:
    """As deep as it may be, it is never a fault of ours."""
    nested = "[" * depth + "]" * depth
    body = json.dumps(authorization_body(attached={"tree": "@"})).replace('"@"', nested)
    answer = caller.put("/authorizations/A1", content=body)

    assert answer.status_code in (201, 400, 422), answer.text
    if answer.status_code == 201:
        assert caller.get("/authorizations/A1").status_code == 200


@pytest.mark.parametrize("call", [PUT, MATCH, WHY])
def test_a_body_that_is_too_large_is_refused(caller: httpx.Client, call: Call) -> None:
    """413, whether its length is declared or not."""
    large = json.dumps({"claim_id": "x" * BODY_BYTES_MAX}).encode()

    def pieces() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    declared = caller.request(*call, content=large)
    streamed = caller.request(*call, content=pieces())

    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert declared.json()["title"] == "Body too large"


def test_a_key_with_a_slash_is_a_pointer_still(caller: httpx.Client) -> None:
    """JSON pointers escape what would read as another place."""
    answer = caller.post("/match", json=claim_body() | {"a/b~c": 1})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "/a~1b~0c"


def test_keys_are_read_in_any_case_of_null(caller: httpx.Client) -> None:
    """Null and absent are the same on a claim."""
    body = claim_body() | {"facility": None, "drg": None, "network": None}

    assert caller.post("/match", json=body).status_code == 200
