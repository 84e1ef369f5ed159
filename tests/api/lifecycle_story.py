"""The part of the story of the examples that is about alerts, and about entries by hand."""

import json
from pathlib import Path
from typing import Any

from tests.api.story import Json, Story

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LETTER = "%PDF-1.4\n...\n%%EOF\n"


def example(name: str) -> Json:
    """One of the examples."""
    found: Json = json.loads((EXAMPLES / f"{name}.json").read_text())
    return found


def entry(name: str, **changes: Any) -> Json:
    """What is entered by hand, under another id and number."""
    return {**example("entry"), "authorization_id": name, "number": f"HP {name}", **changes}


def watchers(story: Story) -> None:
    """Most of an authorization is used: that is an alert, which somebody dismisses."""
    name = "UM-90010"
    line = {"procedure": {"from": "97110"}, "limits": {"units": "12", "unit": "UN"}, "line": 1}
    long = {"from": "2026-01-01", "to": "2099-12-31"}
    given: Json = {"limits": None, "lines": [line], "effective": long}
    one = entry(name, version=1, decision={"action": "A1"}, **given)
    assert story.client.put(f"/authorizations/{name}", json=one).status_code == 201
    claim = example("late-claim")
    used = {**claim, "claim_id": "C-2026-used", "member": one["member"]}
    used["lines"] = [{**claim["lines"][0], "units": "10"}]
    assert story.client.post("/adjudicate", json=used).status_code == 200
    story.call("PUT /alerts/choice", body={"kinds": ["used", "ending"], "by": "examiner 7"})
    story.call("GET /alerts/choice", params={"by": "examiner 7"})
    story.call("POST /alerts/choice/calendar", params={"by": "examiner 7"}, status=201)
    story.call("DELETE /alerts/choice/calendar", params={"by": "examiner 7"})
    (found,) = story.call("GET /alerts", params={"authorization": name})["alerts"]
    seen = {"reason": "a renewal is asked for", "by": "examiner 7"}
    story.call("POST /alerts/{alert_id}/dismiss", found["alert_id"], body=seen)


def entries(story: Story) -> None:
    """One counts with its letter, one is confirmed by a second person, one is refused."""
    body = {"authorization": example("entry"), "by": "clerk 3"}
    name = story.call("POST /manual-entries", body=body, status=201)["authorization_id"]
    path = "/authorizations/{authorization_id}/documents"
    story.call(f"POST {path}", name, body=LETTER, kind="application/pdf", status=201)
    (found,) = story.call(f"GET {path}", name)["documents"]
    story.call("GET /documents/{document_id}", found["document_id"])
    other = entry("UM-70002")
    assert story.client.post("/manual-entries", json={"authorization": other}).status_code == 201
    refused = {"by": "clerk 4", "reason": "of another payer"}
    story.call("POST /manual-entries/{authorization_id}/refuse", "UM-70002", body=refused)
    confirmed(story, "UM-70003")


def confirmed(story: Story, name: str) -> None:
    """What waits for a second look alone, as where the policy wants one."""
    pended = entry(name, version=1, decision={"action": "A4"})
    assert story.client.put(f"/authorizations/{name}", json=pended).status_code == 201
    path = f"/authorizations/{name}/documents"
    assert story.client.post(path, content=LETTER.encode()).status_code == 201
    attached = {"entered_by": "key:desk", "entered_action": "A1"}
    waits = {**pended, "version": 2, "status": "MANUAL_PENDING", "attached": attached}
    assert story.client.put(f"/authorizations/{name}", json=waits).status_code == 200
    step = "POST /manual-entries/{authorization_id}/confirm"
    story.call(step, name, body={"by": "clerk 4", "reason": "as the letter says"})
