"""Dead letters over HTTP: kept, told, shown, tried again, dropped."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.bodies import Fields, authorization_body
from tests.api.conftest import BODY_BYTES_MAX, Service
from tests.serving import client_of

PATH = "/authorizations/A1"
CANARY = "CANARY-7f3"


def kept_of(answer: httpx.Response) -> str:
    """The dead letter that a problem names."""
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["dead_letter"])


def wrong_body(**changes: object) -> Fields:
    """An authorization with something wrong in it, and a telling value beside."""
    body = authorization_body(number=CANARY)
    return {**body, "kind": CANARY, **changes}


def listed(caller: httpx.Client, **wanted: str) -> list[Fields]:
    """The letters of a listing."""
    answer = caller.get("/dead-letters", params=wanted)
    assert answer.status_code == 200, answer.text
    found: list[Fields] = answer.json()["dead_letters"]
    return found


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"authorization_id": "A1", "kind"', 400, "unreadable"),
        (b"[1, 2]", 422, "invalid"),
        (json.dumps(wrong_body()).encode(), 422, "invalid"),
        (json.dumps(authorization_body(authorization_id="A2")).encode(), 422, "invalid"),
        (json.dumps(authorization_body(number="other")).encode(), 409, "conflict"),
        (b"\xff\xfe{}", 400, "unreadable"),
    ],
    ids=["cut off", "no object", "invalid", "other id", "conflict", "no text"],
)
def test_a_push_that_cannot_be_taken_is_kept(
    caller: httpx.Client, content: bytes, status: int, code: str
) -> None:
    """The problem says where; it is shown as it came, with reason and origin."""
    caller.put(PATH, json=authorization_body())
    answer = caller.put(PATH, content=content)
    name = kept_of(answer)
    shown = caller.get(f"/dead-letters/{name}").json()
    read = shown["content"]

    assert answer.status_code == status
    assert (shown["code"], shown["status"], shown["format"]) == (code, "open", "json")
    assert (shown["origin"], shown["authorization_id"]) == ("PUT /authorizations", "A1")
    assert shown["content_bytes"] == len(content)
    assert (base64.b64decode(read) if shown["encoding"] == "base64" else read.encode()) == content
    assert [each["id"] for each in listed(caller)] == [name]
    assert "content" not in listed(caller)[0]
    assert CANARY not in answer.text
    assert CANARY not in json.dumps(listed(caller))


def test_the_same_push_again_is_the_same_letter(caller: httpx.Client) -> None:
    """Counted; the list does not grow."""
    names = {kept_of(caller.put(PATH, content=b"{")) for _ in range(3)}

    assert len(names) == 1
    assert [each["times"] for each in listed(caller)] == [3]


def test_what_is_too_large_or_of_nobody_is_not_kept(caller: httpx.Client, service: Service) -> None:
    """413 and 401 leave nothing behind, and neither does an empty body."""
    large = caller.put(PATH, content=b"{" + b" " * BODY_BYTES_MAX)
    empty = caller.put(PATH, content=b" ")
    with client_of(service.url, "wrong") as nobody:
        refused = nobody.put(PATH, content=b"{")

    assert [each.status_code for each in (large, empty, refused)] == [413, 400, 401]
    assert all("dead_letter" not in each.json() for each in (large, empty, refused))
    assert listed(caller) == []


def test_a_letter_is_tried_again_corrected(caller: httpx.Client) -> None:
    """As it came it stays open with one try more; corrected it goes in and is resolved."""
    name = kept_of(caller.put(PATH, json=wrong_body()))
    address = f"/dead-letters/{name}/retry"
    again = caller.post(address)
    fixed = caller.post(address, json=authorization_body(), params={"by": "examiner 7"})
    late = caller.post(address)
    shown = caller.get(f"/dead-letters/{name}").json()

    assert (again.status_code, again.json()["status"], again.json()["tries"]) == (200, "open", 1)
    assert again.json()["results"][0]["status"] == "rejected"
    assert (fixed.json()["status"], fixed.json()["results"][0]["status"]) == ("resolved", "created")
    assert late.status_code == 409
    assert late.json()["type"] == "urn:authmatch:problem:dead-letter-conflict"
    assert (shown["status"], shown["by"], shown["tries"]) == ("resolved", "key:environment", 2)
    assert shown["on_behalf_of"] == "examiner 7"
    assert (shown["content"], shown["encoding"]) == (None, None)
    assert caller.get(PATH).status_code == 200
    assert len(listed(caller, status="resolved")) == 1


@pytest.mark.parametrize(
    "content",
    [
        authorization_body(authorization_id="A2"),
        {"authorization_id": "A2", "version": 2, "withdraw": True},
    ],
)
def test_a_letter_is_not_resolved_by_another_authorization(
    caller: httpx.Client, content: dict[str, Any]
) -> None:
    """That is pushed by itself: of what was refused here the evidence stays."""
    name = kept_of(caller.put(PATH, json=wrong_body()))
    tried = caller.post(f"/dead-letters/{name}/retry", json=content).json()

    assert (tried["status"], tried["results"][0]["status"]) == ("open", "rejected")
    assert caller.get(f"/dead-letters/{name}").json()["content"] is not None
    assert caller.get("/authorizations/A2").status_code == 404


def test_what_was_written_over_several_lines_is_one_authorization(caller: httpx.Client) -> None:
    """As people write it; tried again as it came, after what was in its way is mended."""
    caller.put(PATH, json=authorization_body(number="X"))
    body = json.dumps(authorization_body(), indent=2).encode()
    name = kept_of(caller.put(PATH, content=body))
    again = caller.post(f"/dead-letters/{name}/retry").json()
    other = json.dumps(authorization_body(version=2), indent=2).encode()
    fixed = caller.post(f"/dead-letters/{name}/retry", content=other).json()

    assert (again["status"], again["code"], again["results"][0]["status"]) == (
        "open",
        "conflict",
        "conflict",
    )
    assert (fixed["status"], fixed["results"][0]["status"]) == ("resolved", "updated")
    assert "dead_letter" not in again["results"][0] or not again["results"][0]["dead_letter"]
    assert listed(caller, status="open") == []


def test_a_withdrawal_in_conflict_is_kept_and_tried_again(caller: httpx.Client) -> None:
    """It says what it would withdraw; corrected to a later version it is done."""
    caller.put(PATH, json=authorization_body(version=2))
    answer = caller.delete(PATH, params={"version": 2})
    name = kept_of(answer)
    content = caller.get(f"/dead-letters/{name}").json()["content"]
    again = caller.post(f"/dead-letters/{name}/retry").json()
    later = {**json.loads(content), "version": 3}
    fixed = caller.post(f"/dead-letters/{name}/retry", json=later).json()

    assert answer.status_code == 409
    assert json.loads(content) == {"authorization_id": "A1", "version": 2, "withdraw": True}
    assert (again["status"], again["results"][0]["status"]) == ("open", "conflict")
    assert (fixed["status"], fixed["results"][0]["status"]) == ("resolved", "updated")
    assert caller.get(PATH).json()["state"]["void"] is True


def test_a_letter_is_dropped_by_someone_for_a_reason(caller: httpx.Client) -> None:
    """Why is asked for; who is known by the key, and may name another one.

    All of it stays, in the audit trail also when the same comes again.
    """
    name = kept_of(caller.put(PATH, json=wrong_body()))
    address = f"/dead-letters/{name}"
    refused = [
        caller.delete(address, params=each)
        for each in ({}, {"by": "me", "why": ""}, {"by": "", "why": "a test"})
    ]
    dropped = caller.delete(address, params={"by": "me", "why": "a test"})
    again = caller.delete(address, params={"by": "me", "why": "a test"})

    assert [each.status_code for each in refused] == [422, 422, 422]
    assert (dropped.status_code, dropped.json()["status"]) == (200, "dropped")
    names = ("by", "on_behalf_of", "why")
    assert [dropped.json()[name] for name in names] == ["key:environment", "me", "a test"]
    assert again.status_code == 409
    assert caller.get(address).json()["content"] is None

    assert kept_of(caller.put(PATH, json=wrong_body())) == name, "it comes again"
    assert [caller.get(address).json()[each] for each in ("status", "by")] == ["open", None]
    rows = caller.get("/audit").json()["rows"]
    told = [each for each in rows if each["what"] == "DELETE /dead-letters/{letter_id}"]
    assert [each["outcome"] for each in told] == ["refused", "done", *["refused"] * 3]
    assert [told[1][each] for each in names] == ["key:environment", "me", "a test"]


def test_letters_are_those_of_their_payer(caller: httpx.Client, service: Service) -> None:
    """For another one they are not there: neither to be seen, nor tried, nor dropped."""
    name = kept_of(caller.put(PATH, json=wrong_body()))
    with service.caller() as other:
        answers = [
            other.get(f"/dead-letters/{name}"),
            other.post(f"/dead-letters/{name}/retry"),
            other.delete(f"/dead-letters/{name}", params={"by": "x", "why": "y"}),
            other.get("/dead-letters/unknown"),
        ]
        assert listed(other) == []

    assert [each.status_code for each in answers] == [404] * 4
    assert len({each.content for each in answers}) == 1
    assert listed(caller)[0]["tries"] == 0


@pytest.mark.parametrize(
    "params", [{"size": "0"}, {"size": "201"}, {"after": "nonsense"}, {"after": "WyJ4IiwieSJd"}]
)
def test_a_listing_refuses_what_it_cannot_read(
    caller: httpx.Client, params: dict[str, str]
) -> None:
    """A size out of bounds, a foreign cursor: 422."""
    assert caller.get("/dead-letters", params=params).status_code == 422


def test_pages_go_on_where_the_last_one_ended(caller: httpx.Client) -> None:
    """Every letter comes once."""
    names = {kept_of(caller.put(PATH, content=b"{" * count)) for count in range(1, 6)}
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(5):
        page = caller.get("/dead-letters", params={"size": 2, **after}).json()
        seen += [each["id"] for each in page["dead_letters"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert (len(seen), set(seen), page["total"]) == (5, names, 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get("/dead-letters"),
        lambda client: client.get("/dead-letters/x"),
        lambda client: client.post("/dead-letters/x/retry"),
        lambda client: client.delete("/dead-letters/x", params={"by": "x", "why": "y"}),
        lambda client: client.get("/intake/x"),
    ],
)
def test_without_a_valid_key_nothing_is_told(
    service: Service, call: Callable[[httpx.Client], httpx.Response]
) -> None:
    """401 on every call."""
    with client_of(service.url, "wrong") as client:
        assert call(client).status_code == 401
