"""A number that two feeds name: by every way in it is one grant, until somebody says otherwise."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.bodies import authorization_body, ndjson
from tests.ingest.fhir.papers import item as fhir_item
from tests.ingest.fhir.papers import packed, response
from tests.ingest.x12.edi import GRANTED, SERVICE, review

UM = authorization_body(
    authorization_id="UM-1", number="AU1", effective={"from": "2026-03-01", "to": "2026-12-31"},
    lines=[{"line": 1}],
)  # fmt: skip
X12 = {"content-type": "application/edi-x12"}
FHIR = {"content-type": "application/fhir+json"}


def by_put(caller: httpx.Client) -> Any:
    """Another id, by itself."""
    return caller.put("/authorizations/UM-2", json=UM | {"authorization_id": "UM-2"}).json()


def by_bulk(caller: httpx.Client) -> Any:
    """Another id, in a stream."""
    answer = caller.post(
        "/authorizations/bulk", content=ndjson([UM | {"authorization_id": "UM-2"}])
    )
    return json.loads(answer.text)


def by_x12(caller: httpx.Client) -> Any:
    """A 278 of the same number."""
    content = review(*GRANTED, SERVICE, "SV1*HC:97112:GP**UN*4")
    answer = caller.post("/authorizations/bulk", content=content, headers=X12)
    return json.loads(answer.text.splitlines()[0])


def by_fhir(caller: httpx.Client) -> Any:
    """A ClaimResponse of the same number, as one line of a stream of them."""
    content = json.dumps(packed(response(fhir_item(), preAuthRef="au-1")))
    answer = caller.post("/fhir", content=content, headers=FHIR)
    assert answer.status_code == 409
    (letter,) = caller.get("/dead-letters").json()["dead_letters"]
    return letter | {"dead_letter": letter["id"]}


WAYS = [by_put, by_bulk, by_x12, by_fhir]


def retry(caller: httpx.Client, letter: str, **how: str) -> Any:
    """Say of a letter what it is."""
    answer = caller.post(f"/dead-letters/{letter}/retry", params=how)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.mark.parametrize("come", WAYS)
def test_it_is_held_and_names_the_one_on_file(
    caller: httpx.Client, come: Callable[[httpx.Client], Any]
) -> None:
    """Whatever way it comes; to try it again as it came does not help."""
    assert caller.put("/authorizations/UM-1", json=UM).status_code == 201
    told = come(caller)
    letter = caller.get(f"/dead-letters/{told['dead_letter']}").json()
    again = retry(caller, letter["id"])

    assert told["on_file"] == "UM-1"
    assert (letter["code"], letter["on_file"], letter["status"]) == (
        "duplicate-grant", "UM-1", "open",
    )  # fmt: skip
    assert (again["status"], again["code"], again["on_file"]) == (
        "open", "duplicate-grant", "UM-1",
    )  # fmt: skip
    assert caller.get("/authorizations").json()["total"] == 1


@pytest.mark.parametrize("come", WAYS)
def test_it_goes_into_the_one_on_file(
    caller: httpx.Client, come: Callable[[httpx.Client], Any]
) -> None:
    """As its next version; nothing else is stored."""
    caller.put("/authorizations/UM-1", json=UM)
    letter = retry(caller, come(caller)["dead_letter"], into="UM-1")
    (result,) = letter["results"]

    assert letter["status"] == "resolved"
    assert (result["authorization_id"], result["version"], result["status"]) == (
        "UM-1", 2, "updated",
    )  # fmt: skip
    assert caller.get("/authorizations").json()["total"] == 1
    assert caller.get("/authorizations/UM-1").json()["state"]["version"] == 2


@pytest.mark.parametrize("come", WAYS)
def test_it_is_another_grant(caller: httpx.Client, come: Callable[[httpx.Client], Any]) -> None:
    """Then both stand."""
    caller.put("/authorizations/UM-1", json=UM)
    letter = retry(caller, come(caller)["dead_letter"], as_distinct="true")

    assert letter["status"] == "resolved"
    assert caller.get("/authorizations").json()["total"] == 2


def test_a_push_says_why_it_was_held(caller: httpx.Client) -> None:
    """409 with a type of its own."""
    caller.put("/authorizations/UM-1", json=UM)
    answer = caller.put("/authorizations/UM-2", json=UM | {"authorization_id": "UM-2"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:authmatch:problem:duplicate-grant"


def test_what_overlaps_is_told(caller: httpx.Client) -> None:
    """In the answer to the push, and in the state of both."""
    other = UM | {"authorization_id": "UM-2", "number": "AU2"}
    first = caller.put("/authorizations/UM-1", json=UM).json()
    second = caller.put("/authorizations/UM-2", json=other).json()
    states = [caller.get(f"/authorizations/UM-{each}").json()["state"] for each in (1, 2)]

    assert "overlaps" not in first
    assert second["overlaps"] == ["UM-1"]
    assert [each["overlaps"] for each in states] == [["UM-2"], ["UM-1"]]
