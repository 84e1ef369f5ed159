"""The worklist over HTTP: offered in the background, decided by examiners, closed by itself."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from service.domain.work_item import offer_item
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground
from tests.late.office import at_once
from tests.serving import client_of, keys_of, serving

KEYS = 40
PATIENCE_S = 20
UNKNOWN = f"/worklist/{'0' * 24}"
OFFERS = {"state": "open", "kind": "late-authorization"}
BY = {"by": "examiner 7", "reason": "agreed"}
ITEM = f"/worklist/{offer_item('C-1')}"


@pytest.fixture(scope="module")
def address(ground: Ground) -> Iterator[str]:
    """A service with its background; each key is a payer of its own."""
    keys = {f"key-{each}": f"late-{each}" for each in range(KEYS)}
    settings = ground.settings.model_copy(update={"api_keys": keys_of(keys)})
    with at_once(), serving(settings) as url:
        yield url


@pytest.fixture(scope="module")
def keys() -> list[str]:
    """Keys that no test has used yet."""
    return [f"key-{each}" for each in range(KEYS)]


@pytest.fixture
def caller(address: str, keys: list[str]) -> Iterator[httpx.Client]:
    """A client of a payer that no other test has."""
    with client_of(address, keys.pop()) as client:
        yield client


def adjudicate(caller: httpx.Client, **claim: Any) -> Any:
    """Adjudicate a claim, and give the answer."""
    answer = caller.post("/adjudicate", json=claim_body(**claim))
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


def push(caller: httpx.Client, **changes: Any) -> None:
    """Push an authorization."""
    body = authorization_body(**changes)
    answer = caller.put(f"/authorizations/{body['authorization_id']}", json=body)
    assert answer.status_code < httpx.codes.BAD_REQUEST, answer.text


def read(caller: httpx.Client, address: str = ITEM, **wanted: Any) -> httpx.Response:
    """Read an item, once it is there and as it is wanted: it is offered in the background."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = caller.get(address)
        if answer.status_code == httpx.codes.OK and wanted.items() <= answer.json().items():
            return answer
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)


def offered(caller: httpx.Client) -> str:
    """Let an authorization come late for the claim; gives the ETag of the item."""
    adjudicate(caller)
    push(caller)
    return str(read(caller).headers["etag"])


def decide(caller: httpx.Client, what: str, tag: str | None, **body: Any) -> httpx.Response:
    """Decide about the claim."""
    headers = {} if tag is None else {"If-Match": tag}
    return caller.post(f"{ITEM}/resolve", json={"action": what} | (body or BY), headers=headers)


def test_an_examiner_adjudicates_the_claim_anew(caller: httpx.Client) -> None:
    """It was not found (SPA-0009), the authorization came late: the units are drawn once."""
    tag = offered(caller)
    (item,) = caller.get("/worklist", params=OFFERS).json()["items"]
    shown = caller.get(ITEM).json()
    actions = [each["action"] for each in shown.pop("actions")]
    assert (item, item["etag"]) == (shown, tag)
    assert actions == ["readjudicate", "no-action"]
    assert item["authorizations"] == [{"authorization_id": "A1", "version": 1}]

    answer = decide(caller, "readjudicate", tag)

    adjudicated = answer.json()["adjudication"]
    assert (answer.status_code, adjudicated["lines"][0]["disposition"]) == (200, "pay")
    assert adjudicated["changed"]["lines"][0]["before"]["disposition"] == "suspend"
    done = read(caller).json()
    assert (done["state"], done["by"], done["why"]) == ("done", "key:environment", "agreed")
    newest, oldest = caller.get("/claims/C-1/history").json()["entries"]
    assert (newest["kind"], newest["by"], oldest["kind"]) == (
        "readjudicate",
        "key:environment",
        "apply",
    )
    assert done["on_behalf_of"] == newest["on_behalf_of"] == "examiner 7"
    assert decide(caller, "readjudicate", answer.headers["etag"]).status_code == 409
    accounts = caller.get("/authorizations/A1/accumulators").json()["accounts"]
    assert {each["units"]["used"] for each in accounts} == {"1"}
    assert adjudicate(caller)["replayed"]
    assert caller.get("/worklist", params={"state": "open"}).json()["items"] == []


def test_a_dismissed_item_comes_back_with_something_new_only(caller: httpx.Client) -> None:
    """Not with the same push again; with a new version, or another authorization.

    Who dismissed it, and why, stays in the audit trail.
    """
    answer = decide(caller, "no-action", offered(caller))
    assert (answer.status_code, answer.json()["item"]["state"]) == (200, "dismissed")
    push(caller)
    push(caller, authorization_id="A2", member={"id": "MOTHER"})
    push(caller, version=2, notes=[{"text": "seen"}])
    again = read(caller, state="open").json()
    assert again["authorizations"] == [{"authorization_id": "A1", "version": 2}]
    assert (again["by"], again["why"]) == (None, None)
    rows = caller.get("/audit").json()["rows"]
    (told,) = (each for each in rows if each["what"] == "POST /worklist/{item_id}/resolve")
    assert (told["by"], told["on_behalf_of"], told["why"]) == (
        "key:environment",
        BY["by"],
        BY["reason"],
    )


@pytest.mark.parametrize("what", ["readjudicate", "no-action"])
def test_a_decision_names_the_item_that_was_seen(caller: httpx.Client, what: str) -> None:
    """428 without If-Match, 412 for one that is not there any more; nothing is decided."""
    tag = offered(caller)
    push(caller, authorization_id="A2", number="AU-2")
    newer = read(
        caller,
        authorizations=[{"authorization_id": each, "version": 1} for each in ("A1", "A2")],
    ).headers["etag"]

    assert newer != tag
    for given, status in ((None, 428), (tag, 412), ('"x"', 412)):
        refused = decide(caller, what, given)
        assert (refused.status_code, refused.headers["content-type"]) == (
            status,
            "application/problem+json",
        )
    assert read(caller).json()["state"] == "open"
    assert decide(caller, what, newer).status_code == 200


def test_of_examiners_who_decide_at_once_one_wins(caller: httpx.Client, address: str) -> None:
    """Eight of them, half to dismiss: the others are told, and the units are drawn once at most."""
    tag = offered(caller)
    key = caller.headers["x-api-key"]

    def try_(number: int) -> tuple[str, int]:
        what = ("readjudicate", "no-action")[number % 2]
        with client_of(address, key) as client:
            return what, decide(client, what, tag, by=f"examiner {number}").status_code

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(try_, range(8)))

    (winner,) = [what for what, status in told if status == 200]
    assert {status for _, status in told} <= {200, 409, 412}
    state = {"readjudicate": "done", "no-action": "dismissed"}[winner]
    assert read(caller).json()["state"] == state
    assert caller.get("/claims/C-1/history").json()["total"] == 1 + (winner == "readjudicate")


@pytest.mark.parametrize("how", ["readjudicated", "reversed", "replaced"])
def test_an_item_closes_by_itself_when_the_claim_was_changed_otherwise(
    caller: httpx.Client, how: str
) -> None:
    """It is seen when the item is read, or listed."""
    tag = offered(caller)
    if how == "readjudicated":
        caller.post("/adjudicate", params={"readjudicate": True}, json=claim_body())
    elif how == "reversed":
        caller.post("/claims/C-1/reverse", json={})
    else:
        adjudicate(caller, claim_id="C-2", frequency="7", original_claim_id="C-1")

    assert caller.get("/worklist", params=OFFERS).json()["items"] == []
    item = read(caller).json()
    assert (item["state"], item["by"]) == ("done", "key:environment")
    assert decide(caller, "readjudicate", tag).status_code == 409


def test_a_finalized_claim_is_still_offered(caller: httpx.Client) -> None:
    """Its adjudication is the same; what is used stays used."""
    push(caller, line={"limits": {"units": "2", "unit": "UN"}})
    body = claim_body(line={"units": "4"}) | {"stage": "preliminary"}
    assert caller.post("/adjudicate", json=body).json()["status"] == "reserved"
    push(caller, version=2, line={"limits": {"units": "9", "unit": "UN"}})
    tag = read(caller).headers["etag"]
    caller.post("/claims/C-1/finalize", json={})

    answer = decide(caller, "readjudicate", tag)

    assert (answer.status_code, answer.json()["adjudication"]["status"]) == (200, "used")


def test_items_are_listed_by_what_is_asked(caller: httpx.Client) -> None:
    """By state, authorization and claim, the oldest first, in pages."""
    for number in range(3):
        adjudicate(caller, claim_id=f"C-{number}", member={"id": f"M{number}"})
        push(caller, authorization_id=f"A-{number}", member={"id": f"M{number}"})
        read(caller, f"/worklist/{offer_item(f'C-{number}')}")
    asked: dict[str, str] = OFFERS | {"size": "2", "sort": "oldest"}
    first = caller.get("/worklist", params=asked).json()
    rest = caller.get("/worklist", params=asked | {"after": first["next"]}).json()

    def found(**wanted: str) -> list[str]:
        kind = {"kind": "late-authorization"}
        items = caller.get("/worklist", params=kind | wanted).json()["items"]
        return [each["claim_id"] for each in items]

    assert [each["claim_id"] for each in first["items"] + rest["items"]] == ["C-0", "C-1", "C-2"]
    assert (first["total"], rest["next"]) == (3, None)
    assert found(authorization="A-1") == ["C-1"]
    assert found(claim="C-2", state="open") == ["C-2"]
    assert found(state="dismissed") == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (("GET", UNKNOWN, None), 404),
        (("GET", "/worklist/C-1", None), 422),
        (("POST", f"{UNKNOWN}/resolve", BY | {"action": "no-action"}), 404),
        (("POST", f"{UNKNOWN}/resolve", BY), 422),
        (("POST", f"{UNKNOWN}/resolve", {"action": "no-action", "member": "x"}), 422),
        (("GET", "/worklist?state=lost", None), 422),
        (("GET", "/worklist?after=x", None), 422),
        (("GET", "/worklist?size=0", None), 422),
    ],
)
def test_what_cannot_be_meant_is_refused(
    caller: httpx.Client, request_: tuple[str, str, Any], status: int
) -> None:
    """With a problem that says where."""
    method, path, body = request_
    answer = caller.request(method, path, json=body, headers={"If-Match": "*"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_item_of_another_payer_is_not_there(
    caller: httpx.Client, address: str, keys: list[str]
) -> None:
    """As one that never was."""
    offered(caller)
    with client_of(address, keys.pop()) as other:
        assert other.get(ITEM).status_code == 404
        assert other.get("/worklist").json()["items"] == []
