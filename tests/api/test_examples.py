"""The examples of the OpenAPI document are what the service answers, in the order of one story.

With AUTHMATCH_RECORD_EXAMPLES set they are written anew, and nothing is compared.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from service.api.app import create_app
from service.domain.work_item import line_item
from service.settings import Settings, shipped
from tests.api.lifecycle_story import entries, watchers
from tests.api.request_story import requests, with_partner
from tests.api.story import JSON, Json, Story, until
from tests.ground import Ground
from tests.proxy import Proxy
from tests.serving import client_of, keys_of, serving

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
RECORDED = shipped("docs") / "examples" / "api.json"
NDJSON, X12 = "application/x-ndjson", "application/edi-x12"
FHIR = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
METHODS = ("get", "put", "post", "delete")


def claim(name: str, **changes: Any) -> Json:
    """A claim of the examples."""
    return {**json.loads((EXAMPLES / f"{name}.json").read_text()), **changes}


def authorization(name: str, member: str, **changes: Any) -> Json:
    """Therapy for a member, twelve units of it."""
    return {
        "authorization_id": name,
        "version": 1,
        "kind": "authorization",
        "setting": "professional",
        "member": {"id": member},
        "decision": {"action": "A1"},
        "certification_date": "2026-05-20",
        "effective": {"from": "2026-05-04", "to": "2026-08-31"},
        "servicing_provider": {"npi": "1234567893"},
        "lines": [
            {
                "line": 1,
                "procedure": {"from": "97110", "to": "97140", "code_system": "CPT"},
                "limits": {"units": "12", "unit": "UN"},
            }
        ],
        **changes,
    }


def authorizations(story: Story, search: Proxy) -> None:
    """Pushed, read, withdrawn; one waits while Elasticsearch is away."""
    lines = (EXAMPLES / "authorizations.ndjson").read_text().splitlines(keepends=True)
    story.call("POST /authorizations/bulk", body=lines[0], kind=NDJSON)
    push, one = "PUT /authorizations/{authorization_id}", authorization("UM-90001", "M9001")
    story.call(push, "UM-90001", body=one, status=201)
    story.call(push, "UM-90001", body=one)
    with search.failing("refuse"):
        late = authorization("UM-90009", "M9009")
        queued = story.call(push, "UM-90009", body=late, status=202)
        withdraw = "DELETE /authorizations/{authorization_id}"
        story.call(withdraw, "UM-90008", status=202, params={"version": 2})
    ticket = queued["status_url"].rpartition("/")[2]
    status = "GET /intake/{ticket}"
    until(lambda: story.client.get(f"/intake/{ticket}").json()["status"] != "waiting")
    story.call(status, ticket)
    story.call(withdraw, "UM-90009", params={"version": 2})
    story.call("GET /authorizations", params={"member": "M9001"})
    story.call("GET /authorizations/{authorization_id}", "UM-90001")
    story.call("GET /authorizations/{authorization_id}/versions", "UM-90001")


def claims(story: Story) -> None:
    """Matched, adjudicated, changed, and what the authorization has left then."""
    exact, cutback = claim("units-exact"), claim("units-cutback")
    story.call("POST /match", body=exact)
    story.call("POST /match", body=(EXAMPLES / "claim.837").read_text(), kind=X12)
    story.call("POST /match/batch", body=f"{json.dumps(exact)}\n", kind=NDJSON)
    asked = {"claim": exact, "line": 1, "number": "AU-00123"}
    story.call("POST /match/why-not", body=asked)
    story.call("POST /claims/populate", body=exact)
    charge = {
        "charge_id": "CH-2026-1",
        "member": {"id": exact["member"]["id"]},
        "procedure": "97110",
        "from": "2026-04-01",
        "units": "2",
        "unit": "UN",
        "benefit": {"authorization_required": True},
    }
    story.call("POST /charges/check", body=charge, params={"show_all": "true"})
    attached = {"charge": charge, "authorization_id": "UM-55012"}
    story.call("POST /charges/attach", body=attached)
    story.call("POST /charges/{charge_id}/detach", "CH-2026-1", body={"reason": "keyed twice"})
    story.call("POST /adjudicate", body=exact)
    story.call("POST /adjudicate/batch", body=f"{json.dumps(cutback)}\n", kind=NDJSON)
    change = {"by": "examiner 7", "reason": "as billed"}
    one, other = exact["claim_id"], cutback["claim_id"]
    story.call("GET /claims/{claim_id}", one)
    kept = {"lines": [{"line": 1, "units": "8"}], **change}
    story.call("POST /claims/{claim_id}/adjust", one, body=kept)
    limits = {"lines": [{"line": 1, "limit_adjustments": [{"group": "PR", "carc": "119"}]}]}
    story.call("POST /claims/{claim_id}/benefit-limits", one, body=limits)
    story.call("POST /claims/{claim_id}/reverse", other, body=change)
    for step in ("finalize", "release"):
        name = f"C-2026-{step}"
        reserved = claim("units-exhausted", claim_id=name, stage="preliminary")
        assert story.client.post("/adjudicate", json=reserved).json()["status"] == "reserved"
        story.call(f"POST /claims/{{claim_id}}/{step}", name, body=change)
    story.call("GET /claims/{claim_id}/history", one)
    opening = {
        "correction_id": "OPEN-2026-1",
        "account": "L1",
        "units": "2",
        "reason": "used before the change of systems",
    }
    path = "/authorizations/{authorization_id}/accumulators/corrections"
    story.call(f"POST {path}", "UM-55012", body=opening)
    story.call("GET /prior-authorization-metrics", params={"year": 2026})
    for what in ("accumulators", "ledger", "claims", "utilization"):
        story.call(f"GET /authorizations/{{authorization_id}}/{what}", "UM-55012")


def examiners(story: Story) -> None:
    """Two claims come before their authorization; one is run again, one is left as it is."""
    names = ("C-2026-000301", "C-2026-000302")
    for name in names:
        story.client.post("/adjudicate", json=claim("late-claim", claim_id=name))
    story.client.put("/authorizations/UM-90002", json=authorization("UM-90002", "M9002"))
    offers = {"kind": "late-authorization"}
    until(lambda: story.client.get("/worklist", params=offers).json()["total"] == len(names))
    story.call("GET /worklist", params={"claim": names[0], **offers})
    story.call("GET /worklist/counts", params={"claim": names[0]})
    by = {"by": "examiner 7"}
    mine = {"name": "Not found", "filters": "?kind=suspended&event=SPA-0009"}
    story.call("POST /worklist/filters", body=mine, status=201)
    story.call("GET /worklist/filters")
    story.call("POST /worklist/filters/drop", body={"name": mine["name"]})
    line = line_item(names[0], 1)
    story.call("GET /worklist/{item_id}", line)
    story.call("POST /worklist/next", params={"claim": names[0], "kind": "suspended"}, body=by)
    story.call("POST /worklist/assign", body={"items": [line], "team": "therapy", **by})
    for step, body in (
        ("take", by),
        ("hold", {"until": "2099-01-04", **by}),
        ("watch", by),
        ("release", by),
        ("skip", {"reason": "a colleague knows the case", **by}),
    ):
        story.call(f"POST /worklist/{{item_id}}/{step}", line, body=body)
    selected = {
        "action": "select",
        "authorizations": [{"authorization_id": "UM-90002"}],
        "reason_code": "same-service",
        "reason": "it came late",
        **by,
    }
    seen = {"if-match": "*"}
    story.call("POST /worklist/{item_id}/resolve", line, body=selected, headers=seen)
    last, *_, first = story.client.get(f"/claims/{names[0]}/history").json()["entries"]
    both = {"one": first["entry"], "other": last["entry"]}
    story.call("GET /claims/{claim_id}/compare", names[0], params=both)
    story.call(
        "POST /worklist/{item_id}/undo", line, body={"reason": "the wrong one", **by}, headers=seen
    )
    marked = {"kind": "review", "claim_id": names[1], "reason": "billed twice?", **by}
    story.call("POST /worklist", body=marked, status=201)


def others(story: Story) -> None:
    """X12, FHIR, members, dead letters, and what the service says of itself."""
    story.call("POST /x12", body=(EXAMPLES / "authorization.278.x12").read_text(), kind=X12)
    resource = json.loads((EXAMPLES / "authorization.fhir.json").read_text())
    story.call("POST /fhir", body=resource, kind=FHIR)
    story.call("GET /fhir/ClaimResponse", params={"patient": "M9001"})
    story.call("POST /fhir/ClaimResponse/_search", body="patient=M9001", kind=FORM)
    story.call("GET /fhir/ClaimResponse/{resource_id}", "UM-90001")
    story.call("GET /fhir/metadata")
    merge = {"into": "M9101", "by": "examiner 7", "reason": "one person"}
    story.call("POST /members/{member_id}/merge", "M9100", body=merge)
    story.call("GET /members/{member_id}", "M9100")
    for name, content in (("UM-90003", b"[]"), ("UM-90004", b"{}")):
        assert story.client.put(f"/authorizations/{name}", content=content).status_code == 422
    story.call("GET /intake")
    listed = story.call("GET /dead-letters", params={"size": 1, "status": "open"})
    (letter,) = listed["dead_letters"]
    story.call("GET /dead-letters/{letter_id}", letter["id"])
    better = authorization(letter["authorization_id"], "M9003")
    story.call("POST /dead-letters/{letter_id}/retry", letter["id"], body=better)
    (left,) = story.client.get("/dead-letters?status=open").json()["dead_letters"]
    gone = {"by": "examiner 7", "why": "sent by mistake"}
    story.call("DELETE /dead-letters/{letter_id}", left["id"], params=gone)
    wanted = {"name": "claims-engine", "role": "claims-system", "days": 365}
    made = story.call("POST /keys", body=wanted, status=201)
    story.call("GET /keys")
    story.call("GET /keys/{key_id}", made["id"])
    story.call("POST /keys/{key_id}/rotate", made["id"], body={"grace_hours": 24})
    story.call("DELETE /keys/{key_id}", made["id"])
    for path in ("/", "/health/live", "/health/ready"):
        story.call(f"GET {path}")


def rules(story: Story) -> None:
    """A weight is changed, evaluated, approved by somebody else, in force, and undone."""
    call = story.call
    call("GET /rules")
    text = (shipped("queries") / "dental.yaml").read_text(encoding="utf-8")
    changed = {"dental.yaml": text.replace("weight: 8", "weight: 7", 1)}
    assert changed["dental.yaml"] != text
    ann, kim = ({"by": name, "reason": "UM-412"} for name in ("ann", "kim"))
    wanted = {"title": "Quadrants weigh less", "changed": changed, **ann}
    name = call("POST /rules/drafts", body=wanted, status=201)["id"]
    at = "POST /rules/drafts/{draft_id}/"
    call("PUT /rules/drafts/{draft_id}", name, body={"changed": changed, **ann})
    call(f"{at}check", name)
    call(f"{at}try", name, body={"claim": claim("claim-dental")})
    call(f"{at}evaluate", name, body=ann)
    call(f"{at}submit", name, body=ann)
    call(f"{at}approve", name, body=ann, status=409)
    call(f"{at}reject", name, body=kim)
    call(f"{at}submit", name, body=ann)
    call(f"{at}approve", name, body=kim)
    call("GET /rules/drafts")
    call("GET /rules/drafts/{draft_id}", name)
    call("GET /rules/diff", params={"from": "1", "to": name})
    despite = {"by": "lee", "reason": "UM-412", "despite_gates": "no claims are kept yet"}
    call(f"{at}publish", name, body=despite, status=201)
    call("GET /rules/sets", params={"size": 1})
    call("GET /rules/sets/{number}", "1")
    call("POST /rules/rollback", body=kim, status=201)
    call("GET /rules/history", params={"size": 2})
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    call("GET /rules/statistics", params={"from": today, "to": today, "template": "professional"})
    staged(story, wanted, ann, kim)
    other = call("POST /rules/drafts", body=wanted, status=201)["id"]
    call(f"{at}shadow", other, body={"share": 20, **ann})
    call("GET /rules/drafts/{draft_id}/shadow", other)
    call(f"{at}shadow/stop", other, body=ann)
    call(f"{at}drop", other, body=ann)


def staged(story: Story, wanted: Json, ann: Json, kim: Json) -> None:
    """The same in stages: for a tenth of the claims, then for half of them, then taken back."""
    name = story.client.post("/rules/drafts", json=wanted).json()["id"]
    despite = {"by": "lee", "reason": "UM-412", "despite_gates": "tried live", "share": 10}
    steps = (("evaluate", ann), ("submit", ann), ("approve", kim), ("publish", despite))
    for step, body in steps:
        assert story.client.post(f"/rules/drafts/{name}/{step}", json=body).is_success
    story.call("POST /rules/stage/widen", body={"share": 50, **kim})
    story.call("POST /rules/stage/return", body=kim)


def tuning(story: Story) -> None:
    """A study of one claim, and what a wider window would move on it."""
    asked = {"name": "a line three weeks late", "claims": [claim("units-exact")]}
    made = story.call("POST /studies", body=asked, status=202)
    show = "GET /studies/{study_id}"
    until(lambda: story.client.get(f"/studies/{made['id']}").json()["status"] == "done")
    story.call("GET /studies")
    story.call(show, made["id"])
    story.call(f"{show}/claims", made["id"])
    base = (shipped("queries") / "base.yaml").read_text(encoding="utf-8")
    wider = base.replace("{before: 7, after: 7, max: 30}", "{before: 21, after: 21, max: 30}")
    assert wider != base
    draft = {"study": made["id"], "name": "wider days", "texts": {"base.yaml": wider}}
    report = story.call("POST /reports", body=draft, status=202)
    story.told["POST /reports"]["bodies"] = {JSON: story.steady(draft)}
    show = "GET /reports/{report_id}"
    until(lambda: story.client.get(f"/reports/{report['id']}").json()["status"] == "done")
    story.call("GET /reports")
    story.call(show, report["id"])
    story.call(f"{show}/content", report["id"])

    golden(story, made["id"])


def golden(story: Story, study: str) -> None:
    """A line is labelled, and examiners' decisions are taken over."""
    asked = {"study": study, "by": "ann"}
    (line,) = story.call("GET /golden/next", params=asked)["lines"]
    label = {name: line[name] for name in ("claim_id", "line")}
    label["authorization"] = line["authorizations"][0]["authorization_id"]
    sent = {**asked, "labels": [{**label, "why": "the visits that were asked for"}]}
    story.call("POST /golden/labels", body=sent, status=201)
    story.told["POST /golden/labels"]["bodies"] = {JSON: story.steady(sent)}
    story.call("GET /golden/labels")
    story.call("GET /golden/lines")
    story.call("POST /golden/decisions", body={"from": "2026-05-01", "to": "2026-05-31"})
    suggestion(story)


def suggestion(story: Story) -> None:
    """Visits after the end of what was granted, which people found right."""
    late = {"from": "2026-09-02", "units": "1", "procedure": "97110"}
    lines = [{"line": number, **late} for number in range(1, 26)]
    claims = [claim("units-exact", claim_id=name, lines=lines) for name in ("S-1", "S-2")]
    study = story.client.post("/studies", json={"name": "S", "claims": claims}).json()["id"]
    until(lambda: story.client.get(f"/studies/{study}").json()["status"] == "done")
    found = story.client.get(f"/studies/{study}/claims").text.splitlines()
    right = json.loads(found[0])["candidates"][0]["authorization_id"]
    labels = [
        {"claim_id": each["claim_id"], "line": line["line"], "authorization": right}
        for each in claims
        for line in lines
    ]
    sent = {"study": study, "by": "ann", "labels": labels}
    assert story.client.post("/golden/labels", json=sent).status_code == 201
    asked = {"study": study, "by": "ann", "reason": "UM-413", "parts": 2, "tries": 20}
    made = story.call("POST /rules/suggestions", body=asked, status=202)
    story.told["POST /rules/suggestions"]["bodies"] = {JSON: story.steady(asked)}
    path = f"/rules/suggestions/{made['id']}"
    until(lambda: story.client.get(path).json()["status"] == "done")
    story.call("GET /rules/suggestions")
    story.call("GET /rules/suggestions/{suggestion_id}", made["id"])


@pytest.fixture
def search(own: Ground) -> Iterator[Proxy]:
    """Elasticsearch, which may be away."""
    proxy = Proxy(own.settings.elasticsearch_url or "")
    proxy.start()
    yield proxy
    proxy.stop()


def test_every_example_is_what_is_answered(own: Ground, search: Proxy) -> None:
    """From the first push to the last letter."""
    changed = {"elasticsearch_url": search.url, "api_keys": keys_of({"k": "demo"})}
    with (
        with_partner(own.settings.model_copy(update=changed)) as (settings, partner),
        serving(settings, are_kept=True) as url,
        client_of(url, "k") as client,
    ):
        story = Story(client)
        authorizations(story, search)
        claims(story)
        watchers(story)
        entries(story)
        examiners(story)
        others(story)
        requests(story, partner, claim("request"))
        rules(story)
        tuning(story)
        story.call("GET /audit", params={"member": "M9100"})
    if "AUTHMATCH_RECORD_EXAMPLES" in os.environ:
        RECORDED.write_text(f"{json.dumps(story.told, indent=1)}\n", encoding="utf-8")
        return
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert recorded.keys() == story.told.keys()
    for operation, told in story.told.items():
        assert recorded[operation] == told, operation


def test_every_operation_has_its_examples(own: Ground) -> None:
    """A body that was really sent, an answer for each status, problems too."""
    with serving(own.settings) as url, client_of(url) as client:
        document = client.get("/openapi.json").json()
    missing = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            bodies = operation.get("requestBody", {"content": {"": {"example": ""}}})["content"]
            if not any("example" in each for each in bodies.values()):
                missing.append(f"{name}: body")
            for status, answer in operation["responses"].items():
                contents = answer.get("content", {})
                if not contents or not all("example" in each for each in contents.values()):
                    missing.append(f"{name}: {status}")
    assert missing == []


def test_every_answer_is_of_its_model() -> None:
    """No key is missing, and none is there that the model has not."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    looked_at = 0
    for route in iter_route_contexts(create_app(Settings()).routes):
        if getattr(route, "response_model", None) is None:
            continue
        for method in route.methods or ():
            answers = recorded[f"{method} {route.path}"]["answers"]
            for answer in (each[JSON] for each in answers.values() if JSON in each):
                read = TypeAdapter(route.response_model).validate_python(answer, strict=True)
                assert read == answer, route.path
                looked_at += 1
    assert looked_at > 10
