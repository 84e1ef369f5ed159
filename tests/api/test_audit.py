"""Every request is a row of the audit trail, generated from the routes: who, what, and whose data.

A route that is not in the table fails, and one whose rows do not name what it touched.
"""

import asyncio
import json
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from service.api.problem import MEDIA_TYPE as PROBLEM
from service.application.keys import KeyWanted, make
from service.application.parts import local_caller
from service.ingest.fhir import to_claim_response
from service.settings import StartKey
from service.stores.audit.reading import Wanted
from service.stores.connection.clock import now
from tests.api.bodies import authorization_body, charge_body, claim_body, ndjson
from tests.api.test_foreign import Places, places
from tests.api.test_scopes import matrix
from tests.api.test_x12 import inquiry
from tests.builders import build_authorization
from tests.ground import Ground
from tests.papers import PDF
from tests.serving import client_of, keys_of, serving
from tests.stores.test_projection import proxied

PERSON = "M0001"

OF_NOBODY = ("/rules", "/studies", "/reports", "/golden", "/prior-authorization-metrics")
"""What is asked of these here is not there, or shows the data of no person."""
READ, LISTED = "done authorizations persons", "done claims authorizations persons"
MOVED, CLAIM = "moved claims authorizations persons", "done claims persons"
REQUEST = "done persons others"
ROWS = {
    "GET /audit": ["done persons"],
    "GET /authorizations/{authorization_id}/documents": ["done authorizations persons others"],
    "POST /authorizations/{authorization_id}/documents": ["done authorizations persons others"],
    "GET /documents/{document_id}": ["done authorizations persons others"],
    "POST /manual-entries": ["done authorizations persons"],
    "POST /manual-entries/{authorization_id}/confirm": ["refused authorizations persons"],
    "POST /manual-entries/{authorization_id}/refuse": ["refused authorizations persons"],
    "GET /alerts": [READ],
    "GET /alerts/choice": ["done"],
    "PUT /alerts/choice": ["done others"],
    "POST /alerts/choice/calendar": ["done others"],
    "DELETE /alerts/choice/calendar": ["done others"],
    "GET /authorizations": [READ],
    "GET /authorizations/{authorization_id}": [READ],
    "GET /authorizations/{authorization_id}/accumulators": [READ],
    "GET /authorizations/{authorization_id}/claims": [LISTED],
    "GET /authorizations/{authorization_id}/ledger": [LISTED],
    "GET /authorizations/{authorization_id}/utilization": [READ],
    "GET /authorizations/{authorization_id}/versions": [READ],
    "GET /claims/{claim_id}": [CLAIM],
    "GET /claims/{claim_id}/compare": [CLAIM],
    "GET /claims/{claim_id}/history": [CLAIM],
    "GET /dead-letters": ["done authorizations others"],
    "GET /dead-letters/{letter_id}": ["done authorizations others"],
    "GET /fhir/ClaimResponse": [READ],
    "GET /fhir/ClaimResponse/{resource_id}": [READ],
    "GET /intake": ["done"],
    "GET /intake/{ticket}": ["done authorizations others"],
    "GET /keys": ["done others"],
    "GET /keys/{key_id}": ["done others"],
    "GET /members/{member_id}": ["done persons"],
    "GET /requests": [REQUEST],
    "GET /requests/{request_id}": [REQUEST],
    "GET /worklist": [LISTED],
    "GET /worklist/counts": ["done"],
    "GET /worklist/filters": ["done"],
    "GET /worklist/{item_id}": [LISTED],
    "POST /adjudicate": [MOVED],
    "POST /adjudicate/batch": [MOVED, "done"],
    "POST /alerts/{alert_id}/dismiss": [READ],
    "POST /authorizations/bulk": [READ],
    "POST /authorizations/{authorization_id}/accumulators/corrections": [
        "moved authorizations persons"
    ],
    "POST /charges/attach": [MOVED],
    "POST /charges/check": [LISTED],
    "POST /charges/{charge_id}/detach": [MOVED],
    "POST /claims/populate": ["asked claims persons", "done claims authorizations persons"],
    "POST /claims/{claim_id}/adjust": [MOVED],
    "POST /claims/{claim_id}/benefit-limits": [CLAIM],
    "POST /claims/{claim_id}/finalize": [CLAIM],
    "POST /claims/{claim_id}/release": ["refused claims persons"],
    "POST /claims/{claim_id}/reverse": ["moved claims persons"],
    "POST /dead-letters/{letter_id}/retry": ["done others"],
    "POST /fhir": [READ],
    "POST /fhir/ClaimResponse/_search": [READ],
    "POST /keys": ["done others"],
    "POST /keys/{key_id}/rotate": ["done others"],
    "POST /match": ["asked claims persons"],
    "POST /match/batch": ["asked claims persons", "asked claims persons", "done"],
    "POST /match/why-not": [CLAIM],
    "POST /members/{member_id}/merge": ["refused persons"],
    "POST /authorizations/{authorization_id}/request": ["refused authorizations persons"],
    "POST /requests/{request_id}/copy": [f"refused {REQUEST.partition(' ')[2]}"],
    "POST /requests/{request_id}/inquire": ["refused"],
    "POST /requests/{request_id}/send": ["refused"],
    "POST /worklist": ["done claims persons"],
    "POST /worklist/assign": [LISTED],
    "POST /worklist/filters": ["done"],
    "POST /worklist/filters/drop": ["done"],
    "POST /worklist/next": [LISTED],
    **{
        f"POST /worklist/{{item_id}}/{each}": [LISTED]
        for each in ("take", "release", "skip", "hold", "watch")
    },
    "POST /worklist/{item_id}/resolve": [MOVED],
    "POST /worklist/{item_id}/undo": ["refused claims authorizations persons"],
    "POST /x12": [READ],
    "PUT /authorizations/{authorization_id}": [READ],
    "PUT /requests/{request_id}": [REQUEST],
    "DELETE /authorizations/{authorization_id}": [READ],
    "DELETE /dead-letters/{letter_id}": ["done authorizations others"],
    "DELETE /keys/{key_id}": ["done others"],
}
"""Of each route its rows: the outcome, and the kinds of what they name.

A stream ends with a row of its own, where nothing else is one of the whole.
"""

REVIEW = {"kind": "review", "reason": "a test"}


async def rows_of(found: Places, request: str) -> list[dict[str, Any]]:
    """The rows of a request, the oldest first."""
    reading = found.app.state.application.stores.trail_reading
    page = await reading.page(found.payer, Wanted(), size=500, after=None)
    return [each for each in reversed(page.entries) if each.get("request") == request]


def order(route: str) -> tuple[bool, bool, bool, str]:
    """What takes something away, or decides it, comes last."""
    ends = route.endswith(("/merge", "/resolve", "/undo", "/reverse"))
    return route.startswith("DELETE"), ends, not route.startswith("GET"), route


def kinds(row: dict[str, Any]) -> str:
    """The outcome of a row, and the kinds of what it names."""
    names = ("claims", "authorizations", "persons", "others")
    return " ".join([row["outcome"], *(name for name in names if row.get(name))])


def attached(found: Places, name: str) -> dict[str, Any]:
    """A charge, and the authorization that is attached to it."""
    return {"charge": charge_body(name), "authorization_id": found.ids["authorization_id"]}


def by_hand(mark: str) -> dict[str, dict[str, Any]]:
    """What is entered by hand, and a document."""
    one = authorization_body(authorization_id=f"E-{mark}", number=mark)
    of_one = "/authorizations/{authorization_id}/documents"
    return {"/manual-entries": {"json": {"authorization": one}}, of_one: {"content": PDF}}


async def asked(found: Places, route: str) -> tuple[httpx.Response, list[dict[str, Any]]]:
    """Ask a route for something that is there; gives the answer and its rows."""
    method, path = route.split()
    mark = uuid.uuid4().hex[:8]
    names, is_data = re.findall(r"\{(\w+)\}", path), not path.startswith(OF_NOBODY)
    own = ""
    if names:
        own = found.ids[names[0]] if is_data else "7"
    sent: dict[str, Any] = {"headers": {}, **found.sent(method, path, own)}
    content: dict[str, dict[str, Any]] = {
        "/match": {"json": claim_body(claim_id=f"C-{mark}")},
        "/match/batch": {"content": ndjson([claim_body(claim_id=f"C-{mark}-{n}") for n in "12"])},
        "/match/why-not": {"json": {"claim": claim_body(), "line": 1, "number": "AU-1"}},
        "/claims/populate": {"json": claim_body(claim_id=f"C-{mark}")},
        "/charges/check": {"json": charge_body(f"CH-{mark}")},
        "/charges/attach": {"json": attached(found, f"CH-{mark}")},
        "/adjudicate": {"json": claim_body(claim_id=f"D-{mark}")},
        "/adjudicate/batch": {"content": ndjson([claim_body(claim_id=f"D-{mark}-1")])},
        "/authorizations/bulk": {
            "content": ndjson([authorization_body(authorization_id=f"B-{mark}", number=mark)])
        },
        "/x12": {"content": inquiry(PERSON, payer="EP100")},
        "/fhir": {
            "json": to_claim_response(
                build_authorization(authorization_id=f"F-{mark}", number=mark)
            )
        },
        "/fhir/ClaimResponse/_search": {"data": {"patient": PERSON}},
        "/keys": {"json": {"name": "made", "role": "examiner"}},
        "/worklist": {"json": REVIEW | {"claim_id": found.ids["claim_id"]}},
        "/worklist/filters": {"json": {"name": "mine", "filters": "?kind=review"}},
        "/worklist/filters/drop": {"json": {"name": "mine"}},
        "/worklist/assign": {"json": {"items": [found.ids["item_id"]]}},
        **by_hand(mark),
    }
    if path.endswith("/corrections"):
        correction = {"correction_id": mark, "account": "H", "units": "1", "reason": "opening"}
        sent["json"] = correction
    if method == "POST" and path in content:
        sent = {"headers": {}, **content[path]}
    if method == "GET" and path in ("/authorizations", "/audit"):
        sent["params"] = {"member": PERSON}
    if path == "/fhir/ClaimResponse":
        sent["params"] = {"patient": PERSON}
    if path == "/x12":
        sent["headers"]["content-type"] = "application/edi-x12"
    sent["headers"] |= {"x-request-id": mark, "x-purpose": "payment"}
    answer = await found.owner.request(method, re.sub(r"\{\w+\}", own, path), **sent)
    return answer, await rows_of(found, mark)


def test_every_route_makes_the_rows_that_it_should(ground: Ground, payer: str) -> None:
    """With who, when, why and from where; and of data of a person always the person.

    A route that is not in the table has no rows that anybody looked at.
    """

    async def scenario() -> dict[str, list[str]]:
        seen: dict[str, list[str]] = {}
        async with places(ground, payer) as found:
            for route in sorted((" ".join(each) for each in matrix()), key=order):
                answer, rows = await asked(found, route)
                if route.split()[1].startswith(OF_NOBODY):
                    (row,) = rows
                    assert not row.get("persons")
                else:
                    seen[route] = [kinds(row) for row in rows]
                for row in rows:
                    assert row["what"] == route
                    assert row["by"] == "key:environment"
                    assert (row["source"], row["purpose"]) == ("127.0.0.1", "payment")
                    assert row.get("status", answer.status_code) == answer.status_code
            reading = found.app.state.application.stores.verification
            assert [each async for each in reading.problems(payer)] == []
        return seen

    assert asyncio.run(scenario()) == ROWS


def test_refusals_of_known_keys_are_rows_and_of_unknown_ones_none(
    ground: Ground, payer: str, tmp_path: Path
) -> None:
    """A scope that was missing is named; a payer that is not one's own is not."""
    roles = tmp_path / "roles.yaml"
    roles.write_text("reader: [billing.charge.read]\nauditor: [audit.read]\n")
    keys = {
        SecretStr("key-of-a-reader"): StartKey(payers=(payer,), role="reader", name="reader"),
        SecretStr("key-of-an-auditor"): StartKey(payers=(payer,), role="auditor", name="auditor"),
    }
    settings = ground.settings.model_copy(update={"api_keys": keys, "roles_file": roles})
    with (
        serving(settings) as url,
        client_of(url, "key-of-a-reader") as reader,
        client_of(url, "key-of-an-auditor") as auditor,
        client_of(url, "key-of-nobody") as nobody,
    ):
        assert nobody.get("/claims/C1").status_code == 401
        assert reader.get("/claims/C1").status_code == 404
        assert reader.get("/worklist").status_code == 403
        assert reader.get("/claims/C1", headers={"x-payer": "another"}).status_code == 403
        assert reader.post("/claims/C1/reverse", json={"by": "x"}).status_code == 403
        found = auditor.get("/audit", params={"by": "key:reader"}).json()
        assert reader.get("/audit").status_code == 403

    told = [(each["what"], each["status"], each.get("scope")) for each in found["rows"]]
    assert told == [
        ("POST /claims/{claim_id}/reverse", 403, "claims.reverse"),
        ("GET /claims/{claim_id}", 403, None),
        ("GET /worklist", 403, "worklist.work"),
        ("GET /claims/{claim_id}", 404, None),
    ]


def test_a_key_that_has_ended_is_told(ground: Ground, payer: str) -> None:
    """It was somebody's; whose a secret was that is revoked nobody knows any more."""

    async def scenario() -> list[Any]:
        async with places(ground, payer) as found:
            parts = found.app.state.application
            made = await make(local_caller(parts, payer), KeyWanted(name="old", role="auditor"))
            key = await parts.stores.keys.get(made["id"])
            await parts.stores.keys.write(replace(key, expires_at=now()))
            await parts.gate.keyring.look()
            headers = {"x-api-key": made["key"], "x-request-id": "ended"}
            assert (await found.owner.get("/audit", headers=headers)).status_code == 401
            return await rows_of(found, "ended")

    (row,) = asyncio.run(scenario())
    assert (row["by"].split("/")[0], row["outcome"], row["status"]) == ("key:old", "refused", 401)


def test_who_saw_the_data_of_a_person_under_every_id(
    ground: Ground, payer: str, tmp_path: Path
) -> None:
    """Also what was seen under an id before it was merged, page by page; and of nobody else."""
    settings = ground.settings.model_copy(update={"api_keys": keys_of({"key-of-all": payer})})
    with serving(settings) as url, client_of(url, "key-of-all") as caller:
        for member in ("M-1", "M-2", "M-3"):
            body = claim_body(claim_id=f"C-{member}", member={"id": member})
            assert caller.post("/match", json=body).status_code == 200
        asked = {"into": "M-2", "by": "nurse", "reason": "one person"}
        assert caller.post("/members/M-1/merge", json=asked).status_code == 200
        params: dict[str, Any] = {"member": "m1", "size": 2}
        pages = [caller.get("/audit", params=params).json()]
        while pages[-1]["next"]:
            after = {**params, "after": pages[-1]["next"]}
            pages.append(caller.get("/audit", params=after).json())
        wrong = caller.get("/audit", params={"after": "nonsense"})

    rows = [each for page in pages for each in page["rows"] if each["what"] != "GET /audit"]
    assert wrong.status_code == 422
    assert [(each["what"], each.get("claims")) for each in rows] == [
        ("POST /members/{member_id}/merge", None),
        ("POST /match", ["C-M-2"]),
        ("POST /match", ["C-M-1"]),
    ]
    assert (rows[0]["on_behalf_of"], rows[0]["why"]) == ("nurse", "one person")
    assert "M-1" not in str(pages).replace("C-M-1", "").upper()


def test_what_cannot_be_a_row_is_not_answered(ground: Ground, payer: str) -> None:
    """Without Redis a read that needs none is 503, of a line of a stream, too."""
    keys = keys_of({"key-of-all": payer})
    with proxied(ground.settings.redis_url) as proxy:
        changed = {"api_keys": keys, "redis_url": proxy.url}
        settings = ground.settings.model_copy(update=changed)
        with serving(settings) as url, client_of(url, "key-of-all") as caller:
            path = "/authorizations/A1"
            assert caller.put(path, json=authorization_body()).status_code == 201
            assert caller.get(path).status_code == 200
            with proxy.failing("refuse"):
                refused = caller.get(path)
                lines = caller.post("/match/batch", content=ndjson([claim_body()])).text
            assert caller.get(path).status_code == 200

    assert (refused.status_code, refused.headers["content-type"]) == (503, PROBLEM)
    assert "M0001" not in refused.text
    assert json.loads(lines)["problem"]["status"] == 503
